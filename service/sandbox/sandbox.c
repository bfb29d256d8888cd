/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/sandbox/sandbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/net/event_loop.h"
#include "lib/net/http_server.h"

#include "service/sandbox/certificate.h"
#include "service/sandbox/control.h"
#include "service/sandbox/exchange.h"
#include "service/sandbox/http1_caller.h"
#include "service/sandbox/http2_server.h"

enum {
    BODY_BYTES_MAX = 1 << 20,
    HEADER_BYTES_MAX = 32 * 1024,
    CONNECTIONS_MAX = 4096,
    IDLE_TIMEOUT_S = 75,
    REQUEST_TIMEOUT_MS = 30000,
    SCRIPT_BYTES_MAX = 1 << 20,
};

enum { SERVER_PLAIN, SERVER_TLS, SERVER_COUNT };

struct sandbox {
    struct state state;
    struct event_loop *loop; /* owned */
    struct {
        struct http_server *server; /* owned; NULL: not wanted */
        struct listen_address address;
        uint16_t port; /* really bound */
    } servers[SERVER_COUNT];
    struct http2_server *http2; /* owned; NULL: not wanted */
    struct listen_address http2_address;
    uint16_t http2_port;
    char ca_path[CERTIFICATE_PATH_BYTES];
    bool is_stopping;
};

static void handle(void *context, struct http_request *request)
{
    static const char control_prefix[] = "/sandbox/";
    struct sandbox *sandbox = context;
    const char *path = http_request_path(request);
    const struct caller caller = http1_caller(request);
    if (strcmp(path, "/graphql") == 0)
        exchange_begin(&sandbox->state, &caller, CALL_GRAPHQL);
    else if (strcmp(path, "/oauth/token") == 0)
        exchange_begin(&sandbox->state, &caller, CALL_TOKEN);
    else if (strncmp(path, control_prefix, sizeof control_prefix - 1) == 0)
        control_answer(&sandbox->state, request);
    else
        control_refuse(request, 404, "there are /graphql, /oauth/token and /sandbox/…");
}

static void refuse(void *context, struct http_request *request, unsigned status)
{
    (void)context;
    control_refuse(request, status, "the request breaks a limit or the HTTP protocol");
}

static void abandon(void *context, struct http_request *request)
{
    (void)context;
    control_refuse(request, 503, "the sandbox stops");
}

static void finish(void *context, struct http_request *request)
{
    (void)context;
    http1_caller_end(request);
}

static void note(void *context, unsigned events)
{
    (void)context; /* each turn of the loop serves every server anyway */
    (void)events;
}

static void note_stop(void *context, unsigned events)
{
    struct sandbox *sandbox = context;
    (void)events;
    sandbox->is_stopping = true;
}

static bool open_server(struct sandbox *sandbox, size_t which, const struct listen_address *address,
                        const struct certificate *certificate, struct error *error)
{
    struct listener listener;
    if (!listener_open(address, false, &listener, error))
        return false;
    sandbox->servers[which].address = *address;
    sandbox->servers[which].port = listener_port(&listener);
    const struct http_server_options options = {
        .listener = listener,
        .body_bytes_max = BODY_BYTES_MAX,
        .header_bytes_max = HEADER_BYTES_MAX,
        .connections_max = CONNECTIONS_MAX,
        .idle_timeout_s = IDLE_TIMEOUT_S,
        .request_timeout_ms = REQUEST_TIMEOUT_MS,
        .tls_certificate_pem = certificate == NULL ? NULL : certificate->certificate_pem.bytes,
        .tls_key_pem = certificate == NULL ? NULL : certificate->key_pem.bytes,
        .context = sandbox,
        .handle = handle,
        .refuse = refuse,
        .abandon = abandon,
        .finish = finish,
    };
    struct http_server *server = http_server_create(&options, error);
    sandbox->servers[which].server = server;
    return server != NULL &&
           event_loop_watch(sandbox->loop, http_server_fd(server), EVENT_READ, note, NULL, error);
}

static bool open_http2_server(struct sandbox *sandbox, const struct listen_address *address,
                              const struct certificate *certificate, struct error *error)
{
    struct listener listener;
    if (!listener_open(address, false, &listener, error))
        return false;
    sandbox->http2_address = *address;
    sandbox->http2_port = listener_port(&listener);
    sandbox->http2 = http2_server_create(
        &(struct http2_server_options){.listener = listener,
                                       .loop = sandbox->loop,
                                       .state = &sandbox->state,
                                       .certificate_pem = &certificate->certificate_pem,
                                       .key_pem = &certificate->key_pem},
        error);
    return sandbox->http2 != NULL;
}

static bool open_tls_servers(struct sandbox *sandbox, const struct sandbox_options *options,
                             struct error *error)
{
    if (options->tls_directory == NULL)
        return true;
    struct certificate certificate;
    bool is_open = certificate_prepare(options->tls_directory, options->tls_name,
                                       options->is_tls_expired, &certificate, error) &&
                   (!options->wants_tls ||
                    open_server(sandbox, SERVER_TLS, &options->tls_listen, &certificate, error)) &&
                   (!options->wants_h2 ||
                    open_http2_server(sandbox, &options->h2_listen, &certificate, error));
    memcpy(sandbox->ca_path, certificate.ca_path, sizeof sandbox->ca_path);
    certificate_fini(&certificate);
    return is_open;
}

