/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What commands print for a person: members of an object, tables, how far long work has come.
 * Control characters, which a message of SEEK's may have, never reach the terminal.
 *
 * Owns: nothing. Threads: the only one. Blocks: for the terminal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/json.h"

/* "store.durability  fsync" for each member, those of inner objects with their path. */
void print_members(const struct json_value *object);
/* The value as one line of JSON. */
void print_json(const struct json_value *value);
/* One line of the members' names, then one per item of the array; "-" for what is not there. A name
 * with a dot leads into an inner object. */
enum { PRINT_COLUMNS_MAX = 8 };
struct print_column {
    const char *title, *member;
};
void print_table(const struct json_value *array, const struct print_column *columns, size_t count,
                 bool has_titles);

/* On standard error, when that is a terminal and `total` is known. */
void print_progress(int64_t done, int64_t total);
void print_progress_end(void); /* takes it away */
