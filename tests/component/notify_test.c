/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* What is to be told of the dead and of sending, by whom, and how often. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"

#include "tests/support/specification.h"
#include "tests/support/store_stand.h"

enum { LEASE_MS = 60000, WANTED_FOR_MS = 3600000 };
#define KEY "'seek-signal:{0}:notify'"

/* Of the last answer. */
static struct {
    unsigned answers;
    enum store_status status;
    struct store_notification last;
    char id[64], class[64], change_id[64], reason[64];
} seen;

static void take(void *context, const struct store_failure *failure,
                 const struct store_notification *notification)
{
    (void)context;
    seen.answers++;
    seen.status = failure->status;
    seen.last = *notification;
    seen.id[0] = seen.change_id[0] = seen.reason[0] = '\0';
    if (notification->has_dead) {
        (void)snprintf(seen.id, sizeof seen.id, "%s", notification->dead.application.id);
        (void)snprintf(seen.class, sizeof seen.class, "%s",
                       notification->dead.application.last_class);
    }
    if (notification->change.to != SENDING_UNKNOWN) {
        (void)snprintf(seen.change_id, sizeof seen.change_id, "%s", notification->change.id);
        (void)snprintf(seen.reason, sizeof seen.reason, "%s", notification->change.reason);
    }
    seen.last.place.id = seen.id;
}

static void ask_with(struct store_notify_query query)
{
    struct error error;
    seen.answers = 0;
    query.wanted_for_ms = query.wanted_for_ms > 0 ? query.wanted_for_ms : WANTED_FOR_MS;
    assert_true(store_notify(driver.store, &query, take, NULL, &error));
    driver_settle_down(&driver);
    assert_int_equal(seen.answers, 1);
}

/* Of who dies in this very millisecond is told in the next one. */
static void must_ask(struct store_notify_query query)
{
    bool is_too_early;
    do {
        ask_with(query);
        assert_int_equal(seen.status, STORE_OK);
        is_too_early = seen.last.is_ours && seen.last.untold > 0 && !seen.last.has_dead &&
                       seen.last.change.to == SENDING_UNKNOWN;
    } while (is_too_early);
}

static void must_see(const char *asker, const char *id)
{
    must_ask((struct store_notify_query){.asker = asker, .lease_ms = LEASE_MS});
    assert_true(seen.last.is_ours);
    assert_string_equal(seen.id, id);
}

/* Of the one seen last, and sees the next. */
static void tell(const char *asker)
{
    char told[64];
    (void)snprintf(told, sizeof told, "%s", seen.id);
    must_ask((struct store_notify_query){
        .asker = asker,
        .lease_ms = LEASE_MS,
        .told = {.at_ms = seen.last.place.at_ms, .id = told},
        .told_died_ms = seen.last.dead.application.died_at_ms,
    });
}

static void must_tell(const char *asker, const char *next)
{
    tell(asker);
    assert_string_equal(seen.id, next);
}

static void must_die(const char *id)
{
    (void)must_accept_one(&driver, id, "token", "0b9cf2d3-9e0b-4e4f-8a00-000100000000");
    struct claim claim = must_claim_one(&driver);
    const struct verdict verdict = {.class = VERDICT_REFUSED, .code = "FORBIDDEN"};
    assert_int_equal(must_settle(&driver, id, claim.generation, SETTLE_DEAD, 0, &verdict), SETTLED);
}

static void tells_each_once_in_their_order(void **state)
{
    (void)state;
    must_see("a", "");
    assert_int_equal(seen.last.untold, 0);
    must_die("A");
    must_die("B");
    must_see("a", "A");
    assert_int_equal(seen.last.untold, 2);
    assert_in_range(seen.last.untold_age_ms, 0, 60000);
    must_see("a", "A"); /* until somebody says that it was told */
    must_tell("a", "B");
    assert_int_equal(seen.last.untold, 1);
    must_tell("a", "");
    assert_int_equal(seen.last.untold, 0);
    must_see("a", "");
}

