/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The headers by which a receiver knows who sends, in the form of Standard Webhooks 1.0. Each line
 * of the secret is a key and signs, so that two are good while a receiver changes over. After
 * `whsec_` a key is Base64; any other line is the key itself.
 *
 * Owns:    the lines of struct webhook_headers, which are no secret.
 * Threads: any. Blocks: as secret_read does.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/secret.h"

enum {
    WEBHOOK_KEYS_MAX = 4,
    WEBHOOK_KEY_BYTES_MIN = 24, /* as Standard Webhooks asks */
    WEBHOOK_HEADER_BYTES = 288,
};

struct webhook_headers {
    char id[WEBHOOK_HEADER_BYTES], timestamp[WEBHOOK_HEADER_BYTES], signature[WEBHOOK_HEADER_BYTES];
};

struct webhook_message {
    const char *id;    /* the same for every repetition; without a full stop */
    int64_t sent_at_s; /* since 1970 */
    const char *body;
    size_t body_length;
};

/* Whether each line can be a key: ERROR_CONFIG with the remedy. */
MUST_CHECK bool webhook_check_secret(struct secret *secret, struct error *error);
/* ERROR_CONFIG as above, ERROR_MEMORY. */
MUST_CHECK bool webhook_sign(const struct webhook_message *message, struct secret *secret,
                             struct webhook_headers *out, struct error *error);
