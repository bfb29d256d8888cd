/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/net/http_fault.h"
#include "lib/net/http_server.h"
#include "lib/net/listener.h"

#include "tests/support/failing_malloc.h"
#include "tests/support/http_stand.h"
#include "tests/support/raw_client.h"
#include "tests/support/self_signed.h"
#include "tests/support/specification.h"

/* ---- the end ---- */

static void quiesces(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct raw_client *kept = http_stand_connect(stand);
    struct raw_client *holding = http_stand_connect(stand);
    raw_client_send(kept, GET("/"));
    assert_int_equal(raw_client_status(kept), 200);
    raw_client_send(holding, GET("/hold"));
    http_stand_serve_until(stand, &stand->handled, 2);
    struct raw_client *waiting[30]; /* connected, and not accepted yet */
    for (int i = 0; i < 30; i++)
        waiting[i] = http_stand_connect(stand);

    http_server_quiesce(stand->server);
    http_server_quiesce(stand->server);

    http_stand_answer_all(stand, 202);
    must_contain(raw_client_answer(holding), "Connection: close");
    assert_int_equal(raw_client_wait_end(holding), RAW_CLOSED);
    for (int i = 0; i < 30; i++) {
        raw_client_send(waiting[i], GET("/"));
        must_contain(raw_client_answer(waiting[i]), "Connection: close");
        raw_client_destroy(waiting[i]);
    }
    raw_client_send(kept, GET("/"));
    must_contain(raw_client_answer(kept), "Connection: close");
    http_stand_serve_until_connections(stand, 0);
    raw_client_destroy(kept);
    http_stand_end(holding, stand);
}

static void refuses_connections_after_quiesce(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct listen_address address;
    struct error error;
    char text[32];
    (void)snprintf(text, sizeof text, "127.0.0.1:%u", (unsigned)stand->port);
    assert_true(listen_address_parse(text, &address, &error));

    http_server_quiesce(stand->server);

    struct listener listener;
    assert_true(listener_open(&address, false, &listener, &error)); /* the port is free again */
    listener_close(&listener);
    http_stand_close(stand);
}

static void answers_the_open_when_it_stops(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct raw_client *clients[3];
    for (int i = 0; i < 3; i++) {
        clients[i] = http_stand_connect(stand);
        raw_client_send(clients[i], i < 2 ? GET("/hold") : POST("/", "3", "a"));
    }
    http_stand_serve_until(stand, &stand->begun, 3);
    http_stand_serve_until(stand, &stand->handled, 2);

    http_server_stop(stand->server);
    http_server_stop(stand->server);

    assert_int_equal(stand->abandoned, 2);
    assert_int_equal(stand->finished, 3);
    for (int i = 0; i < 2; i++) {
        const char *answer = raw_client_answer(clients[i]);
        must_contain(answer, "503");
        must_contain(answer, "Connection: close");
        assert_int_equal(raw_client_wait_end(clients[i]), RAW_CLOSED);
        raw_client_destroy(clients[i]);
    }
    assert_int_equal(http_server_timeout_ms(stand->server), -1);
    http_server_turn(stand->server); /* harmless */
    http_server_quiesce(stand->server);
    http_stand_end(clients[2], stand);
}

static void abandons_what_arrives_while_it_stops(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct raw_client *client = http_stand_connect(stand);
    raw_client_send(client, GET("/")); /* waits to be accepted */

    http_server_stop(stand->server);

    assert_int_equal(stand->handled, 0);
    must_contain(raw_client_answer(client), "503");
    http_stand_end(client, stand);
}

static void abandons_what_is_left(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct raw_client *clients[3];
    const struct http_reply reply = {.status = 202};
    for (unsigned i = 0; i < 3; i++) {
        clients[i] = http_stand_connect(stand);
        raw_client_send(clients[i], GET("/hold"));
        http_stand_serve_until(stand, &stand->handled, i + 1);
    }

    http_request_reply(stand->held[1], &reply); /* from the middle, then an end */
    http_request_reply(stand->held[0], &reply);
    http_server_stop(stand->server);

    assert_int_equal(stand->abandoned, 1);
    assert_int_equal(raw_client_status(clients[0]), 202);
    assert_int_equal(raw_client_status(clients[1]), 202);
    assert_int_equal(raw_client_status(clients[2]), 503);
    raw_client_destroy(clients[0]);
    raw_client_destroy(clients[1]);
    http_stand_end(clients[2], stand);
}

static void stops_at_once_when_nothing_is_open(void **state)
{
    (void)state;
    int64_t quickest_ms = INT64_MAX;
    for (int i = 0; i < 3; i++) { /* the machine may be busy, but not always */
        struct http_stand *stand = http_stand_open();
        struct raw_client *client = http_stand_connect(stand);
        raw_client_send(client, GET("/"));
        assert_int_equal(raw_client_status(client), 200);
        int64_t begun_ms = clock_monotonic_ms();
        http_server_stop(stand->server);
        int64_t duration_ms = clock_monotonic_ms() - begun_ms;
        quickest_ms = duration_ms < quickest_ms ? duration_ms : quickest_ms;
        http_stand_end(client, stand);
    }
    assert_in_range(quickest_ms, 0, 400);
}

