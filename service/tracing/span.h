/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One piece of work with its place in a trace. It names no application and holds no seek-token:
 * traces are read by more people, and in more places, than the log.
 *
 * Owns: nothing. Threads: one at a time. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "service/domain/delivery.h"
#include "service/domain/event.h"
#include "service/domain/upstream_reply.h"

enum span_kind {
    SPAN_INTAKE,       /* a POST /v1/events, from its first byte to its answer */
    SPAN_ATTEMPT,      /* a request to SEEK that sends a signal */
    SPAN_ACCESS_TOKEN, /* a request for an access token */
    SPAN_KIND_COUNT,
};

enum { TRACE_ID_AT = 3, TRACE_ID_DIGITS = 32, SPAN_ID_AT = 36, SPAN_ID_DIGITS = 16 };

/* Of the flags' last digit, of a traceparent of version 00. */
enum { TRACE_SAMPLED = 1, TRACE_ID_IS_RANDOM = 2 };
static inline bool trace_has_flag(const char *traceparent, unsigned flag)
{
    char digit = traceparent[TRACEPARENT_BYTES - 1];
    return (((unsigned)digit - (digit <= '9' ? '0' : 'a' - 10)) & flag) != 0;
}

struct span {
    enum span_kind kind;
    bool is_sampled;
    char traceparent[TRACEPARENT_BYTES + 1]; /* its own: the parent of whatever it brings about */
    char parent_id[SPAN_ID_DIGITS + 1];      /* "": the first of its trace */
    int64_t start_us, end_us;                /* wall clock; set by tracer_end */

    /* Filled by its user before the end. 0 and "": left out. */
    unsigned http_status;
    unsigned attempt;
    size_t event_count;
    const char *class; /* static: that of the attempt's verdict */
    char event_id[ATTEMPT_ID_BYTES];
    char error_type[VERDICT_CODE_BYTES]; /* makes the span a failed one */
};
