/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* When the intake tells that something is due. */
#include <stdatomic.h>

#include "service/inbound/inbound_metrics.h"

#include "tests/support/intake_stand.h"
#include "tests/support/specification.h"
#include "tests/support/wait_until.h"

enum { PATIENCE_MS = 10000, SOON_MS = 15000, QUIET_US = 100000 };

static _Atomic unsigned notes, wakes;

static void count(void *context, bool may_be_resumed)
{
    assert_ptr_equal(context, &notes);
    atomic_fetch_add(may_be_resumed ? &wakes : &notes, 1);
}

static int start(void **state)
{
    struct intake_stand *stand = intake_stand_create();
    stand->view.due = count;
    stand->view.due_context = &notes;
    intake_stand_start(stand);
    atomic_store(&notes, 0);
    atomic_store(&wakes, 0);
    *state = stand;
    return 0;
}

static int stop(void **state)
{
    intake_stand_destroy(*state);
    return 0;
}

static void tells_before_the_commit_and_behind_it(void **state)
{
    struct intake_stand *stand = *state;
    redis_server_freeze(stand->redis);
    struct raw_client *client = intake_stand_connect(stand);
    intake_stand_send(client, "POST", "/v1/events", JSON_TYPE, EVENT("A", "t"));
    WAIT_UNTIL_WITHIN(PATIENCE_MS, atomic_load(&notes) == 1);
    redis_server_thaw(stand->redis);
    assert_int_equal(raw_client_status(client), 202);
    WAIT_UNTIL_WITHIN(PATIENCE_MS, atomic_load(&notes) == 2);
    raw_client_destroy(client);
}

static void tells_nothing_when_nothing_came(void **state)
{
    struct intake_stand *stand = *state;
    must_answer(intake_stand_call(stand, "GET", "/v1/applications/A", "", NULL), 404, "");
    (void)usleep(QUIET_US);
    assert_int_equal(atomic_load(&notes), 0);
    assert_int_equal(atomic_load(&wakes), 0);
}

/* It may have waited for its next attempt: with the new seek-token it is due now. */
static void wakes_for_a_new_seek_token(void **state)
{
    struct intake_stand *stand = *state;
    must_answer(intake_stand_post(stand, EVENT("A", "old")), 202, "");
    assert_int_equal(atomic_load(&wakes), 0);
    const char *answer = intake_stand_call(stand, "PUT", "/v1/applications/A/token", JSON_TYPE,
                                           "{\"token\":\"new\"}");
    assert_in_range(answer_status(answer), 200, 204);
    assert_int_equal(atomic_load(&wakes), 1);
}

/* While sending is paused nobody else would look. */
static void wakes_for_what_may_end_a_pause(void **state)
{
    struct intake_stand *stand = *state;
    must_answer(intake_stand_post(stand, EVENT("A", "t")), 202, "");
    must_answer(intake_stand_call(stand, "POST", "/v1/pause", JSON_TYPE, "{}"), 204, "");
    assert_int_equal(atomic_load(&wakes), 0);
    must_answer(intake_stand_call(stand, "POST", "/v1/resume", JSON_TYPE, "{}"), 204, "");
    assert_int_equal(atomic_load(&wakes), 1);
    (void)redis_server_cli(stand->redis, "HSET 'seek-signal:{0}:app:A' state delivered");
    const char *path = "/v1/applications/A/replay";
    must_answer(intake_stand_call(stand, "POST", path, "", ""), 409, "");
    assert_int_equal(atomic_load(&wakes), 1);
    (void)redis_server_cli(stand->redis, "HSET 'seek-signal:{0}:app:A' state dead");
    must_answer(intake_stand_call(stand, "POST", path, "", ""), 202, "");
    assert_int_equal(atomic_load(&wakes), 2);
}

static int64_t dead_as_known(const struct intake_stand *stand)
{
    return metric_value(&stand->view.inbound_metrics[INBOUND_DEAD]);
}

/* Who reads the metrics comes over another listener, in another thread. */
static void keeps_fresh_for_a_reader_while_nothing_comes(void **state)
{
    struct intake_stand *stand = *state;
    WAIT_UNTIL_WITHIN(PATIENCE_MS, dead_as_known(stand) == 0);
    (void)redis_server_cli(stand->redis, "ZADD 'seek-signal:{0}:dead' 1767323045678 A");
    WAIT_UNTIL_WITHIN(SOON_MS, dead_as_known(stand) == 1);
}

#define FRESH(sentence, function) IT_WITH(sentence, function, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH("tells the workers when an event leaves for Redis, and when it is there",
              tells_before_the_commit_and_behind_it),
        FRESH("leaves them alone when nothing came", tells_nothing_when_nothing_came),
        FRESH("wakes them for a new seek-token", wakes_for_a_new_seek_token),
        FRESH("wakes them when sending is resumed, and for a replay",
              wakes_for_what_may_end_a_pause),
        FRESH("keeps its gauges fresh while nothing comes",
              keeps_fresh_for_a_reader_while_nothing_comes),
    };
    return cmocka_run_group_tests_name("intake_wake", tests, NULL, NULL);
}
