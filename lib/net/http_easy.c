/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/http_easy.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/clock.h"

enum {
    IDLE_CONNECTION_S = 50, /* load balancers commonly hang up after 60 s */
    RECEIVE_BUFFER_BYTES = 8 * 1024,
    SEND_BUFFER_BYTES = 16 * 1024, /* the least that libcurl takes */
    AUTHORITIES_KEPT_S = 5,        /* libcurl keeps a file's content for a day: it may be rotated */
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
    buffer_wipe(&easy->request);
    buffer_fini(&easy->request);
    buffer_wipe(&easy->answer);
    buffer_fini(&easy->answer);
}

void http_easy_destroy(struct http_easy *easy)
{
    curl_easy_cleanup(easy->handle);
    forget(easy);
    free(easy);
}

void http_easy_release(struct http_easy *easy)
{
    /* Neither can fail; the next prepare says whether it is a POST. */
    (void)curl_easy_setopt(easy->handle, CURLOPT_HTTPHEADER, NULL);
    (void)curl_easy_setopt(easy->handle, CURLOPT_POSTFIELDS, NULL);
    forget(easy);
}

static size_t take_answer(char *bytes, size_t size, size_t count, void *context)
{
    struct http_easy *easy = context;
    if (!buffer_append(&easy->answer, bytes, size * count, &easy->trouble))
        return CURL_WRITEFUNC_ERROR;
    return size * count;
}

/* A peer that vanished without a word is noticed by what it does not acknowledge. HTTP/2 needs
 * this: a time-out there ends a stream, and the next one would be sent into the same dead
 * connection. */
static int set_up_socket(void *context, curl_socket_t fd, curlsocktype purpose)
{
    const struct http_easy_network *network = context;
    (void)purpose;
    unsigned timeout_ms = (unsigned)network->connect_timeout_ms;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
    return CURL_SOCKOPT_OK; /* an old kernel does without */
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

static int refuse_to_send(struct http_easy *easy, const char *reason)
{
    (void)error_set(&easy->trouble, ERROR_IO, "%s", reason);
    return CURL_PREREQFUNC_ABORT;
}

/* libcurl silently sends a request again when a reused connection breaks before the answer, or when
 * an HTTP/2 server refuses the stream: a second signal under the same X-Request-Id, of which nobody
 * knows. And it goes by the time at which a turn began: a process that stood still in the middle of
 * a TLS handshake would send long after the caller's time was over. It asks here before each time;
 * the transfer fails instead, and the caller decides. */
static int may_send(void *context, char *peer, char *own, int peer_port, int own_port)
{
    struct http_easy *easy = context;
    (void)peer;
    (void)own;
    (void)peer_port;
    (void)own_port;
    if (clock_monotonic_us() > easy->send_until_us)
        return refuse_to_send(easy, "its time was over before the request could be sent");
    if (++easy->sends > 1 && easy->is_post)
        return refuse_to_send(
            easy, "the connection broke before the answer; the request is not sent twice");
    return CURL_PREREQFUNC_OK;
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
           SET(CURLOPT_SOCKOPTFUNCTION, set_up_socket) && SET(CURLOPT_SOCKOPTDATA, network);
}

static bool set_callbacks(struct http_easy *easy)
{
    CURL *handle = easy->handle;
    return SET(CURLOPT_ERRORBUFFER, easy->detail) && SET(CURLOPT_PRIVATE, easy) &&
           SET(CURLOPT_WRITEFUNCTION, take_answer) && SET(CURLOPT_WRITEDATA, easy) &&
           SET(CURLOPT_PREREQFUNCTION, may_send) && SET(CURLOPT_PREREQDATA, easy);
}

struct http_easy *http_easy_create(const struct http_easy_network *network)
{
    struct http_easy *easy = calloc(1, sizeof *easy);
    if (easy == NULL)
        return NULL;
    buffer_init(&easy->answer, 0);
    buffer_init(&easy->request, 0);
    easy->handle = curl_easy_init();
    if (easy->handle != NULL && set_connection(easy->handle, network) && set_callbacks(easy))
        return easy;
    http_easy_destroy(easy);
    return NULL;
}

static void add_header(struct curl_slist *item, char **rest, const char *line)
{
    size_t bytes = strlen(line) + 1;
    *item = (struct curl_slist){.data = memcpy(*rest, line, bytes), .next = item + 1};
    *rest += bytes;
}

/* libcurl only reads the list, so that it may lie in one piece, lines and all: an allocation
 * instead of two per header, and credentials that can be wiped. */
static bool set_headers(struct http_easy *easy, const char *const *headers)
{
    /* libcurl would announce larger bodies and wait for leave to send them. */
    static const char no_expect[] = "Expect:";
    size_t count = 1, text_bytes = sizeof no_expect;
    for (size_t i = 0; headers != NULL && headers[i] != NULL; i++, count++)
        text_bytes += strlen(headers[i]) + 1;
    easy->headers_bytes = count * sizeof(struct curl_slist) + text_bytes;
    struct curl_slist *list = easy->headers = malloc(easy->headers_bytes);
    if (list == NULL)
        return false;
    char *rest = (char *)(list + count);
    add_header(&list[0], &rest, no_expect);
    for (size_t i = 1; i < count; i++)
        add_header(&list[i], &rest, headers[i - 1]);
    list[count - 1].next = NULL;
    return curl_easy_setopt(easy->handle, CURLOPT_HTTPHEADER, list) == CURLE_OK;
}

/* Head and body go in one piece, since libcurl has the body as a whole. */
static bool set_body(struct http_easy *easy, const struct http_transfer *wanted)
{
    CURL *handle = easy->handle;
    if (!easy->is_post)
        return SET(CURLOPT_HTTPGET, 1L);
    easy->request.length_max = wanted->body_length;
    return buffer_append(&easy->request, wanted->body, wanted->body_length, NULL) &&
           SET(CURLOPT_POST, 1L) && SET(CURLOPT_POSTFIELDS, easy->request.bytes) &&
           SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)wanted->body_length);
}

