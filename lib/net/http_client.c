/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * libcurl says which sockets it wants to be watched and when it wants a turn without any event, and
 * is told of each event: a turn costs what happened in it, however many transfers there are. Inside
 * these calls nothing is ended; that is left to http_client_turn.
 */
#include "lib/net/http_client.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "lib/base/clock.h"
#include "lib/net/event_loop.h"
#include "lib/net/http_easy.h"

enum {
    SOCKETS_BESIDE_MAX = 64, /* of connections that are still being made, by several addresses */
    IDLE_TRANSFERS_MAX = 64, /* kept for reuse: an easy handle is costly to build, and not small */
};

#define NEVER INT64_MAX

struct http_client {
    CURLM *multi;                     /* owned */
    struct event_loop *loop;          /* borrowed: outlives us */
    struct http_easy_network network; /* owned */
    struct http_easy_list idle;       /* owns its transfers, as the network's `running` does */
    size_t running_count, idle_count;
    int64_t turn_at_ms; /* monotonic: when libcurl wants a turn */
    bool has_parked;
};

struct watched_socket { /* the event loop's context; libcurl keeps it beside the socket */
    struct http_client *client;
    curl_socket_t fd;
};

static const CURLcode cut = CURLE_ABORTED_BY_CALLBACK; /* by us */

bool http_client_startup(struct error *error)
{
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (code != CURLE_OK)
        return error_set(error, ERROR_IO, "libcurl: %s", curl_easy_strerror(code));
    /* Without it a name that is slow to resolve would stop every transfer of the thread. */
    if ((curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_ASYNCHDNS) == 0)
        return error_set(error, ERROR_CONFIG, "this libcurl resolves names while everybody waits");
    return true;
}

void http_client_cleanup(void)
{
    curl_global_cleanup();
}

/* --- sockets and time --------------------------------------------------------------- */

/* What nothing would move on any more ends in the next turn. */
static void park(struct http_client *client, struct http_easy *transfer, const struct error *reason)
{
    assert(reason->kind != ERROR_NONE);
    if (transfer->failure.kind == ERROR_NONE)
        transfer->failure = *reason;
    transfer->is_parked = client->has_parked = true;
}

/* Tells libcurl what happened. It fails when it is out of memory, and does not say whose socket it
 * left unwatched. */
static void report(struct http_client *client, curl_socket_t fd, int ready)
{
    int running;
    CURLMcode code = curl_multi_socket_action(client->multi, fd, ready, &running);
    if (code == CURLM_OK)
        return;
    struct error error;
    (void)error_set(&error, ERROR_IO, "transferring: %s", curl_multi_strerror(code));
    struct http_easy *transfer;
    TAILQ_FOREACH(transfer, &client->network.running, links)
    {
        park(client, transfer, &error);
    }
}

static void on_event(void *context, unsigned events)
{
    const struct watched_socket *socket = context; /* may be gone afterwards */
    report(socket->client, socket->fd,
           (events & EVENT_READ ? CURL_CSELECT_IN : 0) |
               (events & EVENT_WRITE ? CURL_CSELECT_OUT : 0));
}

static bool watch(struct http_client *client, struct watched_socket *socket, int wanted,
                  struct error *error)
{
    unsigned events =
        (wanted & CURL_POLL_IN ? EVENT_READ : 0U) | (wanted & CURL_POLL_OUT ? EVENT_WRITE : 0U);
    return event_loop_watch(client->loop, socket->fd, events, on_event, socket, error);
}

static bool watch_new(struct http_client *client, curl_socket_t fd, int wanted, struct error *error)
{
    struct watched_socket *socket = malloc(sizeof *socket);
    if (socket == NULL)
        return error_out_of_memory(error);
    *socket = (struct watched_socket){.client = client, .fd = fd};
    if (!watch(client, socket, wanted, error)) {
        free(socket);
        return false;
    }
    (void)curl_multi_assign(client->multi, fd, socket); /* cannot fail: the socket is libcurl's */
    return true;
}

/* libcurl's callback: `wanted` is CURL_POLL_REMOVE before the socket is closed, and when no
 * transfer uses it. */
static int on_socket(CURL *handle, curl_socket_t fd, int wanted, void *context,
                     void *socket_context)
{
    struct http_client *client = context;
    if (wanted == CURL_POLL_REMOVE) {
        event_loop_forget(client->loop, fd);
        free(socket_context);
        return 0;
    }
    struct error error;
    if (socket_context != NULL ? watch(client, socket_context, wanted, &error)
                               : watch_new(client, fd, wanted, &error))
        return 0;
    struct http_easy *transfer = NULL;
    (void)curl_easy_getinfo(handle, CURLINFO_PRIVATE, &transfer);
    if (transfer != NULL)
        park(client, transfer, &error);
    return 0; /* anything else would be the end of all transfers */
}

/* Likewise. What is less than a millisecond is cut off from the delay and from the time. */
static int on_timer(CURLM *multi, long delay_ms, void *context)
{
    struct http_client *client = context;
    (void)multi;
    client->turn_at_ms =
        delay_ms < 0 ? NEVER : clock_monotonic_ms() + delay_ms + (delay_ms > 0 ? 1 : 0);
    return 0;
}

/* --- life ---------------------------------------------------------------------------- */

static bool set_up_multi(struct http_client *client, long connections_max)
{
    CURLM *multi = client->multi;
    return curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, client) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_TIMERDATA, client) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections_max) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, connections_max) == CURLM_OK;
}