static bool read_script(struct fault_script *script, FILE *file, struct error *error)
{
    struct buffer text;
    buffer_init(&text, SCRIPT_BYTES_MAX);
    char block[4096];
    size_t length;
    bool is_read = true;
    while (is_read && (length = fread(block, 1, sizeof block, file)) > 0)
        is_read = buffer_append(&text, block, length, error);
    AUTO(json) *json = is_read ? json_parse(text.bytes, text.length, error) : NULL;
    buffer_fini(&text);
    return json != NULL && fault_script_add(script, json_root(json), error);
}

static bool load_script(struct sandbox *sandbox, const char *path, struct error *error)
{
    if (path == NULL)
        return true;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return error_set(error, ERROR_CONFIG, "%s: %s", path, strerror(errno));
    bool is_loaded = read_script(sandbox->state.script, file, error);
    (void)fclose(file); /* only read from */
    return is_loaded || error_wrap(error, "%s", path);
}

static bool fill_state(struct state *state, const struct sandbox_options *options,
                       struct error *error)
{
    state->behaviour = options->behaviour;
    waiting_init(&state->waiting);
    state->oauth = oauth_create(error);
    if (state->oauth == NULL)
        return false;
    state->script = fault_script_create(options->seed, error);
    if (state->script == NULL)
        return false;
    state->ledger = ledger_create(options->ledger_calls_max, error);
    return state->ledger != NULL;
}

struct sandbox *sandbox_create(const struct sandbox_options *options, struct error *error)
{
    struct sandbox *sandbox = calloc(1, sizeof *sandbox);
    if (sandbox == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    if (!fill_state(&sandbox->state, options, error) ||
        !load_script(sandbox, options->script_path, error))
        goto fail;
    sandbox->loop = event_loop_create(error);
    if (sandbox->loop == NULL ||
        !open_server(sandbox, SERVER_PLAIN, &options->listen, NULL, error) ||
        !open_tls_servers(sandbox, options, error))
        goto fail;
    return sandbox;
fail:
    sandbox_destroy(sandbox);
    return NULL;
}

static void close_servers(struct sandbox *sandbox)
{
    http2_server_destroy(STEAL(sandbox->http2));
    for (size_t i = 0; i < SERVER_COUNT; i++) {
        struct http_server *server = STEAL(sandbox->servers[i].server);
        if (server == NULL)
            continue;
        event_loop_forget(sandbox->loop, http_server_fd(server));
        http_server_stop(server);
        http_server_destroy(server);
    }
}

void sandbox_destroy(struct sandbox *sandbox)
{
    if (sandbox == NULL)
        return;
    close_servers(sandbox);
    event_loop_destroy(sandbox->loop);
    waiting_fini(&sandbox->state.waiting);
    ledger_destroy(sandbox->state.ledger);
    fault_script_destroy(sandbox->state.script);
    oauth_destroy(sandbox->state.oauth);
    free(sandbox);
}

static bool describe_address(const char *name, const struct listen_address *address, uint16_t port,
                             struct buffer *text, struct error *error)
{
    if (address->is_unix)
        return buffer_append_format(text, error, "%s=unix:%s ", name, address->host);
    char where[HOST_PORT_BYTES];
    host_port_write(address->host, port, where);
    return buffer_append_format(text, error, "%s=%s ", name, where);
}

bool sandbox_describe(const struct sandbox *sandbox, struct buffer *text, struct error *error)
{
    static const char *const names[] = {[SERVER_PLAIN] = "http", [SERVER_TLS] = "https"};
    for (size_t i = 0; i < SERVER_COUNT; i++)
        if (sandbox->servers[i].server != NULL &&
            !describe_address(names[i], &sandbox->servers[i].address, sandbox->servers[i].port,
                              text, error))
            return false;
    if (sandbox->http2 != NULL &&
        !describe_address("h2", &sandbox->http2_address, sandbox->http2_port, text, error))
        return false;
    if (sandbox->ca_path[0] != '\0')
        return buffer_append_format(text, error, "ca=%s", sandbox->ca_path);
    buffer_truncate(text, text->length - 1); /* the last blank */
    return true;
}

static int64_t timeout_ms(const struct sandbox *sandbox)
{
    int64_t longest_ms = waiting_timeout_ms(&sandbox->state.waiting, clock_monotonic_ms());
    for (size_t i = 0; i < SERVER_COUNT; i++)
        if (sandbox->servers[i].server != NULL)
            longest_ms =
                clock_sooner_ms(longest_ms, http_server_timeout_ms(sandbox->servers[i].server));
    if (sandbox->http2 != NULL)
        longest_ms = clock_sooner_ms(longest_ms, http2_server_timeout_ms(sandbox->http2));
    return longest_ms;
}

static void turn(struct sandbox *sandbox)
{
    event_loop_poll(sandbox->loop, timeout_ms(sandbox));
    exchange_turn(&sandbox->state, clock_monotonic_ms());
    for (size_t i = 0; i < SERVER_COUNT; i++)
        if (sandbox->servers[i].server != NULL)
            http_server_turn(sandbox->servers[i].server);
    if (sandbox->http2 != NULL)
        http2_server_turn(sandbox->http2);
}

bool sandbox_run(struct sandbox *sandbox, int stop_fd, struct error *error)
{
    if (!event_loop_watch(sandbox->loop, stop_fd, EVENT_READ, note_stop, sandbox, error))
        return false;
    while (!sandbox->is_stopping)
        turn(sandbox);
    event_loop_forget(sandbox->loop, stop_fd);
    close_servers(sandbox);
    return true;
}
