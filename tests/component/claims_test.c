/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* Claims whose answer is lost, and a clock that steps: against a real redis-server. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"

#include "tests/support/specification.h"
#include "tests/support/store_stand.h"
#include "tests/support/stored_fields.h"

static const struct verdict delivered = {.class = VERDICT_DELIVERED, .http_status = 200};
static const struct verdict transient = {
    .class = VERDICT_TRANSIENT, .http_status = 503, .code = "HTTP_503", .message = "away"};

/* --- lost --- */

static void begin_a_claim(void)
{
    struct error error;
    redis_server_freeze(server);
    assert_true(store_claim(driver.store, 1, driver_claim_done, &driver, &error));
    store_flush(driver.store);
}

static void lose_it(void)
{
    driver_settle_down(&driver);
    assert_int_equal(driver.failure.status, STORE_UNAVAILABLE);
    redis_server_thaw(server);
    driver_must_become(&driver, true);
}

/* As when the connection breaks: it is executed at once, and the answer goes nowhere. */
static void lose_the_answer_of_a_claim(void)
{
    begin_a_claim();
    redis_server_cut(server);
    lose_it();
}

/* As when Redis stands still: it is given up, and executed all the same. */
static void lose_a_claim(void)
{
    begin_a_claim();
    lose_it();
}

static void gives_a_lost_claim_back(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "token", "event");
    must_accept_one(&driver, "B", "token", "event");
    assert_int_equal(must_claim(&driver, 1), 1);
    uint64_t kept = driver.claims[0].generation;
    lose_the_answer_of_a_claim();
    must_accept_one(&driver, "C", "token", "event");
    assert_int_equal(must_get(&driver, "B")->state, DELIVERY_SENDING);
    assert_int_equal(must_claim(&driver, 0), 0);
    assert_int_equal(driver.claimed.next_due_in_ms, 0);
    assert_int_equal(must_get(&driver, "B")->state, DELIVERY_PENDING);
    assert_int_equal(must_get(&driver, "B")->attempts, 0);
    assert_int_equal(must_claim(&driver, 4), 2);
    assert_int_equal(driver.claims[0].attempt, 1);
    assert_false(driver.claims[0].was_expired);
    assert_int_equal(must_settle(&driver, "A", kept, SETTLE_DELIVERED, 0, &delivered), SETTLED);
    assert_int_equal(must_claim(&driver, 4), 0);
}

static void does_not_send_the_older_token_of_a_lost_claim(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "older", "e1");
    lose_the_answer_of_a_claim();
    must_accept_one(&driver, "A", "newer", "e2");
    assert_string_equal(must_claim_one(&driver).seek_token, "newer");
}

/* Of a process that is gone, say: nobody would give back what it takes. */
static void takes_nothing_when_nobody_waits_for_it(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "token", "event");
    lose_a_claim();
    assert_int_equal(must_get(&driver, "A")->state, DELIVERY_PENDING);
}

static void forgets_a_claim_with_its_lease(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "token", "event");
    (void)must_claim_one(&driver);
    const char *ttl =
        redis_server_cli(server, "--raw PTTL $(redis-cli -s %s KEYS 'seek-signal:{0}:claim:*')",
                         redis_server_socket(server));
    assert_in_range(strtol(ttl, NULL, 10), 1, DRIVER_LEASE_MS);
}

/* --- the clock --- */

/* As if the clock of Redis had been set back: what is stored lies ahead by as much. */
static void set_the_clock_back(const char *id, int64_t by_ms)
{
    static const char *const times[] = {"accepted", "tried", "replayed"};
    stored_spread(server, id);
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        if (atoi(redis_server_cli(server, "--raw HEXISTS 'seek-signal:{0}:app:%s' %s", id,
                                  times[i])) == 1)
            (void)redis_server_cli(server, "HINCRBY 'seek-signal:{0}:app:%s' %s %" PRId64, id,
                                   times[i], by_ms);
    }
    (void)redis_server_cli(server, "ZINCRBY 'seek-signal:{0}:due' %" PRId64 " %s", by_ms, id);
}

enum { HOUR_MS = 3600000 };

