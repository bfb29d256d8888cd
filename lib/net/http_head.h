/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The checks of a request's head before anybody acts on it.
 *
 * Owns: nothing; values are borrowed from the request. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_head { /* zeroed, then filled by http_head_note */
    unsigned hosts;
    unsigned lengths;
    unsigned encodings;
    bool is_last;      /* Connection: close */
    bool is_malformed; /* a name that is none, or a folded header */
    const char *length;
    const char *encoding;
};

/* Of a header: a token of RFC 9110 section 5.6.2. */
bool http_name_is_valid(const char *text);
/* No white space or control characters, and no NUL in the decoded query. */
bool http_target_is_valid(const char *target);
/* The path of an absolute-form target (RFC 9112 section 3.2.2), otherwise the target itself. */
const char *http_target_path(const char *target);

void http_head_note(struct http_head *head, const char *name, const char *value);
/* Whether the body's end is beyond doubt and the host is named once. `version`: "HTTP/1.1". */
bool http_head_is_sound(const struct http_head *head, const char *version);
/* The announced length of the body; 0 when there is none or it is chunked. */
uint64_t http_head_body_length(const struct http_head *head);
bool http_head_has_body(const struct http_head *head);
