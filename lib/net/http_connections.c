/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/http_connections.h"

#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/net/tls_server.h"

/* Ordered by age all the same. */
static const int64_t never_ms = INT64_MAX / 4;

enum { RELIEF_DIVISOR = 8 };

void http_connections_init(struct http_connections *connections, size_t max, size_t per_address_max,
                           int64_t request_timeout_ms, int64_t idle_timeout_ms)
{
    assert(max > 0 && request_timeout_ms > 0);
    *connections = (struct http_connections){
        .phases = {[HTTP_NEW].duration_ms = request_timeout_ms,
                   [HTTP_ARRIVING].duration_ms = request_timeout_ms,
                   [HTTP_HANDLED].duration_ms = never_ms,
                   [HTTP_LEAVING].duration_ms = never_ms, /* libmicrohttpd has a time-out for it */
                   [HTTP_IDLE].duration_ms = idle_timeout_ms},
        .max = max,
        .per_address_max = per_address_max,
        .request_timeout_ms = request_timeout_ms,
    };
}

static void read_address(const struct sockaddr *peer, unsigned char out[HTTP_ADDRESS_BYTES])
{
    memset(out, 0, HTTP_ADDRESS_BYTES);
    if (peer == NULL)
        return;
    if (peer->sa_family == AF_INET) {
        struct sockaddr_in ipv4;
        memcpy(&ipv4, peer, sizeof ipv4);
        memcpy(out, &ipv4.sin_addr, sizeof ipv4.sin_addr);
    } else if (peer->sa_family == AF_INET6) {
        struct sockaddr_in6 ipv6;
        memcpy(&ipv6, peer, sizeof ipv6);
        memcpy(out, &ipv6.sin6_addr, sizeof ipv6.sin6_addr);
    }
}

struct http_connection *http_connections_add(struct http_connections *connections, int fd,
                                             const struct sockaddr *peer, int64_t now_ms)
{
    connections->count++;
    struct http_connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        return NULL;
    connection->fd = fd;
    read_address(peer, connection->address);
    http_connections_move(connections, connection, HTTP_NEW, now_ms);
    return connection;
}

void http_connections_feed(struct http_connections *connections, struct http_connection *connection)
{
    if (connection->is_fed)
        return;
    connection->is_fed = true;
    connection->next_fed = connections->fed;
    connections->fed = connection;
}

static void stop_feeding(struct http_connections *connections,
                         const struct http_connection *connection)
{
    if (!connection->is_fed)
        return;
    struct http_connection **at = &connections->fed;
    while (*at != connection)
        at = &(*at)->next_fed;
    *at = connection->next_fed;
}

