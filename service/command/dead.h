/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * `dead list` (dead.c), `dead replay` and `dead forget` (dead_walk.c): what SEEK refused, or what
 * grew too old. This is common to the three.
 *
 * Owns: nothing. Threads: the only one. Blocks: for the service's answer.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/json.h"
#include "lib/base/rfc3339.h"

#include "service/command/arguments.h"
#include "service/config/config.h"

/* How long ago counts from when the command began, for all pages alike. */
struct dead_times {
    char since[RFC3339_BYTES], until[RFC3339_BYTES]; /* "": not given */
};
/* False: one is none, which is printed. */
bool dead_read_times(const struct command_arguments *arguments, struct dead_times *out);

bool dead_is_filtered(const struct command_arguments *arguments);
/* All of them. False: the service gives no answer. -1: it does not know. */
bool dead_count(const struct config *config, int64_t *out, struct error *error);
/* Where the next page begins; NULL at the end. */
const char *dead_cursor(const struct json_value *answer);
/* Prints it; the exit status. */
int dead_fail(const struct error *error);
