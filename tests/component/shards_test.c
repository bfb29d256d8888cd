/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* Several shards are one queue: all that is in them is found, in one order, and counted once. */
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"

#include "service/store/shard.h"

#include "tests/support/specification.h"
#include "tests/support/store_driver.h"

enum { SHARDS = 3, MANY = 40 };

static struct redis_server *server;
static struct driver driver;

static int begin(void **state)
{
    (void)state;
    server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    redis_server_stop(server);
    return 0;
}

static void start_with(struct driver *it, unsigned shards, int64_t lease_ms)
{
    const struct store_options options = {.ttl_ms = DRIVER_TTL_MS,
                                          .lease_ms = lease_ms,
                                          .age_max_ms = DRIVER_AGE_MAX_MS,
                                          .shard_count = shards};
    struct redis_url url;
    redis_server_url(server, &url);
    driver_start_with(it, &url, &options);
}

static int start(void **state)
{
    (void)state;
    (void)redis_server_cli(server, "FLUSHALL");
    start_with(&driver, SHARDS, DRIVER_LEASE_MS);
    driver_must_become(&driver, true);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    driver_stop(&driver);
    return 0;
}

static const char *name(unsigned number)
{
    static char names[8][16];
    static unsigned next;
    char *text = names[next++ % 8];
    (void)snprintf(text, sizeof names[0], "A-%03u", number);
    return text;
}

static const char *event_of(unsigned number)
{
    static char text[48];
    (void)snprintf(text, sizeof text, "0b9cf2d3-9e0b-4e4f-8a00-%04u00000000", number);
    return text;
}

static void accept_many(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(must_accept_one(&driver, name(i), "token", event_of(i)), ACCEPT_ACCEPTED);
}

/* --- where things lie --- */

static void spreads_applications_by_their_ids(void **state)
{
    (void)state;
    accept_many(MANY);
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        size_t here = 0;
        for (unsigned i = 0; i < MANY; i++) {
            const char *found =
                redis_server_cli(server, "EXISTS 'seek-signal:{%u}:app:%s'", shard, name(i));
            bool is_there = strcmp(found, "1") == 0;
            assert_int_equal(is_there, shard_of(name(i), SHARDS) == shard);
            here += is_there;
        }
        assert_true(here > 0);
    }
    must_count(&driver, MANY, 0);
}

static void must_be_unfit(unsigned shards, const char *part)
{
    static struct driver other;
    struct store_health health;
    start_with(&other, shards, DRIVER_LEASE_MS);
    int64_t deadline_ms = clock_monotonic_ms() + 10000;
    while (store_health(other.store, &health), strstr(health.reason, part) == NULL) {
        if (clock_monotonic_ms() > deadline_ms)
            fail_msg("the reason is \"%s\"", health.reason);
        driver_turn(&other);
    }
    assert_false(health.is_ready);
    driver_stop(&other);
}

static void refuses_another_number_of_shards(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SHARDS; i++)
        assert_string_equal(
            redis_server_cli(server, "MGET 'seek-signal:{%u}:layout' 'seek-signal:{%u}:shards'", i,
                             i),
            "2\n3");
    must_be_unfit(1, "number of shards in Redis is 3, but REDIS_SHARDS is 1");
    must_be_unfit(64, "number of shards in Redis is 3, but REDIS_SHARDS is 64");
    /* And has left nothing behind. */
    assert_string_equal(redis_server_cli(server, "EXISTS 'seek-signal:{63}:layout'"), "0");
    (void)redis_server_cli(server, "SET 'seek-signal:{2}:shards' 5");
    must_be_unfit(SHARDS, "number of shards in Redis is 5, but REDIS_SHARDS is 3");
    (void)redis_server_cli(server, "SET 'seek-signal:{2}:layout' 3");
    must_be_unfit(SHARDS, "layout 3, and this version knows layout 2");
}

/* --- claims and settlements --- */

