/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The answers of http_server.
 *
 * Owns: nothing: its texts are borrowed. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct http_header {
    const char *name;
    const char *value;
};

enum { HTTP_REPLY_HEADERS_MAX = 8 };

struct http_reply {
    unsigned status;
    const char *content_type; /* borrowed; NULL without a body */
    const void *body;         /* copied, unless is_body_static */
    size_t body_length;
    bool is_body_static;                                /* the bytes outlive the server */
    struct http_header headers[HTTP_REPLY_HEADERS_MAX]; /* copied; ends with a NULL name or full */
    bool is_last;                                       /* closes the connection afterwards */
};
