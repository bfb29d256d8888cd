/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/http_client.h"

#include <assert.h>
#include <curl/curl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "lib/net/http_easy.h"

enum {
    EXTRA_FDS_MAX = 4,
    IDLE_TRANSFERS_MAX = 64, /* kept for reuse: an easy handle is costly to build, and not small */
};

TAILQ_HEAD(transfer_list, http_easy);

struct http_client {
    CURLM *multi;                       /* owned */
    struct http_easy_network network;   /* owned */
    struct transfer_list running, idle; /* own their transfers */
    size_t running_count, idle_count;
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

static bool set_up_multi(CURLM *multi, const struct http_client_options *options)
{
    long connections_max = (long)options->connections_max;
    return curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections_max) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, connections_max) == CURLM_OK;
}

static bool copy_path(const char *path, char **out)
{
    return path == NULL || (*out = strdup(path)) != NULL;
}

struct http_client *http_client_create(const struct http_client_options *options,
                                       struct error *error)
{
    struct http_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    TAILQ_INIT(&client->running);
    TAILQ_INIT(&client->idle);
    client->network.connect_timeout_ms = (long)options->connect_timeout_ms;
    client->network.connection_life_max_s = (long)options->connection_life_max_s;
    if (!copy_path(options->ca_file, &client->network.ca_file) ||
        !copy_path(options->client_certificate, &client->network.client_certificate) ||
        !copy_path(options->client_key, &client->network.client_key))
        goto fail;
    client->multi = curl_multi_init();
    if (client->multi == NULL || !set_up_multi(client->multi, options))
        goto fail;
    return client;
fail:
    (void)error_out_of_memory(error);
    http_client_destroy(client);
    return NULL;
}

static struct http_easy *take_idle(struct http_client *client)
{
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
    free(client);
}

static void put_back(struct http_client *client, struct http_easy *transfer)
{
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
    TAILQ_INSERT_TAIL(&client->running, transfer, links);
    client->running_count++;
    return true;
}

size_t http_client_running(const struct http_client *client)
{
    return client->running_count;
}

static void finish(struct http_client *client, struct http_easy *transfer, CURLcode code)
{
    (void)curl_multi_remove_handle(client->multi, transfer->handle);
    TAILQ_REMOVE(&client->running, transfer, links);
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
        finish(client, transfer, code);
    }
}

static bool wait(struct http_client *client, struct http_poll_fd *extra, size_t extra_count,
                 int timeout_ms, struct error *error)
{
    struct curl_waitfd fds[EXTRA_FDS_MAX] = {0};
    struct http_poll_fd *polled[EXTRA_FDS_MAX];
    unsigned count = 0;
    for (size_t i = 0; i < extra_count; i++) {
        extra[i].is_readable = extra[i].is_writable = false;
        if (extra[i].fd < 0)
            continue;
        fds[count].fd = extra[i].fd;
        fds[count].events = (short)((extra[i].want_read ? CURL_WAIT_POLLIN : 0) |
                                    (extra[i].want_write ? CURL_WAIT_POLLOUT : 0));
        polled[count++] = &extra[i];
    }
    CURLMcode code = curl_multi_poll(client->multi, fds, count, timeout_ms, NULL);
    if (code != CURLM_OK)
        return error_set(error, ERROR_IO, "polling: %s", curl_multi_strerror(code));
    for (unsigned i = 0; i < count; i++) {
        polled[i]->is_readable = (fds[i].revents & CURL_WAIT_POLLIN) != 0;
        polled[i]->is_writable = (fds[i].revents & CURL_WAIT_POLLOUT) != 0;
    }
    return true;
}

bool http_client_poll(struct http_client *client, struct http_poll_fd *extra, size_t extra_count,
                      int64_t timeout_ms, struct error *error)
{
    assert(extra_count <= EXTRA_FDS_MAX);
    assert(timeout_ms >= 0);
    if (!wait(client, extra, extra_count, timeout_ms < INT_MAX ? (int)timeout_ms : INT_MAX, error))
        return false;
    int running;
    CURLMcode code = curl_multi_perform(client->multi, &running);
    finish_all_done(client);
    if (code != CURLM_OK)
        return error_set(error, ERROR_IO, "transferring: %s", curl_multi_strerror(code));
    return true;
}

void http_client_wake(struct http_client *client)
{
    (void)curl_multi_wakeup(client->multi); /* fails only when a wake-up is pending already */
}

void http_client_abort_all(struct http_client *client)
{
    /* What `done` starts meanwhile goes to the end of the list and is not counted. */
    for (size_t left = client->running_count; left > 0; left--)
        finish(client, TAILQ_FIRST(&client->running), cut);
}
