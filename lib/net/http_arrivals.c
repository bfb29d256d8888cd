/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/http_arrivals.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/ascii.h"
#include "lib/base/clock.h"
#include "lib/base/ownership.h"

struct http_arrival {
    struct http_arrivals *arrivals;
    struct http_connection *connection; /* owned: its place */
    int fd;                             /* owned until it is handed on; -1: it is */
    struct sockaddr_storage peer;
    socklen_t peer_length;
    struct http_arrival *previous, *next;
};

static void end(struct http_arrival *arrival)
{
    struct http_arrivals *arrivals = arrival->arrivals;
    assert(arrivals->first != NULL);
    if (arrival->previous != NULL)
        arrival->previous->next = arrival->next;
    else
        arrivals->first = arrival->next;
    if (arrival->next != NULL)
        arrival->next->previous = arrival->previous;
    http_connections_remove(arrivals->connections, arrival->connection);
    if (arrival->fd >= 0)
        (void)close(arrival->fd);
    free(arrival);
}

void http_arrivals_end(struct http_arrivals *arrivals)
{
    struct http_arrival *next;
    for (struct http_arrival *arrival = arrivals->first; arrival != NULL; arrival = next) {
        next = arrival->next;
        assert(arrival->fd >= 0); /* who has handed it on has left the list */
        event_loop_forget(arrivals->loop, arrival->fd);
        end(arrival);
    }
    assert(arrivals->first == NULL);
}

static void hand_on(struct http_arrival *arrival)
{
    struct http_arrivals *arrivals = arrival->arrivals;
    int fd = arrival->fd;
    assert(fd >= 0);
    arrival->fd = -1;
    struct sockaddr_storage peer = arrival->peer;
    socklen_t peer_length = arrival->peer_length;
    end(arrival); /* its place is taken again by who takes it */
    arrivals->take_tls(arrivals->context, fd, (const struct sockaddr *)&peer, peer_length);
}

/* The peer may still be sending: closing now would reset the connection, and the answer with it. */
static void answer(struct http_arrival *arrival)
{
    struct http_arrivals *arrivals = arrival->arrivals;
    const char *text = arrivals->plain_answer;
    assert(text != NULL && arrival->fd >= 0);
    /* A fresh connection has room for this; a peer that does not take it has gone. */
    (void)!send(arrival->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)shutdown(arrival->fd, SHUT_WR);
    lingering_add(arrivals->lingering, arrival->fd, clock_monotonic_ms());
    arrival->fd = -1;
    arrivals->note_plain(arrivals->context, (const struct sockaddr *)&arrival->peer);
    end(arrival);
}

/* Whether something has come, or the end has. */
static bool has_spoken(const struct http_arrival *arrival, char *out_byte)
{
    ssize_t got = recv(arrival->fd, out_byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got <= 0)
        *out_byte = '\0';
    return got >= 0 || (errno != EAGAIN && errno != EINTR);
}

/* A TLS record begins with its type, which is no letter; each method of HTTP is in capitals. An
 * end, or what is neither, is libmicrohttpd's to deal with. */
static void dispatch(struct http_arrival *arrival, char byte)
{
    assert(arrival->connection != NULL); /* its place among all */
    if (ascii_is_capital(byte))
        answer(arrival);
    else
        hand_on(arrival);
}

static void look(void *context, unsigned events)
{
    struct http_arrival *arrival = context;
    char byte;
    (void)events;
    if (!has_spoken(arrival, &byte))
        return;
    event_loop_forget(arrival->arrivals->loop, arrival->fd);
    dispatch(arrival, byte);
}

static struct http_arrival *create(struct http_arrivals *arrivals, int take_fd,
                                   const struct sockaddr *peer, socklen_t peer_length)
{
    struct http_arrival *arrival = calloc(1, sizeof *arrival);
    if (arrival == NULL) {
        (void)close(take_fd);
        return NULL;
    }
    assert(peer_length <= sizeof arrival->peer);
    arrival->arrivals = arrivals;
    arrival->fd = take_fd;
    memcpy(&arrival->peer, peer, peer_length);
    arrival->peer_length = peer_length;
    arrival->connection =
        http_connections_add(arrivals->connections, take_fd, peer, clock_monotonic_ms());
    arrival->next = arrivals->first;
    if (arrival->next != NULL)
        arrival->next->previous = arrival;
    arrivals->first = arrival;
    return arrival;
}

void http_arrivals_add(struct http_arrivals *arrivals, int take_fd, const struct sockaddr *peer,
                       socklen_t peer_length)
{
    struct http_arrival *arrival = create(arrivals, take_fd, peer, peer_length);
    char byte;
    if (arrival == NULL)
        return;
    bool has_place = arrival->connection != NULL; /* without one nobody would ever shut it */
    if (has_place && has_spoken(arrival, &byte))
        dispatch(arrival, byte);
    else if (!has_place ||
             !event_loop_watch(arrivals->loop, take_fd, EVENT_READ, look, arrival, NULL))
        end(arrival);
}
