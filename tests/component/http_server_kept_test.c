/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* Connections that are kept: between two requests, and while one arrives in pieces. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/clock.h"
#include "lib/net/http_server.h"

#include "tests/support/http_stand.h"
#include "tests/support/raw_client.h"
#include "tests/support/specification.h"

/* ---- between two requests ---- */

/* Both are there when the loop comes back late: the next request, and the end of the idle time. */
static void reads_before_it_closes_the_idle(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open_impatient();
    struct raw_client *client = http_stand_connect(stand);
    raw_client_send(client, GET("/"));
    assert_int_equal(raw_client_status(client), 200);
    int64_t late_ms = clock_monotonic_ms() + 3200;

    raw_client_send(client, GET("/"));
    while (clock_monotonic_ms() < late_ms)
        (void)poll(NULL, 0, 100);

    assert_int_equal(raw_client_status(client), 200);
    http_stand_end(client, stand);
}

static void announces_how_long_it_idles(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct raw_client *client = http_stand_connect(stand);

    raw_client_send(client, GET("/"));

    const char *answer = raw_client_answer(client);
    must_contain(answer, "\r\nKeep-Alive: timeout=59\r\n"); /* of 60 */
    must_contain(answer, "\r\nConnection: Keep-Alive\r\n");
    raw_client_send(client, "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    answer = raw_client_answer(client);
    must_contain(answer, "\r\nConnection: close\r\n");
    assert_null(strstr(answer, "Keep-Alive"));
    http_stand_end(client, stand);
}

/* "Keep-Alive" beside "close" promises what does not come. */
static void announces_that_an_early_refusal_ends(void **state)
{
    (void)state;
    static const char *const requests[] = {
        POST("/", "1001", ""),                  /* too long */
        POST("/forbidden", "3", ""),            /* by the service */
        "GET /?a=%00 HTTP/1.1\r\n" HOST "\r\n", /* NUL */
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 4\r\n\r\n", /* odd */
    };
    struct http_stand *stand = http_stand_open();
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        struct raw_client *client = http_stand_connect(stand);
        raw_client_send(client, requests[i]);
        const char *answer = raw_client_answer(client);
        const char *close = "\r\nConnection: close\r\n";
        must_contain(answer, " 4");
        must_contain(answer, close);
        assert_null(strstr(strstr(answer, close) + 1, close));
        assert_null(strstr(answer, "Keep-Alive"));
        raw_client_destroy(client);
    }
    struct raw_client *client = http_stand_connect(stand);
    raw_client_send(client, GET("/forbidden")); /* refused as early, and complete */
    must_contain(raw_client_answer(client), "\r\nKeep-Alive: timeout=59\r\n");
    raw_client_send(client, POST("/", "3", "abc"));
    must_contain(raw_client_answer(client), "\r\nKeep-Alive: timeout=59\r\n");
    http_stand_end(client, stand);
}

/* It is closed by a clock of its own, which a loop with nothing else to do has to wake up for. */
static void wakes_up_for_who_sends_nothing(void **state)
{
    (void)state;
    struct http_server_options options = http_stand_options();
    options.request_timeout_ms = 10000;
    struct http_stand *stand = http_stand_open_with(options);
    struct raw_client *client = http_stand_connect(stand);
    http_stand_serve_until_connections(stand, 1);
    assert_in_range(http_server_timeout_ms(stand->server), 0, 10000);
    http_stand_end(client, stand);
}

/* ---- who sends in pieces ---- */

static unsigned unacknowledged(const struct raw_client *client)
{
    struct tcp_info info;
    socklen_t length = sizeof info;
    assert_int_equal(getsockopt(client->fd, IPPROTO_TCP, TCP_INFO, &info, &length), 0);
    return info.tcpi_unacked;
}

static void must_acknowledge(struct http_stand *stand, struct raw_client *client, const char *piece)
{
    enum { TURNS = 3 }; /* which are over before the kernel would be due by itself */
    raw_client_send(client, piece);
    for (int i = 0; i < TURNS; i++)
        http_stand_serve(stand);
    assert_int_equal(unacknowledged(client), 0);
}

/* Nagle's algorithm holds the next piece back until then. */
static void acknowledges_each_piece(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct raw_client *client = http_stand_connect(stand);
    for (int i = 0; i < 40; i++) { /* the kernel is quick by itself on a new connection */
        raw_client_send(client, POST("/", "3", "abc"));
        assert_int_equal(raw_client_status(client), 200);
    }
    for (int i = 0; i < 5; i++) {
        must_acknowledge(stand, client, POST("/", "6", ""));
        must_acknowledge(stand, client, "ab");
        must_acknowledge(stand, client, "cd");
        raw_client_send(client, "ef");
        assert_int_equal(raw_client_status(client), 200);
    }
    http_stand_end(client, stand);
}

/* Noted for the end of the turn, and gone before. */
static void forgets_who_leaves_within_a_turn(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    for (int i = 0; i < 3; i++) {
        struct raw_client *client = http_stand_connect(stand);
        raw_client_send(client, POST("/", "6", "ab"));
        raw_client_vanish(client);
        raw_client_destroy(client);
    }
    http_stand_serve_until_connections(stand, 0);
    http_stand_close(stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("reads what came before it closes for idling", reads_before_it_closes_the_idle),
        IT("announces how long a connection may idle", announces_how_long_it_idles),
        IT("announces that a refusal before the body ends the connection",
           announces_that_an_early_refusal_ends),
        IT("wakes up for a connection that sends nothing", wakes_up_for_who_sends_nothing),
        IT("acknowledges each piece of a request at once", acknowledges_each_piece),
        IT("forgets who leaves within a turn", forgets_who_leaves_within_a_turn),
    };
    return cmocka_run_group_tests_name("http_server_kept", tests, NULL, NULL);
}
