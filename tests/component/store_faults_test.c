/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* The store against a peer that says what no Redis with our scripts would say. */
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"

#include "service/store/script.h"

#include "tests/support/captured_log.h"
#include "tests/support/fake_redis.h"
#include "tests/support/redis_server.h"
#include "tests/support/specification.h"
#include "tests/support/store_driver.h"

static struct driver driver;

static void turn_for(int64_t duration_ms)
{
    int64_t until_ms = clock_monotonic_ms() + duration_ms;
    while (clock_monotonic_ms() < until_ms)
        driver_turn(&driver);
}

/* Answers the greeting; the store's questions are on their way then. */
static void open_fake(struct fake_redis *fake)
{
    static const struct store_options options = {.ttl_ms = 1, .lease_ms = 1, .age_max_ms = 1};
    struct redis_url url;
    fake_redis_url(fake, &url);
    driver_start_with(&driver, &url, &options);
    driver_turn(&driver);
    fake_redis_accept(fake);
    turn_for(50);
    fake_redis_must_hear(fake, "seek-signal\r\n");
    fake_redis_say_text(fake, "+OK\r\n");
    while (metric_value(&driver.connects) == 0)
        driver_turn(&driver);
    store_flush(driver.store);
    fake_redis_must_hear(fake, "INFO");
}

/* As a fit Redis answers INFO, CONFIG and what is tried, then SCRIPT LOAD for each script. */
static void become_ready(struct fake_redis *fake)
{
    fake_redis_say_text(fake, "$41\r\nrole:master\r\nmaxmemory:0\r\naof_enabled:1\r\n\r\n"
                              "*0\r\n" FAKE_REDIS_TRIED);
    for (int i = 0; i < SCRIPT_COUNT; i++)
        fake_redis_say_text(fake, "$40\r\n0123456789012345678901234567890123456789\r\n");
    driver_must_become(&driver, true);
}

static void does_not_believe_what_no_script_says(void **state)
{
    (void)state;
    static const char *const odd[] = {"+nonsense\r\n",
                                      ":7\r\n",
                                      "*1\r\n:7\r\n",
                                      "*3\r\n:9\r\n+pending\r\n+\r\n",
                                      "*4\r\n:0\r\n:0\r\n:0\r\n:0\r\n",
                                      "*7\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n*0\r\n",
                                      "$-1\r\n"};
    AUTO(fake_redis) *fake = fake_redis_start();
    open_fake(fake);
    become_ready(fake);
    unsigned calls = 0, believed = 0;
    for (unsigned kind = 0; kind < DRIVER_KINDS; kind++) {
        for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
            driver_send(&driver, kind);
            fake_redis_say_text(fake, odd[i]);
            driver_settle_down(&driver);
            assert_int_equal(driver.answers, ++calls);
            believed += driver.failure.status == STORE_OK ? 1 : 0;
            assert_int_not_equal(driver.failure.status, STORE_REFUSED);
        }
    }
    /* One number is how settle answers one settlement; four are how census answers, six and
     * a list are how claim does. */
    assert_int_equal(believed, 3);
    driver_stop(&driver);
}

static void says_once_that_an_answer_makes_no_sense(void **state)
{
    (void)state;
    struct captured_log *log = captured_log_start();
    AUTO(fake_redis) *fake = fake_redis_start();
    open_fake(fake);
    become_ready(fake);
    static const char *const answers[] = {"+nonsense\r\n", "+nonsense\r\n", "*1\r\n:1\r\n"};
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        driver_send(&driver, 2);
        fake_redis_say_text(fake, answers[i]);
        driver_settle_down(&driver);
    }
    driver_stop(&driver);
    captured_log_stop(log);
    assert_int_equal(captured_log_count(log, "redis_refuses"), 1);
    assert_int_equal(captured_log_count(log, "redis_takes_again"), 1);
    captured_log_destroy(log);
}

