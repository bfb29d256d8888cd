/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The Lua scripts of store/calls, which alone change what lies in Redis.
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
    SCRIPT_FORGET_DEAD,
    SCRIPT_HISTORY,
    SCRIPT_LIST,
    SCRIPT_MOVE_IN,
    SCRIPT_MOVE_OUT,
    SCRIPT_NOTIFY,
    SCRIPT_PAUSE,
    SCRIPT_READ,
    SCRIPT_REPLAY,
    SCRIPT_REPLAY_DEAD,
    SCRIPT_SETTLE,
    SCRIPT_COUNT, /* of those that calls are made of */
    /* Of the inspection, run whole. */
    SCRIPT_LAYOUT = SCRIPT_COUNT,
    SCRIPT_TRIAL,
    SCRIPT_COUNT_ALL,
};

enum { SCRIPT_HASH_BYTES = 41 }; /* SHA-1 in hexadecimal, as SCRIPT LOAD answers it */

const char *script_name(enum script script);
/* Somebody is told that it was done, so it is to be as durable as DURABILITY demands. */
bool script_is_acknowledged(enum script script);
/* Appends the text that Redis runs: what all scripts share, then the script. */
MUST_CHECK bool script_write(enum script script, struct buffer *out, struct error *error);
