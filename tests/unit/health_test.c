/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/heartbeat.h"
#include "lib/base/json.h"

#include "service/inbound/health.h"
#include "service/inbound/intake_pool.h"
#include "service/inbound/service_view.h"
#include "service/spool/spool.h"

#include "tests/support/specification.h"

/* What the intake and the spool say of themselves. */
static struct intake_pool_status intake;
static struct spool_status spool;
static struct heartbeat intake_loop = {.name = "intake-0"}, spool_loop = {.name = "spool"};

void __wrap_intake_pool_status(struct intake_pool *pool, struct intake_pool_status *out);
void __wrap_spool_status(struct spool *spool_, struct spool_status *out);

void __wrap_intake_pool_status(struct intake_pool *pool, struct intake_pool_status *out)
{
    (void)pool;
    *out = intake;
}

void __wrap_spool_status(struct spool *spool_, struct spool_status *out)
{
    (void)spool_;
    *out = spool;
}

const struct heartbeat *__wrap_intake_pool_heartbeat(const struct intake_pool *pool, size_t index);
const struct heartbeat *__wrap_spool_heartbeat(const struct spool *spool_);

const struct heartbeat *__wrap_intake_pool_heartbeat(const struct intake_pool *pool, size_t index)
{
    (void)pool;
    return index == 0 ? &intake_loop : NULL;
}

const struct heartbeat *__wrap_spool_heartbeat(const struct spool *spool_)
{
    (void)spool_;
    return &spool_loop;
}

static struct health look(enum health_probe probe, const struct service_view *view, int64_t now_ms)
{
    struct health health;
    health_look(probe, view, now_ms, &health);
    return health;
}

static void a_turning_loop_is_alive(void **state)
{
    (void)state;
    struct heartbeat main_loop = {.name = "main"};
    const struct service_view view = {.main_loop = &main_loop, .version = "1"};
    heartbeat_beat(&main_loop, 50000);
    assert_true(look(HEALTH_LIVE, &view, 50000).is_fine);
    assert_true(look(HEALTH_LIVE, &view, 60000).is_fine);
    struct health health = look(HEALTH_LIVE, &view, 60001);
    assert_false(health.is_fine);
    assert_int_equal(health.code, PROBLEM_NOT_LIVE);
    assert_string_equal(health.detail, "The loop of main has not turned for 10001 ms.");
}

static void a_loop_that_rests_is_alive_until_its_rest_is_over(void **state)
{
    (void)state;
    struct heartbeat main_loop = {.name = "main"};
    const struct service_view view = {.main_loop = &main_loop, .version = "1"};
    heartbeat_rest(&main_loop, 80000);
    assert_true(look(HEALTH_LIVE, &view, 50000).is_fine);
    assert_int_equal(heartbeat_age_ms(&main_loop, 50000), 0);
    assert_true(look(HEALTH_LIVE, &view, 90000).is_fine);
    assert_false(look(HEALTH_LIVE, &view, 90001).is_fine); /* it has not come back */
    heartbeat_beat(&main_loop, 55000);
    assert_false(look(HEALTH_LIVE, &view, 65001).is_fine); /* it has, and hangs in what it does */
}

static void an_intake_that_stands_still_is_not_ready(void **state)
{
    (void)state;
    const struct service_view view = {.intake_pool = (struct intake_pool *)&intake, .version = "1"};
    intake = (struct intake_pool_status){.threads = 1, .threads_connected = 1, .threads_ready = 1};
    heartbeat_beat(&intake_loop, 50000);
    assert_true(look(HEALTH_READY, &view, 55000).is_fine);
    struct health health = look(HEALTH_READY, &view, 55001);
    assert_false(health.is_fine);
    assert_string_equal(health.detail, "The loop of intake-0 has not turned for 5001 ms.");
    assert_true(look(HEALTH_LIVE, &view, 60000).is_fine); /* that takes longer */
    assert_false(look(HEALTH_LIVE, &view, 60001).is_fine);
    heartbeat_beat(&intake_loop, 0);
}

static void a_spool_that_stands_still_takes_nothing(void **state)
{
    (void)state;
    const struct service_view view = {.intake_pool = (struct intake_pool *)&intake,
                                      .spool = (struct spool *)&spool,
                                      .version = "1"};
    intake = (struct intake_pool_status){.threads = 1};
    spool = (struct spool_status){.is_able = true};
    heartbeat_beat(&spool_loop, 50000);
    assert_true(look(HEALTH_READY, &view, 55000).is_fine);
    struct health health = look(HEALTH_READY, &view, 55001);
    assert_false(health.is_fine);
    assert_string_equal(health.detail, "The loop of spool has not turned for 5001 ms.");
    heartbeat_beat(&spool_loop, 0);
}

static void a_loop_that_has_not_started_is_not_stuck(void **state)
{
    (void)state;
    struct heartbeat main_loop = {.name = "main"};
    const struct service_view view = {.main_loop = &main_loop, .version = "1"};
    assert_true(look(HEALTH_LIVE, &view, 1000000).is_fine);
}

