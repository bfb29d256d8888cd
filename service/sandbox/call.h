/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One call as the ledger keeps it.
 *
 * Owns:    its texts, in one block with the call itself.
 * Threads: one at a time.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/base/ownership.h"

enum call_kind { CALL_GRAPHQL, CALL_TOKEN, CALL_KIND_COUNT };

enum call_text {
    CALL_REQUEST_ID,
    CALL_USER_AGENT,
    CALL_ACCEPT_LANGUAGE,
    CALL_SESSION_ID,
    CALL_TRACEPARENT,
    CALL_SEEK_TOKEN,
    CALL_TIMESTAMP,
    CALL_TYPE_CODE,
    CALL_ACCESS_TOKEN, /* given by a call of the token endpoint */
    CALL_OUTCOME,
    CALL_FAULT,
    CALL_BODY,
    CALL_TEXT_COUNT
};

struct call_facts {
    enum call_kind kind;
    int64_t received_ms;  /* wall clock */
    int64_t monotonic_us; /* the same moment */
    unsigned status;      /* of the answer; 0: none was sent */
    bool is_authorized;
    bool is_delivered;                       /* SEEK took the signal */
    struct json_text texts[CALL_TEXT_COUNT]; /* bytes NULL: absent */
};

struct sandbox_call {
    struct call_facts facts;            /* texts point into `bytes` */
    uint64_t sequence;                  /* from 1; set by the ledger */
    struct sandbox_call *next_delivery; /* of the same seek-token; set by the signal index */
    size_t size;                        /* of the whole block */
    char bytes[];
};

MUST_CHECK struct sandbox_call *sandbox_call_create(const struct call_facts *facts,
                                                    struct error *error);
void sandbox_call_destroy(struct sandbox_call *call); /* accepts NULL */
DEFINE_AUTO(sandbox_call);

/* The text, NUL-terminated, or NULL when absent. */
const char *call_text(const struct sandbox_call *call, enum call_text which);
