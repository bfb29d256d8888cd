/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The grammar of RFC 8259, token by token, and strictly: a text read up to its JSON_TOKEN_END is a
 * document that json_parse accepts.
 *
 * Owns:    nothing; tokens point into the text.
 * Threads: one at a time.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

enum json_token_kind {
    JSON_TOKEN_END, /* the document is complete */
    JSON_TOKEN_NULL,
    JSON_TOKEN_FALSE,
    JSON_TOKEN_TRUE,
    JSON_TOKEN_NUMBER,
    JSON_TOKEN_STRING,
    JSON_TOKEN_NAME, /* of a member; its value follows */
    JSON_TOKEN_ARRAY_OPEN,
    JSON_TOKEN_ARRAY_CLOSE,
    JSON_TOKEN_OBJECT_OPEN,
    JSON_TOKEN_OBJECT_CLOSE,
};

struct json_token {
    enum json_token_kind kind;
    const char *text; /* as written; of a string or name the inside (json_string.h) */
    size_t length;
};

struct json_scanner {
    const char *text; /* borrowed */
    size_t length;
    size_t position;
    unsigned depth;       /* open arrays and objects */
    uint32_t object_bits; /* bit n: the container opened at depth n is an object */
    enum json_expected {
        JSON_EXPECT_VALUE,
        JSON_EXPECT_FIRST_ITEM,   /* a value or ] */
        JSON_EXPECT_FIRST_MEMBER, /* a name or } */
        JSON_EXPECT_MORE,         /* a comma or the container's end; at depth 0 the text's end */
    } expected;
};

void json_scanner_init(struct json_scanner *scanner, const char *text, size_t length);
/* ERROR_INVALID with the rule and the byte, counted from 0; the scanner is of no use then. */
MUST_CHECK bool json_scanner_next(struct json_scanner *scanner, struct json_token *out,
                                  struct error *error);
