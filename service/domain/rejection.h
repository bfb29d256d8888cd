/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Why an event was refused, in words for the ATS's developer. inbound/problem.c turns it into an
 * RFC 9457 document: status, title and retryable follow from the code.
 *
 * Owns: nothing; held by value. Threads: one at a time. Blocks: never.
 */
#pragma once

#include <stdbool.h>

enum rejection_code {
    REJECTED_NOT_JSON,        /* 400: syntax, UTF-8, NUL, depth, trailing bytes */
    REJECTED_NOT_AN_OBJECT,   /* 400 */
    REJECTED_REPEATED_MEMBER, /* 400 */
    REJECTED_EMPTY_BATCH,     /* 400 */
    REJECTED_BATCH_TOO_LONG,  /* 413 */
    REJECTED_TYPE,            /* 422: `type` is not application.completed */
    REJECTED_APPLICATION_ID,  /* 422: missing, wrong type, length, characters */
    REJECTED_NO_TOKEN,        /* 409: the link had none: there is nothing to send */
    REJECTED_TOKEN,           /* 422: wrong type, length, white space, control characters */
    REJECTED_TOKEN_ENCODED,   /* 422: a literal percent-escape */
    REJECTED_TOKEN_AND_URI,   /* 422: both given */
    REJECTED_APPLICATION_URI, /* 422: not a URL, or with two different seek-tokens */
    REJECTED_COMPLETED_AT,    /* 422: not RFC 3339 */
    REJECTED_CLOUD_EVENT,     /* 400: a required attribute is missing or specversion is not 1.0 */
    REJECTED_OUT_OF_MEMORY,   /* 503 */
    REJECTION_CODE_COUNT,
};

struct rejection {
    enum rejection_code code;
    char field[64];   /* the member at fault, "" when it is the whole body */
    char detail[256]; /* what is wrong; quotes no more than a few harmless bytes of the input, never
                         a seek-token */
    char remedy[256]; /* what to do */
};

/* Fills `rejection` and returns false, so that a check can `return rejection_set(…)`. `detail` is a
 * format; what it prints must not come from the input. */
bool rejection_set(struct rejection *rejection, enum rejection_code code, const char *field,
                   const char *remedy, const char *detail, ...)
    __attribute__((format(printf, 5, 6)));
/* The same for a failed allocation. */
bool rejection_out_of_memory(struct rejection *rejection);
