/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The Authorization header of one worker: takes the shared access token, and fetches the next one
 * when told to.
 *
 * Owns:    a copy of the header line.
 * Threads: one, the worker's.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/net/http_client.h"

#include "service/outbound/worker_shared.h"

struct span;

struct authorizer {
    struct worker_shared *shared; /* borrowed: outlives us */
    struct http_client *http;     /* borrowed: outlives us */
    struct buffer line;           /* "Authorization: Bearer …" */
    struct buffer line_before;    /* that of the generation before: answers to it may still come */
    struct span *span;            /* owned while a fetch is on its way; NULL: not traced */
    uint64_t generation;          /* of the access token in `line` */
    bool is_fetching;
    bool is_stopping; /* a fetch that ends now was cut: nobody's failure */
};

void authorizer_init(struct authorizer *authorizer, struct worker_shared *shared,
                     struct http_client *http);
void authorizer_fini(struct authorizer *authorizer);
/* The access token in a line; "" when there is none. */
const char *authorizer_text(const struct buffer *line);
/* True: `line` is valid now. Otherwise ask again after `out_wait_ms`. */
bool authorizer_prepare(struct authorizer *authorizer, int64_t now_ms, int64_t *out_wait_ms);
