/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* Shards that nothing is taken from, for now, beside others of the same queue. */
#include <stdio.h>
#include <string.h>

#include "service/store/shard.h"

#include "tests/support/specification.h"
#include "tests/support/store_driver.h"

enum { SHARDS = 3, MANY = DRIVER_ITEMS_MAX, HELD = 1, TURNS = 12 };

static struct redis_server *server;
static struct driver driver;

static int start(void **state)
{
    (void)state;
    const struct store_options options = {.ttl_ms = DRIVER_TTL_MS,
                                          .lease_ms = DRIVER_LEASE_MS,
                                          .age_max_ms = DRIVER_AGE_MAX_MS,
                                          .shard_count = SHARDS};
    struct redis_url url;
    server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    redis_server_url(server, &url);
    driver_start_with(&driver, &url, &options);
    driver_must_become(&driver, true);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    driver_stop(&driver);
    redis_server_stop(server);
    return 0;
}

static const char *name(unsigned number)
{
    static char text[16];
    (void)snprintf(text, sizeof text, "A-%02u", number);
    return text;
}

static void accept_all(void)
{
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(must_accept_one(&driver, name(i), "token", "event"), ACCEPT_ACCEPTED);
}

/* How many, and not those of the shard that is held. */
static unsigned claim_for_a_while(bool is_one_held)
{
    unsigned count = 0;
    for (unsigned turn = 0; turn < TURNS; turn++) {
        size_t claimed = must_claim(&driver, DRIVER_ITEMS_MAX);
        for (size_t i = 0; i < claimed && is_one_held; i++)
            assert_int_not_equal(shard_of(driver.claims[i].application_id, SHARDS), HELD);
        count += (unsigned)claimed;
    }
    return count;
}

static unsigned count_held(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < MANY; i++)
        count += shard_of(name(i), SHARDS) == HELD;
    assert_in_range(count, 1, MANY - 1);
    return count;
}

static void takes_nothing_from_one_that_is_held(void **state)
{
    (void)state;
    accept_all();
    assert_false(store_hold_claims(driver.store, HELD, true));
    assert_int_equal(claim_for_a_while(true), MANY - count_held());
    assert_int_not_equal(driver.claimed.next_due_in_ms, 0); /* or it is asked for in a loop */
    assert_false(store_hold_claims(driver.store, HELD, true));
    assert_true(store_hold_claims(driver.store, HELD, false));
    assert_int_equal(claim_for_a_while(false), count_held());
}

static void lose_a_claim(void)
{
    struct error error;
    redis_server_freeze(server);
    assert_true(store_claim(driver.store, MANY, driver_claim_done, &driver, &error));
    store_flush(driver.store);
    redis_server_cut(server);
    redis_server_thaw(server); /* and takes the claim, whose answer nobody hears */
    driver_settle_down(&driver);
    assert_int_equal(driver.failure.status, STORE_UNAVAILABLE);
    driver_must_become(&driver, true);
}

static void gives_back_to_those_that_are_held(void **state)
{
    (void)state;
    accept_all();
    lose_a_claim();
    for (unsigned shard = 0; shard < SHARDS; shard++)
        assert_false(store_hold_claims(driver.store, shard, true));
    assert_int_equal(must_claim(&driver, MANY), 0);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(must_get(&driver, name(i))->state, DELIVERY_PENDING);
    for (unsigned shard = 0; shard < SHARDS; shard++)
        assert_true(store_hold_claims(driver.store, shard, false));
    assert_int_equal(claim_for_a_while(false), MANY);
}

/* Who yields all of them owns the watch, for new events: see claimer.h. */
static void claims_nothing_where_all_are_held(void **state)
{
    (void)state;
    accept_all();
    for (unsigned shard = 0; shard < SHARDS; shard++)
        assert_false(store_hold_claims(driver.store, shard, true));
    assert_int_equal(must_claim(&driver, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("takes nothing from a shard that is held", takes_nothing_from_one_that_is_held,
                start, stop),
        IT_WITH("gives back what a lost claim took from shards that are held",
                gives_back_to_those_that_are_held, start, stop),
        IT_WITH("claims nothing where all shards are held", claims_nothing_where_all_are_held,
                start, stop),
    };
    return cmocka_run_group_tests_name("held claims", tests, NULL, NULL);
}
