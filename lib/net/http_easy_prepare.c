/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * How a handle is told of its next request. libcurl builds the head of each anew and prints it byte
 * by byte, what it got by an option of its own even twice: a header line of ours costs half.
 */
#include <assert.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/clock.h"
#include "lib/net/http_easy.h"

enum {
    FIXED_LINES = 3,
    EXPECT_BYTES = 512 * 1024, /* libcurl announces a body of 1 MiB and waits for leave to send */
};

static const char user_agent[] = "User-Agent: ";
static const char coding[] = "Accept-Encoding: identity"; /* as the option that undoes others */
static const char no_expect[] = "Expect:";

#define SET(option, value) (curl_easy_setopt(handle, (option), (value)) == CURLE_OK)

/* The line is `before` and `line`. */
static void add_header(struct curl_slist **item, char **rest, const char *before, const char *line)
{
    size_t before_length = strlen(before), bytes = strlen(line) + 1;
    struct curl_slist *added = (*item)++;
    *added = (struct curl_slist){.data = *rest, .next = added + 1};
    memcpy(*rest, before, before_length);
    memcpy(*rest + before_length, line, bytes);
    *rest += before_length + bytes;
}

/* libcurl only reads the list, so that it may lie in one piece, lines and all: an allocation
 * instead of two per header, and credentials that can be wiped. */
static bool set_headers(struct http_easy *easy, const struct http_transfer *wanted)
{
    const char *const *headers = wanted->headers;
    size_t count = FIXED_LINES, text_bytes = 0;
    const char *agent = wanted->user_agent != NULL ? wanted->user_agent : "";
    text_bytes += sizeof no_expect + sizeof user_agent + strlen(agent) + sizeof coding;
    for (size_t i = 0; headers != NULL && headers[i] != NULL; i++, count++)
        text_bytes += strlen(headers[i]) + 1;
    easy->headers_bytes = count * sizeof(struct curl_slist) + text_bytes;
    struct curl_slist *list = easy->headers = malloc(easy->headers_bytes), *item = list;
    if (list == NULL)
        return false;
    char *rest = (char *)(list + count);
    if (agent[0] != '\0')
        add_header(&item, &rest, user_agent, agent);
    add_header(&item, &rest, coding, "");
    for (size_t i = 0; headers != NULL && headers[i] != NULL; i++)
        add_header(&item, &rest, headers[i], "");
    if (wanted->body_length >= EXPECT_BYTES)
        add_header(&item, &rest, no_expect, "");
    assert(rest <= (char *)list + easy->headers_bytes && item <= list + count);
    item[-1].next = NULL;
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

/* "" is no proxy to libcurl, NULL what the environment says. */
static bool set_route(struct http_easy *easy, const struct http_transfer *wanted)
{
    bool is_direct = wanted->proxy == NULL;
    if (is_direct == easy->is_direct)
        return true; /* as for the transfer before */
    easy->is_direct = is_direct;
    return curl_easy_setopt(easy->handle, CURLOPT_PROXY, is_direct ? "" : NULL) == CURLE_OK;
}

static bool set_address(struct http_easy *easy, const struct http_transfer *wanted)
{
    char from_any[512];
    if (wanted->connect_to == NULL)
        return true;
    int length = snprintf(from_any, sizeof from_any, "::%s", wanted->connect_to);
    if (length < 0 || (size_t)length >= sizeof from_any)
        return false;
    easy->connect_to = curl_slist_append(NULL, from_any);
    return easy->connect_to != NULL &&
           curl_easy_setopt(easy->handle, CURLOPT_CONNECT_TO, easy->connect_to) == CURLE_OK;
}

/* Else libcurl would take the URL apart and print it anew for each transfer. What it cannot read is
 * left to it, which says why. */
static bool set_url(struct http_easy *easy, const char *url)
{
    CURL *handle = easy->handle;
    if (easy->url != NULL && strcmp(easy->url, url) == 0)
        return true;
    free(easy->url);
    curl_url_cleanup(easy->address);
    CURLU *address = easy->address = curl_url();
    if ((easy->url = strdup(url)) == NULL || address == NULL)
        return false;
    bool is_read = curl_url_set(address, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK;
    return SET(CURLOPT_URL, is_read ? NULL : url) && SET(CURLOPT_CURLU, is_read ? address : NULL);
}

/* The time-out counts from now. Who has stood still on the way here may have no right to send. */
static int64_t send_until_us(const struct http_transfer *wanted, int64_t now_us)
{
    int64_t until_us = now_us + 1000 * (int64_t)wanted->timeout_ms;
    bool is_earlier = wanted->send_until_ms != 0 && 1000 * wanted->send_until_ms < until_us;
    return is_earlier ? 1000 * wanted->send_until_ms : until_us;
}

bool http_easy_prepare(struct http_easy *easy, const struct http_transfer *wanted)
{
    assert(easy->headers == NULL && easy->answer.length == 0 && easy->request.length == 0);
    CURL *handle = easy->handle;
    easy->answer.length_max = wanted->answer_bytes_max;
    easy->failure.kind = ERROR_NONE;
    easy->is_parked = false;
    easy->sends = 0;
    easy->port = 0;
    easy->is_unsent = false;
    easy->is_post = wanted->body != NULL;
    easy->detail[0] = '\0';
    easy->proxy = wanted->proxy;
    easy->done = wanted->done;
    easy->context = wanted->context;
    easy->prepared_at_us = clock_monotonic_us();
    easy->send_until_us = send_until_us(wanted, easy->prepared_at_us);
    /* Waiting for a connection that may turn out to be shared only pays where HTTP/2 can be agreed
     * on. */
    bool may_share = strncasecmp(wanted->url, "https:", strlen("https:")) == 0;
    return set_url(easy, wanted->url) && SET(CURLOPT_UNIX_SOCKET_PATH, wanted->unix_socket) &&
           SET(CURLOPT_PIPEWAIT, may_share ? 1L : 0L) &&
           /* For CONNECT; to the server it goes as any other line. */
           SET(CURLOPT_USERAGENT, wanted->proxy != NULL ? wanted->user_agent : NULL) &&
           SET(CURLOPT_TIMEOUT_MS, (long)wanted->timeout_ms) &&
           SET(CURLOPT_CUSTOMREQUEST, wanted->method) && set_route(easy, wanted) &&
           set_address(easy, wanted) && set_headers(easy, wanted) && set_body(easy, wanted);
}