static unsigned claim_everything(unsigned most)
{
    unsigned count = 0;
    int64_t deadline_ms = clock_monotonic_ms() + 10000;
    while (count < most && clock_monotonic_ms() < deadline_ms) {
        size_t claimed = must_claim(&driver, DRIVER_ITEMS_MAX);
        struct claim claims[DRIVER_ITEMS_MAX];
        memcpy(claims, driver.claims, sizeof claims);
        char ids[DRIVER_ITEMS_MAX][16];
        for (size_t i = 0; i < claimed; i++) {
            (void)snprintf(ids[i], sizeof ids[i], "%s", claims[i].application_id);
            assert_memory_equal(claims[i].event_id + 25, ids[i] + 2, 3); /* see event_of */
        }
        static const struct verdict done = {.class = VERDICT_DELIVERED, .http_status = 200};
        struct settlement settlements[DRIVER_ITEMS_MAX];
        for (size_t i = 0; i < claimed; i++)
            settlements[i] = (struct settlement){.application_id = ids[i],
                                                 .generation = claims[i].generation,
                                                 .action = SETTLE_DELIVERED,
                                                 .verdict = &done};
        struct error error;
        if (claimed > 0) {
            assert_true(store_settle(driver.store, settlements, claimed, driver_settle_done,
                                     &driver, &error));
            driver_settle_down(&driver);
            assert_int_equal(driver.count, claimed);
            for (size_t i = 0; i < claimed; i++)
                assert_int_equal(driver.settled[i], SETTLED);
        }
        count += (unsigned)claimed;
    }
    return count;
}

static void claims_from_all_of_them(void **state)
{
    (void)state;
    accept_many(MANY);
    assert_int_equal(claim_everything(MANY), MANY);
    must_count(&driver, 0, 0);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(must_get(&driver, name(i))->state, DELIVERY_DELIVERED);
    assert_int_equal(must_claim(&driver, DRIVER_ITEMS_MAX), 0);
    assert_true(driver.claimed.next_due_in_ms != 0);
}

static void finds_what_others_have_left(void **state)
{
    (void)state;
    static struct driver other;
    while (must_claim(&driver, DRIVER_ITEMS_MAX) > 0 || driver.claimed.next_due_in_ms == 0)
        ; /* it has asked all of them once, and found nothing */
    start_with(&other, SHARDS, DRIVER_LEASE_MS);
    driver_must_become(&other, true);
    for (unsigned i = 0; i < MANY; i++)
        (void)must_accept_one(&other, name(i), "token", event_of(i));
    driver_stop(&other);
    assert_int_equal(claim_everything(MANY), MANY);
}

static void settle_next(enum settle_action action, int64_t delay_ms, const struct verdict *verdict)
{
    while (must_claim(&driver, 1) == 0)
        ;
    char id[16];
    (void)snprintf(id, sizeof id, "%s", driver.claims[0].application_id);
    (void)must_settle(&driver, id, driver.claims[0].generation, action, delay_ms, verdict);
}

static void tells_when_the_next_one_is_due(void **state)
{
    (void)state;
    accept_many(6);
    for (unsigned i = 0; i < 6; i++) {
        static const struct verdict away = {.class = VERDICT_TRANSIENT, .http_status = 503};
        settle_next(SETTLE_RETRY, 25000 + (int64_t)i, &away);
    }
    while (must_claim(&driver, DRIVER_ITEMS_MAX) > 0 || driver.claimed.next_due_in_ms == 0)
        ;
    assert_in_range(driver.claimed.next_due_in_ms, 10000, 25000);
    must_count(&driver, 6, 0);
}

static void gives_back_what_a_lost_claim_took(void **state)
{
    (void)state;
    accept_many(12);
    struct error error;
    while (must_claim(&driver, 0) > 0)
        ;
    redis_server_freeze(server);
    assert_true(store_claim(driver.store, 12, driver_claim_done, &driver, &error));
    store_flush(driver.store);
    redis_server_cut(server);
    redis_server_thaw(server); /* and takes the claim, whose answer nobody hears */
    driver_settle_down(&driver);
    assert_int_equal(driver.failure.status, STORE_UNAVAILABLE);
    driver_must_become(&driver, true);
    assert_int_equal(must_claim(&driver, 0), 0);
    assert_int_equal(claim_everything(12), 12);
}

static void pauses_all_of_them(void **state)
{
    (void)state;
    struct error error;
    accept_many(MANY);
    assert_true(store_set_paused(driver.store, true, driver_done, &driver, &error));
    driver_settle_down(&driver);
    assert_int_equal(driver.failure.status, STORE_OK);
    for (unsigned shard = 0; shard < SHARDS; shard++)
        assert_string_equal(redis_server_cli(server, "EXISTS 'seek-signal:{%u}:paused'", shard),
                            "1");
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(must_claim(&driver, DRIVER_ITEMS_MAX), 0);
        assert_true(driver.claimed.is_paused);
    }
    must_count(&driver, MANY, 0);
    assert_true(driver.census.paused_at_ms > 0);
    assert_true(store_set_paused(driver.store, false, driver_done, &driver, &error));
    driver_settle_down(&driver);
    assert_int_equal(claim_everything(MANY), MANY);
}