static void stops_in_bounded_time(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct raw_client *client = http_stand_connect(stand);
    raw_client_send(client, GET("/big")); /* and never reads */
    http_stand_serve_until(stand, &stand->handled, 1);
    http_stand_serve_for(stand, 10);
    int64_t begun_ms = clock_monotonic_ms();

    http_server_stop(stand->server);

    assert_in_range(clock_monotonic_ms() - begun_ms, 0, 10000);
    assert_int_equal(stand->finished, 1);
    http_stand_end(client, stand);
}

/* ---- misbehaviour on purpose ---- */

static void misbehaves(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    static const char *const requests[] = {GET("/fail/reset"), GET("/fail/close"),
                                           GET("/fail/cut")};
    static const enum http_fault faults[] = {HTTP_FAULT_RESET, HTTP_FAULT_CLOSE,
                                             HTTP_FAULT_CUT_BODY};
    static const enum raw_end ends[] = {RAW_RESET, RAW_CLOSED, RAW_RESET};
    for (int i = 0; i < 6; i++) {
        struct raw_client *client = http_stand_connect(stand);
        bool is_later = i >= 3;
        raw_client_send(client, is_later ? GET("/hold") : requests[i]);
        http_stand_serve_until(stand, &stand->handled, (unsigned)i + 1);
        if (is_later)
            http_request_fail(stand->held[0], faults[i % 3], &http_stand_cut_reply);
        stand->held_count = 0;

        assert_int_equal(raw_client_wait_end(client), ends[i % 3]);
        if (faults[i % 3] == HTTP_FAULT_CUT_BODY) {
            must_contain(client->bytes, "Content-Length: 10\r\n");
            must_end_with(client->bytes, "\r\n\r\n01234");
        } else {
            assert_int_equal(client->length, 0);
        }
        raw_client_destroy(client);
    }
    http_stand_serve_until_connections(stand, 0);
    assert_int_equal(stand->finished, 6);
    http_stand_close(stand);
}

/* ---- other sockets ---- */

static void serves_a_unix_socket(void **state)
{
    (void)state;
    char directory[] = "/tmp/http_server_test.XXXXXX";
    assert_non_null(mkdtemp(directory));
    char where[64];
    (void)snprintf(where, sizeof where, "unix:%s/socket", directory);
    struct http_server_options options = http_stand_options();
    options.connections_per_address_max = 1; /* there is no address to count */
    struct http_stand *stand = http_stand_open_at(where, options);
    struct raw_client *clients[2];
    for (int i = 0; i < 2; i++) {
        clients[i] = raw_client_open_unix(where + strlen("unix:"), http_stand_serve, stand);
        raw_client_send(clients[i], POST("/", "3", "abc"));
        must_end_with(raw_client_answer(clients[i]), " 3:abc");
    }
    raw_client_send(clients[0], GET("/fail/reset"));
    assert_int_not_equal(raw_client_wait_end(clients[0]), RAW_OPEN);

    raw_client_destroy(clients[0]);
    http_stand_end(clients[1], stand);
    assert_int_equal(unlink(where + strlen("unix:")), 0);
    assert_int_equal(rmdir(directory), 0);
}

static struct http_stand *stand_open_tls(void)
{
    struct http_server_options options = http_stand_options();
    options.request_timeout_ms = 1000;
    struct self_signed pem = self_signed_create();
    options.tls_certificate_pem = pem.certificate;
    options.tls_key_pem = pem.key;
    struct http_stand *stand = http_stand_open_with(options);
    self_signed_fini(&pem); /* borrowed for the call only */
    return stand;
}

/* Repeats a step of the TLS client, which does not block, until it is through. */
#define TLS_STEP(stand, result, step)                                                              \
    do                                                                                             \
        http_stand_serve(stand);                                                                   \
    while (((result) = (step)) <= 0 && SSL_want(tls) != SSL_NOTHING)

static void serves_tls(void **state)
{
    (void)state;
    struct http_stand *stand = stand_open_tls();
    struct raw_client *client = http_stand_connect(stand);
    assert_int_equal(fcntl(client->fd, F_SETFL, O_NONBLOCK), 0);
    SSL_CTX *tls_context = SSL_CTX_new(TLS_client_method());
    SSL *tls = SSL_new(tls_context);
    assert_int_equal(SSL_set_fd(tls, client->fd), 1);
    int result;
    char answer[1024] = "";

    TLS_STEP(stand, result, SSL_connect(tls));
    assert_int_equal(result, 1);
    static const char request[] = POST("/", "3", "abc");
    TLS_STEP(stand, result, SSL_write(tls, request, sizeof request - 1));
    for (size_t length = 0; strstr(answer, "3:abc") == NULL; length += (size_t)result) {
        TLS_STEP(stand, result, SSL_read(tls, answer + length, (int)(sizeof answer - 1 - length)));
        assert_true(result > 0);
    }

    SSL_free(tls);
    SSL_CTX_free(tls_context);
    http_stand_end(client, stand);
}

