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

enum { HTTP_SOCKETS_BROKEN_MAX = 16 };

struct http_sockets {
    struct http_socket {
        int fd, port; /* `port` 0: not asked for yet */
    } * items;        /* owned */
    size_t count, max;
    int broken_ports[HTTP_SOCKETS_BROKEN_MAX]; /* the newest, in a ring; 0: none */
    size_t broken_next;
};

/* Beyond `max` none is listed, and hence none is found. */
MUST_CHECK bool http_sockets_init(struct http_sockets *sockets, size_t max);
void http_sockets_fini(struct http_sockets *sockets);
void http_sockets_add(struct http_sockets *sockets, int fd);
void http_sockets_remove(struct http_sockets *sockets, int fd);
/* -1: none. */
int http_sockets_find(struct http_sockets *sockets, int port);
/* The connection from this port broke; also when its socket is closed already. */
void http_sockets_note_broken(struct http_sockets *sockets, int port);
bool http_sockets_is_broken(const struct http_sockets *sockets, int port);