/* --- lists --- */

static struct {
    char ids[MANY * 2][16];
    int64_t times[MANY * 2];
    size_t count, pages;
    struct store_place next;
} listed;

/* The next call's: its id is borrowed from the answer. */
static struct store_place keep(struct store_place place)
{
    static char id[300];
    if (place.id == NULL)
        return place;
    (void)snprintf(id, sizeof id, "%s", place.id);
    place.id = id;
    return place;
}

static void take_page(void *context, const struct store_failure *failure,
                      const struct store_list *list)
{
    (void)context;
    assert_int_equal(failure->status, STORE_OK);
    for (size_t i = 0; i < list->count; i++) {
        assert_true(listed.count < MANY * 2);
        (void)snprintf(listed.ids[listed.count], sizeof listed.ids[0], "%s",
                       list->items[i].application.id);
        assert_string_equal(list->items[i].application.token_fingerprint,
                            list->items[i].fingerprint);
        listed.times[listed.count++] = list->items[i].at_ms;
    }
    listed.pages++;
    listed.next = keep(list->next);
}

static void list_all(enum store_listing listing, size_t limit, bool is_latest_first)
{
    struct error error;
    memset(&listed, 0, sizeof listed);
    do {
        const struct store_list_query query = {.listing = listing,
                                               .is_latest_first = is_latest_first,
                                               .limit = limit,
                                               .after = listed.next};
        assert_true(store_list(driver.store, &query, take_page, NULL, &error));
        driver_settle_down(&driver);
        assert_true(listed.pages < MANY * 3);
    } while (listed.next.id != NULL);
}

static void must_be_in_order(size_t count, bool is_latest_first)
{
    assert_int_equal(listed.count, count);
    for (size_t i = 1; i < count; i++) {
        int64_t step_ms = listed.times[i] - listed.times[i - 1];
        if (step_ms == 0)
            step_ms = strcmp(listed.ids[i], listed.ids[i - 1]);
        assert_true(is_latest_first ? step_ms < 0 : step_ms > 0);
    }
}

static void lists_in_one_order(void **state)
{
    (void)state;
    static const size_t limits[] = {1, 2, 7, MANY, STORE_LIST_MAX};
    accept_many(MANY);
    /* Some at the same time, in different shards. */
    for (unsigned i = 0; i < 9; i++)
        (void)redis_server_cli(server, "ZADD 'seek-signal:{%u}:due' 1700000000000 %s",
                               shard_of(name(i), SHARDS), name(i));
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        list_all(LISTING_DUE, limits[i], false);
        must_be_in_order(MANY, false);
        list_all(LISTING_PENDING, limits[i], true);
        must_be_in_order(MANY, true);
    }
    assert_string_equal(listed.ids[MANY - 1], "A-000");
}

/* --- the dead --- */

static void kill_many(unsigned count)
{
    accept_many(count);
    for (unsigned killed = 0; killed < count; killed++) {
        struct verdict no = {.class = VERDICT_REFUSED, .http_status = 200};
        (void)snprintf(no.code, sizeof no.code, "%s", killed % 4 == 0 ? "RARE" : "FORBIDDEN");
        settle_next(SETTLE_DEAD, 0, &no);
    }
}

static void counts_causes_over_all_of_them(void **state)
{
    (void)state;
    kill_many(MANY);
    must_count(&driver, 0, MANY);
    assert_int_equal(driver.census.causes_of, MANY);
    assert_int_equal(driver.census.cause_count, 2);
    assert_int_equal(driver.census.causes[0].count, MANY - MANY / 4);
    assert_int_equal(driver.census.causes[1].count, MANY / 4);
    list_all(LISTING_DEAD, 7, false);
    must_be_in_order(MANY, false);
    list_all(LISTING_DEAD, 7, true);
    must_be_in_order(MANY, true);
}

static struct replay_dead_result replayed;

static void take_replayed(void *context, const struct store_failure *failure,
                          const struct replay_dead_result *result)
{
    (void)context;
    assert_int_equal(failure->status, STORE_OK);
    replayed = *result;
    replayed.next = keep(result->next);
}

