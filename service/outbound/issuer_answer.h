/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What the issuer of access tokens answers: an access token and how long it lives, or why there is
 * none, in words that may be shown.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/base/redaction.h"
#include "lib/net/http_client.h"

enum { ACCESS_TOKEN_BYTES_MAX = 8191, ISSUER_ANSWER_BYTES_MAX = 64 * 1024, ISSUER_DEPTH_MAX = 8 };

struct issuer_grant {
    const char *access_token; /* borrowed from the answer */
    size_t length;
    int64_t life_ms;
};

/* `json` is the body of an exchange that was answered, NULL when it is none. False and `error`,
 * which holds nothing of `secrets`, when there is no access token in it. */
MUST_CHECK bool issuer_answer_read(const struct http_exchange *exchange, const struct json *json,
                                   const struct redaction *secrets, struct issuer_grant *out,
                                   struct error *error);

/* How long the issuer asks to be left alone, believed up to RETRY_AFTER_TRUSTED_MS; 0: it does not.
 */
int64_t issuer_answer_retry_after_ms(const struct http_exchange *exchange, int64_t wall_ms);
