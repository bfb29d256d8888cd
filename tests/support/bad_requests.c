/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "tests/support/bad_requests.h"

#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/specification.h"

#define LINE "GET /livez HTTP/1.1\r\n"
#define POST_LINE "POST /livez HTTP/1.1\r\n"
#define HOST "Host: localhost\r\n"
#define CHUNKED POST_LINE HOST "Transfer-Encoding: chunked\r\n\r\n"

enum { REQUEST_BYTES_MAX = 256 * 1024, CLIENTS = 50 };

/* clang-format off */
const struct bad_request bad_requests[] = {
    /* the request line */
    {"no target",                    "GET\r\n", NULL, 0, HOST "\r\n"},
    {"an empty target",              "GET  HTTP/1.1\r\n", NULL, 0, HOST "\r\n"},
    {"no version",                   "GET /livez\r\n", NULL, 0, HOST "\r\n"},
    {"a version that is none",       "GET /livez HTTP/1.x\r\n", NULL, 0, HOST "\r\n"},
    {"a version of long ago",        "GET /livez HTTP/0.9\r\n", NULL, 0, HOST "\r\n"},
    {"a version of the future",      "GET /livez HTTP/3.0\r\n", NULL, 0, HOST "\r\n"},
    {"a method of its own",          "BREW /livez HTTP/1.1\r\n", NULL, 0, HOST "\r\n"},
    {"white space in the target",    "GET /li vez HTTP/1.1\r\n", NULL, 0, HOST "\r\n"},
    {"a NUL in the query",           "GET /livez?a=%00 HTTP/1.1\r\n", NULL, 0, HOST "\r\n"},
    {"400 parameters",               "GET /livez?", "a&", 400, " HTTP/1.1\r\n" HOST "\r\n"},
    {"400 parameters, no head",      "GET /livez?", "a&", 400, " HTTP/1.1\r\n"},
    {"400 parameters, bad length",   "GET /livez?", "a&", 400, " HTTP/1.1\r\n" HOST "Content-Length: x\r\n\r\n"},
    {"400 parameters with values",   "GET /livez?", "a=1&", 400, " HTTP/1.1\r\n" HOST "\r\n"},
    {"7,000 parameters",             "GET /livez?", "&", 7000, " HTTP/1.1\r\n" HOST "\r\n"},
    {"a long path",                  "GET /", "p", 60000, " HTTP/1.1\r\n" HOST "\r\n"},
    {"a long query",                 "GET /livez?", "q", 60000, " HTTP/1.1\r\n" HOST "\r\n"},
    {"a long method",                "G", "E", 60000, "T / HTTP/1.1\r\n" HOST "\r\n"},
    {"a line without an end",        "", "x", 100000, ""},
    /* the headers */
    {"no Host",                      LINE, NULL, 0, "\r\n"},
    {"two Hosts",                    LINE HOST HOST, NULL, 0, "\r\n"},
    {"a header without a colon",     LINE HOST "nonsense\r\n", NULL, 0, "\r\n"},
    {"a first header without colon", LINE "nonsense\r\n", NULL, 0, "\r\n"},
    {"a header folded at once",      LINE " folded\r\n", NULL, 0, "\r\n"},
    {"a long header",                LINE HOST "X-Long: ", "x", 60000, "\r\n\r\n"},
    {"a header that is folded long", LINE HOST "X-Long: x\r\n", " folded\r\n", 5000, "\r\n"},
    {"many headers",                 LINE HOST, "a:\r\n", 5000, "\r\n"},
    {"many headers in the limit",    LINE HOST, "a:\r\n", 300, "\r\n"},
    {"many cookies",                 LINE HOST "Cookie: ", "a;", 600, "\r\n\r\n"},
    {"many cookies, bad length",     LINE HOST "Content-Length: x\r\nCookie: ", "a;", 600, "\r\n\r\n"},
    {"many cookies, huge length",    POST_LINE HOST "Content-Length: 99999999999999999999\r\nCookie: ", "a;", 600, "\r\n\r\n"},
    {"a long cookie",                LINE HOST "Cookie: a=", "c", 3800, "\r\n\r\n"},
    {"a long cookie, bad length",    LINE HOST "Content-Length: x\r\nCookie: a=", "c", 3800, "\r\n\r\n"},
    /* the body */
    {"a length that is none",        POST_LINE HOST "Content-Length: abc\r\n\r\n", NULL, 0, ""},
    {"a length below nothing",       POST_LINE HOST "Content-Length: -1\r\n\r\n", NULL, 0, ""},
    {"a length of 20 digits",        POST_LINE HOST "Content-Length: 99999999999999999999\r\n\r\n", NULL, 0, ""},
    {"a length over the limit",      POST_LINE HOST "Content-Length: 999999999\r\n\r\n", NULL, 0, ""},
    {"two lengths",                  POST_LINE HOST "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", NULL, 0, ""},
    {"a length and chunks",          POST_LINE HOST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", NULL, 0, ""},
    {"another transfer coding",      POST_LINE HOST "Transfer-Encoding: gzip\r\n\r\n", NULL, 0, ""},
    {"a body over the limit",        CHUNKED, "1\r\nx\r\n", 5000, "0\r\n\r\n"},
    {"a chunk without a length",     CHUNKED, NULL, 0, "x\r\n"},
    {"a chunk of 20 digits",         CHUNKED, NULL, 0, "fffffffffffffffffffff\r\n"},
    {"a chunk that goes on",         CHUNKED, NULL, 0, "1\r\nabc\r\n"},
    {"a trailer without a colon",    CHUNKED, NULL, 0, "0\r\nnonsense\r\n\r\n"},
    {"many trailers",                CHUNKED "0\r\n", "a:\r\n", 5000, "\r\n"},
    /* what ends early: the client closes behind it */
    {"nothing",                      "", NULL, 0, ""},
    {"half a request line",          "GET /liv", NULL, 0, ""},
    {"a request line",               "GET /livez?a=b HTTP/1.1\r\n", NULL, 0, ""},
    {"half a head",                  LINE HOST "X-Half", NULL, 0, ""},
    {"half a body",                  POST_LINE HOST "Content-Length: 300\r\n\r\nhalf", NULL, 0, ""},
    {"half a chunk",                 CHUNKED, NULL, 0, "64\r\nhalf"},
    {"half a trailer",               CHUNKED, NULL, 0, "0\r\nX-Half"},
    {"an expectation",               POST_LINE HOST "Expect: 100-continue\r\nContent-Length: 300\r\n\r\n", NULL, 0, ""},
};
/* clang-format on */
const size_t bad_request_count = sizeof bad_requests / sizeof bad_requests[0];

static size_t write_request(const struct bad_request *bad, char out[REQUEST_BYTES_MAX])
{
    size_t length = (size_t)snprintf(out, REQUEST_BYTES_MAX, "%s", bad->begin);
    size_t repeated = bad->repeated != NULL ? strlen(bad->repeated) : 0;
    for (unsigned i = 0; i < bad->count; i++, length += repeated) {
        assert_true(length + repeated < REQUEST_BYTES_MAX);
        memcpy(out + length, bad->repeated, repeated);
    }
    assert_true(length + strlen(bad->end) < REQUEST_BYTES_MAX);
    (void)snprintf(out + length, REQUEST_BYTES_MAX - length, "%s", bad->end);
    return length + strlen(bad->end);
}

static int open_client(uint16_t port)
{
    const struct sockaddr_in name = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const void *)&name, sizeof name), 0);
    return fd;
}

/* Until all of it is sent or the server has closed. */
static void send_all(int fd, const char *bytes, size_t length, void (*serve)(void *context),
                     void *context)
{
    while (length > 0) {
        ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN)
            return;
        if (sent < 0) {
            serve(context);
            continue;
        }
        bytes += sent;
        length -= (size_t)sent;
    }
}

void bad_requests_send(const struct bad_request *bad, unsigned times, uint16_t port,
                       void (*serve)(void *context), void *context)
{
    static char bytes[REQUEST_BYTES_MAX];
    size_t length = write_request(bad, bytes);
    while (times > 0) {
        int fds[CLIENTS];
        unsigned count = times < CLIENTS ? times : CLIENTS;
        for (unsigned i = 0; i < count; i++) {
            fds[i] = open_client(port);
            send_all(fds[i], bytes, length, serve, context);
            serve(context); /* takes it, so that the next one finds room in the queue */
        }
        serve(context);
        serve(context);
        for (unsigned i = 0; i < count; i++)
            (void)close(fds[i]);
        serve(context);
        times -= count;
    }
}

size_t bad_requests_memory(void)
{
    return mallinfo2().uordblks;
}
