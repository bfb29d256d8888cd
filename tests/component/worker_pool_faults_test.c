/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * SEEK fails or refuses, Redis is lost, and workers are too.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"

#include "service/domain/mutation.h"

#include "tests/support/specification.h"
#include "tests/support/worker_pool_stand.h"

/* --- what SEEK says ---------------------------------------------------------------- */

static void sends_again_after_any_transient_failure(void **state)
{
    static const struct fake_answer failures[] = {
        {.act = FAKE_RESET},
        {.act = FAKE_CLOSE},
        {.act = FAKE_GARBAGE},
        {.act = FAKE_SILENT},
        {.act = FAKE_CUT_BODY, .body = DELIVERED},
        {.status = 503, .body = "<html>"},
        {.status = 200, .body = ERROR_BODY("INTERNAL_SERVER_ERROR", "oops")},
        {.status = 200, .body = ERROR_BODY("NEVER_HEARD_OF", "hm")},
    };
    enum { COUNT = sizeof failures / sizeof failures[0] };
    struct worker_pool_stand *stand = *state;
    for (size_t i = 0; i < COUNT; i++)
        fake_seek_will_answer(seek_of(stand), failures[i], 1);
    start_pool_with(stand, &(struct pool_variation){.request_timeout_ms = 400});
    accept_one(stand, "A-1", "seek-token-1");
    assert_int_equal(must_deliver(stand, "A-1")->attempts, COUNT + 1);
    assert_int_equal(status_of(stand).retried, COUNT);

    const struct seen_signal *first = fake_seek_signal(seek_of(stand), 0), *before = first;
    for (unsigned i = 1; i <= COUNT; i++) {
        const struct seen_signal *signal = fake_seek_signal(seek_of(stand), i);
        assert_string_not_equal(signal->request_id, before->request_id);
        assert_string_equal(signal->session_id, first->session_id);
        assert_string_equal(signal->timestamp, first->timestamp);
        before = signal;
    }
}

/* SEEK may have it: the first pause is sixty times the usual one. */
static void spaces_out_what_it_cannot_read(void **state)
{
    struct worker_pool_stand *stand = *state;
    fake_seek_will_answer(seek_of(stand), (struct fake_answer){.body = "not JSON"}, 1);
    start_pool(stand);
    accept_one(stand, "A-1", "seek-token-1");
    WAIT_UNTIL(fake_seek_signals(seek_of(stand)) == 1);
    assert_int_equal(must_deliver(stand, "A-1")->attempts, 2);
    int64_t pause_ms =
        fake_seek_signal(seek_of(stand), 1)->at_ms - fake_seek_signal(seek_of(stand), 0)->at_ms;
    assert_in_range(pause_ms, 30 * 20, INT32_MAX);
    assert_int_equal(count_in_log(stand, "upstream_misconfigured"), 1);
}

static void gives_up_what_seek_refuses(void **state)
{
    struct worker_pool_stand *stand = *state;
    fake_seek_will_answer(
        seek_of(stand),
        (struct fake_answer){.body = ERROR_BODY("BAD_USER_INPUT", "/input/token: Is not valid")},
        1);
    start_pool(stand);
    accept_one(stand, "A-1", "seek-token-1");
    const struct application *application = must_become(stand, "A-1", DELIVERY_DEAD);
    assert_int_equal(application->attempts, 1);
    assert_string_equal(application->last_code, "BAD_USER_INPUT");
    assert_string_equal(application->last_message, "/input/token: Is not valid");
    assert_int_equal(status_of(stand).died, 1);
    assert_int_equal(count_in_log(stand, "/input/token: Is not valid"), 1);
}

static void keeps_credentials_out_of_seeks_words(void **state)
{
    struct worker_pool_stand *stand = *state;
    fake_seek_will_answer(
        seek_of(stand),
        (struct fake_answer){.body = ERROR_BODY("BAD_USER_INPUT",
                                                "no seek-token-1 with Bearer " ACCESS_TOKEN
                                                "-1-1, sorry")},
        1);
    start_pool(stand);
    accept_one(stand, "A-1", "seek-token-1");
    const struct application *application = must_become(stand, "A-1", DELIVERY_DEAD);
    assert_null(strstr(application->last_message, "seek-token-1"));
    assert_null(strstr(application->last_message, ACCESS_TOKEN));
    assert_non_null(strstr(application->last_message, "sorry"));
}

