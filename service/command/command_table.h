/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The commands of the binary: their names, what they take, and their help.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "service/command/arguments.h"
#include "service/config/config.h"

struct command_row {
    const char *name; /* one word, or two */
    /* NULL: `serve` and `version`, which are main's own. */
    int (*run)(const struct config *config, const struct command_arguments *arguments);
    enum config_need need;
    unsigned takes;
    const char *brief; /* how --help names it; NULL: only `--help all` does */
    const char *full;  /* with everything it takes */
    const char *help;
    const char *brief_help; /* NULL: `help` */
};
extern const struct command_row command_rows[];
extern const size_t command_row_count;

/* The service itself, which is meant where no command is named. */
const struct command_row *command_table_serve(void);
bool command_row_begins_with(const struct command_row *row, const char *word);
/* Takes one word, or two, off the arguments. NULL: they name no command. */
const struct command_row *command_table_find(int *count, char **arguments[]);
/* The command that a mistyped word probably means: the first one, or the one after `first`, which
 * may be NULL. NULL: none is like it. */
const char *command_table_guess(const char *first, const char *word);