static bool copy_path(const char *path, char **out)
{
    return path == NULL || (*out = strdup(path)) != NULL;
}

struct http_client *http_client_create(const struct http_client_options *options,
                                       struct event_loop *loop, struct error *error)
{
    struct http_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    client->loop = loop;
    client->turn_at_ms = NEVER;
    TAILQ_INIT(&client->network.running);
    TAILQ_INIT(&client->idle);
    client->network.connect_timeout_ms = (long)options->connect_timeout_ms;
    client->network.connection_life_max_s = (long)options->connection_life_max_s;
    if (!http_sockets_init(&client->network.sockets, options->connections_max + SOCKETS_BESIDE_MAX))
        goto fail;
    if (!copy_path(options->ca_file, &client->network.ca_file) ||
        !copy_path(options->client_certificate, &client->network.client_certificate) ||
        !copy_path(options->client_key, &client->network.client_key))
        goto fail;
    client->multi = curl_multi_init();
    if (client->multi == NULL || !set_up_multi(client, (long)options->connections_max))
        goto fail;
    return client;
fail:
    (void)error_out_of_memory(error);
    http_client_destroy(client);
    return NULL;
}

static struct http_easy *take_idle(struct http_client *client)
{
    assert(client->idle_count > 0);
    struct http_easy *transfer = TAILQ_FIRST(&client->idle);
    TAILQ_REMOVE(&client->idle, transfer, links);
    client->idle_count--;
    return transfer;
}

void http_client_destroy(struct http_client *client)
{
    if (client == NULL)
        return;
    http_client_abort_all(client);
    while (client->idle_count > 0)
        http_easy_destroy(take_idle(client));
    curl_multi_cleanup(client->multi);
    free(client->network.ca_file);
    free(client->network.client_certificate);
    free(client->network.client_key);
    http_sockets_fini(&client->network.sockets);
    free(client);
}

/* --- transfers ----------------------------------------------------------------------- */

static void put_back(struct http_client *client, struct http_easy *transfer)
{
    assert(client->idle_count <= IDLE_TRANSFERS_MAX);
    if (client->idle_count == IDLE_TRANSFERS_MAX) {
        http_easy_destroy(transfer);
        return;
    }
    http_easy_release(transfer);
    TAILQ_INSERT_HEAD(&client->idle, transfer, links);
    client->idle_count++;
}

bool http_client_start(struct http_client *client, const struct http_transfer *wanted,
                       struct error *error)
{
    struct http_easy *transfer =
        client->idle_count > 0 ? take_idle(client) : http_easy_create(&client->network);
    if (transfer == NULL)
        return error_out_of_memory(error);
    if (!http_easy_prepare(transfer, wanted) ||
        curl_multi_add_handle(client->multi, transfer->handle) != CURLM_OK) {
        http_easy_destroy(transfer);
        return error_set(error, ERROR_MEMORY, "libcurl does not take the transfer");
    }
    TAILQ_INSERT_TAIL(&client->network.running, transfer, links);
    client->running_count++;
    return true;
}

static void finish(struct http_client *client, struct http_easy *transfer, CURLcode code)
{
    assert(client->running_count > 0);
    (void)curl_multi_remove_handle(client->multi, transfer->handle);
    TAILQ_REMOVE(&client->network.running, transfer, links);
    client->running_count--;
    struct http_exchange exchange;
    http_easy_describe(transfer, (int)code, &exchange);
    transfer->done(transfer->context, &exchange);
    /* libcurl counts repetitions over a handle's whole life, and leaves what was cut in no state
     * that it documents. */
    if (code == cut || transfer->sends > 1)
        http_easy_destroy(transfer);
    else
        put_back(client, transfer);
}

static void finish_all_done(struct http_client *client)
{
    struct CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
        /* The message does not outlive the removal of its handle. */
        CURLcode code = message->data.result;
        struct http_easy *transfer = NULL;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        assert(transfer != NULL); /* each handle was given its own */
        finish(client, transfer, code);
    }
}

static struct http_easy *find_parked(const struct http_client *client)
{
    struct http_easy *transfer;
    TAILQ_FOREACH(transfer, &client->network.running, links)
    {
        if (transfer->is_parked)
            break;
    }
    return transfer;
}

static void finish_all_parked(struct http_client *client)
{
    struct http_easy *transfer;
    while (client->has_parked && (transfer = find_parked(client)) != NULL)
        finish(client, transfer, cut);
    client->has_parked = false;
}

int64_t http_client_timeout_ms(const struct http_client *client)
{
    if (client->turn_at_ms == NEVER)
        return -1;
    int64_t left_ms = client->turn_at_ms - clock_monotonic_ms();
    return left_ms > 0 ? left_ms : 0;
}

void http_client_turn(struct http_client *client)
{
    if (clock_monotonic_ms() >= client->turn_at_ms) {
        client->turn_at_ms = NEVER; /* libcurl says when again */
        report(client, CURL_SOCKET_TIMEOUT, 0);
    }
    finish_all_done(client);
    finish_all_parked(client);
}

void http_client_abort_all(struct http_client *client)
{
    /* What `done` starts meanwhile goes to the end of the list and is not counted. */
    for (size_t left = client->running_count; left > 0; left--) {
        assert(!TAILQ_EMPTY(&client->network.running));
        finish(client, TAILQ_FIRST(&client->network.running), cut);
    }
}
