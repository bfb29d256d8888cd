/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/http_client.h"

#include <assert.h>
#include <curl/curl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#include "lib/base/buffer.h"

enum {
    EXTRA_FDS_MAX = 4,
    IDLE_TRANSFERS_MAX = 64, /* kept for reuse: an easy handle is costly to build, and not small */
    IDLE_CONNECTION_S = 50,  /* load balancers commonly hang up after 60 s */
    RECEIVE_BUFFER_BYTES = 8 * 1024,
    SEND_BUFFER_BYTES = 16 * 1024, /* the least that libcurl takes */
};

/* One HTTP transfer with its libcurl handle: in the list of those that run, or idle for reuse. */
struct transfer {
    CURL *easy;                 /* owned */
    struct curl_slist *headers; /* owned while it runs */
    struct buffer request;      /* the body; what libcurl has read of it is gone */
    struct buffer answer;
    struct error answer_error; /* why `answer` could not take more; ERROR_INVALID: it could */
    char detail[CURL_ERROR_SIZE];
    http_client_done done;
    void *context;
    TAILQ_ENTRY(transfer) links;
};
TAILQ_HEAD(transfer_list, transfer);

struct http_client {
    CURLM *multi;  /* owned */
    char *ca_file; /* owned; NULL: the system's */
    long connect_timeout_ms;
    long connection_life_max_s;
    struct transfer_list running, idle; /* own their transfers */
    size_t running_count, idle_count;
};

static const CURLcode cut = CURLE_ABORTED_BY_CALLBACK; /* by us: no callback of ours aborts */
/* clang-format off */
static const struct {
    CURLcode code;
    enum http_outcome outcome;
} outcomes[] = { /* what is not here broke on its way */
    {CURLE_OK,                      HTTP_ANSWERED},
    {CURLE_COULDNT_RESOLVE_HOST,    HTTP_NOT_RESOLVED},
    {CURLE_COULDNT_RESOLVE_PROXY,   HTTP_NOT_RESOLVED},
    {CURLE_COULDNT_CONNECT,         HTTP_NOT_CONNECTED},
    {CURLE_SSL_CONNECT_ERROR,       HTTP_TLS_FAILED},
    {CURLE_PEER_FAILED_VERIFICATION,HTTP_TLS_FAILED},
    {CURLE_SSL_CACERT_BADFILE,      HTTP_TLS_FAILED},
    {CURLE_OPERATION_TIMEDOUT,      HTTP_TIMED_OUT},
};
/* clang-format on */

static enum http_outcome outcome_of(CURLcode code)
{
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        if (outcomes[i].code == code)
            return outcomes[i].outcome;
    }
    return HTTP_BROKEN;
}

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
    client->connect_timeout_ms = (long)options->connect_timeout_ms;
    client->connection_life_max_s = (long)options->connection_life_max_s;
    if (options->ca_file != NULL && (client->ca_file = strdup(options->ca_file)) == NULL)
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

/* What may hold credentials. */
static void transfer_forget(struct transfer *transfer)
{
    curl_slist_free_all(transfer->headers);
    transfer->headers = NULL;
    buffer_wipe(&transfer->request);
    buffer_fini(&transfer->request);
    buffer_wipe(&transfer->answer);
    buffer_fini(&transfer->answer);
}

static void transfer_destroy(struct transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    transfer_forget(transfer);
    free(transfer);
}

static struct transfer *take_idle(struct http_client *client)
{
    struct transfer *transfer = TAILQ_FIRST(&client->idle);
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
        transfer_destroy(take_idle(client));
    curl_multi_cleanup(client->multi);
    free(client->ca_file);
    free(client);
}

static size_t take_answer(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    if (!buffer_append(&transfer->answer, bytes, size * count, &transfer->answer_error))
        return CURL_WRITEFUNC_ERROR;
    return size * count;
}

/* A peer that vanished without a word is noticed by what it does not acknowledge. HTTP/2 needs
 * this: a time-out there ends a stream, and the next one would be sent into the same dead
 * connection. */
