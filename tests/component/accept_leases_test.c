/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* The straight way: what accept leases to who has places for it; against a real redis-server. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"

#include "service/store/store_internal.h"

#include "tests/support/specification.h"
#include "tests/support/store_stand.h"

enum { APART_MS = 3000 }; /* the two readings of the clock */

static const struct verdict delivered = {.class = VERDICT_DELIVERED, .http_status = 200};
static const struct verdict transient = {
    .class = VERDICT_TRANSIENT, .http_status = 503, .code = "HTTP_503", .message = "away"};

static struct accept_item event_of(const char *id, const char *token)
{
    return (struct accept_item){
        .application_id = id, .seek_token = token, .event_id = "event", .completed_at_ms = -1};
}

static void must_accept_with(const struct accept_item *items, size_t count, size_t places)
{
    struct error error;
    assert_true(
        store_accept(driver.store, items, count, places, driver_accept_done, &driver, &error));
    driver_settle_down(&driver);
    if (driver.failure.status != STORE_OK)
        fail_msg("failed: %s", driver.failure.detail);
}

/* The lease that one event gets; 0: none. */
static uint64_t lease_of(const char *id, const char *token)
{
    const struct accept_item item = event_of(id, token);
    must_accept_with(&item, 1, 1);
    return driver.accepted[0].lease;
}

static void leases_a_first_event(void **state)
{
    (void)state;
    uint64_t lease = lease_of("A", "token");
    assert_true(lease > 0);
    assert_null(driver.accepted[0].seek_token);
    assert_int_equal(driver.accepted[0].outcome, ACCEPT_ACCEPTED);
    assert_in_range(clock_wall_ms() + APART_MS - driver.accepted[0].accepted_at_ms, 0,
                    2 * APART_MS);
    const struct application *application = must_get(&driver, "A");
    assert_int_equal(application->state, DELIVERY_SENDING);
    assert_int_equal(application->attempts, 1);
    assert_int_equal(application->completed_at_ms, driver.application.accepted_at_ms);
    assert_int_equal(must_claim(&driver, 4), 0); /* it is not anybody else's */
    assert_int_equal(must_settle(&driver, "A", lease, SETTLE_DELIVERED, 0, &delivered), SETTLED);
    assert_int_equal(must_get(&driver, "A")->state, DELIVERY_DELIVERED);
    must_count(&driver, 0, 0);
}

static void leases_as_many_as_there_are_places(void **state)
{
    (void)state;
    const struct accept_item items[] = {event_of("A", "t"), event_of("B", "t"), event_of("C", "t")};
    must_accept_with(items, 3, 2);
    assert_true(driver.accepted[0].lease > 0 && driver.accepted[1].lease > 0);
    assert_int_equal(driver.accepted[2].lease, 0);
    assert_string_equal(must_claim_one(&driver).application_id, "C");
}

static void leases_nothing_past_what_is_due(void **state)
{
    (void)state;
    must_accept_one(&driver, "0-older", "token", "event");
    assert_int_equal(lease_of("A", "token"), 0);
    assert_int_equal(must_claim(&driver, 1), 1);
    assert_string_equal(driver.claims[0].application_id, "0-older");
    assert_int_equal(lease_of("B", "token"), 0); /* A waits */
    assert_int_equal(must_claim(&driver, 1), 1);
    assert_string_equal(driver.claims[0].application_id, "A");
}

static void does_not_wait_for_what_is_due_later(void **state)
{
    (void)state;
    must_accept_one(&driver, "later", "token", "event");
    must_settle(&driver, "later", must_claim_one(&driver).generation, SETTLE_RETRY, 20000,
                &transient);
    assert_true(lease_of("A", "token") > 0);
}

static void leases_nothing_while_sending_is_paused(void **state)
{
    (void)state;
    struct error error;
    assert_true(store_set_paused(driver.store, true, driver_done, &driver, &error));
    driver_settle_down(&driver);
    assert_int_equal(lease_of("A", "token"), 0);
    assert_int_equal(must_get(&driver, "A")->state, DELIVERY_PENDING);
}