static void does_not_wait_for_a_clock_that_was_set_back(void **state)
{
    (void)state;
    must_accept_one(&driver, "leased", "token", "e1");
    uint64_t generation = must_claim_one(&driver).generation;
    must_accept_one(&driver, "retried", "token", "e2");
    must_settle(&driver, "retried", must_claim_one(&driver).generation, SETTLE_RETRY, 20000,
                &transient);
    must_accept_one(&driver, "new", "token", "e3");
    set_the_clock_back("leased", HOUR_MS);
    set_the_clock_back("retried", HOUR_MS);
    set_the_clock_back("new", HOUR_MS);

    struct claim claim = must_claim_one(&driver);
    assert_string_equal(claim.application_id, "new");
    assert_in_range(claim.age_ms, 0, 10000);
    assert_int_equal(driver.claimed.repaired_count, 3);
    assert_int_equal(driver.claimed.next_due_in_ms, 0);
    assert_int_equal(must_claim(&driver, 4), 0);
    assert_int_equal(driver.claimed.repaired_count, 0);
    assert_in_range(driver.claimed.next_due_in_ms, 10000, 25000);
    assert_int_equal(must_settle(&driver, "leased", generation, SETTLE_DELIVERED, 0, &delivered),
                     SETTLED);
    assert_int_equal(must_settle(&driver, "new", claim.generation, SETTLE_DELIVERED, 0, &delivered),
                     SETTLED);
}

static void repairs_many_piece_by_piece(void **state)
{
    (void)state;
    enum { COUNT = 250 };
    for (int i = 0; i < COUNT; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "A-%03d", i);
        must_accept_one(&driver, id, "token", "event");
    }
    (void)redis_server_cli(
        server,
        "EVAL \"for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do "
        "redis.call('HSET', KEYS[2] .. id, 'accepted', (redis.call('TIME')[1] + 1) * "
        "1000 + %d) "
        "redis.call('ZINCRBY', KEYS[1], %d, id) end\" 2 'seek-signal:{0}:due' "
        "'seek-signal:{0}:app:'",
        HOUR_MS, HOUR_MS);
    size_t repaired = 0, claimed = 0;
    for (int i = 0; i < COUNT && claimed < COUNT; i++) {
        claimed += must_claim(&driver, DRIVER_ITEMS_MAX);
        repaired += driver.claimed.repaired_count;
    }
    assert_int_equal(claimed, COUNT);
    assert_int_equal(repaired, COUNT);
}

static void leaves_a_replay_at_its_pace(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "token", "event");
    (void)redis_server_cli(server, "ZINCRBY 'seek-signal:{0}:due' %d A", HOUR_MS);
    assert_int_equal(must_claim(&driver, 4), 0);
    assert_int_equal(driver.claimed.repaired_count, 0);
    assert_in_range(driver.claimed.next_due_in_ms, HOUR_MS - 10000, HOUR_MS);
}

/* Set forward, that is. */
static void stays_fenced_when_the_clock_ends_a_lease(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "token", "event");
    uint64_t older = must_claim_one(&driver).generation;
    set_the_clock_back("A", -HOUR_MS / 100);
    struct claim newer = must_claim_one(&driver);
    assert_true(newer.was_expired);
    assert_int_equal(must_settle(&driver, "A", older, SETTLE_RETRY, 0, &transient), SETTLE_FENCED);
    assert_int_equal(must_get(&driver, "A")->state, DELIVERY_SENDING);
    assert_int_equal(must_settle(&driver, "A", newer.generation, SETTLE_DELIVERED, 0, &delivered),
                     SETTLED);
}

int main(void)
{
#define SPEC(sentence, function) IT_WITH(sentence, function, store_stand_start, store_stand_stop)
    const struct CMUnitTest tests[] = {
        SPEC("gives back what a lost claim took, and no more", gives_a_lost_claim_back),
        SPEC("sends the newer seek-token after the older one's claim was lost",
             does_not_send_the_older_token_of_a_lost_claim),
        SPEC("takes nothing for a claim whose answer nobody waits for any more",
             takes_nothing_when_nobody_waits_for_it),
        SPEC("forgets what a claim took when its lease ends", forgets_a_claim_with_its_lease),
        SPEC("does not wait for a clock that was set back",
             does_not_wait_for_a_clock_that_was_set_back),
        SPEC("repairs the times of many piece by piece", repairs_many_piece_by_piece),
        SPEC("leaves what is due far ahead for another reason", leaves_a_replay_at_its_pace),
        SPEC("stays fenced when the clock is set forward and ends a lease",
             stays_fenced_when_the_clock_ends_a_lease),
    };
    return cmocka_run_group_tests_name("claims", tests, store_stand_begin, store_stand_finish);
}
