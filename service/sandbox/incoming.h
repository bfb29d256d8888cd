/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The parts of a call that SEEK's two endpoints look at, apart from the server they came through.
 *
 * Owns: nothing; all pointers are borrowed. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct incoming {
    const char *method;
    const char *content_type;  /* NULL when absent */
    const char *authorization; /* NULL when absent */
    const char *body;
    size_t body_length;
    int64_t now_ms; /* monotonic */
};

/* Whether it is application/json, with or without parameters. */
bool incoming_is_json(const struct incoming *incoming);
