/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* What UNAUTHENTICATED says about an access token, and what about one event. */
#include "tests/support/access_token_stand.h"
#include "tests/support/specification.h"

static void a_rejected_one_is_not_used_again(void **state)
{
    struct scene *scene = *state;
    grant(scene, "aaa", 1800, START_MS);
    must_be_ready(scene, START_MS, "aaa");
    uint64_t generation = scene->generation;
    for (int i = 0; i < 20; i++)
        access_token_reject(scene->token, generation);
    assert_int_equal(acquire(scene, START_MS), ACCESS_TOKEN_REFRESH);
    assert_int_equal(acquire(scene, START_MS), ACCESS_TOKEN_WAIT);
    grant(scene, "bbb", 1800, START_MS);
    access_token_reject(scene->token, generation); /* a late answer about the old one */
    must_be_ready(scene, START_MS + 60000, "bbb");
}

static void a_proven_one_serves_on_while_none_can_be_had(void **state)
{
    struct scene *scene = *state;
    for (int is_proven = 0; is_proven <= 1; is_proven++) {
        int64_t now_ms = START_MS + is_proven * 1000000;
        grant(scene, "aaa", 1800, now_ms);
        must_be_ready(scene, now_ms, "aaa");
        if (is_proven)
            access_token_prove(scene->token, scene->generation);
        assert_int_equal(access_token_is_proven(scene->token, scene->generation), is_proven);
        access_token_reject(scene->token, scene->generation);
        assert_int_equal(acquire(scene, now_ms), ACCESS_TOKEN_REFRESH);
        access_token_failed(scene->token, "none to be had", false, now_ms, 0);
        enum access_token_outcome outcome = acquire(scene, now_ms + RETRY_MAX_MS);
        assert_int_equal(outcome, is_proven ? ACCESS_TOKEN_READY_REFRESH : ACCESS_TOKEN_REFRESH);
    }
}

static void reject(struct scene *scene, int64_t now_ms, int times)
{
    for (int i = 0; i < times; i++) {
        (void)acquire(scene, now_ms);
        access_token_reject(scene->token, scene->generation);
    }
}

static void one_that_everybody_is_rejected_with_serves_no_more(void **state)
{
    struct scene *scene = *state;
    grant(scene, "aaa", 1800, START_MS);
    must_be_ready(scene, START_MS, "aaa");
    access_token_prove(scene->token, scene->generation);
    reject(scene, START_MS, 1);
    assert_int_equal(acquire(scene, START_MS), ACCESS_TOKEN_REFRESH);
    access_token_failed(scene->token, "access_denied", false, START_MS, RETRY_MAX_MS);
    reject(scene, START_MS, 8); /* perhaps the fault of nine events */
    must_be_ready(scene, START_MS, "aaa");
    access_token_prove(scene->token, scene->generation);
    reject(scene, START_MS, 9);
    must_be_ready(scene, START_MS, "aaa");
    reject(scene, START_MS, 1);
    assert_int_equal(acquire(scene, START_MS), ACCESS_TOKEN_WAIT);
    int64_t later_ms = START_MS + RETRY_MAX_MS;
    assert_int_equal(acquire(scene, later_ms), ACCESS_TOKEN_REFRESH);
    access_token_failed(scene->token, "access_denied", false, later_ms, RETRY_MAX_MS);
    assert_int_equal(acquire(scene, later_ms), ACCESS_TOKEN_WAIT);
    later_ms += RETRY_MAX_MS;
    grant(scene, "bbb", 1800, later_ms);
    must_be_ready(scene, later_ms, "bbb");
}

static void one_that_was_taken_and_then_from_nobody_is_fetched_anew_soon(void **state)
{
    struct scene *scene = *state;
    grant(scene, "first", 1800, START_MS);
    must_be_ready(scene, START_MS, "first");
    access_token_reject(scene->token, scene->generation);
    assert_int_equal(acquire(scene, START_MS), ACCESS_TOKEN_REFRESH);
    grant(scene, "second", 1800, START_MS);
    must_be_ready(scene, START_MS, "second");
    access_token_prove(scene->token, scene->generation);
    reject(scene, START_MS + 1000, 9);
    must_be_ready(scene, START_MS + 1000, "second"); /* perhaps the fault of nine events */
    access_token_reject(scene->token, scene->generation);
    must_be_ready(scene, START_MS + 999, "second");
    access_token_reject(scene->token, scene->generation);
    assert_int_equal(acquire(scene, START_MS + 1000), ACCESS_TOKEN_REFRESH);
}

