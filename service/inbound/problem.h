/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Everything that can go wrong over HTTP, as RFC 9457 problem documents. Status, title and
 * retryable follow from the code, in one table; docs/errors.md explains each row to the reader.
 *
 * Owns:    nothing; texts of a struct problem are borrowed.
 * Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"

#include "service/domain/rejection.h"

enum problem_code {
    PROBLEM_REQUEST_INVALID,
    PROBLEM_TLS_REQUIRED,
    PROBLEM_NOT_JSON,
    PROBLEM_NOT_AN_OBJECT,
    PROBLEM_REPEATED_MEMBER,
    PROBLEM_EMPTY_BATCH,
    PROBLEM_CLOUD_EVENT_INVALID,
    PROBLEM_WAIT_INVALID,
    PROBLEM_QUERY_INVALID,
    PROBLEM_UNAUTHORIZED,
    PROBLEM_FORBIDDEN_ORIGIN,
    PROBLEM_KEY_READ_ONLY,
    PROBLEM_NOT_FOUND,
    PROBLEM_APPLICATION_UNKNOWN,
    PROBLEM_METHOD_NOT_ALLOWED,
    PROBLEM_TOKEN_MISSING,
    PROBLEM_REPLAY_DRAFT,
    PROBLEM_REPLAY_SENDING,
    PROBLEM_REPLAY_DELIVERED,
    PROBLEM_APPLICATION_DAMAGED,
    PROBLEM_BODY_TOO_LARGE,
    PROBLEM_BATCH_TOO_LONG,
    PROBLEM_CONTENT_TYPE_UNSUPPORTED,
    PROBLEM_CONTENT_ENCODING_UNSUPPORTED,
    PROBLEM_TYPE_UNKNOWN,
    PROBLEM_APPLICATION_ID_INVALID,
    PROBLEM_TOKEN_INVALID,
    PROBLEM_TOKEN_ENCODED,
    PROBLEM_TOKEN_AND_URI,
    PROBLEM_APPLICATION_URI_INVALID,
    PROBLEM_COMPLETED_AT_INVALID,
    PROBLEM_BATCH_REFUSED,
    PROBLEM_REPLAY_INVALID,
    PROBLEM_HEADERS_TOO_LARGE,
    PROBLEM_OUT_OF_MEMORY,
    PROBLEM_STORE_UNAVAILABLE,
    PROBLEM_STORE_REFUSED,
    PROBLEM_OVERLOADED,
    PROBLEM_BODIES_FULL,
    PROBLEM_SHUTTING_DOWN,
    PROBLEM_NOT_LIVE,
    PROBLEM_NOT_READY,
    PROBLEM_NOT_STARTED,
    PROBLEM_CODE_COUNT,
};

struct problem_kind {
    const char *name; /* stable: callers branch on it */
    unsigned status;
    bool is_retryable;
    unsigned retry_after_s; /* 0: no Retry-After */
    const char *title;
};

struct problem { /* borrowed texts */
    enum problem_code code;
    const char *detail; /* NULL or "": what the code always means */
    const char *field;  /* the JSON member at fault; NULL or "": none */
    const char *remedy; /* NULL or "": what always helps */
};

const struct problem_kind *problem_kind(enum problem_code code);
/* Its own, or that of its code. */
const char *problem_detail(const struct problem *problem);
/* The result borrows the texts of `rejection`. */
struct problem problem_from_rejection(const struct rejection *rejection);
/* Appends the document without its closing brace, for members that come on top. */
MUST_CHECK bool problem_write_open(struct buffer *out, const struct problem *problem,
                                   struct error *error);
MUST_CHECK bool problem_write(struct buffer *out, const struct problem *problem,
                              struct error *error);
