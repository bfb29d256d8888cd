/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/dialer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "lib/net/host.h"
#include "lib/net/name_lookup.h"

struct dialer {
    struct event_loop *loop; /* borrowed: outlives us */
    char host[HOST_BYTES];
    struct tls_files tls; /* borrowed: outlive us */
    uint16_t port;
    bool is_unix, is_tls;
    size_t first;
    int64_t step_ms;
    int64_t deadline_ms;
    struct name_lookup *lookup; /* owned, with the addresses; NULL for a unix socket */
    struct sockaddr_un unix_address;
    struct addrinfo unix_entry;       /* unix_address as a list of one */
    const struct addrinfo *addresses; /* NULL while resolving */
    const struct addrinfo *next;      /* what to try when this stream fails */
    size_t untried;                   /* how many, from next on and round */
    struct stream *stream;            /* owned; NULL while resolving */
};

/* Begins with another address than the first, and goes round. */
static void set_addresses(struct dialer *dialer, const struct addrinfo *addresses)
{
    assert(dialer->addresses == NULL && addresses != NULL);
    dialer->addresses = dialer->next = addresses;
    dialer->untried = 0;
    for (const struct addrinfo *each = addresses; each != NULL; each = each->ai_next)
        dialer->untried++;
    for (size_t i = dialer->first % dialer->untried; i > 0; i--)
        dialer->next = dialer->next->ai_next;
}

static bool set_unix_path(struct dialer *dialer, const char *path, struct error *error)
{
    struct sockaddr_un *address = &dialer->unix_address;
    size_t length = strlen(path);
    if (length >= sizeof address->sun_path)
        return error_set(error, ERROR_CONFIG, "the path of a unix socket has at most %zu bytes",
                         sizeof address->sun_path - 1);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length + 1);
    dialer->unix_entry =
        (struct addrinfo){.ai_addr = (struct sockaddr *)address, .ai_addrlen = sizeof *address};
    set_addresses(dialer, &dialer->unix_entry);
    return true;
}

struct dialer *dialer_start(const struct dialer_target *target, struct event_loop *loop,
                            int64_t now_ms, struct error *error)
{
    struct dialer *dialer = calloc(1, sizeof *dialer);
    if (dialer == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    dialer->loop = loop;
    (void)snprintf(dialer->host, sizeof dialer->host, "%s", target->host);
    dialer->tls = target->tls;
    dialer->first = target->first;
    dialer->port = target->port;
    dialer->is_unix = target->is_unix;
    dialer->is_tls = target->is_tls;
    dialer->step_ms = target->step_ms;
    dialer->deadline_ms = now_ms + target->lookup_ms;
    if (target->is_unix) {
        if (!set_unix_path(dialer, target->host, error))
            goto fail;
    } else {
        dialer->lookup = name_lookup_start(loop, target->host, target->port, error);
        if (dialer->lookup == NULL)
            goto fail;
    }
    assert((dialer->lookup != NULL) != (dialer->addresses != NULL));
    return dialer;
fail:
    dialer_destroy(dialer);
    return NULL;
}

void dialer_destroy(struct dialer *dialer)
{
    if (dialer == NULL)
        return;
    stream_destroy(dialer->stream);
    name_lookup_destroy(dialer->lookup);
    free(dialer);
}

static bool connect_next(struct dialer *dialer, int64_t now_ms, struct error *error)
{
    assert(dialer->addresses != NULL);
    stream_destroy(STEAL(dialer->stream));
    while (dialer->untried > 0) {
        const struct addrinfo *address = dialer->next;
        dialer->next = address->ai_next != NULL ? address->ai_next : dialer->addresses;
        dialer->untried--;
        AUTO(stream) *stream =
            stream_connect(dialer->loop, address->ai_addr, address->ai_addrlen, error);
        if (stream == NULL)
            continue;
        if (dialer->is_tls && !stream_secure(stream, dialer->host, &dialer->tls, error))
            return false;
        dialer->stream = STEAL(stream);
        dialer->deadline_ms = now_ms + dialer->step_ms;
        return true;
    }
    return false;
}

static enum stream_status finish_lookup(struct dialer *dialer, int64_t now_ms, struct error *error)
{
    const struct addrinfo *found = NULL;
    assert(dialer->stream == NULL);
    switch (name_lookup_finish(dialer->lookup, &found, error)) {
    case NAME_LOOKUP_PENDING:
        if (now_ms < dialer->deadline_ms)
            return STREAM_AGAIN;
        (void)error_set(error, ERROR_IO, "the name %s was not resolved in time", dialer->host);
        return STREAM_FAILED;
    case NAME_LOOKUP_FAILED:
        return STREAM_FAILED;
    case NAME_LOOKUP_FOUND:
        break;
    }
    set_addresses(dialer, found);
    return STREAM_DONE;
}

/* To the first stream that is on its way. */
static enum stream_status begin(struct dialer *dialer, int64_t now_ms, struct error *error)
{
    if (dialer->addresses == NULL) {
        enum stream_status looked_up = finish_lookup(dialer, now_ms, error);
        if (looked_up != STREAM_DONE)
            return looked_up;
    }
    return connect_next(dialer, now_ms, error) ? STREAM_DONE : STREAM_FAILED;
}

/* A Redis without TLS takes the greeting for the beginning of a line, and waits for its end. */
static bool is_shaking_hands(const struct dialer *dialer)
{
    return dialer->is_tls && stream_is_connected(dialer->stream);
}

/* Why this address is given up; STREAM_FAILED has said it already. */
static void explain(const struct dialer *dialer, enum stream_status opened, struct error *error)
{
    bool is_shaking = is_shaking_hands(dialer);
    if (opened == STREAM_AGAIN)
        (void)error_set(error, ERROR_IO, "%s: no answer within %lld ms%s",
                        is_shaking ? "TLS handshake" : "connect", (long long)dialer->step_ms,
                        is_shaking ? "; does the port speak TLS? If not, use redis://" : "");
    if (opened == STREAM_ENDED)
        (void)error_set(error, ERROR_IO, "the peer closed the connection during the handshake");
}

enum stream_status dialer_turn(struct dialer *dialer, int64_t now_ms, struct error *error)
{
    if (dialer->stream == NULL) {
        enum stream_status begun = begin(dialer, now_ms, error);
        if (begun != STREAM_DONE)
            return begun;
    }
    do {
        assert(dialer->stream != NULL);
        enum stream_status opened = stream_open(dialer->stream, error);
        if (opened == STREAM_DONE || (opened == STREAM_AGAIN && now_ms < dialer->deadline_ms))
            return opened;
        explain(dialer, opened, error);
    } while (connect_next(dialer, now_ms, error));
    return STREAM_FAILED;
}

struct stream *dialer_take(struct dialer *dialer)
{
    assert(dialer->stream != NULL);
    return STEAL(dialer->stream);
}

/* An error about the name has the name in it already. */
void dialer_name_peer(const struct dialer *dialer, struct error *error)
{
    char peer[HOST_PORT_BYTES];
    if (dialer->addresses == NULL)
        return;
    if (dialer->is_unix)
        (void)snprintf(peer, sizeof peer, "%s", dialer->host);
    else
        host_port_write(dialer->host, dialer->port, peer);
    (void)error_wrap(error, "%s", peer);
}

int64_t dialer_deadline_ms(const struct dialer *dialer)
{
    return dialer->deadline_ms;
}