static void keeps_the_order_of_one_application(void **state)
{
    (void)state;
    const struct accept_item items[] = {event_of("A", "older"), event_of("A", "newer")};
    must_accept_with(items, 2, 2);
    assert_int_equal(driver.accepted[0].lease, 0); /* it would be sent in vain */
    uint64_t lease = driver.accepted[1].lease;
    assert_true(lease > 0);
    assert_int_equal(driver.accepted[1].outcome, ACCEPT_REPLACED);
    assert_int_equal(lease_of("A", "newest"), 0); /* while one is out */
    assert_int_equal(must_claim(&driver, 4), 0);
    assert_int_equal(must_settle(&driver, "A", lease, SETTLE_DELIVERED, 0, &delivered),
                     SETTLE_FENCED);
    assert_string_equal(must_claim_one(&driver).seek_token, "newest");
}

static void sends_the_stored_seek_token(void **state)
{
    (void)state;
    must_put_token(&driver, "A", "kept", "event");
    const struct accept_item item = event_of("A", NULL);
    must_accept_with(&item, 1, 1);
    assert_true(driver.accepted[0].lease > 0);
    assert_string_equal(driver.accepted[0].seek_token, "kept");
}

static void leases_nothing_for_a_repetition(void **state)
{
    (void)state;
    uint64_t lease = lease_of("A", "token");
    assert_int_equal(lease_of("A", "token"), 0);
    assert_int_equal(driver.accepted[0].outcome, ACCEPT_DUPLICATE);
    assert_int_equal(must_settle(&driver, "A", lease, SETTLE_DELIVERED, 0, &delivered), SETTLED);
    assert_int_equal(lease_of("A", "token"), 0);
}

/* --- lost --- */

static void begin_an_accept(const char *id)
{
    const struct accept_item item = event_of(id, "token");
    struct error error;
    redis_server_freeze(server);
    assert_true(store_accept(driver.store, &item, 1, 1, driver_accept_done, &driver, &error));
    store_flush(driver.store);
}

static void lose_it(void)
{
    driver_settle_down(&driver);
    assert_int_equal(driver.failure.status, STORE_UNAVAILABLE);
    redis_server_thaw(server);
    driver_must_become(&driver, true);
}

/* Although no event comes any more. */
static void must_become_pending(const char *id)
{
    int64_t deadline_ms = clock_monotonic_ms() + DRIVER_LEASE_MS / 2;
    while (must_get(&driver, id)->state != DELIVERY_PENDING) {
        if (clock_monotonic_ms() > deadline_ms)
            fail_msg("%s is leased to nobody", id);
        store_give_back_lost(driver.store, clock_monotonic_ms());
    }
}

/* As when the connection breaks: it is executed at once, and the answer goes nowhere. */
static void gives_a_lost_lease_back(void **state)
{
    (void)state;
    uint64_t kept = lease_of("kept", "token");
    begin_an_accept("lost");
    redis_server_cut(server);
    lose_it();
    must_become_pending("lost");
    assert_int_equal(driver.application.attempts, 0);
    assert_string_equal(must_claim_one(&driver).application_id, "lost");
    assert_int_equal(must_settle(&driver, "kept", kept, SETTLE_DELIVERED, 0, &delivered), SETTLED);
}

static void gives_it_back_with_the_next_call(void **state)
{
    (void)state;
    begin_an_accept("lost");
    redis_server_cut(server);
    lose_it();
    assert_int_equal(must_get(&driver, "lost")->state, DELIVERY_SENDING);
    const struct accept_item item = event_of("next", "token");
    must_accept_with(&item, 1, 0);
    assert_int_equal(must_get(&driver, "lost")->state, DELIVERY_PENDING);
    assert_int_equal(must_claim(&driver, 4), 2);
}

