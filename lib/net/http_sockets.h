/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The sockets of one client's connections, to be found by their local port: libcurl names no other
 * property of the connection that it is about to use.
 *
 * Owns:    the list; the sockets are libcurl's.
 * Threads: one.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"

struct http_sockets {
    struct http_socket {
        int fd, port; /* `port` 0: not asked for yet */
    } * items;        /* owned */
    size_t count, max;
};

/* Beyond `max` none is listed, and hence none is found. */
MUST_CHECK bool http_sockets_init(struct http_sockets *sockets, size_t max);
void http_sockets_fini(struct http_sockets *sockets);
void http_sockets_add(struct http_sockets *sockets, int fd);
void http_sockets_remove(struct http_sockets *sockets, int fd);
/* -1: none. */
int http_sockets_find(struct http_sockets *sockets, int port);
