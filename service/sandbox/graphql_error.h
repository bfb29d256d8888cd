/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * An answer whose body is one GraphQL error, in the shapes that SEEK's pages show.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>

#include "service/sandbox/answer.h"

struct graphql_error {
    unsigned status; /* 0 stands for 200 */
    const char *code;
    const char *message;
    const char *path;      /* the root field; NULL: the error is not of a field */
    const char *data_key;  /* NULL: no `data`; otherwise "data":{<data_key>:null} */
    bool lacks_extensions; /* and so the code */
};

void graphql_error_answer(const struct graphql_error *error, struct sandbox_answer *answer);
