/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The arguments of a command that are no settings: `--code FORBIDDEN`, an application's id.
 *
 * Owns: nothing: texts are the arguments'. Threads: the only one. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/base/error.h"

enum { /* what a command takes */
       TAKES_NOTHING = 0,
       TAKES_ID = 1 << 0, /* may be left out */
       NEEDS_ID = 1 << 1,
       TAKES_JSON = 1 << 2,
       TAKES_CODE = 1 << 3,
       TAKES_LIMIT = 1 << 4,
       TAKES_DRY_RUN = 1 << 5,
       TAKES_PER_SECOND = 1 << 6,
       TAKES_FILTER = 1 << 7, /* --class, --message, --prefix, --since, --until */
       TAKES_ALL = 1 << 8,
       TAKES_FORMAT = 1 << 9,
       TAKES_TAIL = 1 << 10, /* --id, --event and --class */
       TAKES_MOVE = 1 << 11, /* --from, --to and what is said of each */
       TAKES_YES = 1 << 12,
       TAKES_LATEST = 1 << 13,
};

struct command_arguments {
    const char *id, *code, *class, *message, *prefix, *since, *until, *format,
        *event; /* NULL: not given */
    const char *from_file, *to_file;
    char *from, *to; /* with passwords: to be overwritten once they are read */
    char *from_prefix, *to_prefix;
    int64_t limit, per_second, from_shards, to_shards; /* 0: not given */
    bool is_dry_run, is_json, is_all, is_following, is_abandoning, is_yes, is_latest;
};

/* A line for each option in `takes`. */
void command_arguments_print_help(FILE *stream, unsigned takes);
/* All of them, as entries of seek-signal(1). */
void command_arguments_print_manual(FILE *stream);

/* Takes what `takes` names out of `arguments`; the rest, which are settings, closes up.
 * ERROR_CONFIG when an argument is not the command's, has no value or a bad one. */
MUST_CHECK bool command_arguments_take(unsigned takes, int *count, char *arguments[],
                                       struct command_arguments *out, struct error *error);
