/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/http_easy.h"

#include <assert.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/net/http_sending.h"

enum {
    IDLE_CONNECTION_S = 50, /* load balancers commonly hang up after 60 s */
    RECEIVE_BUFFER_BYTES =
        1024, /* answers are small, and malloc hands out as much without a search */
    SEND_BUFFER_BYTES = 16 * 1024, /* the least that libcurl takes */
    UNACKNOWLEDGED_MAX_MS = 5000,
    AUTHORITIES_KEPT_S = 5, /* libcurl keeps a file's content for a day: it may be rotated */
};

_Static_assert((int)HTTP_EASY_DETAIL_BYTES >= CURL_ERROR_SIZE, "libcurl writes that much");

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
    {CURLE_SSL_CERTPROBLEM,         HTTP_TLS_FAILED},
    {CURLE_OPERATION_TIMEDOUT,      HTTP_TIMED_OUT},
    {CURLE_BAD_CONTENT_ENCODING,    HTTP_BAD_CODING},
};
/* clang-format on */

static enum http_outcome outcome_of(int code)
{
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        if ((int)outcomes[i].code == code)
            return outcomes[i].outcome;
    }
    return HTTP_BROKEN;
}

/* What may hold credentials. */
static void forget(struct http_easy *easy)
{
    if (easy->headers != NULL)
        explicit_bzero(easy->headers, easy->headers_bytes);
    free(easy->headers);
    easy->headers = NULL;
    curl_slist_free_all(easy->connect_to);
    easy->connect_to = NULL;
    buffer_wipe(&easy->request);
    buffer_fini(&easy->request);
    buffer_wipe(&easy->answer);
    buffer_fini(&easy->answer);
}

void http_easy_destroy(struct http_easy *easy)
{
    curl_easy_cleanup(easy->handle);
    curl_url_cleanup(easy->address);
    free(easy->url);
    forget(easy);
    free(easy);
}

void http_easy_release(struct http_easy *easy)
{
    /* Neither can fail; the next prepare says whether it is a POST. */
    (void)curl_easy_setopt(easy->handle, CURLOPT_HTTPHEADER, NULL);
    (void)curl_easy_setopt(easy->handle, CURLOPT_POSTFIELDS, NULL);
    (void)curl_easy_setopt(easy->handle, CURLOPT_CONNECT_TO, NULL);
    forget(easy);
}

static size_t take_answer(char *bytes, size_t size, size_t count, void *context)
{
    struct http_easy *easy = context;
    if (!buffer_append(&easy->answer, bytes, size * count, &easy->failure))
        return CURL_WRITEFUNC_ERROR;
    return size * count;
}

/* A peer that vanished without a word is noticed by what it does not acknowledge. HTTP/2 needs
 * this: a time-out there ends a stream, and the next one would be sent into the same dead
 * connection. */
static int set_up_socket(void *context, curl_socket_t fd, curlsocktype purpose)
{
    struct http_easy_network *network = context;
    (void)purpose;
    http_sockets_add(&network->sockets, fd);
    unsigned timeout_ms = (unsigned)network->connect_timeout_ms;
    if (timeout_ms > UNACKNOWLEDGED_MAX_MS)
        timeout_ms = UNACKNOWLEDGED_MAX_MS;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
    return CURL_SOCKOPT_OK; /* an old kernel does without */
}

static int close_socket(void *context, curl_socket_t fd)
{
    struct http_easy_network *network = context;
    http_sockets_remove(&network->sockets, fd);
    return close(fd);
}

#define SET(option, value) (curl_easy_setopt(handle, (option), (value)) == CURLE_OK)

/* Who is trusted: those of `ca_file` and nobody else, where there is one. Debian's libcurl would
 * add the system's directory. */
static bool set_authorities(CURL *handle, const struct http_easy_network *network)
{
    return SET(CURLOPT_CA_CACHE_TIMEOUT, (long)AUTHORITIES_KEPT_S) &&
           (network->ca_file == NULL ||
            (SET(CURLOPT_CAINFO, network->ca_file) && SET(CURLOPT_CAPATH, NULL)));
}

