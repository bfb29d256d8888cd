/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/net/http_server.h"

#include "tests/support/http_stand.h"
#include "tests/support/raw_client.h"
#include "tests/support/specification.h"

/* ---- limits ---- */

static void limits_the_body(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct raw_client *client = http_stand_connect(stand);
    char body[STAND_BODY_BYTES_MAX + 1] = "";
    memset(body, 'b', STAND_BODY_BYTES_MAX);
    raw_client_send(client, POST("/", "1000", ""));
    raw_client_send(client, body);
    assert_int_equal(raw_client_status(client), 200);

    raw_client_send(client, POST("/", "1001", ""));

    assert_int_equal(raw_client_status(client), 413); /* although the body was not sent */
    assert_int_equal(raw_client_wait_end(client), RAW_CLOSED);
    assert_int_equal(stand->begun, 1);
    assert_int_equal(stand->finished, 2);
    http_stand_end(client, stand);
}

static void limits_a_chunked_body(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct raw_client *client = http_stand_connect(stand);
    raw_client_send(client, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    char chunk[] = "64\r\n"
                   "0123456789012345678901234567890123456789012345678901234567890123456789"
                   "012345678901234567890123456789\r\n";
    for (int i = 0; i < 11; i++)
        raw_client_send(client, chunk);
    raw_client_send(client, "0\r\n\r\n" GET("/next"));

    assert_int_equal(raw_client_status(client), 413);
    must_contain(raw_client_answer(client), "GET /next"); /* it was read to its end */
    assert_int_equal(stand->handled, 1);
    http_stand_end(client, stand);
}

static void refuses_instead_of_continuing(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct raw_client *client = http_stand_connect(stand);

    raw_client_send(client, "POST / HTTP/1.1\r\n" HOST
                            "Content-Length: 99999999999999999999\r\nExpect: 100-continue\r\n\r\n");

    assert_int_equal(raw_client_status(client), 413);
    http_stand_end(client, stand);
}

/* The kernel would throw the answer away if the socket was closed with unread data in it. */
static void lets_the_answer_arrive(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    static const char *const requests[] = {POST("/", "5000000", ""), POST("/forbidden", "900", "")};
    static const int expected[] = {413, 401};
    static const size_t lengths[] = {5000000, 900};
    for (int i = 0; i < 2; i++) {
        struct raw_client *client = http_stand_connect(stand);
        raw_client_send(client, requests[i]);
        http_stand_serve_for(stand, 20); /* the answer is out before the body comes */
        raw_client_send_bytes(client, http_stand_big_body(),
                              lengths[i] < STAND_BIG_BYTES ? lengths[i] : STAND_BIG_BYTES);
        http_stand_serve_for(stand, 5);

        assert_int_equal(raw_client_status(client), expected[i]);
        assert_int_equal(raw_client_wait_end(client), RAW_CLOSED);
        raw_client_destroy(client);
    }
    http_stand_close(stand);
}

static void stops_lingering(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct raw_client *clients[80];
    for (int i = 0; i < 80; i++) { /* more than it lingers for */
        clients[i] = http_stand_connect(stand);
        raw_client_send(clients[i], POST("/", "5000000", ""));
        assert_int_equal(raw_client_status(clients[i]), 413);
    }
    http_stand_serve_until_connections(stand, 0);
    assert_in_range(http_server_timeout_ms(stand->server), 1, 2000);

    int64_t until_ms = clock_monotonic_ms() + RAW_WAIT_MS_MAX;
    while (http_server_timeout_ms(stand->server) >= 0 && clock_monotonic_ms() < until_ms)
        http_stand_serve(stand);

    assert_int_equal(http_server_timeout_ms(stand->server), -1);
    for (int i = 0; i < 80; i++)
        raw_client_destroy(clients[i]);
    http_stand_close(stand);
}

static void stops_while_lingering(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct raw_client *client = http_stand_connect(stand);
    raw_client_send(client, POST("/", "5000000", ""));
    assert_int_equal(raw_client_status(client), 413);
    http_stand_end(client, stand);
}

static void limits_the_head(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    static const size_t paddings[] = {100, STAND_HEAD_BYTES_MAX, 60000};
    static const int expected[] = {200, 431, 431};
    for (int i = 0; i < 3; i++) {
        struct raw_client *client = http_stand_connect(stand);
        raw_client_send(client, "GET / HTTP/1.1\r\n" HOST "X-Custom: ");
        raw_client_send_bytes(client, http_stand_big_body(), paddings[i]);
        raw_client_send(client, "\r\n\r\n");
        assert_int_equal(raw_client_status(client), expected[i]);
        raw_client_destroy(client);
    }
    assert_int_equal(stand->last_refusal, 431);
    http_stand_close(stand);
}

/* Each takes memory of its connection beyond its bytes, and so do cookies. */
static int status_with(struct http_stand *stand, const char *field, int count)
{
    struct raw_client *client = http_stand_connect(stand);
    raw_client_send(client, "GET / HTTP/1.1\r\n" HOST);
    for (int i = 0; i < count; i++)
        raw_client_send(client, field);
    raw_client_send(client, "\r\n");
    int status = raw_client_status(client);
    raw_client_destroy(client);
    return status;
}

static void counts_headers_and_cookies(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    assert_int_equal(status_with(stand, "X-Custom: of mine\r\n", 40), 200);
    assert_int_equal(status_with(stand, "X-Custom: of mine\r\n", 60), 431);
    assert_int_equal(status_with(stand, "Cookie: a=1; b=2; c=3; d=4; e=5; f=6\r\n", 1), 200);
    assert_int_equal(stand->last_refusal, 431);
    http_stand_close(stand);
}

/* Each of the heads, up to NULL, gets a 400 and the end of its connection. How many came to the
 * refusal callback. */
static unsigned refuse_heads(struct http_stand *stand, const char *const *heads)
{
    unsigned before = stand->refused;
    for (; *heads; heads++) {
        struct raw_client *client = http_stand_connect(stand);
        raw_client_send(client, *heads);
        int status = raw_client_status(client);
        if (status != 400)
            fail_msg("%d for %s", status, *heads);
        assert_int_equal(raw_client_wait_end(client), RAW_CLOSED);
        raw_client_destroy(client);
    }
    return stand->refused - before;
}

static void refuses_unsound_heads(void **state)
{
    (void)state;
    static const char *const always_ours[] = {
        "GET / HTTP/1.1\r\n" HOST HOST "\r\n",
        "GET /a\x01 HTTP/1.1\r\n" HOST "\r\n",
        "GET /?a=%00 HTTP/1.1\r\n" HOST "\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "GET / HTTP/1.1\r\n" HOST "X-Cust(m: of mine\r\n\r\n",
        NULL,
    };
    /* ours with libmicrohttpd 0.9.75, its own with 1.0.1 */
    static const char *const by_either[] = {
        "GET / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n",
        "GET / HTTP/1.1\r\n" HOST "X-Custom : of mine\r\n\r\n",
        "GET / HTTP/1.1\r\n" HOST "X-Custom\t: of mine\r\n\r\n",
        "GET / HTTP/1.1\r\n X-Custom: of mine\r\n" HOST "\r\n",
        NULL,
    };
    static const char *const always_libmicrohttpds[] = {
        "GET / HTTP/1.x\r\n" HOST "\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: abc\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nx\r\n",
        NULL,
    };
    struct http_stand *stand = http_stand_open();
    assert_int_equal(refuse_heads(stand, always_ours), 6);
    (void)refuse_heads(stand, by_either);
    assert_int_equal(refuse_heads(stand, always_libmicrohttpds), 0);
    assert_int_equal(stand->handled, 0);
    http_stand_close(stand);
}

static void survives_garbage(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    unsigned random = 1;
    for (int i = 0; i < 200; i++) {
        struct raw_client *client = http_stand_connect(stand);
        char garbage[300];
        for (size_t j = 0; j < sizeof garbage; j++) {
            random = random * 1103515245 + 12345;
            garbage[j] = (char)(random >> 16);
        }
        if (i % 2 == 0)
            memcpy(garbage, "GET / HTTP/1.1\r\n", 16);
        raw_client_send_bytes(client, garbage, sizeof garbage);
        raw_client_send(client, "\r\n\r\n");
        http_stand_serve(stand);
        raw_client_destroy(client);
    }
    http_stand_serve_until_connections(stand, 0);
    http_stand_close(stand);
}

static void begin_may_answer(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct raw_client *client = http_stand_connect(stand);

    raw_client_send(client, GET("/forbidden"));
    assert_int_equal(raw_client_status(client), 401);
    raw_client_send(client, GET("/forbidden")); /* there was no body: the connection is fine */
    assert_int_equal(raw_client_status(client), 401);
    raw_client_send(client, POST("/forbidden", "3", ""));
    assert_int_equal(raw_client_status(client), 401);

    assert_int_equal(raw_client_wait_end(client), RAW_CLOSED);
    assert_int_equal(stand->handled, 0);
    assert_int_equal(stand->finished, 3);
    http_stand_end(client, stand);
}

static void does_not_need_begin_and_finish(void **state)
{
    (void)state;
    struct http_server_options options = http_stand_options();
    options.finish = NULL;
    struct http_stand *stand = http_stand_open_with(options);
    struct raw_client *client = http_stand_connect(stand);
    raw_client_send(client, GET("/"));
    assert_int_equal(raw_client_status(client), 200);
    assert_int_equal(stand->finished, 0);
    http_stand_end(client, stand);
}

/* ---- time ---- */

/* `drip` is sent again and again: the connection is never idle. */
static void send_until_cut_off(struct raw_client *client, struct http_stand *stand,
                               const char *drip)
{
    int64_t until_ms = clock_monotonic_ms() + RAW_WAIT_MS_MAX;
    while (client->end == RAW_OPEN) {
        assert_true(clock_monotonic_ms() < until_ms);
        http_stand_serve_for(stand, 5);
        raw_client_send(client, drip);
        raw_client_receive(client);
    }
}

static void cuts_off_the_slow(void **state)
{
    (void)state;
    static const char *const beginnings[] = {
        "",
        "GET /",
        "GET / HTTP/1.1\r\nX-Slow: ",
        POST("/", "900", ""),
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n384\r\n",
    };
    struct http_stand *stand = http_stand_open_impatient();
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        struct raw_client *client = http_stand_connect(stand);
        raw_client_send(client, beginnings[i]);
        int64_t begun_ms = clock_monotonic_ms();

        send_until_cut_off(client, stand, i > 0 ? "s" : "");

        assert_in_range(clock_monotonic_ms() - begun_ms, 100, 2900);
        raw_client_destroy(client);
    }
    assert_int_equal(stand->handled, 0);
    assert_int_equal(stand->finished, stand->begun);
    http_stand_close(stand);
}

static void cuts_off_the_slow_later_on(void **state)
{
    (void)state;
    static const char *const beginnings[] = {"GET /", POST("/", "900", "")};
    static const LargestIntegralType expected_ms[][2] = {{2900, 12000}, {100, 2900}};
    for (int i = 0; i < 2; i++) {
        struct http_stand *stand = http_stand_open_impatient();
        struct raw_client *client = http_stand_connect(stand);
        raw_client_send(client, GET("/"));
        assert_int_equal(raw_client_status(client), 200);
        int64_t begun_ms = clock_monotonic_ms();

        raw_client_send(client, beginnings[i]);
        send_until_cut_off(client, stand, "s");

        assert_in_range(clock_monotonic_ms() - begun_ms, expected_ms[i][0], expected_ms[i][1]);
        http_stand_end(client, stand);
    }
}

static void closes_the_idle(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open_impatient();
    struct raw_client *client = http_stand_connect(stand);
    raw_client_send(client, GET("/"));
    assert_int_equal(raw_client_status(client), 200);
    int64_t begun_ms = clock_monotonic_ms();

    assert_int_equal(raw_client_wait_end(client), RAW_CLOSED);

    assert_in_range(clock_monotonic_ms() - begun_ms, 2900, 12000);
    http_stand_serve_until_connections(stand, 0);
    assert_int_equal(http_server_timeout_ms(stand->server), -1);
    http_stand_end(client, stand);
}

static void waits_for_the_handler(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open_impatient();
    struct raw_client *client = http_stand_connect(stand);
    raw_client_send(client, GET("/hold"));

    http_stand_serve_for(stand, 3300); /* longer than either limit */
    http_stand_answer_all(stand, 202);

    assert_int_equal(raw_client_status(client), 202);
    http_stand_end(client, stand);
}

static void cuts_off_who_does_not_read(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open_impatient();
    struct raw_client *client = http_stand_connect(stand);
    raw_client_send(client, GET("/big"));
    http_stand_serve_until(stand, &stand->handled, 1);

    http_stand_serve_until(stand, &stand->finished, 1);

    http_stand_serve_until_connections(stand, 0);
    http_stand_end(client, stand);
}

/* ---- many ---- */

static void serves_two_thousand_in_a_row(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    for (int i = 0; i < 2000; i++) {
        struct raw_client *client = http_stand_connect(stand);
        raw_client_send(client, POST("/", "3", "abc"));
        assert_int_equal(raw_client_status(client), 200);
        raw_client_destroy(client);
    }
    http_stand_serve_until_connections(stand, 0);
    assert_int_equal(stand->finished, 2000);
    http_stand_close(stand);
}

static void serves_two_hundred_at_once(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct raw_client *clients[200];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 200; i++) {
            if (round == 0)
                clients[i] = http_stand_connect(stand);
            raw_client_send(clients[i], POST("/hold", "3", "abc"));
        }
        http_stand_serve_until(stand, &stand->handled, 200 * ((unsigned)round + 1));
        assert_int_equal(http_server_open_requests(stand->server), 200);
        http_stand_answer_all(stand, 202);
        for (int i = 0; i < 200; i++)
            assert_int_equal(raw_client_status(clients[i]), 202);
    }
    for (int i = 0; i < 200; i++)
        raw_client_destroy(clients[i]);
    http_stand_close(stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("refuses an announced body that is too long, before it is sent", limits_the_body),
        IT("refuses a chunked body that turns out too long", limits_a_chunked_body),
        IT("refuses an expecting client instead of telling it to continue",
           refuses_instead_of_continuing),
        IT("lets the answer arrive although the client still sends", lets_the_answer_arrive),
        IT("lingers for a limited time and for a limited number", stops_lingering),
        IT("stops while it lingers", stops_while_lingering),
        IT("refuses a head that is too long", limits_the_head),
        IT("counts headers and cookies by the memory that they take", counts_headers_and_cookies),
        IT("refuses heads that can be read in two ways", refuses_unsound_heads),
        IT("survives garbage", survives_garbage),
        IT("lets begin answer, and keeps the connection when there is no body", begin_may_answer),
        IT("needs no finish", does_not_need_begin_and_finish),
        IT("cuts off who is slow in any part of a request, though never idle", cuts_off_the_slow),
        IT("cuts off who is slow in a later request; its first line may take as long as idling",
           cuts_off_the_slow_later_on),
        IT("closes idle connections", closes_the_idle),
        IT("gives handlers the time they need", waits_for_the_handler),
        IT("cuts off who does not read the answer", cuts_off_who_does_not_read),
        IT("serves 2,000 connections in a row", serves_two_thousand_in_a_row),
        IT("serves 200 connections at once", serves_two_hundred_at_once),
    };
    return cmocka_run_group_tests_name("http_server_limits", tests, NULL, NULL);
}