static void gives_up_what_is_too_old(void **state)
{
    struct worker_pool_stand *stand = *state;
    fake_seek_will_answer(seek_of(stand), (struct fake_answer){.status = 500},
                          FAKE_SEEK_ANSWERS_MAX);
    start_pool_with(stand, &(struct pool_variation){.retry_age_max_ms = 300});
    accept_one(stand, "A-1", "seek-token-1");
    assert_string_equal(must_become(stand, "A-1", DELIVERY_DEAD)->last_code, "HTTP_500");
}

/* --- when things change underneath ------------------------------------------------- */

static void a_newer_seek_token_wins_while_the_older_is_sent(void **state)
{
    struct worker_pool_stand *stand = *state;
    fake_seek_will_answer(seek_of(stand), (struct fake_answer){.body = DELIVERED, .delay_ms = 400},
                          1);
    start_pool(stand);
    accept_one(stand, "A-1", "seek-token-old");
    WAIT_UNTIL(fake_seek_signals(seek_of(stand)) == 1);
    accept_one(stand, "A-1", "seek-token-new");
    WAIT_UNTIL(fake_seek_signals(seek_of(stand)) == 2);
    (void)must_deliver(stand, "A-1");
    assert_string_equal(fake_seek_signal(seek_of(stand), 0)->seek_token, "seek-token-old");
    assert_string_equal(fake_seek_signal(seek_of(stand), 1)->seek_token, "seek-token-new");
    assert_int_equal(status_of(stand).fenced, 1);
    assert_int_equal(count_in_log(stand, "settlement_fenced"), 1);
}

static unsigned refusals_of(struct redis_server *redis)
{
    static const char name[] = "errorstat_NOREPLICAS:count=";
    const char *found = strstr(redis_server_cli(redis, "INFO errorstats"), name);
    return found != NULL ? (unsigned)strtoul(found + sizeof name - 1, NULL, 10) : 0;
}

/* Nothing else wakes the worker: SEEK keeps the gate shut for a minute. */
static void an_outcome_is_recorded_soon_after_a_refusal(void **state)
{
    struct worker_pool_stand *stand = *state;
    fake_seek_will_answer(
        seek_of(stand),
        (struct fake_answer){.status = 429, .headers = "Retry-After: 60\r\n", .delay_ms = 500}, 1);
    start_pool_with(stand, &(struct pool_variation){.workers = 1, .lease_ms = 60000});
    accept_one(stand, "A-1", "seek-token-1");
    WAIT_UNTIL(fake_seek_signals(seek_of(stand)) == 1);
    (void)redis_server_cli(redis_of(stand), "CONFIG SET min-replicas-to-write 1");
    WAIT_UNTIL(count_in_log(stand, "settlement_refused") > 0);
    WAIT_UNTIL(refusals_of(redis_of(stand)) >= 2);
    (void)redis_server_cli(redis_of(stand), "CONFIG SET min-replicas-to-write 0");
    assert_int_equal(must_become(stand, "A-1", DELIVERY_PENDING)->attempts, 1);
    WAIT_UNTIL(count_in_log(stand, "settlement_accepted") == 1); /* Redis knew before the worker */
}

static void an_outcome_survives_the_loss_of_redis(void **state)
{
    struct worker_pool_stand *stand = *state;
    fake_seek_will_answer(seek_of(stand), (struct fake_answer){.body = DELIVERED, .delay_ms = 300},
                          1);
    start_pool(stand);
    accept_one(stand, "A-1", "seek-token-1");
    WAIT_UNTIL(fake_seek_signals(seek_of(stand)) == 1);
    redis_server_kill(redis_of(stand));
    WAIT_UNTIL(status_of(stand).delivered == 1); /* SEEK has answered, nobody could record it */
    driver_must_become(driver_of(stand), false);
    redis_server_restart(redis_of(stand));
    driver_must_become(driver_of(stand), true);
    assert_int_equal(must_deliver(stand, "A-1")->attempts, 1);
    assert_int_equal(fake_seek_signals(seek_of(stand)), 1);
}

static void a_lost_worker_is_replaced_after_its_lease(void **state)
{
    struct worker_pool_stand *stand = *state;
    accept_quietly(stand, "A-1", "seek-token-1");
    (void)must_claim_one(driver_of(stand)); /* by somebody who never reports back */
    start_pool(stand);
    assert_int_equal(must_deliver(stand, "A-1")->attempts, 2);
    WAIT_UNTIL(status_of(stand).leases_expired == 1);
    assert_int_equal(count_in_log(stand, "lease_expired"), 1);
}

