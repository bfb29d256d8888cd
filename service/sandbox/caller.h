/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A request of one of the servers, as an exchange sees it: HTTP/1.1 or HTTP/2.
 *
 * Owns:    nothing; the request is its server's.
 * Threads: one, the loop's. Blocks: never.
 */
#pragma once

#include <stddef.h>

struct exchange;
struct sandbox_answer;

struct caller_calls {
    const char *(*method)(const void *request);
    const char *(*header)(const void *request, const char *name); /* NULL: absent */
    const char *(*body)(const void *request, size_t *out_length); /* NUL-terminated */
    /* Keeps it for exchange_end, when the request is over. */
    void (*attach)(void *request, struct exchange *exchange);
    /* The last step of an exchange, which may be gone afterwards; else `answer` stays valid until
     * the request is over. */
    void (*answer)(void *request, const struct sandbox_answer *answer);
    /* There is no memory for an answer. */
    void (*drop)(void *request);
};

struct caller {
    const struct caller_calls *calls; /* static */
    void *request;                    /* borrowed until exchange_end */
};
