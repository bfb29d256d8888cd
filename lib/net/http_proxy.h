/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The proxy variables of an environment, read as libcurl reads them, but before anything is sent,
 * and without ever showing a value: it may hold a user and a password.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"

enum { HTTP_PROXY_PLACE_BYTES = 300 };

struct http_proxy {
    const char *variable;               /* static; NULL: no proxy is used */
    char place[HTTP_PROXY_PLACE_BYTES]; /* "proxy.example:3128" */
};

/* What libcurl would use for the http:// or https:// URL, of "NAME=value" entries that end with
 * NULL. False and `error` (ERROR_CONFIG, naming the variable) when its value cannot be used, or as
 * http_url_parse. */
MUST_CHECK bool http_proxy_find(const char *url, const char *const environment[],
                                struct http_proxy *out, struct error *error);
