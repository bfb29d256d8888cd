/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Listening sockets from their written form: `127.0.0.1:8787`, `[::1]:8787`, `localhost:8787`,
 * `:8787` is refused (say 0.0.0.0), `unix:/path`.
 *
 * Owns:    the caller owns the listeners; a unix socket's file is the caller's to unlink.
 * Threads: any. Blocks: a host name is resolved.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/net/host.h"

struct listen_address {
    bool is_unix;
    char host[HOST_BYTES]; /* without brackets; the path when is_unix */
    uint16_t port;         /* 0: the kernel chooses */
};

/* ERROR_CONFIG with what is expected. Does not resolve. */
MUST_CHECK bool listen_address_parse(const char *text, struct listen_address *out,
                                     struct error *error);
/* Whether only this machine can reach it: lib/net/this_machine.h, or a unix socket. */
bool listen_address_is_local(const struct listen_address *address);

enum { LISTENER_SOCKETS_MAX = 8, LISTENER_TEXT_BYTES = LISTENER_SOCKETS_MAX * HOST_PORT_BYTES };

/* One for each address that a name has here: clients of `localhost` try both families. */
struct listener {
    int fds[LISTENER_SOCKETS_MAX];
    size_t count; /* 0: closed */
};

/* Bound, listening, non-blocking, close-on-exec sockets, at one port; with `is_shared` several
 * listeners may bind it (SO_REUSEPORT) and the kernel spreads connections over them. An address of
 * the name that this machine does not have is left out while there is another; one that is taken is
 * an error. A stale unix socket file (nobody accepts) is replaced, a live one is an error. */
MUST_CHECK bool listener_open(const struct listen_address *address, bool is_shared,
                              struct listener *out, struct error *error);
/* Whether its name is known and this machine has the address, or whether the directory of the
 * socket is there. Neither the port nor the socket is touched: somebody may listen there. */
MUST_CHECK bool listener_try(const struct listen_address *address, struct error *error);
/* `count` listeners for as many loops: shared sockets at one port, or duplicates of one unix
 * socket. An address that is taken is an error also when its owner shares it, so that a second
 * instance does not quietly get half of the connections. */
MUST_CHECK bool listener_open_group(const struct listen_address *address, size_t count,
                                    struct listener out[], struct error *error);
void listener_close(struct listener *listener); /* once or more */
/* The port really bound; 0 for a unix socket. */
uint16_t listener_port(const struct listener *listener);
/* What is really bound: "127.0.0.1:8787, [::1]:8787"; "" for a unix socket. */
void listener_write(const struct listener *listener, char text[LISTENER_TEXT_BYTES]);
