/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * `?wait=`: the answer is held for the final state. The test plays the worker, in Redis.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"

#include "tests/support/intake_stand.h"
#include "tests/support/specification.h"

static int start(void **state)
{
    struct intake_stand *stand = intake_stand_create();
    intake_stand_start(stand);
    *state = stand;
    return 0;
}

static int stop(void **state)
{
    intake_stand_destroy(*state);
    return 0;
}

static struct raw_client *post_and_wait(struct intake_stand *stand, const char *target,
                                        const char *body)
{
    struct raw_client *client = intake_stand_connect(stand);
    intake_stand_send(client, "POST", target, JSON_TYPE, body);
    return client;
}

static void must_be_stored(struct intake_stand *stand, const char *id)
{
    int64_t until_ms = clock_monotonic_ms() + 10000;
    while (strcmp(redis_server_cli(stand->redis, "EXISTS 'seek-signal:{0}:app:%s'", id), "1") != 0)
        assert_true(clock_monotonic_ms() < until_ms);
}

static void tells_of_the_delivery(void **state)
{
    struct intake_stand *stand = *state;
    struct raw_client *client =
        post_and_wait(stand, "/v1/events?wait=10s", EVENT("delivered", "t"));
    must_be_stored(stand, "delivered");
    must_hold(stand, 1);
    (void)redis_server_cli(stand->redis, "HSET 'seek-signal:{0}:app:delivered' state delivered");
    must_answer(raw_client_answer(client), 200,
                "\"result\":\"accepted\",\"state\":\"delivered\",\"durability\":\"fsync\"}");
    raw_client_destroy(client);
    /* Over already: no waiting at all. */
    must_answer(
        intake_stand_call(stand, "POST", "/v1/events?wait=30", JSON_TYPE, EVENT("delivered", "t")),
        200, "\"result\":\"duplicate\",\"state\":\"delivered\"");
}

static void tells_why_it_died(void **state)
{
    struct intake_stand *stand = *state;
    struct raw_client *client = post_and_wait(stand, "/v1/events?wait=10s", EVENT("dead", "t"));
    must_be_stored(stand, "dead");
    (void)redis_server_cli(stand->redis, "HSET 'seek-signal:{0}:app:dead' state dead class refused "
                                         "code FORBIDDEN message 'no relationship' http 200");
    must_answer(raw_client_answer(client), 200,
                "\"state\":\"dead\",\"durability\":\"fsync\",\"lastError\":{\"class\":\"refused\","
                "\"code\":\"FORBIDDEN\",\"message\":\"no relationship\",\"httpStatus\":200}}");
    raw_client_destroy(client);
}

static void gives_up_in_time(void **state)
{
    struct intake_stand *stand = *state;
    int64_t began_ms = clock_monotonic_ms();
    must_answer(
        intake_stand_call(stand, "POST", "/v1/events?wait=100ms", JSON_TYPE, EVENT("late", "t")),
        202, "\"state\":\"pending\"");
    assert_in_range(clock_monotonic_ms() - began_ms, 100, 5000);
    /* A duplicate that is not over either. */
    must_answer(
        intake_stand_call(stand, "POST", "/v1/events?wait=30ms", JSON_TYPE, EVENT("late", "t")),
        202, "\"result\":\"duplicate\",\"state\":\"pending\"");
    must_answer(
        intake_stand_call(stand, "POST", "/v1/events?wait=0", JSON_TYPE, EVENT("late", "t")), 200,
        "\"result\":\"duplicate\"");
}

static void stops_waiting_for_what_is_forgotten(void **state)
{
    struct intake_stand *stand = *state;
    struct raw_client *client = post_and_wait(stand, "/v1/events?wait=30s", EVENT("gone", "t"));
    must_be_stored(stand, "gone");
    must_answer(intake_stand_call(stand, "DELETE", "/v1/applications/gone", "", NULL), 204, "");
    assert_int_equal(raw_client_status(client), 202);
    raw_client_destroy(client);
}

static void refuses_what_it_cannot_wait_for(void **state)
{
    struct intake_stand *stand = *state;
    static const char *const targets[] = {"/v1/events?wait=forever", "/v1/events?wait=31s",
                                          "/v1/events?wait=", "/v1/events?wait"};
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++)
        must_answer(intake_stand_call(stand, "POST", targets[i], JSON_TYPE, EVENT("never", "t")),
                    400, "\"code\":\"wait_invalid\"");
    must_answer(intake_stand_call(stand, "POST", "/v1/events?wait=5s", JSON_TYPE,
                                  "[" EVENT("never", "t") "]"),
                400, "\"code\":\"wait_invalid\"");
    assert_string_equal(redis_server_cli(stand->redis, "EXISTS 'seek-signal:{0}:app:never'"), "0");
}

static void does_not_wait_for_a_refused_event(void **state)
{
    struct intake_stand *stand = *state;
    must_answer(intake_stand_call(stand, "POST", "/v1/events?wait=30s", JSON_TYPE,
                                  "{\"applicationId\":\"tokenless\"}"),
                409, "\"code\":\"token_missing\"");
}

static void forgets_a_client_that_leaves(void **state)
{
    struct intake_stand *stand = *state;
    struct raw_client *client = post_and_wait(stand, "/v1/events?wait=200ms", EVENT("left", "t"));
    must_be_stored(stand, "left");
    raw_client_vanish(client);
    raw_client_destroy(client);
    must_hold(stand, 0);
    must_answer(intake_stand_call(stand, "GET", "/v1/applications/left", "", NULL), 200, "");
}

static void outlasts_an_outage(void **state)
{
    struct intake_stand *stand = *state;
    struct raw_client *client = post_and_wait(stand, "/v1/events?wait=20s", EVENT("outage", "t"));
    must_be_stored(stand, "outage");
    must_hold(stand, 1);
    redis_server_kill(stand->redis);
    must_become_unready(stand);
    redis_server_restart(stand->redis);
    must_become_ready(stand);
    (void)redis_server_cli(stand->redis, "HSET 'seek-signal:{0}:app:outage' state delivered");
    must_answer(raw_client_answer(client), 200, "\"state\":\"delivered\"");
    raw_client_destroy(client);
}

static void tells_what_is_known_at_the_end(void **state)
{
    struct intake_stand *stand = *state;
    struct raw_client *client = post_and_wait(stand, "/v1/events?wait=30s", EVENT("end", "t"));
    must_be_stored(stand, "end");
    must_hold(stand, 1);
    intake_pool_stop(stand->pool, clock_monotonic_ms() + 10000);
    must_answer(raw_client_answer(client), 202, "\"state\":\"pending\"");
    raw_client_destroy(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("answers 200 when the signal is delivered", tells_of_the_delivery),
        IT("answers 200 with SEEK's words when it is dead", tells_why_it_died),
        IT("answers 202 when the time is over", gives_up_in_time),
        IT("answers 202 when the application is forgotten meanwhile",
           stops_waiting_for_what_is_forgotten),
        IT("refuses durations it cannot read, and batches, before it stores anything",
           refuses_what_it_cannot_wait_for),
        IT("does not wait for an event that was not stored", does_not_wait_for_a_refused_event),
        IT("forgets a client that leaves", forgets_a_client_that_leaves),
        IT("goes on waiting through an outage of Redis", outlasts_an_outage),
        IT("answers 202 when the service stops", tells_what_is_known_at_the_end),
    };
    return cmocka_run_group_tests_name("intake_wait", tests, start, stop);
}