static void knows_nothing_of_an_answer_that_was_cut(void **state)
{
    (void)state;
    AUTO(fake_redis) *fake = fake_redis_start();
    open_fake(fake);
    become_ready(fake);
    driver_send(&driver, 0);
    fake_redis_say_text(fake, "*3\r\n:0\r\n$7\r\npend");
    fake_redis_hang_up(fake);
    driver_settle_down(&driver);
    assert_int_equal(driver.failure.status, STORE_UNAVAILABLE);
    driver_must_become(&driver, false);
    driver_stop(&driver);
}

static void is_not_ready_when_the_questions_stay_open(void **state)
{
    (void)state;
    AUTO(fake_redis) *fake = fake_redis_start();
    open_fake(fake);
    fake_redis_say_text(fake, "$13\r\nrole:master\r\n\r\n*0\r\n");
    turn_for(20);
    struct store_health health;
    store_health(driver.store, &health);
    assert_false(health.is_ready);
    fake_redis_hang_up(fake);
    turn_for(20);
    store_health(driver.store, &health);
    assert_false(health.is_ready);
    assert_non_null(strstr(health.reason, "Redis is away"));
    driver_stop(&driver);
}

/* All answers so far are good, and nothing is known of the rest. */
static void believes_no_half_of_an_inspection(void **state)
{
    (void)state;
    struct captured_log *log = captured_log_start();
    AUTO(fake_redis) *fake = fake_redis_start();
    open_fake(fake);
    fake_redis_say_text(fake, "$41\r\nrole:master\r\nmaxmemory:0\r\naof_enabled:1\r\n\r\n"
                              "*0\r\n" FAKE_REDIS_TRIED);
    turn_for(20);
    fake_redis_hang_up(fake);
    turn_for(50);
    struct store_health health;
    store_health(driver.store, &health);
    assert_non_null(strstr(health.reason, "Redis is away"));
    driver_stop(&driver);
    captured_log_stop(log);
    assert_int_equal(captured_log_count(log, "redis_ready"), 0);
    captured_log_destroy(log);
}

static void does_not_ask_for_ever_with_a_lost_script(void **state)
{
    (void)state;
    AUTO(fake_redis) *fake = fake_redis_start();
    open_fake(fake);
    become_ready(fake);
    driver_send(&driver, 0);
    fake_redis_say_text(fake, "-NOSCRIPT No matching script.\r\n");
    turn_for(20);
    assert_int_equal(driver.answers, 0);
    fake_redis_say_text(fake, "-NOSCRIPT No matching script.\r\n");
    driver_settle_down(&driver);
    assert_int_equal(driver.failure.status, STORE_REFUSED);
    driver_stop(&driver);
}

/* --- numbers and shapes that the caller would trip over ----------------------------------- */

static void must_be_unavailable(struct fake_redis *fake, bool is_sent, const char *answer)
{
    assert_true(is_sent);
    fake_redis_say_text(fake, answer);
    driver_settle_down(&driver);
    assert_int_equal(driver.failure.status, STORE_UNAVAILABLE);
}

static void believes_no_lease_that_cannot_be(void **state)
{
    (void)state;
    static const struct accept_item two[] = {{"A", "token", "event", -1, NULL, 0, 0},
                                             {"B", "token", "event", -1, NULL, 0, 0}};
    static const struct accept_item tokenless = {"A", NULL, "event", -1, NULL, 0, 0};
    static const struct {
        const struct accept_item *items;
        size_t count;
        const char *answer;
    } cases[] = {
        {two, 2, "*4\r\n:1000\r\n:7\r\n:5\r\n:5\r\n"}, /* there is one place */
        {two, 1, "*3\r\n:1000\r\n:72057594037927936\r\n:5\r\n"},
        {two, 1, "*3\r\n:1000\r\n:-7\r\n:5\r\n"},
        {two, 1, "*3\r\n:1000\r\n:0\r\n:5\r\n"},
        {two, 1, "*3\r\n:1000\r\n:7\r\n*3\r\n:0\r\n:72057594037927936\r\n+\r\n"},
        {&tokenless, 1, "*3\r\n:1000\r\n:7\r\n:5\r\n"},
        {&tokenless, 1, "*3\r\n:1000\r\n:7\r\n*3\r\n:0\r\n:7\r\n+\r\n"},
    };
    AUTO(fake_redis) *fake = fake_redis_start();
    open_fake(fake);
    become_ready(fake);
    struct error error;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool is_sent = store_accept(driver.store, cases[i].items, cases[i].count, 1,
                                    driver_accept_done, &driver, &error);
        must_be_unavailable(fake, is_sent, cases[i].answer);
        assert_int_equal(driver.count, 0);
    }
    driver_stop(&driver);
}

