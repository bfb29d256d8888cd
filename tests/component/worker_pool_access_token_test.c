/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The access token that the workers share: fetched seldom, renewed in time, and a condition of any
 * attempt.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/specification.h"
#include "tests/support/worker_pool_stand.h"

static void many_rejections_cause_one_fetch(void **state)
{
    struct worker_pool_stand *stand = *state;
    start_pool(stand);
    accept_many(stand, 1);
    must_deliver_many(stand, 1);
    assert_int_equal(fake_seek_fetches(seek_of(stand)), 1);

    fake_seek_revoke_before(seek_of(stand), 2);
    accept_many(stand, 30);
    must_deliver_many(stand, 30);
    assert_int_equal(fake_seek_fetches(seek_of(stand)), 2);
}

static void a_short_life_is_no_trouble(void **state)
{
    struct worker_pool_stand *stand = *state;
    fake_seek_set_token_life(seek_of(stand), 2000);
    start_pool(stand);
    for (unsigned i = 0; i < 26; i++) {
        char id[32];
        (void)snprintf(id, sizeof id, "A-%u", i);
        accept_one(stand, id, "seek-token-x");
        (void)must_deliver(stand, id);
        (void)usleep(100000);
    }
    assert_in_range(fake_seek_fetches(seek_of(stand)), 2, 4);
    assert_int_equal(fake_seek_signals(seek_of(stand)), 26); /* none was UNAUTHENTICATED */
}

static void no_attempt_is_spent_without_an_access_token(void **state)
{
    struct worker_pool_stand *stand = *state;
    static const struct fake_answer outages[] = {
        {.status = 503, .body = "busy"},
        {.act = FAKE_RESET},
        {.status = 401,
         .body = "{\"error\":\"access_denied\",\"error_description\":\"not " CLIENT_SECRET "\"}"},
        {.body = "{\"access_token\":\"" ACCESS_TOKEN "\",\"token_type\":\"mac\"}"},
    };
    for (unsigned i = 0; i < 4; i++)
        fake_seek_will_answer_fetch(seek_of(stand), outages[i]);
    start_pool(stand);
    accept_many(stand, 5);
    WAIT_UNTIL(fake_seek_fetches(seek_of(stand)) >= 4);
    assert_int_equal(fake_seek_signals(seek_of(stand)), 0);
    must_deliver_many(stand, 5);
    assert_int_equal(must_get(driver_of(stand), "A-0")->attempts, 1);
    assert_int_equal(fake_seek_fetches(seek_of(stand)), 5);
    WAIT_UNTIL(count_in_log(stand, "access_token_recovered") == 1);
    assert_int_equal(count_in_log(stand, "access_token_failed"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE("fetches one access token for many UNAUTHENTICATED", many_rejections_cause_one_fetch),
        SCENE("is never UNAUTHENTICATED with access tokens that live for two seconds",
              a_short_life_is_no_trouble),
        SCENE("spends no attempt while no access token can be had",
              no_attempt_is_spent_without_an_access_token),
    };
    cmocka_set_test_filter(getenv("TEST_FILTER"));
    return cmocka_run_group_tests_name("worker_pool_access_token", tests, worker_pool_stand_begin,
                                       worker_pool_stand_finish);
}
