/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The answer to one call: filled by oauth or graphql, perhaps spoiled by a fault.
 *
 * Running out of memory while filling is remembered instead of reported at every step; the caller
 * looks at `is_out_of_memory` once.
 *
 * Owns:    its body.
 * Threads: one at a time.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buffer.h"

enum { ANSWER_TEXT_BYTES = 64, ANSWER_BODY_BYTES_MAX = 1 << 24 };

enum answer_ending {
    ANSWER_SENT,
    ANSWER_RESET,          /* the connection is reset instead */
    ANSWER_CLOSED,         /* it is closed instead, as an idle one */
    ANSWER_CUT,            /* the head, half of the body, a reset */
    ANSWER_WITHHELD,       /* nothing, until hanging calls are released */
    ANSWER_THEN_CLOSED,    /* sent, and the connection closed without a word when it is idle */
    ANSWER_LARGE_HEAD,     /* sent, with `head_bytes` more in its head */
    ANSWER_GOAWAY,         /* HTTP/2: the connection ends, and this call was not processed */
    ANSWER_GOAWAY_AFTER,   /* HTTP/2: the connection ends with this call, which is answered */
    ANSWER_REFUSED_STREAM, /* HTTP/2: this call was not processed */
};

struct sandbox_answer {
    unsigned status;
    const char *content_type; /* static, or `own_content_type` */
    char own_content_type[ANSWER_TEXT_BYTES];
    struct buffer body;
    const char *header_name; /* static; NULL: no header beyond the usual */
    char header_value[ANSWER_TEXT_BYTES];
    size_t head_bytes; /* of ANSWER_LARGE_HEAD */
    enum answer_ending ending;
    char outcome[ANSWER_TEXT_BYTES];      /* for the ledger: "delivered", an error code, … */
    char access_token[ANSWER_TEXT_BYTES]; /* given by this answer; "": none */
    bool is_authorized;
    bool is_delivered; /* SEEK took the signal, whatever the caller gets to see */
    bool is_out_of_memory;
};

extern const char content_type_json[]; /* with charset, as SEEK sends it */

void answer_init(struct sandbox_answer *answer);
void answer_fini(struct sandbox_answer *answer);

/* Starts the answer anew, with an empty body and the outcome's name (cut when long). */
void answer_begin(struct sandbox_answer *answer, unsigned status, const char *outcome);
void answer_text(struct sandbox_answer *answer, const char *text);
void answer_format(struct sandbox_answer *answer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A quoted JSON string. */
void answer_string(struct sandbox_answer *answer, const char *text, size_t length);
