/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The way to a collector: posts one request after the other, over a connection that is kept, and
 * again when OTLP/HTTP says that this may help.
 *
 * Owns:    its connection.
 * Threads: wake and stop from any; everything else from one.
 * Blocks:  send up to its budget and any Retry-After before it (at most COLLECTOR_QUIET_MAX_MS),
 *          wait up to its argument; both end with the stop's deadline.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/base/ownership.h"
#include "lib/base/secret.h"

enum { COLLECTOR_QUIET_MAX_MS = 5 * 60 * 1000 };

struct collector;

struct collector_options {
    const char *url;        /* borrowed, as all here: outlives us */
    const char *proxy;      /* as http_transfer has it */
    struct secret *headers; /* a pair_list, read for every request; NULL: none */
    const char *ca_file;    /* NULL: the system's */
    const char *client_certificate, *client_key; /* NULL: none */
    const char *user_agent;
    uint32_t timeout_ms;                  /* one request, connecting included */
    uint32_t budget_ms;                   /* a request and its repetitions */
    uint32_t pause_base_ms, pause_max_ms; /* between them, with full jitter */
};

MUST_CHECK struct collector *collector_create(const struct collector_options *options,
                                              struct error *error);
void collector_destroy(struct collector *collector); /* accepts NULL */
DEFINE_AUTO(collector);

/* False and `error`: the collector did not take it, and does not get it again. True: it took it but
 * for `out_rejected` spans; `error` is its word about that, or "". */
MUST_CHECK bool collector_send(struct collector *collector, const struct buffer *body,
                               size_t *out_rejected, struct error *error);
/* Until then (clock_monotonic_ms), or until somebody wakes it. */
void collector_wait(struct collector *collector, int64_t until_ms);
void collector_wake(struct collector *collector);
/* Nothing is repeated any more, and all is over at the deadline. */
void collector_stop(struct collector *collector, int64_t deadline_ms);
bool collector_is_stopping(const struct collector *collector);
/* Whether `headers` can be sent. */
MUST_CHECK bool collector_check_headers(struct secret *headers, struct error *error);