void http_connections_acknowledge(struct http_connections *connections)
{
    const int on = 1;
    const struct deadline_queue *arriving = &connections->phases[HTTP_ARRIVING];
    while (connections->fed != NULL) {
        struct http_connection *connection = connections->fed;
        connections->fed = connection->next_fed;
        connection->is_fed = false;
        /* Fails for a unix socket, which does not delay anything. The kernel forgets the option as
         * soon as it likes, so it is set anew for each piece. */
        if (connection->deadline.queue == arriving)
            (void)setsockopt(connection->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
    }
}

void http_connections_remove(struct http_connections *connections,
                             struct http_connection *take_connection)
{
    assert(connections->count > 0);
    connections->count--;
    if (take_connection == NULL)
        return;
    stop_feeding(connections, take_connection);
    deadline_clear(&take_connection->deadline);
    tls_identity_release(take_connection->identity);
    free(take_connection);
}

void http_connections_move(struct http_connections *connections, struct http_connection *connection,
                           enum http_phase phase, int64_t now_ms)
{
    assert(phase < HTTP_PHASE_COUNT);
    deadline_set(&connection->deadline, &connections->phases[phase], now_ms);
}

static struct http_connection *connection_of(struct deadline *deadline)
{
    return (struct http_connection *)(void *)deadline;
}

static void shut(struct http_connection *connection)
{
    deadline_clear(&connection->deadline);
    (void)shutdown(connection->fd, SHUT_RDWR);
}

/* libmicrohttpd reads the first bytes after an answer in its second turn. */
static bool has_unread(const struct http_connection *connection)
{
    char byte;
    return recv(connection->fd, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void http_connections_shut_late(struct http_connections *connections, int64_t now_ms)
{
    for (int phase = 0; phase < HTTP_PHASE_COUNT; phase++) {
        struct deadline *due;
        while ((due = deadline_queue_take_due(&connections->phases[phase], now_ms)) != NULL) {
            struct http_connection *connection = connection_of(due);
            if (phase == HTTP_IDLE && has_unread(connection))
                http_connections_move(connections, connection, HTTP_IDLE, now_ms);
            else
                shut(connection);
        }
    }
}

/* Who may go, in this order, and after which part of the time for a request. */
static const struct {
    enum http_phase phase;
    int64_t divisor; /* 0: at once */
} may_go[] = {{HTTP_NEW, 100}, {HTTP_IDLE, 0}, {HTTP_ARRIVING, 10}, {HTTP_LEAVING, 10}};
enum { MAY_GO_COUNT = sizeof may_go / sizeof may_go[0] };

/* Until the longest in a phase may go; -1: there is none. */
static int64_t grace_left_ms(const struct http_connections *connections, size_t row, int64_t now_ms)
{
    assert(row < MAY_GO_COUNT);
    const struct deadline *first = connections->phases[may_go[row].phase].first;
    if (first == NULL)
        return -1;
    int64_t divisor = may_go[row].divisor;
    int64_t grace_ms = divisor > 0 ? connections->request_timeout_ms / divisor : 0;
    int64_t left_ms = grace_ms - deadline_age_ms(first, now_ms);
    return left_ms > 0 ? left_ms : 0;
}

bool http_connections_make_room(struct http_connections *connections, int64_t now_ms)
{
    for (size_t i = 0; i < MAY_GO_COUNT; i++) {
        if (grace_left_ms(connections, i, now_ms) != 0)
            continue;
        shut(connection_of(connections->phases[may_go[i].phase].first));
        return true;
    }
    return false;
}

int64_t http_connections_room_wait_ms(const struct http_connections *connections, int64_t now_ms)
{
    if (connections->count < connections->max)
        return 0;
    int64_t wait_ms = -1;
    for (size_t i = 0; i < MAY_GO_COUNT; i++)
        wait_ms = clock_sooner_ms(wait_ms, grace_left_ms(connections, i, now_ms));
    return wait_ms;
}

/* Only with a limit for each address does anybody pay for this walk. */
bool http_connections_admit(struct http_connections *connections, const struct sockaddr *peer)
{
    static const unsigned char none[HTTP_ADDRESS_BYTES];
    unsigned char address[HTTP_ADDRESS_BYTES];
    read_address(peer, address);
    if (connections->per_address_max == 0 || memcmp(address, none, sizeof none) == 0)
        return true;
    size_t count = 0;
    struct http_connection *idle = NULL;
    for (int phase = 0; phase < HTTP_PHASE_COUNT; phase++) {
        for (struct deadline *at = connections->phases[phase].first; at != NULL; at = at->later) {
            if (memcmp(connection_of(at)->address, address, sizeof address) != 0)
                continue;
            count++;
            if (phase == HTTP_IDLE && idle == NULL)
                idle = connection_of(at);
        }
    }
    if (count < connections->per_address_max)
        return true;
    if (idle != NULL)
        shut(idle);
    return idle != NULL;
}

bool http_connections_note(struct http_connections *connections)
{
    bool was_full = connections->is_full;
    if (connections->count >= connections->max)
        connections->is_full = true;
    else if (connections->count < connections->max - connections->max / RELIEF_DIVISOR)
        connections->is_full = false;
    return connections->is_full != was_full;
}

int64_t http_connections_wait_ms(const struct http_connections *connections, int64_t now_ms)
{
    static const enum http_phase ending[] = {HTTP_NEW, HTTP_ARRIVING, HTTP_IDLE};
    int64_t wait_ms = -1;
    for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++)
        wait_ms = clock_sooner_ms(wait_ms,
                                  deadline_queue_wait_ms(&connections->phases[ending[i]], now_ms));
    return wait_ms;
}