/* This and the next are set once: the same for all transfers of a handle. */
static bool set_connection(CURL *handle, const struct http_easy_network *network)
{
    return SET(CURLOPT_NOSIGNAL, 1L) && SET(CURLOPT_PROTOCOLS_STR, "http,https") &&
           SET(CURLOPT_FOLLOWLOCATION, 0L) && SET(CURLOPT_SSL_VERIFYPEER, 1L) &&
           SET(CURLOPT_SSL_VERIFYHOST, 2L) &&
           SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
           set_authorities(handle, network) && SET(CURLOPT_SSLCERT, network->client_certificate) &&
           SET(CURLOPT_SSLKEY, network->client_key) &&
           SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS) &&
           SET(CURLOPT_CONNECTTIMEOUT_MS, network->connect_timeout_ms) &&
           SET(CURLOPT_MAXLIFETIME_CONN, network->connection_life_max_s) &&
           SET(CURLOPT_MAXAGE_CONN, (long)IDLE_CONNECTION_S) &&
           /* A time-out must not wait for getaddrinfo; its thread ends by itself and frees its own.
            */
           SET(CURLOPT_QUICK_EXIT, 1L) && SET(CURLOPT_BUFFERSIZE, (long)RECEIVE_BUFFER_BYTES) &&
           SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)SEND_BUFFER_BYTES) &&
           SET(CURLOPT_ACCEPT_ENCODING,
               "identity") && /* asked for; others are undone all the same */
           SET(CURLOPT_SOCKOPTFUNCTION, set_up_socket) &&
           SET(CURLOPT_SOCKOPTDATA, network) && SET(CURLOPT_CLOSESOCKETFUNCTION, close_socket) &&
           SET(CURLOPT_CLOSESOCKETDATA, network);
}

static bool set_callbacks(struct http_easy *easy)
{
    CURL *handle = easy->handle;
    return SET(CURLOPT_ERRORBUFFER, easy->detail) && SET(CURLOPT_PRIVATE, easy) &&
           SET(CURLOPT_WRITEFUNCTION, take_answer) && SET(CURLOPT_WRITEDATA, easy) &&
           SET(CURLOPT_PREREQFUNCTION, http_sending_may_begin) && SET(CURLOPT_PREREQDATA, easy);
}

struct http_easy *http_easy_create(struct http_easy_network *network)
{
    struct http_easy *easy = calloc(1, sizeof *easy);
    if (easy == NULL)
        return NULL;
    easy->network = network;
    buffer_init(&easy->answer, 0);
    buffer_init(&easy->request, 0);
    easy->handle = curl_easy_init();
    if (easy->handle != NULL && set_connection(easy->handle, network) && set_callbacks(easy))
        return easy;
    http_easy_destroy(easy);
    return NULL;
}

