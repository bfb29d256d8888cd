/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The rules for a seek-token. SEEK calls it opaque, so only what can never be right is refused.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buffer.h"

#include "service/domain/rejection.h"

enum { SEEK_TOKEN_BYTES_MAX = 4096, SEEK_TOKEN_FINGERPRINT_BYTES = 17 };

/* REJECTED_NO_TOKEN, which is nobody's mistake; returns false. */
bool seek_token_refuse_none(struct rejection *rejection, const char *field, const char *detail);

/* False and `rejection` (field "token"): empty (REJECTED_NO_TOKEN), too long, white space, control
 * characters, a link, a word such as "undefined", a literal percent-escape. */
bool seek_token_check(const char *token, size_t length, struct rejection *rejection);

/* seek_token_uri.c. Takes the parameter `seek-token` out of a link-out URL and decodes it once
 * (percent-escapes; '+' stays '+': a URL's query is not a form). False and `rejection` (field
 * "applicationUri"), with REJECTED_NO_TOKEN for a sound URL where the parameter is missing or
 * empty. The value is then checked as above. `out` is appended to. */
bool seek_token_from_uri(const char *uri, size_t length, struct buffer *out,
                         struct rejection *rejection);

/* 16 hexadecimal digits that identify the token to somebody who has it, and to nobody else (first
 * 64 bits of SHA-256); "" when there is no memory to make them. */
void seek_token_fingerprint(const char *token, size_t length,
                            char text[SEEK_TOKEN_FINGERPRINT_BYTES]);