static void a_claim_that_came_late_is_given_back(void **state)
{
    struct worker_pool_stand *stand = *state;
    start_pool_with(stand, &(struct pool_variation){
                               .workers = 1, .lease_ms = 3000, .request_timeout_ms = 2500});
    accept_many(stand, 1);
    must_deliver_many(stand, 1);
    log_configure(LOG_DEBUG, LOG_FORMAT_JSON);
    int64_t wait_ms;
    size_t places = sending_gate_enter(gate_of(stand), SIZE_MAX, clock_monotonic_ms(), &wait_ms);
    accept_quietly(stand, "A-1", "seek-token-1");
    (void)usleep(1200000); /* the last claim is answered, and the next one is due */
    redis_server_freeze(redis_of(stand));
    sending_gate_return(gate_of(stand), places);
    worker_pool_note_due(pool_of(stand), true);
    (void)usleep(800000); /* the claim waits for longer than the lease less an attempt */
    redis_server_thaw(redis_of(stand));
    assert_int_equal(must_deliver(stand, "A-1")->attempts, 1);
    log_configure(LOG_INFO, LOG_FORMAT_JSON);
    assert_int_equal(count_in_log(stand, "claim_released"), 1);
    assert_int_equal(fake_seek_signals(seek_of(stand)), 2);
}

/* --- a thread that stands still ------------------------------------------------------- */

#define FIRST_ATTEMPT_ID "0a0b0c0d-1111-4222-8333-444400000001" /* of EVENT_ID */

enum { STALL_LEASE_MS = 3000, STALL_TIMEOUT_MS = 1000 };

static atomic_bool is_next_to_stall;

bool __real_mutation_write(struct buffer *body, const char *seek_token, int64_t timestamp_ms,
                           struct error *error);
bool __wrap_mutation_write(struct buffer *body, const char *seek_token, int64_t timestamp_ms,
                           struct error *error);

/* After the lease was looked at, and before the HTTP client is asked to send. */
bool __wrap_mutation_write(struct buffer *body, const char *seek_token, int64_t timestamp_ms,
                           struct error *error)
{
    if (atomic_exchange(&is_next_to_stall, false))
        (void)usleep(1000 * (STALL_LEASE_MS + 200));
    return __real_mutation_write(body, seek_token, timestamp_ms, error);
}

static void what_stood_still_beyond_its_lease_is_not_sent(void **state)
{
    struct worker_pool_stand *stand = *state;
    start_pool_with(stand, &(struct pool_variation){.lease_ms = STALL_LEASE_MS,
                                                    .request_timeout_ms = STALL_TIMEOUT_MS});
    accept_many(stand, 1);
    must_deliver_many(stand, 1);
    atomic_store(&is_next_to_stall, true);
    accept_one(stand, "A-1", "seek-token-1");
    assert_true(must_deliver(stand, "A-1")->attempts > 1); /* by another worker */
    WAIT_UNTIL(count_in_log(stand, "its time was over before the request could be sent") > 0);
    for (unsigned i = 0; i < fake_seek_signals(seek_of(stand)); i++) {
        const struct seen_signal *signal = fake_seek_signal(seek_of(stand), i);
        assert_false(strcmp(signal->seek_token, "seek-token-1") == 0 &&
                     strcmp(signal->request_id, FIRST_ATTEMPT_ID) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE("sends again after any transient failure: new request id, same time and session",
              sends_again_after_any_transient_failure),
        SCENE("spaces out what it cannot read after a success by status",
              spaces_out_what_it_cannot_read),
        SCENE("records an outcome soon after Redis has refused it",
              an_outcome_is_recorded_soon_after_a_refusal),
        SCENE("gives up what SEEK refuses, with its message", gives_up_what_seek_refuses),
        SCENE("keeps credentials out of what SEEK says", keeps_credentials_out_of_seeks_words),
        SCENE("gives up what is too old", gives_up_what_is_too_old),
        SCENE("sends a newer seek-token that comes while the older one is sent",
              a_newer_seek_token_wins_while_the_older_is_sent),
        SCENE("records an outcome after Redis was lost and is back",
              an_outcome_survives_the_loss_of_redis),
        SCENE("sends again what a lost worker had claimed",
              a_lost_worker_is_replaced_after_its_lease),
        SCENE("gives back a claim that came too late for its lease",
              a_claim_that_came_late_is_given_back),
        SCENE("does not send what stood still beyond its lease after that was looked at",
              what_stood_still_beyond_its_lease_is_not_sent),
    };
    cmocka_set_test_filter(getenv("TEST_FILTER"));
    return cmocka_run_group_tests_name("worker_pool_faults", tests, worker_pool_stand_begin,
                                       worker_pool_stand_finish);
}
