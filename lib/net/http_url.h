/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What an absolute http:// or https:// URL says, by libcurl, which is to use it: so nobody reads it
 * otherwise than the one who sends.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/net/host.h"

struct http_url {
    bool is_https;
    bool has_credentials;  /* a user or a password, which libcurl would send */
    char host[HOST_BYTES]; /* without brackets */
    uint16_t port;         /* the scheme's where none is given */
};

/* ERROR_CONFIG with one sentence part that shows nothing of the URL, ERROR_MEMORY. */
MUST_CHECK bool http_url_parse(const char *text, struct http_url *out, struct error *error);
