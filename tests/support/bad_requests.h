/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Requests that a server does not serve, one of each kind: what breaks HTTP, what is over a limit,
 * what ends early.
 *
 * Owns:    nothing.
 * Threads: one at a time.
 * Blocks:  while `serve` takes what is sent.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct bad_request {
    const char *name;
    const char *begin;
    const char *repeated; /* NULL: nothing */
    unsigned count;
    const char *end;
};

extern const struct bad_request bad_requests[];
extern const size_t bad_request_count;

/* Sends it on so many connections, several at a time, and gives the server the turns to answer and
 * to close. */
void bad_requests_send(const struct bad_request *bad, unsigned times, uint16_t port,
                       void (*serve)(void *context), void *context);
/* What malloc has given out; under a sanitizer always 0, where its own leak check tells more. */
size_t bad_requests_memory(void);
