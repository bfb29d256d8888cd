/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The request to the issuer of access tokens.
 *
 * Owns: nothing. Threads: any. Blocks: while the credentials are read from their files.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/base/secret.h"

struct issuer_credentials {
    const char *audience; /* all borrowed */
    struct secret *client_id;
    struct secret *client_secret;
};

/* Appends the body of POST /oauth/token, credentials read afresh; `out_secret` is the client secret
 * in it. */
MUST_CHECK bool issuer_request_write(const struct issuer_credentials *credentials,
                                     struct buffer *body, struct buffer *out_secret,
                                     struct error *error);
