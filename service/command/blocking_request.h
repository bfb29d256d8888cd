/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One HTTP request, waited for: what the commands need, and nothing that a loop may use.
 *
 * Owns: nothing after the call. Threads: the only one. Blocks: up to the transfer's time-out.
 */
#pragma once

#include "lib/base/buffer.h"
#include "lib/net/http_client.h"

enum { BLOCKING_ANSWER_BYTES_MAX = 1 << 20 };

struct blocking_answer {
    enum http_outcome outcome;
    unsigned status;
    struct buffer body;
    char content_type[128]; /* "" when absent */
    char date[64];          /* likewise: SEEK's clock */
    char link[2048];        /* likewise; one that is longer is cut */
    char detail[256];
};

/* Fills in `done` and `context` of the transfer itself; without `answer_bytes_max` it is
 * BLOCKING_ANSWER_BYTES_MAX, which no transfer exceeds. False and `error` when it could not even
 * start. The body is the caller's to buffer_fini in any case. */
MUST_CHECK bool blocking_request(const struct http_client_options *options,
                                 struct http_transfer transfer, struct blocking_answer *out,
                                 struct error *error);
