/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What commands print for a person, and ask: members of an object, tables, how far long work has
 * come, whether to go on.
 * What would steer the terminal, which a message of SEEK's may have, never reaches it
 * (lib/base/terminal.h).
 *
 * Owns: nothing. Threads: the only one. Blocks: for the terminal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/base/json.h"

void print_text(FILE *stream, const char *text);
/* Each line of the text as one, and an end of line behind the last. */
void print_lines(FILE *stream, const char *text);
/* One line, whatever its parts hold. */
void print_format(FILE *stream, const char *format, ...) __attribute__((format(printf, 2, 3)));

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

/* Whether there is a person who could answer: standard input and error are a terminal. */
bool print_can_ask(void);
/* True: the answer is yes. Anything else is no, and says that nothing was changed. */
bool print_ask(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* All of it to standard output. False: some is lost; the command need not go on printing. */
bool print_flush(void);
/* The exit status, once nothing more is printed: a command whose output is lost has failed, and
 * says so, unless its reader has seen enough (`| head`). */
int print_end(int status);

/* On standard error, when that is a terminal and `total` is known. */
void print_progress(int64_t done, int64_t total);
void print_progress_end(void); /* takes it away */
