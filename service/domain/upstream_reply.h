/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What an answer of SEEK's GraphQL endpoint means. A table in upstream_reply.c, one row per
 * observation.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How far the exchange came. */
enum upstream_transport {
    UPSTREAM_ANSWERED,
    UPSTREAM_NO_CONNECTION,
    UPSTREAM_TLS_FAILED,
    UPSTREAM_NOT_RESOLVED,
    UPSTREAM_TIMED_OUT,
    UPSTREAM_BROKEN,
    UPSTREAM_TOO_LARGE,
};

struct upstream_reply { /* borrowed for the call */
    enum upstream_transport transport;
    unsigned status;
    const char *body;
    size_t body_length;
    const char *retry_after;      /* header value or NULL */
    const char *transport_detail; /* the client's words for a failed transport */
};

enum verdict_class {
    VERDICT_DELIVERED,
    VERDICT_TRANSIENT,
    VERDICT_THROTTLED,
    VERDICT_AUTH,
    VERDICT_REFUSED,
    VERDICT_MISCONFIGURED,
    VERDICT_CLASS_COUNT,
};

enum { VERDICT_CODE_BYTES = 64, VERDICT_MESSAGE_BYTES = 2048 };

struct verdict {
    enum verdict_class class;
    bool has_errors;        /* SEEK's GraphQL has spoken: it may be about this signal alone */
    unsigned http_status;   /* 0: no answer */
    int64_t retry_after_ms; /* -1: not named; capped at 24 h */
    /* SEEK's extensions.code; ours when it gave none: "TIMEOUT", "HTTP_503", "NO_CODE". */
    char code[VERDICT_CODE_BYTES];
    /* SEEK's messages, joined by "; ", or a description; cut only at the limit. */
    char message[VERDICT_MESSAGE_BYTES];
};

/* "delivered", "transient", …: for metrics. */
const char *verdict_class_name(enum verdict_class class);

/* Never fails: what cannot be understood is transient. Several errors: refused only when every one
 * is; otherwise the class that waits. `wall_ms` is for a Retry-After that is a date. */
void upstream_reply_classify(const struct upstream_reply *reply, int64_t wall_ms,
                             struct verdict *out);

/* RFC 9110 section 10.2.3: seconds or an HTTP date; -1 when it is neither. Never negative
 * otherwise. */
int64_t retry_after_parse_ms(const char *value, int64_t wall_ms);