static void lets_one_tell_at_a_time(void **state)
{
    (void)state;
    must_die("A");
    must_see("a", "A");
    must_ask((struct store_notify_query){.asker = "b", .lease_ms = LEASE_MS});
    assert_false(seen.last.is_ours);
    must_ask((struct store_notify_query){.asker = "a", .lease_ms = 0});
    must_see("b", "A");
    must_ask((struct store_notify_query){.asker = "a", .lease_ms = LEASE_MS});
    assert_false(seen.last.is_ours);
    (void)redis_server_cli(server, "HSET " KEY " until 1"); /* its time is over */
    must_see("a", "A");
}

static void remembers_what_the_one_before_has_told(void **state)
{
    (void)state;
    must_die("A");
    must_die("B");
    must_see("a", "A");
    must_tell("a", "B");
    must_ask((struct store_notify_query){.asker = "a", .lease_ms = 0});
    must_see("b", "B");
    /* What was told is kept, whoever has the lease by then. */
    must_ask((struct store_notify_query){.asker = "a",
                                         .lease_ms = LEASE_MS,
                                         .told = {.at_ms = seen.last.place.at_ms, .id = "B"},
                                         .told_died_ms = seen.last.dead.application.died_at_ms});
    assert_false(seen.last.is_ours);
    must_see("b", "");
}

static void let_a_moment_pass(void)
{
    int64_t now_ms = clock_wall_ms();
    while (clock_wall_ms() <= now_ms + 1)
        driver_turn(&driver);
}

static void tells_again_of_who_dies_again(void **state)
{
    (void)state;
    must_die("A");
    must_see("a", "A");
    must_tell("a", "");
    assert_int_equal(must_replay(&driver, "A"), REPLAY_SCHEDULED);
    must_see("a", "");
    let_a_moment_pass(); /* SEEK would take longer */
    struct claim claim = must_claim_one(&driver);
    const struct verdict verdict = {.class = VERDICT_REFUSED};
    assert_int_equal(must_settle(&driver, "A", claim.generation, SETTLE_DEAD, 0, &verdict),
                     SETTLED);
    must_see("a", "A");
}

static void leaves_out_who_was_dead_before_it_was_wanted(void **state)
{
    (void)state;
    must_die("A");
    (void)redis_server_cli(server, "ZADD 'seek-signal:{0}:dead' 1700000000000 A");
    (void)redis_server_cli(server, "HSET 'seek-signal:{0}:app:A' died 1700000000000");
    must_die("B");
    must_see("a", "B");
    assert_int_equal(seen.last.untold, 1);
}

/* By a clock of Redis's that is ahead. */
static void must_have_died_at(const char *id, int64_t at_ms)
{
    must_die(id);
    (void)redis_server_cli(server, "ZADD 'seek-signal:{0}:dead' %" PRId64 " %s", at_ms, id);
    (void)redis_server_cli(server, "HSET 'seek-signal:{0}:app:%s' died %" PRId64, id, at_ms);
}

/* Redis's clock is set back, so that who dies now stands before those who were told. */
static void overlooks_nobody_when_the_clock_goes_back(void **state)
{
    (void)state;
    must_have_died_at("A", clock_wall_ms() + 3600000);
    must_see("a", "A");
    must_tell("a", "");
    must_die("B");
    must_see("a", "B");
    must_tell("a", "");
}

/* Nobody asks until it has caught up. */
static void overlooks_nobody_when_the_clock_goes_back_for_a_moment(void **state)
{
    (void)state;
    int64_t ahead_ms = clock_wall_ms() + 1000;
    must_have_died_at("A", ahead_ms);
    must_see("a", "A");
    must_tell("a", "");
    must_die("B");
    while (clock_wall_ms() <= ahead_ms + 1)
        driver_turn(&driver);
    must_see("a", "B");
    assert_int_equal(seen.last.untold, 1);
    must_tell("a", "");
    must_see("a", "");
}

static void begin_to_die(const char *id, uint64_t generation)
{
    static const struct verdict verdict = {.class = VERDICT_REFUSED, .code = "FORBIDDEN"};
    const struct settlement settlement = {
        .application_id = id, .generation = generation, .action = SETTLE_DEAD, .verdict = &verdict};
    struct error error;
    assert_true(store_settle(driver.store, &settlement, 1, driver_settle_done, &driver, &error));
}

