/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/ops_server.h"

#include <stdlib.h>
#include <unistd.h>

#include "lib/net/http_server.h"

#include "service/inbound/api.h"
#include "service/inbound/inbound_context.h"

enum {
    OPS_BODY_BYTES_MAX = 4096,
    OPS_HEADER_BYTES_MAX = 8192,
    OPS_CONNECTIONS_MAX = 64,
    OPS_IDLE_TIMEOUT_S = 30,
    OPS_READ_TIMEOUT_MS = 1000,
};

struct ops_server {
    struct event_loop *loop;    /* borrowed: outlives us */
    struct http_server *server; /* owned */
    struct inbound_context context;
    struct listen_address address;
    bool is_socket_bound; /* the file of a unix socket is ours to remove */
    uint16_t port;
    char places[LISTENER_TEXT_BYTES];
};

static void take_events(void *context, unsigned events)
{
    (void)context; /* main turns the server after each poll */
    (void)events;
}

static bool open_server(struct ops_server *ops, struct error *error)
{
    struct listener listener;
    if (!listener_open(&ops->address, false, &listener, error))
        return false;
    ops->is_socket_bound = true;
    ops->port = listener_port(&listener);
    listener_write(&listener, ops->places);
    struct http_server_options options = {
        .listener = listener,
        .body_bytes_max = OPS_BODY_BYTES_MAX,
        .header_bytes_max = OPS_HEADER_BYTES_MAX,
        .connections_max = OPS_CONNECTIONS_MAX,
        .idle_timeout_s = OPS_IDLE_TIMEOUT_S,
        .request_timeout_ms = OPS_READ_TIMEOUT_MS,
    };
    inbound_context_serve(&ops->context, &options);
    ops->server = http_server_create(&options, error);
    return ops->server != NULL;
}

struct ops_server *ops_server_create(const struct listen_address *address, struct event_loop *loop,
                                     const struct service_view *view, struct error *error)
{
    struct ops_server *ops = calloc(1, sizeof *ops);
    if (ops == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    ops->loop = loop;
    ops->address = *address;
    inbound_context_init(&ops->context);
    ops->context.routes = api_routes;
    ops->context.route_count = ops_route_count;
    ops->context.view = view;
    ops->context.is_local = !address->is_unix && listen_address_is_local(address);
    ops->context.body_bytes_max = OPS_BODY_BYTES_MAX;
    if (!open_server(ops, error) ||
        !event_loop_watch(loop, http_server_fd(ops->server), EVENT_READ, take_events, ops, error)) {
        ops_server_destroy(ops);
        return NULL;
    }
    return ops;
}

void ops_server_destroy(struct ops_server *ops)
{
    if (ops == NULL)
        return;
    if (ops->server != NULL)
        event_loop_forget(ops->loop, http_server_fd(ops->server));
    http_server_destroy(ops->server);
    inbound_context_fini(&ops->context);
    if (ops->is_socket_bound && ops->address.is_unix)
        (void)unlink(ops->address.host);
    free(ops);
}

int64_t ops_server_timeout_ms(const struct ops_server *ops)
{
    return http_server_timeout_ms(ops->server);
}

void ops_server_turn(struct ops_server *ops)
{
    http_server_turn(ops->server);
}

uint16_t ops_server_port(const struct ops_server *ops)
{
    return ops->port;
}

const char *ops_server_places(const struct ops_server *ops)
{
    return ops->places;
}
