/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The command line of seek-sandbox, as a table from which the help follows too.
 *
 * Owns: nothing; texts point into argv. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "lib/base/error.h"

#include "service/sandbox/sandbox.h"

struct arguments {
    struct sandbox_options sandbox;
    const char *listen;
    const char *tls_listen; /* NULL: no HTTPS */
    const char *h2_listen;  /* NULL: no HTTP/2 */
    bool is_quiet;
    bool wants_help;
    bool wants_version;
};

/* ERROR_CONFIG, naming the argument. */
MUST_CHECK bool arguments_parse(const char *const argv[], struct arguments *out,
                                struct error *error);
void arguments_print_help(FILE *file);
/* seek-sandbox(1). */
void arguments_print_manual(FILE *file, const char *version);
