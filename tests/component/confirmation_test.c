/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* Acknowledged writes with more durability than Redis gives by itself: a real master with a
 * replica, and a peer that says what only a newer Redis says. */
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"

#include "tests/support/specification.h"
#include "tests/support/stored_fields.h"
#include "tests/support/syncing_redis.h"

static struct driver driver;

enum { IN_STEP_MS = 20000 };

/* --- a master and a replica --- */

struct redis_pair {
    struct redis_server *master, *replica;
};

static void pair_start(struct redis_pair *pair)
{
    char port[8];
    pair->master = redis_server_start(
        REDIS_SERVER_TCP, (const char *const[]){"--appendonly", "yes", "--appendfsync", "always",
                                                "--repl-diskless-sync-delay", "0", NULL});
    (void)snprintf(port, sizeof port, "%u", (unsigned)redis_server_port(pair->master));
    pair->replica = redis_server_start(
        REDIS_SERVER_UNIX, (const char *const[]){"--replicaof", "127.0.0.1", port, NULL});
}

/* Online is not yet in step: its first stretch may last longer than a confirmation is waited for.
 */
static void pair_must_be_in_step(const struct redis_pair *pair)
{
    int64_t until_ms = clock_monotonic_ms() + IN_STEP_MS;
    (void)redis_server_cli(pair->master, "SET probe here");
    while (strcmp(redis_server_cli(pair->replica, "GET probe"), "here") != 0)
        assert_true(clock_monotonic_ms() < until_ms);
}

static void pair_stop(struct redis_pair *pair)
{
    redis_server_thaw(pair->replica);
    redis_server_stop(pair->replica);
    redis_server_stop(pair->master);
}

static void pair_drive(const struct redis_pair *pair, struct driver *with)
{
    const struct store_options options = options_demanding("replicas:1");
    struct redis_url url;
    redis_server_url(pair->master, &url);
    driver_start_with(with, &url, &options);
    driver_must_become(with, true);
    pair_must_be_in_step(pair);
}

static const char *replica_says(const struct redis_pair *pair, const char *field)
{
    return stored_field(pair->replica, "A", field);
}

static void send_event(struct driver *with)
{
    static const struct accept_item item = {"A", "token-1", "event-1", -1, NULL, 0, 0};
    struct error error;
    assert_true(store_accept(with->store, &item, 1, 0, driver_accept_done, with, &error));
}

static void must_fall_short(struct driver *with)
{
    driver_settle_down(with);
    assert_int_equal(with->failure.status, STORE_UNAVAILABLE);
    if (strstr(with->failure.detail, "0 of the 1 replicas") == NULL)
        fail_msg("%s", with->failure.detail);
}

static void answers_when_the_replica_has_it(void **state)
{
    (void)state;
    struct redis_pair pair;
    struct store_health health;
    pair_start(&pair);
    pair_drive(&pair, &driver);
    store_health(driver.store, &health);
    assert_string_equal(durability_name(health.durability), "replicas:1");
    must_accept_one(&driver, "A", "token-1", "event-1");
    assert_string_equal(replica_says(&pair, "token"), "token-1");
    must_put_token(&driver, "A", "token-2", "event-2");
    assert_string_equal(replica_says(&pair, "token"), "token-2");
    assert_int_equal(must_replay(&driver, "A"), REPLAY_SCHEDULED);
    must_forget(&driver, "A");
    assert_string_equal(replica_says(&pair, "token"), "");
    driver_stop(&driver);
    pair_stop(&pair);
}

static void falls_short_of_a_frozen_replica_and_recovers(void **state)
{
    (void)state;
    struct redis_pair pair;
    pair_start(&pair);
    pair_drive(&pair, &driver);
    redis_server_freeze(pair.replica);
    int64_t started_at_ms = clock_monotonic_ms();
    send_event(&driver);
    must_fall_short(&driver);
    assert_true(clock_monotonic_ms() - started_at_ms >= 990);
    driver_must_become(&driver, false);
    redis_server_thaw(pair.replica);
    driver_must_become(&driver, true);
    assert_int_equal(must_accept_one(&driver, "A", "token-1", "event-2"), ACCEPT_DUPLICATE);
    assert_string_equal(replica_says(&pair, "token"), "token-1");
    driver_stop(&driver);
    pair_stop(&pair);
}