static void rejecting_again_and_again_does_not_fetch_again_and_again(void **state)
{
    struct scene *scene = *state;
    grant(scene, "first", 1800, START_MS);
    int fetches = 0;
    for (int64_t now_ms = START_MS; now_ms < START_MS + 60000; now_ms += 100) {
        if (acquire(scene, now_ms) == ACCESS_TOKEN_REFRESH) {
            fetches++;
            grant(scene, "next", 1800, now_ms);
            assert_int_equal(acquire(scene, now_ms), ACCESS_TOKEN_READY);
        }
        access_token_reject(scene->token, scene->generation);
    }
    assert_in_range(fetches, 5, 6);
}

/* Its answers were on their way when it was withdrawn. They tell nothing new, however long it takes
 * until a new one is there. */
static void late_rejections_of_a_withdrawn_one_change_nothing(void **state)
{
    struct scene *scene = *state;
    grant(scene, "aaa", 1800, START_MS);
    must_be_ready(scene, START_MS, "aaa");
    access_token_prove(scene->token, scene->generation);
    reject(scene, START_MS, 1);
    assert_int_equal(acquire(scene, START_MS), ACCESS_TOKEN_REFRESH);
    int64_t later_ms = START_MS + REFRESH_TIMEOUT_MS / 2;
    access_token_reject(scene->token, scene->generation);
    assert_int_equal(acquire(scene, later_ms), ACCESS_TOKEN_WAIT);
    access_token_reject(scene->token, scene->generation);
    access_token_failed(scene->token, "none to be had", false, later_ms, 0);
    must_be_ready(scene, later_ms, "aaa"); /* SEEK has taken it, so it serves on */
}

static void a_failed_refresh_forgets_no_rejection(void **state)
{
    struct scene *scene = *state;
    grant(scene, "aaa", 1800, START_MS);
    must_be_ready(scene, START_MS, "aaa");
    access_token_prove(scene->token, scene->generation);
    int64_t later_ms = START_MS + 1750000;
    assert_int_equal(acquire(scene, later_ms), ACCESS_TOKEN_READY_REFRESH);
    access_token_reject(scene->token, scene->generation);
    access_token_failed(scene->token, "none to be had", false, later_ms, RETRY_MAX_MS);
    assert_int_equal(acquire(scene, later_ms), ACCESS_TOKEN_WAIT);
}

/* A status is asked for at any moment. */
static void one_that_is_rejected_is_shown_as_none(void **state)
{
    struct scene *scene = *state;
    struct access_token_status status;
    access_token_reject(scene->token, 0); /* before there was any */
    grant(scene, "aaa", 1800, START_MS);
    must_be_ready(scene, START_MS, "aaa");
    access_token_reject(scene->token, scene->generation);
    access_token_status(scene->token, START_MS, &status);
    assert_false(status.is_valid);
    assert_int_equal(acquire(scene, START_MS), ACCESS_TOKEN_REFRESH);
    access_token_status(scene->token, START_MS, &status);
    assert_false(status.is_valid);
    grant(scene, "bbb", 1800, START_MS);
    access_token_status(scene->token, START_MS, &status);
    assert_true(status.is_valid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE("does not use a rejected one again; many rejections cause one fetch",
              a_rejected_one_is_not_used_again),
        SCENE("goes on with one that SEEK has taken before when no new one can be had",
              a_proven_one_serves_on_while_none_can_be_had),
        SCENE("does not use one on with which everybody is rejected",
              one_that_everybody_is_rejected_with_serves_no_more),
        SCENE("fetches soon what was taken and then from nobody",
              one_that_was_taken_and_then_from_nobody_is_fetched_anew_soon),
        SCENE("fetches at most one per ten seconds when SEEK rejects each",
              rejecting_again_and_again_does_not_fetch_again_and_again),
        SCENE("takes no notice of late rejections of a withdrawn one",
              late_rejections_of_a_withdrawn_one_change_nothing),
        SCENE("forgets no rejection when a refresh fails", a_failed_refresh_forgets_no_rejection),
        SCENE("shows a rejected one as none", one_that_is_rejected_is_shown_as_none),
    };
    return cmocka_run_group_tests_name("access_token_rejection", tests, NULL, NULL);
}
