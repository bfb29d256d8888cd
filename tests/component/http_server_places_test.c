/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <poll.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/net/http_server.h"

#include "tests/support/http_stand.h"
#include "tests/support/raw_client.h"
#include "tests/support/specification.h"

enum {
    PLACES = 16,
    REQUEST_TIMEOUT_MS = 2000,
    GRACE_MS = REQUEST_TIMEOUT_MS / 10,
    SOON_MS = REQUEST_TIMEOUT_MS - GRACE_MS /* not only once somebody's time is over */
};

static struct http_stand *open_small_stand(void)
{
    struct http_server_options options = http_stand_options();
    options.connections_max = PLACES;
    options.request_timeout_ms = REQUEST_TIMEOUT_MS;
    return http_stand_open_with(options);
}

static void take_all_places(struct http_stand *stand, struct raw_client *clients[PLACES],
                            const char *bytes)
{
    for (int i = 0; i < PLACES; i++) {
        clients[i] = http_stand_connect(stand);
        raw_client_send(clients[i], bytes);
        http_stand_serve_for(stand, 2);
    }
    assert_int_equal(http_server_connections(stand->server), PLACES);
}

static void must_serve_within(struct http_stand *stand, int64_t limit_ms)
{
    int64_t begun_ms = clock_monotonic_ms();
    struct raw_client *client = http_stand_connect(stand);
    raw_client_send(client, GET("/"));
    assert_int_equal(raw_client_status(client), 200);
    assert_in_range(clock_monotonic_ms() - begun_ms, 0, limit_ms);
    raw_client_destroy(client);
}

static void destroy_all(struct raw_client *clients[], int count)
{
    for (int i = 0; i < count; i++)
        raw_client_destroy(clients[i]);
}

static void closes_the_longest_idle_for_a_new_one(void **state)
{
    (void)state;
    struct http_stand *stand = open_small_stand();
    struct raw_client *clients[PLACES];
    take_all_places(stand, clients, GET("/"));
    for (int i = 0; i < PLACES; i++)
        assert_int_equal(raw_client_status(clients[i]), 200);
    raw_client_send(clients[0], GET("/")); /* the next is the longest idle one now */
    assert_int_equal(raw_client_status(clients[0]), 200);

    struct raw_client *newcomer = http_stand_connect(stand);
    raw_client_send(newcomer, GET("/"));

    assert_int_equal(raw_client_status(newcomer), 200);
    assert_int_equal(raw_client_wait_end(clients[1]), RAW_CLOSED);
    assert_int_equal(stand->notes[HTTP_NOTE_EVICTED], 1);
    assert_int_equal(http_server_connections(stand->server), PLACES);
    raw_client_send(clients[0], GET("/"));
    assert_int_equal(raw_client_status(clients[0]), 200);
    raw_client_destroy(newcomer);
    destroy_all(clients, PLACES);
    http_stand_close(stand);
}

static void serves_many_newcomers_beside_the_idle(void **state)
{
    (void)state;
    struct http_stand *stand = open_small_stand();
    struct raw_client *clients[100];
    for (int i = 0; i < 100; i++) {
        clients[i] = http_stand_connect(stand);
        raw_client_send(clients[i], GET("/"));
    }
    for (int i = 0; i < 100; i++)
        assert_int_equal(raw_client_status(clients[i]), 200);
    assert_int_equal(stand->notes[HTTP_NOTE_EVICTED], 100 - PLACES);
    destroy_all(clients, 100);
    http_stand_close(stand);
}

/* Silent since the accept, in the middle of a head and of a body. */
static void closes_the_slow_for_a_new_one(void **state)
{
    (void)state;
    static const char *const beginnings[] = {"",
                                             "GET / HTTP/1.1\r\nX-Slow: ", POST("/", "900", "a")};
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        struct http_stand *stand = open_small_stand();
        struct raw_client *clients[PLACES];
        take_all_places(stand, clients, beginnings[i]);
        must_serve_within(stand, SOON_MS);
        must_serve_within(stand, SOON_MS);
        destroy_all(clients, PLACES);
        http_stand_close(stand);
    }
}

static void prefers_who_has_sent_something(void **state)
{
    (void)state;
    struct http_stand *stand = open_small_stand();
    struct raw_client *used = http_stand_connect(stand);
    raw_client_send(used, GET("/"));
    assert_int_equal(raw_client_status(used), 200);
    struct raw_client *silent[PLACES - 1];
    for (int i = 0; i < PLACES - 1; i++)
        silent[i] = http_stand_connect(stand);
    http_stand_serve_until_connections(stand, PLACES);
    http_stand_serve_for(stand, REQUEST_TIMEOUT_MS / 100 + 10);
    must_serve_within(stand, SOON_MS);
    assert_int_equal(raw_client_wait_end(silent[0]), RAW_CLOSED);
    raw_client_send(used, GET("/"));
    assert_int_equal(raw_client_status(used), 200);
    raw_client_destroy(used);
    destroy_all(silent, PLACES - 1);
    http_stand_close(stand);
}

static void closes_who_does_not_read_for_a_new_one(void **state)
{
    (void)state;
    struct http_stand *stand = open_small_stand();
    struct raw_client *clients[PLACES];
    take_all_places(stand, clients, GET("/static") GET("/static") GET("/static"));
    must_serve_within(stand, SOON_MS);
    destroy_all(clients, PLACES);
    http_stand_close(stand);
}