static uint64_t must_lease(const char *id, unsigned number)
{
    char token[32];
    (void)snprintf(token, sizeof token, "token-%u", number);
    (void)must_accept_one(&driver, id, token, "0b9cf2d3-9e0b-4e4f-8a00-000100000000");
    return must_claim_one(&driver).generation;
}

/* A dies behind Z, and stands before it: three calls that Redis serves in one millisecond, mostly.
 */
static void overlooks_nobody_who_dies_in_the_same_millisecond(void **state)
{
    (void)state;
    enum { REPETITIONS = 50 };
    const struct store_notify_query query = {
        .asker = "a", .lease_ms = LEASE_MS, .wanted_for_ms = WANTED_FOR_MS};
    for (unsigned i = 0; i < REPETITIONS; i++) {
        struct error error;
        unsigned told = 0;
        uint64_t later = must_lease("Z", i), earlier = must_lease("A", i);
        begin_to_die("Z", later);
        assert_true(store_notify(driver.store, &query, take, NULL, &error));
        begin_to_die("A", earlier);
        driver_settle_down(&driver);
        if (!seen.last.has_dead)
            must_ask(query);
        for (; seen.last.has_dead; told++)
            tell("a");
        assert_int_equal(told, 2);
    }
}

static void passes_over_what_is_no_application(void **state)
{
    (void)state;
    must_see("a", "");
    (void)redis_server_cli(server, "ZADD 'seek-signal:{0}:dead' %" PRId64 " gone", clock_wall_ms());
    must_die("B");
    (void)redis_server_cli(server, "ZADD 'seek-signal:{0}:dead' %" PRId64 " C",
                           clock_wall_ms() + 5);
    (void)redis_server_cli(server, "SET 'seek-signal:{0}:app:C' text");
    must_see("a", "B");
    must_tell("a", "C"); /* of a key of another type it is told that it is damaged */
    assert_string_equal(seen.class, "damaged");
    must_tell("a", "");
}

static struct store_notify_query sending(enum store_sending to, const char *id, const char *told)
{
    return (struct store_notify_query){
        .asker = "a",
        .lease_ms = LEASE_MS,
        .told_change = told,
        .sending = {.to = to, .id = id, .reason = to == SENDING_STALLED ? "paused" : ""}};
}

static void must_change(enum store_sending to, const char *id)
{
    assert_int_equal(seen.last.change.to, to);
    assert_string_equal(seen.change_id, id);
}

static void tells_changes_of_sending_one_after_the_other(void **state)
{
    (void)state;
    must_ask(sending(SENDING_RESUMED, "1", NULL));
    must_change(SENDING_UNKNOWN, ""); /* it goes on until it has stood still */
    must_ask(sending(SENDING_STALLED, "2", NULL));
    must_change(SENDING_STALLED, "2");
    assert_string_equal(seen.reason, "paused");
    must_ask(sending(SENDING_STALLED, "3", NULL));
    must_change(SENDING_STALLED, "2"); /* the same change, under the same id */
    must_ask(sending(SENDING_RESUMED, "4", NULL));
    must_change(SENDING_STALLED, "2"); /* it has to be told first */
    must_ask(sending(SENDING_UNKNOWN, "5", "2"));
    must_change(SENDING_UNKNOWN, "");
    must_ask(sending(SENDING_RESUMED, "6", NULL));
    must_change(SENDING_RESUMED, "6");
    must_ask(sending(SENDING_RESUMED, "7", "6"));
    must_change(SENDING_UNKNOWN, "");
}

/* As if it was not there. */
static void goes_on_where_a_field_was_written_over(void **state)
{
    (void)state;
    static const char *const damages[] = {
        "HDEL " KEY " change_id",
        "HSET " KEY " change_id 0123456789012345678901234567890123456789",
        "HSET " KEY " change_id ''",
        "HSET " KEY " change nonsense",
        "HSET " KEY " since nonsense",
        "HSET " KEY " since 99999999999999999999",
        "HDEL " KEY " since",
        "HSET " KEY " time nonsense",
        "HDEL " KEY " id",
    };
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "A-%zu", i);
        must_die(id);
        must_see("a", id);
        must_tell("a", "");
        must_ask(sending(SENDING_STALLED, "before", NULL));
        (void)redis_server_cli(server, "%s", damages[i]);
        (void)snprintf(id, sizeof id, "B-%zu", i);
        must_die(id);
        let_a_moment_pass();
        must_ask(sending(SENDING_STALLED, "behind", NULL));
        assert_int_equal(seen.last.change.to, SENDING_STALLED);
        assert_in_range(strlen(seen.change_id), 1, 36);
        assert_string_equal(seen.id, id);
        must_tell("a", "");
        must_ask(sending(SENDING_STALLED, "other", "before"));
        must_ask(sending(SENDING_STALLED, "other", "behind"));
        must_change(SENDING_UNKNOWN, "");
        (void)redis_server_cli(server, "HDEL " KEY " standing");
    }
}