/* What the second one finds in Redis was written by the first, which was not acknowledged. */
static void acknowledges_no_duplicate_of_what_fell_short(void **state)
{
    (void)state;
    static struct driver second;
    struct redis_pair pair;
    pair_start(&pair);
    pair_drive(&pair, &driver);
    pair_drive(&pair, &second);
    redis_server_freeze(pair.replica);
    send_event(&driver);
    must_fall_short(&driver);
    send_event(&second);
    must_fall_short(&second);
    driver_stop(&second);
    driver_stop(&driver);
    pair_stop(&pair);
}

static void needs_no_replica_to_go_on_with_what_is_there(void **state)
{
    (void)state;
    static struct driver worker;
    struct redis_pair pair;
    pair_start(&pair);
    driver_start(&worker, pair.master);
    driver_must_become(&worker, true);
    pair_drive(&pair, &driver);
    must_accept_one(&driver, "A", "token-1", "event-1");
    redis_server_freeze(pair.replica);
    struct claim claim = must_claim_one(&worker);
    assert_int_equal(must_settle(&worker, "A", claim.generation, SETTLE_DELIVERED, 0, NULL),
                     SETTLED);
    driver_stop(&worker);
    driver_stop(&driver);
    pair_stop(&pair);
}

/* The rights that docs/durability.md names are enough. */
static void needs_no_more_rights_than_documented(void **state)
{
    (void)state;
    struct redis_pair pair;
    struct redis_url url;
    const struct store_options options = options_demanding("replicas:1");
    pair_start(&pair);
    (void)redis_server_cli(pair.master,
                           "ACL SETUSER u on '>p' '~seek-signal:*' +@read +@write +@scripting "
                           "+@connection +info +time '+config|get'");
    redis_server_url(pair.master, &url);
    (void)strcpy(url.user, "u");
    (void)strcpy(url.password, "p");
    driver_start_with(&driver, &url, &options);
    driver_must_become(&driver, true);
    must_accept_one(&driver, "A", "token-1", "event-1");
    (void)redis_server_cli(pair.master, "ACL SETUSER u -wait");
    send_event(&driver);
    driver_settle_down(&driver);
    assert_int_equal(driver.failure.status, STORE_UNAVAILABLE);
    assert_non_null(strstr(driver.failure.detail, "the Redis user may not"));
    driver_stop(&driver);
    pair_stop(&pair);
}

/* --- a Redis that has WAITAOF and syncs once a second --- */

static void asks_in_the_same_write(void **state)
{
    (void)state;
    AUTO(fake_redis) *fake = fake_redis_start();
    syncing_redis_drive(fake, &driver);
    send_event(&driver);
    store_flush(driver.store);
    fake_redis_must_hear(fake, "EVALSHA");
    fake_redis_must_hear(fake, "PEXPIRE\r\n$20\r\nseek-signal:{0}:mark\r\n");
    fake_redis_must_hear(fake, "WAITAOF\r\n$1\r\n1\r\n$1\r\n0\r\n$4\r\n1500\r\n");
    fake_redis_say_text(fake, ACCEPTED MARKED);
    driver_turn_for(&driver, 20);
    assert_int_equal(driver.answers, 0);
    fake_redis_say_text(fake, SYNCED);
    driver_settle_down(&driver);
    assert_int_equal(driver.failure.status, STORE_OK);
    assert_int_equal(driver.accepted[0].outcome, ACCEPT_ACCEPTED);
    driver_stop(&driver);
}

