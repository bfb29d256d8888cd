/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * An application out of a script's answer.
 *
 * Owns: nothing: texts are the reply's. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>

#include "lib/net/redis_client.h"

#include "service/store/operations.h"

/* `entry`: its time in `due` or "", then field and value by turns; a field `id` if `id` is NULL.
 * False when the state is none. */
bool reading_fill(const struct redis_reply *entry, const char *id, struct listed *out);
