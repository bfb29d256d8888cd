/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/http_sockets.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>

bool http_sockets_init(struct http_sockets *sockets, size_t max)
{
    assert(max > 0);
    *sockets = (struct http_sockets){.items = calloc(max, sizeof *sockets->items), .max = max};
    return sockets->items != NULL;
}

void http_sockets_fini(struct http_sockets *sockets)
{
    free(sockets->items);
    *sockets = (struct http_sockets){.items = NULL};
}

void http_sockets_add(struct http_sockets *sockets, int fd)
{
    if (sockets->count < sockets->max)
        sockets->items[sockets->count++] = (struct http_socket){.fd = fd};
    assert(sockets->count <= sockets->max);
}

void http_sockets_remove(struct http_sockets *sockets, int fd)
{
    for (size_t i = 0; i < sockets->count; i++) {
        if (sockets->items[i].fd != fd)
            continue;
        sockets->items[i] = sockets->items[--sockets->count];
        return;
    }
}

/* 0: it has none (yet). */
static int port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    } address = {.any.sa_family = AF_UNSPEC};
    socklen_t length = sizeof address;
    if (getsockname(fd, &address.any, &length) != 0)
        return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.ipv6.sin6_port
                                                   : address.ipv4.sin_port);
}

int http_sockets_find(struct http_sockets *sockets, int port)
{
    for (size_t i = 0; i < sockets->count; i++) {
        struct http_socket *item = &sockets->items[i];
        if (item->port == 0)
            item->port = port_of(item->fd);
        if (item->port == port)
            return item->fd;
    }
    return -1;
}

void http_sockets_note_broken(struct http_sockets *sockets, int port)
{
    assert(port > 0);
    sockets->broken_ports[sockets->broken_next] = port;
    sockets->broken_next = (sockets->broken_next + 1) % HTTP_SOCKETS_BROKEN_MAX;
}

bool http_sockets_is_broken(const struct http_sockets *sockets, int port)
{
    for (size_t i = 0; i < HTTP_SOCKETS_BROKEN_MAX; i++)
        if (port > 0 && sockets->broken_ports[i] == port)
            return true;
    return false;
}
