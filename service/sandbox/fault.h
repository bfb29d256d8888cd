/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One scripted misbehaviour: what goes wrong, for which calls and how often.
 *
 * Owns: nothing; a plain value. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/json.h"

#include "service/sandbox/answer.h"

enum fault_target { FAULT_ON_GRAPHQL, FAULT_ON_TOKEN };

enum fault_kind {
    FAULT_STATUS,
    FAULT_GRAPHQL_ERROR,
    FAULT_UNAUTHENTICATED,
    FAULT_RATE_LIMITED,
    FAULT_INTERNAL,
    FAULT_UNKNOWN_CODE,
    FAULT_MISSING_CODE,
    FAULT_BAD_USER_INPUT,
    FAULT_FORBIDDEN,
    FAULT_RESET,
    FAULT_RESET_AFTER,
    FAULT_CLOSE,
    FAULT_CUT_BODY,
    FAULT_GARBAGE,
    FAULT_EMPTY,
    FAULT_SLOW,
    FAULT_HANG,
    FAULT_TIMEOUT_AFTER,
    FAULT_CONTENT_TYPE,
    FAULT_TRUNCATED_JSON,
    FAULT_ANSWER,
    FAULT_GZIP,
    FAULT_LARGE,
    FAULT_LARGE_HEAD,
    FAULT_IDLE_CLOSE,
    FAULT_REFUSED_STREAM,
    FAULT_GOAWAY,
    FAULT_GOAWAY_AFTER,
    FAULT_KIND_COUNT
};

enum { FAULT_RECORDED_AT_START, FAULT_RECORDED_AT_END };

enum { FAULT_TEXT_BYTES_MAX = 255, FAULT_BODY_BYTES_MAX = 2047 };

struct fault {
    unsigned target;     /* enum fault_target */
    unsigned kind;       /* enum fault_kind */
    int64_t count;       /* calls to spoil; 0: no limit; FAULT_COUNT_UNSET while it is read */
    double probability;  /* of a matching call to be spoiled */
    int64_t status;      /* of FAULT_STATUS, FAULT_ANSWER and errors */
    int64_t bytes;       /* of FAULT_LARGE and FAULT_LARGE_HEAD */
    unsigned body;       /* of FAULT_STATUS: enum fault_body */
    int64_t latency_ms;  /* before the fault happens */
    unsigned recorded;   /* when the ledger gets the call */
    bool is_taken;       /* the call did its work all the same: the signal counts as delivered */
    bool has_data;       /* of an error: "data":{"sendSignal":null} */
    bool has_extensions; /* of an error */
    char retry_after[ANSWER_TEXT_BYTES];  /* of FAULT_STATUS; "": no such header */
    char code[ANSWER_TEXT_BYTES];         /* of an error */
    char content_type[ANSWER_TEXT_BYTES]; /* of FAULT_ANSWER; "": none */
    char text[FAULT_BODY_BYTES_MAX + 1];  /* of FAULT_ANSWER */
    char message[FAULT_TEXT_BYTES_MAX + 1];
    char seek_token_contains[FAULT_TEXT_BYTES_MAX + 1]; /* "": any call */
};

/* ERROR_INVALID, naming the member. */
MUST_CHECK bool fault_read(const struct json_value *object, struct fault *out, struct error *error);
/* Appends the members without braces. */
MUST_CHECK bool fault_write(const struct fault *fault, struct buffer *buffer, struct error *error);
/* The name of its kind, as in JSON; static. */
const char *fault_name(const struct fault *fault);
/* Makes of SEEK's answer what the caller gets instead. */
void fault_apply(const struct fault *fault, struct sandbox_answer *answer);
