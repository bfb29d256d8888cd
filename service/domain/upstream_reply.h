/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The meaning of an answer of SEEK's GraphQL endpoint. A table in upstream_reply.c, one row per
 * observation.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is deeper in an answer has no meaning to anybody here: errors, an error, its extensions and
 * its code are half of it. */
enum { UPSTREAM_DEPTH_MAX = 8, UPSTREAM_ANSWER_BYTES_MAX = 1024 * 1024 };

/* How far the exchange came. */
enum upstream_transport {
    UPSTREAM_ANSWERED,
    UPSTREAM_NO_CONNECTION,
    UPSTREAM_TLS_FAILED,
    UPSTREAM_NOT_RESOLVED,
    UPSTREAM_TIMED_OUT,
    UPSTREAM_BROKEN,
    UPSTREAM_TOO_LARGE,
    UPSTREAM_BAD_CODING,    /* the answer's content coding could not be undone */
    UPSTREAM_PROXY_REFUSED, /* a proxy lets nobody through to SEEK */
    UPSTREAM_NOT_SENT,      /* not a byte of the request was processed, time after time */
    UPSTREAM_TRANSPORT_COUNT,
};

struct upstream_reply { /* borrowed for the call */
    enum upstream_transport transport;
    unsigned status;
    const char *body;
    size_t body_length;
    const char *content_type;     /* header value, "" or NULL */
    const char *retry_after;      /* likewise */
    const char *transport_detail; /* the client's words for a failed transport */
};

enum verdict_class {
    VERDICT_DELIVERED,
    VERDICT_TRANSIENT,
    VERDICT_THROTTLED,
    VERDICT_AUTH,
    VERDICT_REFUSED,
    VERDICT_MISCONFIGURED,
    VERDICT_UNREADABLE, /* a success by its status: SEEK may have the signal */
    VERDICT_CLASS_COUNT,
};

enum { VERDICT_CODE_BYTES = 64, VERDICT_MESSAGE_BYTES = 2048 };

struct verdict {
    enum verdict_class class;
    bool has_errors;        /* SEEK's GraphQL has spoken: it may be about this signal alone */
    bool is_result_odd;     /* delivered, but sendSignal is not true */
    unsigned http_status;   /* 0: no answer */
    int64_t retry_after_ms; /* -1: not named; capped at 24 h */
    /* SEEK's extensions.code; ours when it gave none: "TIMEOUT", "HTTP_503", "NO_CODE". */
    char code[VERDICT_CODE_BYTES];
    bool is_code_known; /* ours or one that SEEK documents: it holds nothing of the request */
    /* SEEK's messages, joined by "; ", or a description. What is cut at the limit ends with the
       length of the whole, which is `message_length`. */
    char message[VERDICT_MESSAGE_BYTES];
    size_t message_length;
};

/* "delivered", "transient", …: for metrics. */
const char *verdict_class_name(enum verdict_class class);

/* Never fails: what cannot be understood is tried again. Several errors: refused only when every
 * one is; otherwise the class that waits. `wall_ms` is for a Retry-After that is a date. */
void upstream_reply_classify(const struct upstream_reply *reply, int64_t wall_ms,
                             struct verdict *out);

/* retry_after.c. RFC 9110 section 10.2.3: seconds or an HTTP date; -1 when it is neither. Never
 * negative otherwise. */
int64_t retry_after_parse_ms(const char *value, int64_t wall_ms);