static void cuts_off_a_stalled_handshake(void **state)
{
    (void)state;
    struct http_stand *stand = stand_open_tls();
    /* Nothing; a plain request; the first bytes of a handshake record. */
    static const char *const beginnings[] = {"", GET("/"), "\x16\x03\x01\x02\x01\x01"};
    for (int i = 0; i < 3; i++) {
        struct raw_client *client = http_stand_connect(stand);
        raw_client_send(client, beginnings[i]);
        int64_t begun_ms = clock_monotonic_ms();
        assert_int_not_equal(raw_client_wait_end(client), RAW_OPEN);
        assert_in_range(clock_monotonic_ms() - begun_ms, 0, 5000);
        raw_client_destroy(client);
    }
    http_stand_serve_until_connections(stand, 0);
    http_stand_close(stand);
}

/* ---- failures of its own ---- */

static int open_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void takes_the_socket_on_failure(void **state)
{
    (void)state;
    struct listen_address address;
    struct error error;
    assert_true(listen_address_parse("127.0.0.1:0", &address, &error));
    int before = open_descriptors();
    struct http_server_options options = http_stand_options();
    assert_true(listener_open(&address, false, &options.listener, &error));
    options.tls_certificate_pem = "not a certificate";
    options.tls_key_pem = "not a key";

    assert_null(http_server_create(&options, &error));

    must_contain(error.message, "certificate");
    assert_int_equal(open_descriptors(), before);
    http_server_destroy(NULL);
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    struct listen_address address;
    struct error error;
    assert_true(listen_address_parse("127.0.0.1:0", &address, &error));
    int before = open_descriptors();
    for (unsigned n = 0;; n++) {
        struct http_server_options options = http_stand_options();
        assert_true(listener_open(&address, false, &options.listener, &error));
        failing_malloc_arm(n);
        struct http_server *server = http_server_create(&options, &error);
        bool has_failed = failing_malloc_disarm();
        assert_int_equal(server == NULL, has_failed);
        http_server_destroy(server);
        assert_int_equal(open_descriptors(), before);
        if (!has_failed)
            break;
        assert_int_equal(error.kind, ERROR_MEMORY);
    }
}

/* Every allocation that serving the request takes fails once. */
static void serve_without_memory(struct http_stand *stand, const char *request)
{
    bool has_failed = true;
    for (unsigned n = 0; has_failed; n++) {
        struct raw_client *client = http_stand_connect(stand);
        raw_client_send(client, request);
        failing_malloc_arm(n);
        while (client->end == RAW_OPEN && client->length == 0) {
            http_stand_serve(stand);
            raw_client_receive(client);
        }
        has_failed = failing_malloc_disarm();
        raw_client_destroy(client);
        http_stand_serve_until_connections(stand, 0);
    }
}

static void answers_or_closes_without_memory(void **state)
{
    (void)state;
    static const char *const requests[] = {
        POST("/", "3", "abc"), POST("/", "2000", ""), GET("/fail/cut"),
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"};
    struct http_stand *stand = http_stand_open();
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
        serve_without_memory(stand, requests[i]);
    http_stand_close(stand);
}

static void closes_a_connection_it_cannot_watch(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    struct raw_client *client = http_stand_connect(stand);
    failing_malloc_arm(0);

    assert_int_equal(raw_client_wait_end(client), RAW_CLOSED); /* though it sends nothing */

    assert_true(failing_malloc_disarm());
    http_stand_end(client, stand);
}

static void refuses_nothing_for_lack_of_memory(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();

    serve_without_memory(stand, POST("/", "3", "abc"));

    assert_int_equal(stand->refused, 0); /* 413 would be a lie */
    http_stand_close(stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("quiesces: lets in who waits, then closes each connection after its next answer",
           quiesces),
        IT("frees its address when it quiesces", refuses_connections_after_quiesce),
        IT("answers open requests when it stops", answers_the_open_when_it_stops),
        IT("abandons what arrives while it stops", abandons_what_arrives_while_it_stops),
        IT("abandons only what is left", abandons_what_is_left),
        IT("stops at once when nothing is open", stops_at_once_when_nothing_is_open),
        IT("stops in bounded time, though a client does not read", stops_in_bounded_time),
        IT("resets, closes or cuts the body when asked to, at once or later", misbehaves),
        IT("serves a unix socket", serves_a_unix_socket),
        IT("serves TLS", serves_tls),
        IT("cuts off a TLS handshake that stalls", cuts_off_a_stalled_handshake),
        IT("takes the socket also when it cannot start", takes_the_socket_on_failure),
        IT("reports that memory is short when it starts", survives_lack_of_memory),
        IT("answers or closes when memory is short", answers_or_closes_without_memory),
        IT("closes a connection that it has no memory to watch",
           closes_a_connection_it_cannot_watch),
        IT("does not call a body too long for lack of memory", refuses_nothing_for_lack_of_memory),
    };
    return cmocka_run_group_tests_name("http_server_end", tests, NULL, NULL);
}