static int set_up_socket(void *context, curl_socket_t fd, curlsocktype purpose)
{
    const struct http_client *client = context;
    (void)purpose;
    unsigned timeout_ms = (unsigned)client->connect_timeout_ms;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
    return CURL_SOCKOPT_OK; /* an old kernel does without */
}

static bool add_header(struct transfer *transfer, const char *line)
{
    struct curl_slist *longer = curl_slist_append(transfer->headers, line);
    if (longer != NULL)
        transfer->headers = longer;
    return longer != NULL;
}

static bool set_headers(struct transfer *transfer, const char *const *headers)
{
    /* libcurl would announce larger bodies and wait for leave to send them. */
    bool is_set = add_header(transfer, "Expect:");
    for (size_t i = 0; is_set && headers != NULL && headers[i] != NULL; i++)
        is_set = add_header(transfer, headers[i]);
    return is_set &&
           curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers) == CURLE_OK;
}

#define SET(option, value) (curl_easy_setopt(easy, (option), (value)) == CURLE_OK)

/* What is the same for every transfer. */
static bool set_connection(struct http_client *client, CURL *easy)
{
    return SET(CURLOPT_NOSIGNAL, 1L) && SET(CURLOPT_PROTOCOLS_STR, "http,https") &&
           SET(CURLOPT_FOLLOWLOCATION, 0L) && SET(CURLOPT_SSL_VERIFYPEER, 1L) &&
           SET(CURLOPT_SSL_VERIFYHOST, 2L) &&
           SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
           (client->ca_file == NULL || SET(CURLOPT_CAINFO, client->ca_file)) &&
           SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS) &&
           SET(CURLOPT_CONNECTTIMEOUT_MS, client->connect_timeout_ms) &&
           SET(CURLOPT_MAXLIFETIME_CONN, client->connection_life_max_s) &&
           SET(CURLOPT_MAXAGE_CONN, (long)IDLE_CONNECTION_S) &&
           /* A time-out must not wait for getaddrinfo; its thread ends by itself and frees its own.
            */
           SET(CURLOPT_QUICK_EXIT, 1L) && SET(CURLOPT_BUFFERSIZE, (long)RECEIVE_BUFFER_BYTES) &&
           SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)SEND_BUFFER_BYTES) &&
           SET(CURLOPT_SOCKOPTFUNCTION, set_up_socket) && SET(CURLOPT_SOCKOPTDATA, client);
}

/* A body that libcurl can only read once. Given as POSTFIELDS, libcurl would silently send the
 * request again when a reused connection breaks before the answer: a second signal under the same
 * X-Request-Id, of which nobody knows. So the transfer fails instead, and the caller decides. */
static size_t give_request(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    size_t length = size * count;
    if (length > transfer->request.length)
        length = transfer->request.length;
    memcpy(bytes, transfer->request.bytes, length);
    buffer_consume(&transfer->request, length);
    return length;
}

static bool set_request(struct transfer *transfer, const struct http_transfer *wanted)
{
    CURL *easy = transfer->easy;
    /* Waiting for a connection that may turn out to be shared only pays where HTTP/2 can be agreed
     * on. */
    bool may_share = strncasecmp(wanted->url, "https:", strlen("https:")) == 0;
    bool is_set =
        SET(CURLOPT_URL, wanted->url) && SET(CURLOPT_UNIX_SOCKET_PATH, wanted->unix_socket) &&
        SET(CURLOPT_PIPEWAIT, may_share ? 1L : 0L) && SET(CURLOPT_USERAGENT, wanted->user_agent) &&
        SET(CURLOPT_TIMEOUT_MS, (long)wanted->timeout_ms) &&
        SET(CURLOPT_ERRORBUFFER, transfer->detail) && SET(CURLOPT_PRIVATE, transfer) &&
        SET(CURLOPT_WRITEFUNCTION, take_answer) && SET(CURLOPT_WRITEDATA, transfer) &&
        set_headers(transfer, wanted->headers);
    if (!is_set || wanted->body == NULL)
        return is_set;
    transfer->request.length_max = wanted->body_length;
    return buffer_append(&transfer->request, wanted->body, wanted->body_length, NULL) &&
           SET(CURLOPT_POST, 1L) &&
           SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)wanted->body_length) &&
           SET(CURLOPT_READFUNCTION, give_request) && SET(CURLOPT_READDATA, transfer);
}

