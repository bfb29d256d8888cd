/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The stand-in for SEEK: its servers, its loop and everything they share.
 *
 * Owns:    sockets, servers, ledger, faults.
 * Threads: one.
 * Blocks:  sandbox_create while certificates are made; sandbox_run until it is stopped.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/base/ownership.h"
#include "lib/net/listener.h"

#include "service/sandbox/behaviour.h"

struct sandbox;

struct sandbox_options { /* texts are borrowed for the call */
    struct listen_address listen;
    struct listen_address tls_listen;
    struct listen_address h2_listen;
    bool wants_tls, wants_h2;  /* whether the two are set */
    const char *tls_directory; /* NULL: no TLS */
    const char *tls_name;      /* NULL: only this machine's names */
    bool is_tls_expired;
    const char *script_path; /* NULL: no faults at the start */
    uint64_t seed;
    size_t ledger_calls_max;
    struct behaviour behaviour;
};

MUST_CHECK struct sandbox *sandbox_create(const struct sandbox_options *options,
                                          struct error *error);
void sandbox_destroy(struct sandbox *sandbox); /* accepts NULL and half-built */
DEFINE_AUTO(sandbox);

/* Appends `http=127.0.0.1:8790`, and with TLS ` https=… h2=… ca=…`: the addresses really bound. */
MUST_CHECK bool sandbox_describe(const struct sandbox *sandbox, struct buffer *text,
                                 struct error *error);
/* Serves until `stop_fd` is readable; then closes everything. */
MUST_CHECK bool sandbox_run(struct sandbox *sandbox, int stop_fd, struct error *error);