static void nothing_is_ready_without_an_intake(void **state)
{
    (void)state;
    const struct service_view view = {.version = "1"};
    assert_false(look(HEALTH_READY, &view, 0).is_fine);
    assert_int_equal(look(HEALTH_READY, &view, 0).code, PROBLEM_NOT_READY);
    assert_false(look(HEALTH_STARTED, &view, 0).is_fine);
    assert_int_equal(look(HEALTH_STARTED, &view, 0).code, PROBLEM_NOT_STARTED);
    assert_true(look(HEALTH_LIVE, &view, 0).is_fine);
}

static void draining_is_not_ready(void **state)
{
    (void)state;
    const struct service_view view = {.version = "1", .is_draining = true};
    struct health health = look(HEALTH_READY, &view, 0);
    assert_false(health.is_fine);
    assert_string_equal(health.detail, "The service is shutting down.");
    assert_true(look(HEALTH_LIVE, &view, 0).is_fine);
}

static void writes_each_loop_with_its_age(void **state)
{
    (void)state;
    struct heartbeat main_loop = {.name = "main"};
    const struct service_view view = {.main_loop = &main_loop, .version = "1"};
    heartbeat_beat(&main_loop, 1000);
    struct buffer out;
    buffer_init(&out, 4096);
    struct health health = look(HEALTH_LIVE, &view, 1500);
    assert_true(health_write(&out, HEALTH_LIVE, &view, 1500, &health, NULL));
    assert_string_equal(out.bytes, "{\"live\":true,\"loops\":[{\"name\":\"main\",\"ageMs\":500,"
                                   "\"wedged\":false}]}");
    buffer_clear(&out);
    health = look(HEALTH_LIVE, &view, 99000);
    assert_true(health_write(&out, HEALTH_LIVE, &view, 99000, &health, NULL));
    assert_non_null(strstr(out.bytes, "\"code\":\"not_live\""));
    assert_non_null(strstr(out.bytes, "\"live\":false"));
    assert_non_null(strstr(out.bytes, "{\"name\":\"main\",\"ageMs\":98000,\"wedged\":true}"));
    AUTO(json) *json = json_parse(out.bytes, out.length, NULL);
    assert_non_null(json);
    buffer_fini(&out);
}

static void warns_while_it_is_fine(void **state)
{
    (void)state;
    const struct service_view view = {.version = "1"};
    const struct health health = {.is_fine = true, .detail = "RDB only, \"really\"."};
    struct buffer out;
    buffer_init(&out, 4096);
    assert_true(health_write(&out, HEALTH_READY, &view, 0, &health, NULL));
    assert_string_equal(out.bytes, "{\"ready\":true,\"warning\":\"RDB only, \\\"really\\\".\"}");
    buffer_fini(&out);
}

/* ---- the spool ---- */

static void the_spool_decides_while_redis_is_away(void **state)
{
    (void)state;
    static const struct {
        unsigned threads_ready;
        const char *redis;
        bool has_spool;
        const char *spool; /* why it is not able; "": it is */
        bool is_ready, is_started;
        const char *detail;
    } rows[] = {
        {2, "", false, "", true, true, ""},
        {2, "", true, "", true, true, ""},
        {2, "", true, "It is full.", true, true, "It is full."},
        {1, "Redis is away", false, "", false, false, "Redis is away"},
        {1, "Redis is away", true, "", true, true, "Redis is away. Events are kept in the spool."},
        {0, "Redis is away", true, "It is full.", false, false, "Redis is away. It is full."},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct service_view view = {.intake_pool = (struct intake_pool *)&intake,
                                          .spool =
                                              rows[i].has_spool ? (struct spool *)&spool : NULL,
                                          .version = "1"};
        intake = (struct intake_pool_status){.threads = 2,
                                             .threads_connected = rows[i].threads_ready,
                                             .threads_ready = rows[i].threads_ready};
        (void)strcpy(intake.health.reason, rows[i].redis);
        spool = (struct spool_status){.is_able = rows[i].spool[0] == '\0'};
        (void)strcpy(spool.reason, rows[i].spool);
        struct health ready = look(HEALTH_READY, &view, 0);
        assert_int_equal(ready.is_fine, rows[i].is_ready);
        assert_string_equal(ready.detail, rows[i].detail);
        assert_int_equal(look(HEALTH_STARTED, &view, 0).is_fine, rows[i].is_started);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("is ready by the spool while Redis is away", the_spool_decides_while_redis_is_away),
        IT("is alive while each loop has turned within ten seconds", a_turning_loop_is_alive),
        IT("counts a loop as alive that rests, until its rest is over",
           a_loop_that_rests_is_alive_until_its_rest_is_over),
        IT("is not ready while an intake thread has not turned for five seconds",
           an_intake_that_stands_still_is_not_ready),
        IT("does not rely on a spool that has not turned for five seconds",
           a_spool_that_stands_still_takes_nothing),
        IT("does not take a loop that has not started for a stuck one",
           a_loop_that_has_not_started_is_not_stuck),
        IT("is neither ready nor started without an intake", nothing_is_ready_without_an_intake),
        IT("is alive and not ready while it drains", draining_is_not_ready),
        IT("names each loop with its age and the stuck one", writes_each_loop_with_its_age),
        IT("passes on a warning while it is ready", warns_while_it_is_fine),
    };
    return cmocka_run_group_tests_name("health", tests, NULL, NULL);
}
