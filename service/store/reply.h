/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Reading the answers of scripts.
 *
 * Owns: nothing: texts are the reply's. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/net/redis_client.h"

/* Why there is none: a sentence. */
extern const char reply_lost[];

bool reply_is_array_of(const struct redis_reply *reply, size_t length);
const char *reply_text_at(const struct redis_reply *reply, size_t index);
int64_t reply_number_at(const struct redis_reply *reply, size_t index);
/* Of a lease: 1 or more, and no more than seven bytes hold. */
bool reply_is_generation(int64_t number);
/* Refused since the slot is on its way, or has left: that says nothing of the node. */
bool reply_is_passing(const struct redis_reply *reply);
/* What a script answers of an application that is damaged beyond what it could do about that. */
bool reply_is_damaged(const struct redis_reply *reply);
