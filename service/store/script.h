/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The Lua scripts of store/scripts, which alone change an application.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include "lib/base/buffer.h"
#include "lib/base/error.h"

enum script {
    SCRIPT_ACCEPT,
    SCRIPT_CENSUS,
    SCRIPT_CLAIM,
    SCRIPT_DRAFT,
    SCRIPT_DRAIN,
    SCRIPT_FORGET,
    SCRIPT_LIST,
    SCRIPT_PAUSE,
    SCRIPT_READ,
    SCRIPT_REPLAY,
    SCRIPT_REPLAY_DEAD,
    SCRIPT_SETTLE,
    SCRIPT_COUNT,
};

enum { SCRIPT_HASH_BYTES = 41 }; /* SHA-1 in hexadecimal, as SCRIPT LOAD answers it */

/* All scripts work on one shard. Its number is a hash tag, so that its keys share a slot of a Redis
 * Cluster. */
#define STORE_SHARD "{0}"
#define STORE_KEY_APPLICATION "seek-signal:" STORE_SHARD ":app:" /* and the application's id */
#define STORE_KEY_DUE "seek-signal:" STORE_SHARD ":due"
#define STORE_KEY_DEAD "seek-signal:" STORE_SHARD ":dead"
#define STORE_KEY_PAUSED "seek-signal:" STORE_SHARD ":paused"
#define STORE_KEY_CLAIM "seek-signal:" STORE_SHARD ":claim:" /* and the claimer's name */
#define STORE_KEY_SHARDS "seek-signal:shards"                /* how many there are */
#define STORE_SHARD_COUNT "1"
/* Written behind what replicas or the disk are waited for: see confirmation.c. */
#define STORE_KEY_MARK "seek-signal:" STORE_SHARD ":mark"
#define STORE_MARK_LIFE_MS "86400000"

const char *script_name(enum script script);
/* Somebody is told that it was done, so it is to be as durable as DURABILITY demands. */
bool script_is_acknowledged(enum script script);
/* Appends the text that Redis runs: what all scripts share, then the script. */
MUST_CHECK bool script_write(enum script script, struct buffer *out, struct error *error);