/* Else it would be set aside, and nobody would hear of it. */
static void leaves_what_is_damaged_to_a_claim(void **state)
{
    (void)state;
    begin_an_accept("lost");
    redis_server_cut(server);
    lose_it();
    (void)redis_server_cli(server, "SET 'seek-signal:{0}:app:odd' x");
    (void)redis_server_cli(server, "ZADD 'seek-signal:{0}:due' 9000000000000 odd");
    must_become_pending("lost");
    assert_string_equal(redis_server_cli(server, "ZCARD 'seek-signal:{0}:dead'"), "0");
    assert_int_equal(must_claim(&driver, 4), 1);
    assert_int_equal(driver.claimed.damaged_count, 1);
}

/* As when Redis stands still: it is given up, and executed all the same. */
static void leases_nothing_when_nobody_waits_for_it(void **state)
{
    (void)state;
    begin_an_accept("A");
    lose_it();
    assert_int_equal(must_get(&driver, "A")->state, DELIVERY_PENDING);
}

static void forgets_what_it_leased_with_the_lease(void **state)
{
    (void)state;
    (void)lease_of("A", "token");
    const char *ttl =
        redis_server_cli(server, "--raw PTTL $(redis-cli -s %s KEYS 'seek-signal:{0}:claim:*')",
                         redis_server_socket(server));
    assert_in_range(strtol(ttl, NULL, 10), 1, DRIVER_LEASE_MS);
}

/* More calls at a time than are remembered: the last is accepted, and leases nothing. */
static void leases_to_so_many_calls_at_a_time(void **state)
{
    (void)state;
    struct error error;
    for (int i = 0; i <= SHARD_ACCEPTS_MAX; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "A-%d", i);
        const struct accept_item item = event_of(id, "token");
        assert_true(store_accept(driver.store, &item, 1, 1, driver_accept_done, &driver, &error));
    }
    driver_settle_down(&driver);
    assert_int_equal(driver.failure.status, STORE_OK);
    assert_int_equal(driver.accepted[0].lease, 0);
    for (int i = 0; i < SHARD_ACCEPTS_MAX; i++) {
        assert_int_equal(driver.store->shards[0].accepts[i].answered, 1);
        assert_false(driver.store->shards[0].accepts[i].is_open);
    }
    assert_string_equal(must_claim_one(&driver).application_id, "A-4");
}

int main(void)
{
#define SPEC(sentence, function) IT_WITH(sentence, function, store_stand_start, store_stand_stop)
    const struct CMUnitTest tests[] = {
        SPEC("leases the first event of an application, as a claim would", leases_a_first_event),
        SPEC("leases as many as there are places, and no more", leases_as_many_as_there_are_places),
        SPEC("leases nothing past what is due already", leases_nothing_past_what_is_due),
        SPEC("does not wait for what is due later", does_not_wait_for_what_is_due_later),
        SPEC("leases nothing while sending is paused", leases_nothing_while_sending_is_paused),
        SPEC("leases the last of several events of an application, and none while one is out",
             keeps_the_order_of_one_application),
        SPEC("tells the seek-token that it leases where the event has none",
             sends_the_stored_seek_token),
        SPEC("leases nothing for a repetition", leases_nothing_for_a_repetition),
        SPEC("gives back what a lost call leased, and no more", gives_a_lost_lease_back),
        SPEC("leaves what is damaged to a claim, which tells", leaves_what_is_damaged_to_a_claim),
        SPEC("gives it back with the next call, if that comes first",
             gives_it_back_with_the_next_call),
        SPEC("leases nothing to a call whose answer nobody waits for any more",
             leases_nothing_when_nobody_waits_for_it),
        SPEC("forgets what it leased when the lease ends", forgets_what_it_leased_with_the_lease),
        SPEC("leases to so many calls at a time", leases_to_so_many_calls_at_a_time),
    };
    return cmocka_run_group_tests_name("accept_leases", tests, store_stand_begin,
                                       store_stand_finish);
}
