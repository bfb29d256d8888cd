/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "lib/net/http_server.h"

#include "tests/support/http_stand.h"
#include "tests/support/raw_client.h"
#include "tests/support/specification.h"

/* ---- what a handler sees, what a client gets ---- */

static void shows_the_request(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct raw_client *client = http_stand_connect(stand);

    raw_client_send(client, "POST /a%20b+c?a=x%2Fy+z&b HTTP/1.1\r\n" HOST
                            "x-custom: of mine\r\nContent-Length: 5\r\n\r\nhello");
    const char *answer = raw_client_answer(client);

    must_contain(answer, "HTTP/1.1 200 OK\r\n");
    must_contain(answer, "\r\nContent-Type: text/plain\r\n");
    must_contain(answer, "\r\nDate: ");
    must_end_with(answer, "\r\n\r\nPOST /a%20b+c a=x/y z b= X-Custom=of mine 5:hello");
    http_stand_end(client, stand);
}

static void shows_what_is_absent(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct raw_client *client = http_stand_connect(stand);

    raw_client_send(client, GET("http://other.host/path?c=1"));

    must_end_with(raw_client_answer(client), "GET /path a=NULL b=NULL X-Custom=NULL 0:");
    http_stand_end(client, stand);
}

static void passes_any_method(void **state)
{
    (void)state;
    static const char *const methods[] = {"OPTIONS", "PATCH", "DELETE", "TRACE", "get", "X-NEW"};
    struct http_stand *stand = http_stand_open();
    struct raw_client *client = http_stand_connect(stand);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        char request[128];
        (void)snprintf(request, sizeof request, "%s /m HTTP/1.1\r\n" HOST "\r\n", methods[i]);
        char expected[32];
        (void)snprintf(expected, sizeof expected, "\r\n\r\n%s /m ", methods[i]);

        raw_client_send(client, request);

        must_contain(raw_client_answer(client), expected);
    }
    http_stand_end(client, stand);
}

static void counts_the_body_for_head(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct raw_client *client = http_stand_connect(stand);

    raw_client_send(client, "HEAD /static HTTP/1.1\r\n" HOST "\r\n" GET("/next"));

    must_contain(raw_client_answer_to_head(client), "Content-Length: 4194304\r\n");
    must_contain(raw_client_answer(client), "GET /next");
    http_stand_end(client, stand);
}

static void sends_big_bodies(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    static const char *const paths[] = {"/big", "/static"};
    for (int i = 0; i < 2; i++) {
        struct raw_client *client = http_stand_connect(stand);
        char request[64];
        (void)snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" HOST "\r\n", paths[i]);
        raw_client_send(client, request);
        must_contain(raw_client_answer_to_head(client), "Content-Length: 4194304\r\n");
        size_t total = 0;
        while (total < STAND_BIG_BYTES && client->end == RAW_OPEN) {
            total += client->length;
            client->length = 0;
            http_stand_serve(stand);
            raw_client_receive(client);
        }
        assert_int_equal(total, STAND_BIG_BYTES);
        raw_client_destroy(client);
    }
    http_stand_close(stand);
}

static void sends_headers_and_closes(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct raw_client *client = http_stand_connect(stand);

    raw_client_send(client, GET("/headers"));
    const char *answer = raw_client_answer(client);

    must_contain(answer, "HTTP/1.1 204 No Content\r\n");
    must_contain(answer, "\r\nRetry-After: 7\r\n");
    must_contain(answer, "\r\nX-Copied: as it was\r\n");
    must_contain(answer, "\r\nConnection: close\r\n");
    assert_int_equal(raw_client_wait_end(client), RAW_CLOSED);
    http_stand_end(client, stand);
}

static void sends_no_split_header(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct raw_client *client = http_stand_connect(stand);

    raw_client_send(client, GET("/injection"));

    assert_int_equal(raw_client_wait_end(client), RAW_CLOSED);
    assert_int_equal(client->length, 0);
    http_stand_end(client, stand);
}

/* ---- how requests arrive ---- */