static void names_a_key_of_another_type(void **state)
{
    (void)state;
    (void)redis_server_cli(server, "SET " KEY " text");
    ask_with((struct store_notify_query){.asker = "a", .lease_ms = LEASE_MS});
    assert_int_equal(seen.status, STORE_REFUSED);
    assert_false(seen.last.is_ours);
}

#define HERE(sentence, function) IT_WITH(sentence, function, store_stand_start, store_stand_stop)

/* Each has a lease and a place of its own; of sending the first one knows. */
static void tells_the_dead_of_all_shards(void **state)
{
    (void)state;
    static const char *const ids[] = {"A", "B", "C", "D", "E", "F", ""};
    enum { DEAD = sizeof ids / sizeof ids[0] - 1 };
    AUTO(redis_server) *own = redis_server_start(REDIS_SERVER_UNIX, NULL);
    const struct store_options options = {.ttl_ms = DRIVER_TTL_MS,
                                          .lease_ms = DRIVER_LEASE_MS,
                                          .age_max_ms = DRIVER_AGE_MAX_MS,
                                          .shard_count = 3};
    struct redis_url url;
    redis_server_url(own, &url);
    driver_start_with(&driver, &url, &options);
    driver_must_become(&driver, true);
    for (size_t i = 0; i < DEAD; i++)
        must_die(ids[i]);
    must_see("a", "A");
    assert_int_equal(seen.last.untold, DEAD);
    for (size_t i = 1; i <= DEAD; i++)
        must_tell("a", ids[i]);
    assert_int_equal(seen.last.untold, 0);
    must_ask((struct store_notify_query){
        .asker = "a",
        .lease_ms = LEASE_MS,
        .sending = {.to = SENDING_STALLED, .id = "x", .reason = "paused", .detail = ""}});
    assert_string_equal(seen.change_id, "x");
    must_ask((struct store_notify_query){.asker = "a", .lease_ms = LEASE_MS, .told_change = "x"});
    assert_int_equal(seen.last.change.to, SENDING_UNKNOWN);
    must_ask((struct store_notify_query){.asker = "b", .lease_ms = LEASE_MS});
    assert_false(seen.last.is_ours);
    driver_stop(&driver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HERE("tells each death once, the earliest first", tells_each_once_in_their_order),
        HERE("lets one process tell at a time, until it stops or its lease is over",
             lets_one_tell_at_a_time),
        HERE("remembers what the process before has told", remembers_what_the_one_before_has_told),
        HERE("tells again of who dies again", tells_again_of_who_dies_again),
        HERE("leaves out who was dead before it was wanted",
             leaves_out_who_was_dead_before_it_was_wanted),
        HERE("overlooks nobody when Redis's clock goes back",
             overlooks_nobody_when_the_clock_goes_back),
        HERE("overlooks nobody when it goes back for a moment",
             overlooks_nobody_when_the_clock_goes_back_for_a_moment),
        HERE("overlooks nobody who dies in the same millisecond as who was told",
             overlooks_nobody_who_dies_in_the_same_millisecond),
        HERE("passes over what is no application", passes_over_what_is_no_application),
        HERE("tells changes of sending one after the other, each under one id",
             tells_changes_of_sending_one_after_the_other),
        HERE("goes on where another program has written over a field",
             goes_on_where_a_field_was_written_over),
        HERE("names a key of another type", names_a_key_of_another_type),
        IT("tells the dead of all shards, each once", tells_the_dead_of_all_shards),
    };
    return cmocka_run_group_tests_name("notify", tests, store_stand_begin, store_stand_finish);
}