#define CLAIM(due_count, generation)                                                               \
    "*17\r\n:0\r\n:" due_count "\r\n:0\r\n:0\r\n:0\r\n:0\r\n*0\r\n"                                \
    "+A\r\n+token\r\n+event\r\n+\r\n:" generation "\r\n:1\r\n:0\r\n:0\r\n+\r\n:0\r\n"

static void believes_no_claim_that_cannot_be(void **state)
{
    (void)state;
    static const char *const answers[] = {CLAIM("-1", "7"), CLAIM("99999999999", "7"),
                                          CLAIM("0", "0"), CLAIM("0", "-1"),
                                          CLAIM("0", "72057594037927936")};
    AUTO(fake_redis) *fake = fake_redis_start();
    open_fake(fake);
    become_ready(fake);
    struct error error;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
        must_be_unavailable(fake, store_claim(driver.store, 1, driver_claim_done, &driver, &error),
                            answers[i]);
    assert_true(store_claim(driver.store, 1, driver_claim_done, &driver, &error));
    fake_redis_say_text(fake, CLAIM("0", "72057594037927935"));
    driver_settle_down(&driver);
    assert_int_equal(driver.claimed.count, 1);
    driver_stop(&driver);
}

static void moved_out(void *context, const struct store_failure *failure,
                      const struct move_out_result *result)
{
    (void)result;
    driver_done(context, failure);
}

static void moved_in(void *context, const struct store_failure *failure,
                     const struct move_in_result *result)
{
    (void)result;
    driver_done(context, failure);
}

static void believes_no_move_that_cannot_be(void **state)
{
    (void)state;
    static const char *const odd[] = {"+nonsense\r\n",      "*0\r\n",
                                      "*1\r\n:0\r\n",       "*1\r\n:1\r\n",
                                      "*2\r\n:0\r\n:0\r\n", "*3\r\n:0\r\n:0\r\n:0\r\n"};
    static const struct move_out_query out = {.proposal = ""};
    static const struct move_in_batch in = {.proposal = "", .source = "", .batch = ""};
    AUTO(fake_redis) *fake = fake_redis_start();
    open_fake(fake);
    become_ready(fake);
    struct error error;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        must_be_unavailable(fake, store_move_out(driver.store, &out, moved_out, &driver, &error),
                            odd[i]);
        must_be_unavailable(fake, store_move_in(driver.store, &in, moved_in, &driver, &error),
                            odd[i]);
    }
    driver_stop(&driver);
}

static void notified(void *context, const struct store_failure *failure,
                     const struct store_notification *notification)
{
    (void)notification;
    driver_done(context, failure);
}