static void keeps_the_connection(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct raw_client *client = http_stand_connect(stand);
    for (int i = 0; i < 20; i++) {
        raw_client_send(client, POST("/", "2", "ab"));
        assert_int_equal(raw_client_status(client), 200);
    }
    assert_int_equal(http_server_connections(stand->server), 1);

    raw_client_send(client, "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    assert_int_equal(raw_client_status(client), 200);
    assert_int_equal(raw_client_wait_end(client), RAW_CLOSED);
    assert_int_equal(stand->finished, 21);
    http_stand_end(client, stand);
}

static void closes_for_http_1_0(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct raw_client *client = http_stand_connect(stand);

    raw_client_send(client, "GET / HTTP/1.0\r\n\r\n");

    must_contain(raw_client_answer(client), " 200 OK");
    assert_int_equal(raw_client_wait_end(client), RAW_CLOSED);
    http_stand_end(client, stand);
}

static void reads_byte_by_byte(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct raw_client *client = http_stand_connect(stand);

    raw_client_send_slowly(client, POST("/slow?a=1", "10", "0123456789"));
    must_end_with(raw_client_answer(client), "POST /slow a=1 b=NULL X-Custom=NULL 10:0123456789");

    raw_client_send_slowly(client,
                           "POST /slow HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                           "3\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: x\r\n\r\n");
    must_end_with(raw_client_answer(client), " 5:abcde");
    http_stand_end(client, stand);
}

static void reads_chunks(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct raw_client *client = http_stand_connect(stand);

    raw_client_send(client, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                            "5\r\nhello\r\nA\r\n, chunks!!\r\n0\r\n\r\n" GET("/next"));

    must_end_with(raw_client_answer(client), " 15:hello, chunks!!");
    must_contain(raw_client_answer(client), "GET /next");
    http_stand_end(client, stand);
}

static void answers_a_pipeline_in_order(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct raw_client *client = http_stand_connect(stand);

    raw_client_send(client, GET("/hold") POST("/second", "3", "abc") GET("/third"));
    http_stand_serve_for(stand, 20);
    assert_int_equal(stand->handled, 1); /* the others wait for their turn */
    http_stand_answer_all(stand, 202);

    assert_int_equal(raw_client_status(client), 202);
    must_contain(raw_client_answer(client), "POST /second");
    must_contain(raw_client_answer(client), "GET /third");
    http_stand_end(client, stand);
}

static void continues_when_expected(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct raw_client *client = http_stand_connect(stand);

    raw_client_send(client,
                    "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    must_contain(raw_client_answer(client), "HTTP/1.1 100 Continue\r\n\r\n");
    raw_client_send(client, "abc");

    must_end_with(raw_client_answer(client), " 3:abc");
    http_stand_end(client, stand);
}

/* ---- answers that come later ---- */

static void answers_in_the_same_turn(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct raw_client *client = http_stand_connect(stand);
    raw_client_send(client, GET("/hold"));
    http_stand_serve_until(stand, &stand->handled, 1);
    assert_int_equal(http_server_open_requests(stand->server), 1);
    raw_client_receive(client);
    assert_int_equal(client->length, 0);

    http_stand_answer_all(stand, 202);
    assert_int_equal(http_server_timeout_ms(stand->server), 0);
    assert_int_equal(http_server_open_requests(stand->server), 0);
    http_server_turn(stand->server);

    raw_client_receive(client);
    must_end_with(client->bytes, "\r\n\r\nat last");
    http_stand_end(client, stand);
}

static void lets_a_handler_answer_others(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct raw_client *waiting = http_stand_connect(stand);
    struct raw_client *other = http_stand_connect(stand);
    raw_client_send(waiting, GET("/hold"));
    http_stand_serve_until(stand, &stand->handled, 1);

    raw_client_send(other, GET("/release"));

    assert_int_equal(raw_client_status(other), 200);
    assert_int_equal(raw_client_status(waiting), 202);
    raw_client_destroy(other);
    http_stand_end(waiting, stand);
}

static void costs_nothing_while_it_waits(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    assert_int_equal(http_server_timeout_ms(stand->server), -1);
    struct raw_client *client = http_stand_connect(stand);
    raw_client_send(client, GET("/hold"));
    http_stand_serve_until(stand, &stand->handled, 1);
    http_stand_serve_for(stand, 10);

    raw_client_send(client, GET("/")); /* not even this wakes it */
    struct pollfd readable = {.fd = http_server_fd(stand->server), .events = POLLIN};
    assert_int_equal(poll(&readable, 1, 30), 0);
    assert_int_not_equal(http_server_timeout_ms(stand->server), 0);

    http_stand_answer_all(stand, 200);
    http_stand_end(client, stand);
}

static void survives_a_peer_that_vanishes(void **state)
{
    (void)state;
    static const char *const beginnings[] = {
        "GE",
        "GET /x HTTP/1.1\r\nHost: a",
        POST("/x", "10", "abc"),
        "POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nab",
        GET("/hold"),
        GET("/big"),
        GET("/hold") GET("/hold"),
        GET("/forbidden"),
        POST("/forbidden", "10", "abc"),
    };
    struct http_stand *stand = http_stand_open();
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        for (int is_abrupt = 0; is_abrupt < 2; is_abrupt++) {
            struct raw_client *client = http_stand_connect(stand);
            raw_client_send(client, beginnings[i]);
            http_stand_serve_for(stand, 10);
            if (is_abrupt)
                raw_client_vanish(client);
            raw_client_destroy(client);
            http_stand_serve_for(stand, 5);
            http_stand_answer_all(stand, 200);
            http_stand_serve_for(stand, 5);
            http_stand_answer_all(stand, 200);
            http_stand_serve_until_connections(stand, 0);
            assert_int_equal(http_server_open_requests(stand->server), 0);
        }
    }
    assert_int_equal(stand->finished, stand->begun);
    http_stand_close(stand);
}

static void ends_a_half_closed_request(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open_impatient();
    for (int is_together = 0; is_together < 2; is_together++) {
        struct raw_client *client = http_stand_connect(stand);
        raw_client_send(client, POST("/x", "10", "abc"));
        /* libmicrohttpd does not notice an end that comes with the last bytes: the deadline does.
         */
        if (!is_together)
            http_stand_serve_until(stand, &stand->begun, 1);
        raw_client_end_sending(client);

        assert_int_equal(raw_client_wait_end(client), RAW_CLOSED);
        raw_client_destroy(client);
    }
    http_stand_serve_until_connections(stand, 0);
    assert_int_equal(stand->handled, 0);
    assert_int_equal(stand->finished, 2);
    http_stand_close(stand);
}

static void trims_white_space_around_values(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct raw_client *client = http_stand_connect(stand);

    raw_client_send(client, "GET /path HTTP/1.1\r\n" HOST "X-Custom: \t of mine \t \r\n\r\n");

    must_end_with(raw_client_answer(client), "X-Custom=of mine 0:");
    raw_client_send(client, "GET /path HTTP/1.1\r\n" HOST "X-Custom: \t \r\n\r\n");
    must_end_with(raw_client_answer(client), "X-Custom= 0:");
    http_stand_end(client, stand);
}

/* RFC 9112 section 5.1: refused; taken for a name of its own it would hide the one that was meant.
 */
static void refuses_white_space_before_a_colon(void **state)
{
    (void)state;
    static const char *const heads[] = {
        "GET /path HTTP/1.1\r\n" HOST "X-Custom : a\r\n\r\n",
        "GET /path HTTP/1.1\r\n" HOST "X-Custom\t: a\r\n\r\n",
        "GET /path HTTP/1.1\r\nX-Custom  : a\r\n" HOST "\r\n",
    };
    struct http_stand *stand = http_stand_open();
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct raw_client *client = http_stand_connect(stand);
        raw_client_send(client, heads[i]);
        must_contain(raw_client_answer(client), " 400 ");
        raw_client_destroy(client);
    }
    assert_int_equal(stand->handled, 0);
    http_stand_close(stand);
}

/* RFC 9112 section 5.2: refused, or read as white space; never as another header. */
static void reads_no_folded_header_as_another(void **state)
{
    (void)state;
    static const char *const heads[] = {
        "GET /path HTTP/1.1\r\n" HOST "X-Cus: a\r\n tom\r\nX-Other: b\r\n\r\n",
        "GET /path HTTP/1.1\r\n" HOST "X-Cus: a\r\n\ttom\r\n\r\n",
        "GET /path HTTP/1.1\r\nX-Cus: a\r\n tom\r\n" HOST "\r\n",
    };
    struct http_stand *stand = http_stand_open();
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct raw_client *client = http_stand_connect(stand);
        raw_client_send(client, heads[i]);
        const char *answer = raw_client_answer(client);
        if (strstr(answer, " 400 ") == NULL)
            must_end_with(answer, "X-Custom=NULL 0:");
        raw_client_destroy(client);
    }
    http_stand_close(stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("knows no white space around the value of a header", trims_white_space_around_values),
        IT("refuses white space before the colon of a header", refuses_white_space_before_a_colon),
        IT("reads no folded header as another one", reads_no_folded_header_as_another),
        IT("shows method, path as sent, decoded query, headers and body", shows_the_request),
        IT("shows what is absent, and the path of an absolute target", shows_what_is_absent),
        IT("passes any method on as it is", passes_any_method),
        IT("counts the body of an answer to HEAD and does not send it", counts_the_body_for_head),
        IT("sends big bodies, copied or not", sends_big_bodies),
        IT("sends headers, and closes after a last answer", sends_headers_and_closes),
        IT("never sends a header with a line break", sends_no_split_header),
        IT("keeps the connection until the client says close", keeps_the_connection),
        IT("closes the connection of an HTTP/1.0 client", closes_for_http_1_0),
        IT("reads a request that comes byte by byte", reads_byte_by_byte),
        IT("reads chunked bodies", reads_chunks),
        IT("answers pipelined requests in their order, though the first takes its time",
           answers_a_pipeline_in_order),
        IT("tells an expecting client to continue", continues_when_expected),
        IT("sends an answer given between two turns in the next one", answers_in_the_same_turn),
        IT("lets a handler answer other requests", lets_a_handler_answer_others),
        IT("costs nothing while a handler takes its time", costs_nothing_while_it_waits),
        IT("survives a peer that vanishes at any moment", survives_a_peer_that_vanishes),
        IT("ends a request whose client stops sending half-way", ends_a_half_closed_request),
    };
    return cmocka_run_group_tests_name("http_server", tests, NULL, NULL);
}
