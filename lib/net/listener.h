/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Listening sockets from their written form: `127.0.0.1:8787`, `[::1]:8787`, `localhost:8787`,
 * `:8787` is refused (say 0.0.0.0), `unix:/path`.
 *
 * Owns:    the caller owns the descriptors; a unix socket's file is the caller's to unlink.
 * Threads: any. Blocks: a host name is resolved.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

struct listen_address {
    bool is_unix;
    char host[256]; /* without brackets; the path when is_unix */
    uint16_t port;  /* 0: the kernel chooses */
};

/* ERROR_CONFIG with what is expected. Does not resolve. */
MUST_CHECK bool listen_address_parse(const char *text, struct listen_address *out,
                                     struct error *error);
/* A loopback IP address, "localhost" or a unix socket. */
bool listen_address_is_local(const struct listen_address *address);

/* A bound, listening, non-blocking, close-on-exec socket; with `is_shared` several may bind the
 * same port (SO_REUSEPORT) and the kernel spreads connections over them. A stale unix socket file
 * (nobody accepts) is replaced, a live one is an error. -1 and `error` otherwise. */
MUST_CHECK int listener_open(const struct listen_address *address, bool is_shared,
                             struct error *error);
/* `count` descriptors for as many loops: shared sockets at one port, or duplicates of one unix
 * socket. An address that is taken is an error also when its owner shares it, so that a second
 * instance does not quietly get half of the connections. */
MUST_CHECK bool listener_open_group(const struct listen_address *address, size_t count,
                                    int out_fds[], struct error *error);
/* The port really bound; 0 for a unix socket. */
uint16_t listener_port(int fd);