static void keeps_what_is_worked_on(void **state)
{
    (void)state;
    struct http_stand *stand = open_small_stand();
    struct raw_client *clients[PLACES];
    take_all_places(stand, clients, GET("/hold"));
    struct raw_client *newcomer = http_stand_connect(stand);
    raw_client_send(newcomer, GET("/"));

    http_stand_serve_for(stand, 2 * GRACE_MS);
    raw_client_receive(newcomer);

    assert_int_equal(newcomer->end, RAW_OPEN);
    assert_int_equal(newcomer->length, 0);
    assert_int_equal(stand->notes[HTTP_NOTE_EVICTED], 0);
    http_stand_answer_all(stand, 202);
    for (int i = 0; i < PLACES; i++)
        assert_int_equal(raw_client_status(clients[i]), 202);
    assert_int_equal(raw_client_status(newcomer), 200);
    raw_client_destroy(newcomer);
    destroy_all(clients, PLACES);
    http_stand_close(stand);
}

/* A loop that goes round and round would turn some thousand times. */
static void rests_while_it_is_full(void **state)
{
    (void)state;
    static const char *const beginnings[] = {GET("/hold"), "GET /"};
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        struct http_stand *stand = open_small_stand();
        struct raw_client *clients[PLACES];
        take_all_places(stand, clients, beginnings[i]);
        unsigned turns = 0;
        for (int64_t until_ms = clock_monotonic_ms() + 100; clock_monotonic_ms() < until_ms;
             turns++)
            http_stand_serve(stand);
        assert_in_range(turns, 1, 60);
        destroy_all(clients, PLACES);
        http_stand_close(stand);
    }
}

/* The time in which nobody may go yet can end between the turn and the question how long to wait.
 */
static void wakes_for_who_waits_when_somebody_may_go(void **state)
{
    (void)state;
    struct http_stand *stand = open_small_stand();
    struct raw_client *clients[PLACES + 1];
    for (int i = 0; i <= PLACES; i++)
        clients[i] = http_stand_connect(stand);
    http_server_turn(stand->server);
    const struct timespec grace = {.tv_nsec = (REQUEST_TIMEOUT_MS / 100 + 5) * 1000000L};
    assert_int_equal(nanosleep(&grace, NULL), 0);
    struct pollfd loop = {.fd = http_server_fd(stand->server), .events = POLLIN};
    assert_true(http_server_timeout_ms(stand->server) == 0 || poll(&loop, 1, 0) == 1);
    destroy_all(clients, PLACES + 1);
    http_stand_close(stand);
}

static void tells_when_it_is_full(void **state)
{
    (void)state;
    struct http_stand *stand = open_small_stand();
    struct raw_client *clients[PLACES];
    take_all_places(stand, clients, GET("/"));
    assert_int_equal(stand->notes[HTTP_NOTE_FULL], 1);
    for (int i = 0; i < 5; i++)
        must_serve_within(stand, SOON_MS);
    assert_int_equal(stand->notes[HTTP_NOTE_FULL], 1);
    assert_int_equal(stand->notes[HTTP_NOTE_ROOM], 0);
    destroy_all(clients, PLACES);
    http_stand_serve_until_connections(stand, 0);
    assert_int_equal(stand->notes[HTTP_NOTE_FULL], 1);
    assert_int_equal(stand->notes[HTTP_NOTE_ROOM], 1);
    http_stand_close(stand);
}

static void has_a_limit_for_each_address(void **state)
{
    (void)state;
    struct http_server_options options = http_stand_options();
    options.connections_per_address_max = 2;
    struct http_stand *stand = http_stand_open_with(options);
    struct raw_client *clients[4];
    for (int i = 0; i < 2; i++) {
        clients[i] = http_stand_connect(stand);
        raw_client_send(clients[i], GET("/hold"));
        http_stand_serve_until(stand, &stand->handled, (unsigned)i + 1);
    }
    clients[2] = http_stand_connect(stand);
    assert_int_not_equal(raw_client_wait_end(clients[2]), RAW_OPEN);
    assert_int_equal(stand->notes[HTTP_NOTE_ADDRESS_FULL], 1);
    http_stand_answer_all(stand, 202);
    assert_int_equal(raw_client_status(clients[0]), 202);
    assert_int_equal(raw_client_status(clients[1]), 202);
    http_stand_serve_for(stand, 10);

    clients[3] = http_stand_connect(stand); /* for an idle one */
    raw_client_send(clients[3], GET("/"));

    assert_int_equal(raw_client_status(clients[3]), 200);
    assert_int_equal(stand->notes[HTTP_NOTE_ADDRESS_FULL], 1);
    http_stand_serve_until_connections(stand, 2);
    destroy_all(clients, 4);
    http_stand_close(stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("closes the longest idle connection for a new one",
           closes_the_longest_idle_for_a_new_one),
        IT("serves many newcomers beside the idle", serves_many_newcomers_beside_the_idle),
        IT("closes who sends slowly for a new one", closes_the_slow_for_a_new_one),
        IT("closes a connection that was never used before one that was",
           prefers_who_has_sent_something),
        IT("closes who does not read for a new one", closes_who_does_not_read_for_a_new_one),
        IT("keeps the connections whose requests it works on", keeps_what_is_worked_on),
        IT("rests while it is full", rests_while_it_is_full),
        IT("wakes for who waits as soon as somebody may go",
           wakes_for_who_waits_when_somebody_may_go),
        IT("tells when its places are taken and when there are some again", tells_when_it_is_full),
        IT("has a limit for each address, within which the idle make room",
           has_a_limit_for_each_address),
    };
    return cmocka_run_group_tests_name("http_server_places", tests, NULL, NULL);
}