static void replays_at_one_rate(void **state)
{
    (void)state;
    static const int64_t gap_us = 50000;
    size_t matched = 0;
    struct error error;
    kill_many(MANY);
    struct replay_dead_query query = {
        .limit = 4, .gap_us = gap_us, .latest_death_ms = -1, .next_due_us = -1};
    int64_t began_us = clock_wall_ms() * 1000;
    do {
        assert_true(store_replay_dead(driver.store, &query, take_replayed, NULL, &error));
        driver_settle_down(&driver);
        matched += replayed.matched;
        query.latest_death_ms = replayed.latest_death_ms;
        query.next_due_us = replayed.next_due_us;
        query.after = replayed.next;
    } while (replayed.next.id != NULL);
    assert_int_equal(matched, MANY);
    assert_in_range(replayed.next_due_us - began_us, MANY * gap_us, MANY * gap_us + 5000000);
    must_count(&driver, MANY, 0);
    list_all(LISTING_DUE, STORE_LIST_MAX, false);
    for (size_t i = 1; i < MANY; i++) /* in ms, rounded down */
        assert_in_range(listed.times[i] - listed.times[i - 1], gap_us / 1000 - 1,
                        gap_us / 1000 + 1);
}

static struct forget_dead_result forgotten;

static void take_forgotten(void *context, const struct store_failure *failure,
                           const struct forget_dead_result *result)
{
    (void)context;
    assert_int_equal(failure->status, STORE_OK);
    forgotten = *result;
    forgotten.next = keep(result->next);
}

static void forgets_in_all_of_them(void **state)
{
    (void)state;
    size_t matched = 0;
    struct error error;
    kill_many(MANY);
    struct forget_dead_query query = {
        .filter.code = "RARE", .limit = 3, .latest_death_ms = -1, .is_dry = false};
    do {
        assert_true(store_forget_dead(driver.store, &query, take_forgotten, NULL, &error));
        driver_settle_down(&driver);
        matched += forgotten.matched;
        query.latest_death_ms = forgotten.latest_death_ms;
        query.after = forgotten.next;
    } while (forgotten.next.id != NULL);
    assert_int_equal(matched, MANY / 4);
    must_count(&driver, 0, MANY - MANY / 4);
}

/* --- the spool --- */

static enum drain_outcome drained[MANY];
static size_t drained_count;

static void take_drained(void *context, const struct store_failure *failure,
                         const enum drain_outcome *outcomes, size_t count)
{
    (void)context;
    assert_int_equal(failure->status, STORE_OK);
    drained_count = count;
    memcpy(drained, outcomes, count * sizeof drained[0]);
}

static void drains_into_all_of_them(void **state)
{
    (void)state;
    static char ids[MANY][16], events[MANY][40];
    struct drain_record records[MANY];
    struct error error;
    for (unsigned i = 0; i < MANY; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "%s", name(i));
        (void)snprintf(events[i], sizeof events[i], "%s", event_of(i));
        records[i] = (struct drain_record){.kind = i % 2 == 0 ? DRAIN_EVENT : DRAIN_DRAFT,
                                           .application_id = ids[i],
                                           .seek_token = "token",
                                           .event_id = events[i],
                                           .completed_at_ms = clock_wall_ms(),
                                           .stamp_us = clock_wall_ms() * 1000};
    }
    (void)must_accept_one(&driver, "A-006", "token", event_of(6));
    assert_true(store_drain(driver.store, records, MANY, take_drained, NULL, &error));
    driver_settle_down(&driver);
    assert_int_equal(drained_count, MANY);
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(drained[i], i == 6 ? DRAIN_DUPLICATE : DRAIN_APPLIED);
        assert_int_equal(must_get(&driver, ids[i])->state,
                         i % 2 == 0 ? DELIVERY_PENDING : DELIVERY_DRAFT);
    }
}

#define HERE(sentence, function) IT_WITH(sentence, function, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HERE("spreads applications over the shards by their ids",
             spreads_applications_by_their_ids),
        HERE("writes the number of shards in each, and refuses another",
             refuses_another_number_of_shards),
        HERE("claims from all shards, and settles in them", claims_from_all_of_them),
        HERE("finds what other processes have left in a shard", finds_what_others_have_left),
        HERE("tells when the next signal of any shard is due", tells_when_the_next_one_is_due),
        HERE("gives back what a lost claim took in several shards",
             gives_back_what_a_lost_claim_took),
        HERE("pauses and resumes all shards", pauses_all_of_them),
        HERE("lists in one order, page by page", lists_in_one_order),
        HERE("counts the causes of death over all shards", counts_causes_over_all_of_them),
        HERE("replays the dead of all shards at one rate", replays_at_one_rate),
        HERE("forgets the dead of all shards by a filter", forgets_in_all_of_them),
        HERE("drains what was spooled into the shards", drains_into_all_of_them),
    };
    return cmocka_run_group_tests_name("shards", tests, begin, finish);
}