static void tells_a_refusal_as_an_error(void **state)
{
    (void)state;
    struct redis_url url;
    const struct store_options options = {.ttl_ms = 1, .lease_ms = 1, .age_max_ms = 1};
    struct captured_log *log = captured_log_start();
    AUTO(redis_server) *server = redis_server_start(
        REDIS_SERVER_TCP, (const char *const[]){"--requirepass", "geheim", NULL});
    redis_server_url(server, &url);
    url.password[0] = '\0';
    driver_start_with(&driver, &url, &options);
    turn_for(200);
    struct store_health health;
    char expected[HOST_PORT_BYTES + 64];
    char peer[REDIS_PEER_BYTES];
    redis_url_write_peer(&url, peer);
    (void)snprintf(expected, sizeof expected, "Redis refuses us: %s: Redis demands a password",
                   peer);
    store_health(driver.store, &health);
    driver_stop(&driver);
    captured_log_stop(log);
    assert_string_equal(health.reason, expected);
    assert_int_equal(captured_log_count(log, "redis_lost"), 1);
    assert_int_equal(captured_log_count(log, "error"), 1);
    captured_log_destroy(log);
}

static void tells_once_that_redis_is_full(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(
        REDIS_SERVER_UNIX,
        (const char *const[]){"--appendonly", "yes", "--appendfsync", "always", NULL});
    struct store_health before, now;
    driver_start(&driver, server);
    driver_must_become(&driver, true);
    driver_stop(&driver);
    (void)redis_server_cli(server, "CONFIG SET maxmemory 1");
    struct captured_log *log = captured_log_start();
    driver_start(&driver, server); /* which looks again soon, since Redis is full */
    driver_must_become(&driver, true);
    store_health(driver.store, &before);
    (void)redis_server_cli(server, "CONFIG SET appendfsync everysec");
    now = before;
    for (int i = 0; i < 200 && durability_equals(now.durability, before.durability); i++) {
        turn_for(50);
        store_health(driver.store, &now);
    }
    driver_stop(&driver);
    captured_log_stop(log);
    assert_true(before.is_refusing && now.is_refusing);
    assert_false(durability_equals(now.durability, before.durability));
    assert_int_equal(captured_log_count(log, "redis_unfit"), 1);
    captured_log_destroy(log);
}

#define NOTIFICATION(untold) "*9\r\n:1\r\n+\r\n+\r\n:0\r\n+\r\n+\r\n:" untold "\r\n:0\r\n"

static void believes_no_death_that_cannot_be(void **state)
{
    (void)state;
    static const char *const answers[] = {
        NOTIFICATION("1") "+nonsense\r\n", NOTIFICATION("1") "*0\r\n",
        NOTIFICATION("1") "*2\r\n:9\r\n+id\r\n",
        NOTIFICATION("1") "*5\r\n:9\r\n+id\r\n+\r\n+state\r\n+dead\r\n",
        NOTIFICATION("-1") "*5\r\n:9\r\n+id\r\n+A\r\n+state\r\n+dead\r\n"};
    static const struct store_notify_query query = {
        .asker = "me", .sending = {.id = "", .reason = "", .detail = ""}};
    AUTO(fake_redis) *fake = fake_redis_start();
    open_fake(fake);
    become_ready(fake);
    struct error error;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
        must_be_unavailable(fake, store_notify(driver.store, &query, notified, &driver, &error),
                            answers[i]);
    driver_stop(&driver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("does not believe what no script says", does_not_believe_what_no_script_says),
        IT("says once that an answer makes no sense", says_once_that_an_answer_makes_no_sense),
        IT("knows nothing of an answer that was cut", knows_nothing_of_an_answer_that_was_cut),
        IT("is not ready while its questions are open", is_not_ready_when_the_questions_stay_open),
        IT("believes no half of an inspection", believes_no_half_of_an_inspection),
        IT("does not ask for ever with a lost script", does_not_ask_for_ever_with_a_lost_script),
        IT("believes no lease that cannot be", believes_no_lease_that_cannot_be),
        IT("believes no claim that cannot be", believes_no_claim_that_cannot_be),
        IT("believes no move that cannot be", believes_no_move_that_cannot_be),
        IT("believes no death that cannot be", believes_no_death_that_cannot_be),
        IT("tells a refusal as an error", tells_a_refusal_as_an_error),
        IT("tells once that Redis is full", tells_once_that_redis_is_full),
    };
    return cmocka_run_group_tests_name("store_faults", tests, NULL, NULL);
}