bool http_easy_prepare(struct http_easy *easy, const struct http_transfer *wanted)
{
    CURL *handle = easy->handle;
    easy->answer.length_max = wanted->answer_bytes_max;
    easy->trouble.kind = ERROR_INVALID;
    easy->is_stranded = false;
    easy->sends = 0;
    easy->is_post = wanted->body != NULL;
    easy->detail[0] = '\0';
    easy->done = wanted->done;
    easy->context = wanted->context;
    easy->prepared_at_us = clock_monotonic_us();
    easy->send_until_us = easy->prepared_at_us + 1000 * (int64_t)wanted->timeout_ms;
    /* Waiting for a connection that may turn out to be shared only pays where HTTP/2 can be agreed
     * on. */
    bool may_share = strncasecmp(wanted->url, "https:", strlen("https:")) == 0;
    return SET(CURLOPT_URL, wanted->url) && SET(CURLOPT_UNIX_SOCKET_PATH, wanted->unix_socket) &&
           SET(CURLOPT_PIPEWAIT, may_share ? 1L : 0L) &&
           SET(CURLOPT_USERAGENT, wanted->user_agent) &&
           SET(CURLOPT_TIMEOUT_MS, (long)wanted->timeout_ms) &&
           set_headers(easy, wanted->headers) && set_body(easy, wanted);
}

static const char *header_of(CURL *handle, const char *name)
{
    struct curl_header *header;
    bool is_there = curl_easy_header(handle, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK;
    return is_there ? header->value : NULL;
}

/* libcurl calls a transfer whose time ran out while others had all connections one that could not
 * be resolved, and says that it took no time. */
static bool has_only_waited(CURL *handle, int code)
{
    long connects = 0;
    curl_off_t spent_us = 0;
    (void)curl_easy_getinfo(handle, CURLINFO_NUM_CONNECTS, &connects);
    (void)curl_easy_getinfo(handle, CURLINFO_TOTAL_TIME_T, &spent_us);
    return code == (int)CURLE_OPERATION_TIMEDOUT && connects == 0 && spent_us == 0;
}

static const char *detail_of(const struct http_easy *easy, int code)
{
    if (easy->trouble.kind != ERROR_INVALID)
        return easy->trouble.message;
    return easy->detail[0] != '\0' ? easy->detail : curl_easy_strerror((CURLcode)code);
}

void http_easy_describe(const struct http_easy *easy, int code, struct http_exchange *out)
{
    long status = 0;
    (void)curl_easy_getinfo(easy->handle, CURLINFO_RESPONSE_CODE, &status);
    const char *content_type = NULL;
    (void)curl_easy_getinfo(easy->handle, CURLINFO_CONTENT_TYPE, &content_type);
    *out = (struct http_exchange){
        .outcome = easy->trouble.kind == ERROR_FULL ? HTTP_ANSWER_TOO_LARGE : outcome_of(code),
        .status = (unsigned)status,
        .body = easy->answer.bytes,
        .body_length = easy->answer.length,
        .content_type = content_type != NULL ? content_type : "",
        .retry_after = header_of(easy->handle, "Retry-After"),
        .detail = code == CURLE_OK ? "" : detail_of(easy, code),
        .duration_us = clock_monotonic_us() - easy->prepared_at_us,
    };
    if (has_only_waited(easy->handle, code)) {
        out->outcome = HTTP_NOT_CONNECTED;
        out->detail = "no connection became free in time";
    }
}