static const char *header_of(CURL *handle, const char *name)
{
    struct curl_header *header;
    bool is_there = curl_easy_header(handle, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK;
    return is_there ? header->value : NULL;
}

/* libcurl says of a transfer whose time ran out while others had all connections that it timed out.
 * It took no time then, by the total; libcurl 8.6 and later count the wait in that, and say how
 * long it took to leave the queue: not at all. */
#if LIBCURL_VERSION_NUM >= 0x080600
static const CURLINFO TIME_OF_BEGINNING = CURLINFO_QUEUE_TIME_T;
#else
static const CURLINFO TIME_OF_BEGINNING = CURLINFO_TOTAL_TIME_T;
#endif

static bool has_only_waited(CURL *handle, int code)
{
    long connects = 0;
    curl_off_t begun_us = 0;
    (void)curl_easy_getinfo(handle, CURLINFO_NUM_CONNECTS, &connects);
    (void)curl_easy_getinfo(handle, TIME_OF_BEGINNING, &begun_us);
    return code == (int)CURLE_OPERATION_TIMEDOUT && connects == 0 && begun_us == 0;
}

/* libcurl quotes a proxy that it cannot use, with its user and password. */
static void hide_credentials(char *text)
{
    static const char hidden[] = "[hidden]";
    char *last = strrchr(text, '@');
    char *begin = strstr(text, "://");
    if (last == NULL)
        return;
    begin = begin != NULL && begin < last ? begin + 3 : text;
    assert(begin <= last);
    size_t length = (size_t)(last - begin);
    size_t shown = length < sizeof hidden - 1 ? length : sizeof hidden - 1;
    memcpy(begin, hidden, shown);
    memmove(begin + shown, last, strlen(last) + 1);
}

/* What CONNECT was answered with, when that was no success; 0: nothing of the kind. */
static long proxy_status(CURL *handle, int code)
{
    long status = 0;
    (void)curl_easy_getinfo(handle, CURLINFO_HTTP_CONNECTCODE, &status);
    return code != (int)CURLE_OK && (status < 200 || status > 299) ? status : 0;
}

#if LIBCURL_VERSION_NUM >= 0x080600
static const int HEADER_TOO_LONG = CURLE_TOO_LARGE;
#else
static const int HEADER_TOO_LONG = CURLE_OUT_OF_MEMORY;
#endif

/* Since libcurl 8.1 it ends so as well when the server closes the connection, whatever it has
 * processed by then; a refused stream it tries to send again. */
#if LIBCURL_VERSION_NUM >= 0x080100
static const bool IS_SESSION_END_A_REFUSAL = false;
#else
static const bool IS_SESSION_END_A_REFUSAL = true;
#endif

/* It had leave to send, and came to nothing before any answer. Without words of libcurl's, "error
 * in the HTTP/2 framing layer" is an HTTP/2 session with nothing left to do: GOAWAY has come, and
 * the request is behind the last one that the server processes, or was not even sent. (A server
 * that breaks the protocol while it answers looks the same.) Else nothing was processed when the
 * connection took not a byte of the request. */
static bool was_not_processed(const struct http_easy *easy, int code)
{
    long written = 1, status = 0;
    (void)curl_easy_getinfo(easy->handle, CURLINFO_REQUEST_SIZE, &written);
    (void)curl_easy_getinfo(easy->handle, CURLINFO_RESPONSE_CODE, &status);
    if (!easy->is_post || easy->sends == 0 || status != 0)
        return false;
    return (IS_SESSION_END_A_REFUSAL && code == (int)CURLE_HTTP2 && easy->detail[0] == '\0' &&
            !http_sending_is_connection_broken(easy)) ||
           (written == 0 && (code == (int)CURLE_SEND_ERROR || code == (int)CURLE_RECV_ERROR));
}

static enum http_outcome judge(const struct http_easy *easy, int code)
{
    long status = proxy_status(easy->handle, code);
    if (easy->is_unsent || was_not_processed(easy, code))
        return HTTP_NOT_SENT;
    if (easy->failure.kind == ERROR_FULL)
        return HTTP_ANSWER_TOO_LARGE;
    if (status == 0)
        return outcome_of(code);
    bool is_temporary = status == 408 || status == 429 || status >= 500 || status < 300;
    return is_temporary ? HTTP_NOT_CONNECTED : HTTP_PROXY_REFUSED;
}

static const char *detail_of(struct http_easy *easy, int code)
{
    const char *detail = easy->detail[0] != '\0' ? easy->detail : NULL;
    if (easy->failure.kind != ERROR_NONE)
        detail = easy->failure.message;
    else if (code == HEADER_TOO_LONG)
        detail = "out of memory, or a header line longer than libcurl takes (100 KiB)";
    else if (detail == NULL)
        detail = curl_easy_strerror((CURLcode)code);
    bool is_proxied = easy->proxy != NULL;
    (void)snprintf(easy->words, sizeof easy->words, "%s%s%s%s",
                   is_proxied ? "through the proxy " : "", is_proxied ? easy->proxy : "",
                   is_proxied ? ": " : "", detail);
    hide_credentials(easy->words);
    return easy->words;
}

void http_easy_describe(struct http_easy *easy, int code, struct http_exchange *out)
{
    long status = 0;
    http_sending_note_end(easy, code);
    (void)curl_easy_getinfo(easy->handle, CURLINFO_RESPONSE_CODE, &status);
    const char *content_type = NULL;
    (void)curl_easy_getinfo(easy->handle, CURLINFO_CONTENT_TYPE, &content_type);
    *out = (struct http_exchange){
        .outcome = judge(easy, code),
        .status = (unsigned)status,
        .body = easy->answer.bytes,
        .body_length = easy->answer.length,
        .content_type = content_type != NULL ? content_type : "",
        .retry_after = header_of(easy->handle, "Retry-After"),
        .link = header_of(easy->handle, "Link"),
        .date = header_of(easy->handle, "Date"),
        .detail = code == CURLE_OK ? "" : detail_of(easy, code),
        .duration_us = clock_monotonic_us() - easy->prepared_at_us,
    };
    if (has_only_waited(easy->handle, code)) {
        out->outcome = HTTP_NOT_CONNECTED;
        out->detail = "no connection became free in time";
    }
}
