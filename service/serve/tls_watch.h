/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The certificate and key of the API listener. Looks once a second whether the files of the TLS
 * listener have changed, and tells in the log when they have, when they cannot be used, when they
 * can again, and when the certificate in use has expired.
 *
 * Owns:    the server's end of TLS, and what it told last.
 * Threads: main.
 * Blocks:  as tls_server_refresh does.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"

struct config;
struct tls_server;

struct tls_watch {
    struct tls_server *server; /* owned; NULL: plain HTTP */
    int64_t looked_at_ms;
    unsigned failures; /* looks in a row that found no files to be used */
    bool is_end_told;  /* that the certificate in use has expired */
};

/* ERROR_CONFIG when the files cannot be used. */
MUST_CHECK bool tls_watch_open(struct tls_watch *watch, const struct config *config,
                               struct error *error);
void tls_watch_close(struct tls_watch *watch);
void tls_watch_turn(struct tls_watch *watch, int64_t now_ms);
int64_t tls_watch_timeout_ms(const struct tls_watch *watch, int64_t now_ms); /* -1: plain HTTP */