static void believes_only_a_full_confirmation(void **state)
{
    (void)state;
    static const struct {
        const char *answer, *detail;
    } rows[] = {
        {ACCEPTED MARKED "*2\r\n:0\r\n:0\r\n", "not synced its file within 1500 ms"},
        {ACCEPTED MARKED "-ERR WAITAOF cannot be used when appendonly is disabled.\r\n",
         "WAITAOF cannot be used"},
        {ACCEPTED MARKED "-UNBLOCKED force unblock from blocking operation\r\n",
         "is not the master any more"},
        {ACCEPTED MARKED "+OK\r\n", "not synced its file"},
        {ACCEPTED ":0\r\n" SYNCED, "mark was deleted"},
        {ACCEPTED "-OOM command not allowed\r\n" SYNCED, "maxmemory"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO(fake_redis) *fake = fake_redis_start();
        syncing_redis_drive(fake, &driver);
        send_event(&driver);
        fake_redis_say_text(fake, rows[i].answer);
        driver_settle_down(&driver);
        assert_int_equal(driver.answers, 1);
        assert_int_equal(driver.failure.status, STORE_UNAVAILABLE);
        if (strstr(driver.failure.detail, rows[i].detail) == NULL)
            fail_msg("row %zu: %s", i, driver.failure.detail);
        struct store_health health;
        store_health(driver.store, &health);
        assert_false(health.is_ready);
        driver_stop(&driver);
    }
}

/* One after the other they take longer than a single answer may elsewhere. */
static void waits_for_replicas_in_memory_and_on_disk(void **state)
{
    (void)state;
    static const char replica[] = "slave0:ip=127.0.0.1,port=1,state=online,offset=1,lag=0\r\n";
    char info[256];
    (void)snprintf(info, sizeof info, "$%zu\r\n" SYNCING_INFO "%s\r\n",
                   sizeof SYNCING_INFO - 1 + sizeof replica - 1, replica);
    const char *one[] = {info, ":1\r\n*2\r\n:1\r\n:1\r\n"};
    AUTO(fake_redis) *fake = fake_redis_start();
    syncing_redis_drive_with(fake, &driver, "replicas:1", one);
    send_event(&driver);
    store_flush(driver.store);
    fake_redis_must_hear(fake, "WAIT\r\n$1\r\n1\r\n$4\r\n1000\r\n");
    driver_turn_for(&driver, 900);
    fake_redis_say_text(fake, ACCEPTED MARKED ":1\r\n");
    driver_turn_for(&driver, 1450);
    fake_redis_say_text(fake, "*2\r\n:0\r\n:0\r\n");
    driver_settle_down(&driver);
    assert_int_equal(driver.failure.status, STORE_UNAVAILABLE);
    assert_non_null(strstr(driver.failure.detail, "not synced its file within 1500 ms"));
    driver_stop(&driver);
}

static void knows_nothing_of_a_confirmation_that_was_cut(void **state)
{
    (void)state;
    AUTO(fake_redis) *fake = fake_redis_start();
    syncing_redis_drive(fake, &driver);
    send_event(&driver);
    fake_redis_say_text(fake, ACCEPTED MARKED);
    fake_redis_hang_up(fake);
    driver_settle_down(&driver);
    assert_int_equal(driver.answers, 1);
    assert_int_equal(driver.failure.status, STORE_UNAVAILABLE);
    driver_stop(&driver);
}

static void asks_again_with_a_script_that_was_lost(void **state)
{
    (void)state;
    AUTO(fake_redis) *fake = fake_redis_start();
    syncing_redis_drive(fake, &driver);
    send_event(&driver);
    fake_redis_say_text(fake, NOT_KNOWN MARKED UNSYNCED); /* it had nothing to sync */
    driver_turn_for(&driver, 20);
    assert_int_equal(driver.answers, 0);
    store_flush(driver.store);
    fake_redis_must_hear(fake, "$4\r\nEVAL\r\n");
    fake_redis_must_hear(fake, "WAITAOF");
    fake_redis_say_text(fake, ACCEPTED MARKED SYNCED);
    driver_settle_down(&driver);
    assert_int_equal(driver.answers, 1);
    assert_int_equal(driver.failure.status, STORE_OK);
    driver_stop(&driver);
}

/* What was refused is not durable either, but Redis is no less fit for that. */
static void stays_ready_when_a_script_is_refused(void **state)
{
    (void)state;
    AUTO(fake_redis) *fake = fake_redis_start();
    syncing_redis_drive(fake, &driver);
    send_event(&driver);
    fake_redis_say_text(fake, "-OOM command not allowed\r\n" MARKED "*2\r\n:0\r\n:0\r\n");
    driver_settle_down(&driver);
    assert_int_equal(driver.failure.status, STORE_REFUSED);
    driver_must_become(&driver, true);
    driver_stop(&driver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("answers when the replica has it", answers_when_the_replica_has_it),
        IT("falls short of a frozen replica, and recovers",
           falls_short_of_a_frozen_replica_and_recovers),
        IT("acknowledges no duplicate of what fell short",
           acknowledges_no_duplicate_of_what_fell_short),
        IT("needs no replica to go on with what is there",
           needs_no_replica_to_go_on_with_what_is_there),
        IT("needs no more rights than documented", needs_no_more_rights_than_documented),
        IT("asks for the confirmation in the same write", asks_in_the_same_write),
        IT("believes only a full confirmation", believes_only_a_full_confirmation),
        IT("waits for replicas in memory and on disk", waits_for_replicas_in_memory_and_on_disk),
        IT("knows nothing of a confirmation that was cut",
           knows_nothing_of_a_confirmation_that_was_cut),
        IT("asks again with a script that was lost", asks_again_with_a_script_that_was_lost),
        IT("stays ready when a script is refused", stays_ready_when_a_script_is_refused),
    };
    return cmocka_run_group_tests_name("confirmation", tests, NULL, NULL);
}
