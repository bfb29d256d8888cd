/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * libcurl silently sends a request again when a reused connection breaks before the answer, or when
 * an HTTP/2 server refuses the stream: a second signal under the same X-Request-Id, of which nobody
 * knows. And it goes by the time at which a turn began: a process that stood still in the middle of
 * a TLS handshake would send long after the caller's time was over. It asks here before each time;
 * the transfer fails instead, and the caller decides.
 */
#include "lib/net/http_sending.h"

#include <curl/curl.h>
#include <errno.h>
#include <sys/socket.h>

#include "lib/base/clock.h"
#include "lib/net/http_easy.h"
#include "lib/net/tls.h"

/* What a connection that was idle has to say before a request is sent over it can only be its end:
 * closed, or an alert, which TLS 1.3 disguises as data of two bytes, a type and a tag of 16.
 * libcurl looks for the first alone, and HTTP/1.1 servers send close_notify when they tire of a
 * connection. */
static bool is_closing(int fd)
{
    enum { HEAD = 5, ALERT = 0x15, DATA = 0x17, ALERT_BYTES = 2 + 1 + 16 };
    unsigned char head[HEAD];
    ssize_t length = fd >= 0 ? recv(fd, head, sizeof head, MSG_PEEK | MSG_DONTWAIT) : HEAD;
    if (fd < 0 || (length < 0 && (errno == EAGAIN || errno == EINTR)))
        return false;
    bool is_alert = length == HEAD && (head[0] == ALERT ||
                                       (head[0] == DATA && head[3] == 0 && head[4] == ALERT_BYTES));
    return length <= 0 || is_alert;
}

static bool is_reused(CURL *handle)
{
    long connects = 0;
    return curl_easy_getinfo(handle, CURLINFO_NUM_CONNECTS, &connects) == CURLE_OK && connects == 0;
}

/* libcurl has words for a failure of a connection, and gives them to the transfer that meets it; of
 * our own refusals it has some, too. */
bool http_sending_is_connection_broken(const struct http_easy *easy)
{
    const struct http_easy *other;
    TAILQ_FOREACH(other, &easy->network->running, links)
    {
        if (other != easy && other->port == easy->port && other->detail[0] != '\0' &&
            other->failure.kind == ERROR_NONE)
            return true;
    }
    return http_sockets_is_broken(&easy->network->sockets, easy->port);
}

/* For those who share it and ask later. */
static void note_broken(const struct http_easy *easy)
{
    if (easy->port != 0 && easy->detail[0] != '\0')
        http_sockets_note_broken(&easy->network->sockets, easy->port);
}

void http_sending_note_end(const struct http_easy *easy, int code)
{
    static const CURLcode own_ends[] = {/* of a stream, of our time or room, or by our will */
                                        CURLE_OK, CURLE_HTTP2_STREAM, CURLE_OPERATION_TIMEDOUT,
                                        CURLE_WRITE_ERROR, CURLE_ABORTED_BY_CALLBACK};
    for (size_t i = 0; i < sizeof own_ends / sizeof own_ends[0]; i++)
        if ((int)own_ends[i] == code)
            return;
    note_broken(easy);
}

/* Why libcurl wants to send a second time. An HTTP/2 server that refuses a stream, or says GOAWAY
 * before it, has not processed the request (RFC 9113 sections 6.8 and 8.7); libcurl has no words
 * for that, while it has some for a connection that broke: for the transfer that met it, be it this
 * one or another. By then it has another connection to the same server. And of what was never
 * written, nothing can have come. */
static bool was_not_processed(const struct http_easy *easy)
{
    long written = 1;
    const struct curl_tlssessioninfo *tls = NULL;
    (void)curl_easy_getinfo(easy->handle, CURLINFO_REQUEST_SIZE, &written);
    if (written == 0)
        return true;
    return easy->detail[0] == '\0' && !http_sending_is_connection_broken(easy) &&
           curl_easy_getinfo(easy->handle, CURLINFO_TLS_SSL_PTR, &tls) == CURLE_OK && tls != NULL &&
           tls->backend == CURLSSLBACKEND_OPENSSL && tls->internals != NULL &&
           tls_speaks_http2(tls->internals);
}

static int refuse_to_send(struct http_easy *easy, bool is_unsent, const char *reason)
{
    (void)error_set(&easy->failure, ERROR_IO, "%s", reason);
    easy->is_unsent = is_unsent;
    return CURL_PREREQFUNC_ABORT;
}

int http_sending_may_begin(void *context, char *peer, char *own, int peer_port, int own_port)
{
    struct http_easy *easy = context;
    (void)peer;
    (void)own;
    (void)peer_port;
    if (easy->sends == 0)
        easy->port = own_port;
    if (clock_monotonic_us() > easy->send_until_us)
        return refuse_to_send(easy, false, "its time was over before the request could be sent");
    easy->sends++;
    if (!easy->is_post)
        return CURL_PREREQFUNC_OK;
    if (easy->sends > 1 && was_not_processed(easy))
        return refuse_to_send(easy, true, "the server did not process the request");
    if (easy->sends > 1) {
        note_broken(easy);
        return refuse_to_send(easy, false, "the connection closed after the request was sent");
    }
    if (is_reused(easy->handle) && is_closing(http_sockets_find(&easy->network->sockets, own_port)))
        return refuse_to_send(easy, true, "the server closed the connection before it was used");
    return CURL_PREREQFUNC_OK;
}