static struct transfer *transfer_create(void)
{
    struct transfer *transfer = calloc(1, sizeof *transfer);
    if (transfer == NULL)
        return NULL;
    buffer_init(&transfer->answer, 0);
    buffer_init(&transfer->request, 0);
    transfer->easy = curl_easy_init();
    if (transfer->easy == NULL) {
        transfer_destroy(transfer);
        return NULL;
    }
    return transfer;
}

static void put_back(struct http_client *client, struct transfer *transfer)
{
    curl_easy_reset(transfer->easy);
    transfer_forget(transfer);
    if (client->idle_count == IDLE_TRANSFERS_MAX) {
        transfer_destroy(transfer);
        return;
    }
    TAILQ_INSERT_HEAD(&client->idle, transfer, links);
    client->idle_count++;
}

bool http_client_start(struct http_client *client, const struct http_transfer *wanted,
                       struct error *error)
{
    struct transfer *transfer = client->idle_count > 0 ? take_idle(client) : transfer_create();
    if (transfer == NULL)
        return error_out_of_memory(error);
    transfer->answer.length_max = wanted->answer_bytes_max;
    transfer->answer_error.kind = ERROR_INVALID;
    transfer->detail[0] = '\0';
    transfer->done = wanted->done;
    transfer->context = wanted->context;
    if (!set_connection(client, transfer->easy) || !set_request(transfer, wanted) ||
        curl_multi_add_handle(client->multi, transfer->easy) != CURLM_OK) {
        transfer_destroy(transfer);
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

static const char *header_of(CURL *easy, const char *name)
{
    struct curl_header *header;
    bool is_there = curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK;
    return is_there ? header->value : NULL;
}

static const char *detail_of(const struct transfer *transfer, CURLcode code)
{
    if (transfer->answer_error.kind != ERROR_INVALID)
        return transfer->answer_error.message;
    return transfer->detail[0] != '\0' ? transfer->detail : curl_easy_strerror(code);
}

static void describe(struct transfer *transfer, CURLcode code, struct http_exchange *exchange)
{
    long status = 0;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_off_t duration_us = 0;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_TOTAL_TIME_T, &duration_us);
    const char *content_type = NULL;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_TYPE, &content_type);
    *exchange = (struct http_exchange){
        .outcome =
            transfer->answer_error.kind == ERROR_FULL ? HTTP_ANSWER_TOO_LARGE : outcome_of(code),
        .status = (unsigned)status,
        .body = transfer->answer.bytes,
        .body_length = transfer->answer.length,
        .content_type = content_type != NULL ? content_type : "",
        .retry_after = header_of(transfer->easy, "Retry-After"),
        .detail = code == CURLE_OK ? "" : detail_of(transfer, code),
        .duration_us = (int64_t)duration_us,
    };
}

static void finish(struct http_client *client, struct transfer *transfer, CURLcode code)
{
    (void)curl_multi_remove_handle(client->multi, transfer->easy);
    TAILQ_REMOVE(&client->running, transfer, links);
    client->running_count--;
    struct http_exchange exchange;
    describe(transfer, code, &exchange);
    transfer->done(transfer->context, &exchange);
    if (code != cut)
        put_back(client, transfer);
    else /* libcurl leaves it with buffers that refuse new options */
        transfer_destroy(transfer);
}

static void finish_all_done(struct http_client *client)
{
    struct CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
        /* The message does not outlive the removal of its handle. */
        CURLcode code = message->data.result;
        struct transfer *transfer = NULL;
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
