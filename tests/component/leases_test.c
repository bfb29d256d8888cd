/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* The worker's side of the store against a real redis-server. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/specification.h"
#include "tests/support/store_stand.h"
#include "tests/support/stored_fields.h"

static const struct verdict delivered = {.class = VERDICT_DELIVERED, .http_status = 200};
static const struct verdict transient = {
    .class = VERDICT_TRANSIENT, .http_status = 503, .code = "HTTP_503", .message = "away"};
static const struct verdict refused = {.class = VERDICT_REFUSED,
                                       .http_status = 200,
                                       .code = "BAD_USER_INPUT",
                                       .message = "/input/token: Is not valid"};

static void let_the_lease_run_out(void)
{
    (void)redis_server_cli(server, "ZINCRBY 'seek-signal:{0}:due' -%d A", DRIVER_LEASE_MS);
}

/* --- claim --- */

static void claims_what_is_due(void **state)
{
    (void)state;
    const struct accept_item item = {"A", "token", "event", 1700000000123, "00-trace", 0, 0};
    must_accept(&driver, &item, 1);
    struct claim claim = must_claim_one(&driver);
    assert_string_equal(claim.application_id, "A");
    assert_string_equal(claim.seek_token, "token");
    assert_string_equal(claim.event_id, "event");
    assert_string_equal(claim.traceparent, "00-trace");
    assert_int_equal(claim.completed_at_ms, 1700000000123);
    assert_int_equal(claim.attempt, 1);
    assert_in_range(claim.age_ms, 0, 10000);
    assert_false(claim.was_expired);
    assert_false(claim.was_auth_before);
    const struct application *application = must_get(&driver, "A");
    assert_int_equal(application->state, DELIVERY_SENDING);
    assert_int_equal(application->generation, claim.generation);
    assert_true(application->last_attempt_at_ms >= application->accepted_at_ms);
}

static const char full_id[] = "0a0b0c0d-1111-4222-8333-444400000000";

static void tells_what_is_not_stored(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "token", full_id);
    assert_string_equal(stored_field(server, "A", "event"), "0a0b0c0d-1111-4222-8333-4444");
    assert_string_equal(redis_server_cli(server, "--raw HEXISTS 'seek-signal:{0}:app:A' completed"),
                        "0");
    const struct application *application = must_get(&driver, "A");
    assert_string_equal(application->event_id, full_id);
    assert_int_equal(application->completed_at_ms, application->accepted_at_ms);
    int64_t accepted_at_ms = application->accepted_at_ms;
    assert_int_equal(must_accept_one(&driver, "A", "token", "e2"), ACCEPT_DUPLICATE);
    assert_string_equal(driver.accepted[0].event_id, full_id);
    struct claim claim = must_claim_one(&driver);
    assert_string_equal(claim.event_id, full_id);
    assert_int_equal(claim.completed_at_ms, accepted_at_ms);
}

/* As versions before wrote it. */
static void reads_what_is_stored_in_full(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "token", full_id);
    (void)redis_server_cli(server, "HSET 'seek-signal:{0}:app:A' event %s completed 1700000000123",
                           full_id);
    assert_int_equal(must_get(&driver, "A")->completed_at_ms, 1700000000123);
    struct claim claim = must_claim_one(&driver);
    assert_string_equal(claim.event_id, full_id);
    assert_int_equal(claim.completed_at_ms, 1700000000123);
}

/* Likewise: with its lease, which is the same as its generation. */
static void ends_a_lease_that_is_stored(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "token", "event");
    struct claim claim = must_claim_one(&driver);
    (void)redis_server_cli(server, "HSET 'seek-signal:{0}:app:A' lease %" PRIu64, claim.generation);
    assert_int_equal(must_settle(&driver, "A", claim.generation, SETTLE_DELIVERED, 0, &delivered),
                     SETTLED);
    assert_string_equal(redis_server_cli(server, "HEXISTS 'seek-signal:{0}:app:A' lease"), "0");
}

static void says_when_the_next_is_due(void **state)
{
    (void)state;
    assert_int_equal(must_claim(&driver, 4), 0);
    assert_int_equal(driver.claimed.next_due_in_ms, -1);
    assert_int_equal(driver.claimed.due_count, 0);
    must_accept_one(&driver, "A", "token", "e1");
    must_accept_one(&driver, "B", "token", "e2");
    assert_int_equal(must_claim(&driver, 0), 0);
    assert_int_equal(driver.claimed.next_due_in_ms, 0);
    assert_int_equal(must_claim(&driver, 1), 1);
    assert_int_equal(driver.claimed.next_due_in_ms, 0);
    assert_int_equal(driver.claimed.due_count, 2);
    assert_int_equal(must_claim(&driver, 1), 1);
    assert_in_range(driver.claimed.next_due_in_ms, 0, DRIVER_LEASE_MS);
}

static void claims_nothing_twice(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "token", "event");
    (void)must_claim_one(&driver);
    assert_int_equal(must_claim(&driver, 4), 0);
}

static void claims_again_when_the_lease_ran_out(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "token", "event");
    struct claim first = must_claim_one(&driver);
    let_the_lease_run_out();
    struct claim second = must_claim_one(&driver);
    assert_true(second.was_expired);
    assert_int_equal(second.attempt, 2);
    assert_true(second.generation > first.generation);
    assert_int_equal(metric_value(&driver.leases_expired), 1);
    assert_int_equal(must_settle(&driver, "A", first.generation, SETTLE_DELIVERED, 0, &delivered),
                     SETTLE_FENCED);
    assert_int_equal(must_get(&driver, "A")->state, DELIVERY_SENDING);
    assert_int_equal(must_settle(&driver, "A", second.generation, SETTLE_DELIVERED, 0, &delivered),
                     SETTLED);
}

static void ends_what_kills_its_worker(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "token", "event");
    struct claim claim = must_claim_one(&driver);
    stored_spread(server, "A");
    (void)redis_server_cli(server, "HINCRBY 'seek-signal:{0}:app:A' accepted -%d",
                           DRIVER_AGE_MAX_MS + 1);
    let_the_lease_run_out();
    assert_int_equal(must_claim(&driver, 4), 0);
    const struct application *application = must_get(&driver, "A");
    assert_int_equal(application->state, DELIVERY_DEAD);
    assert_string_equal(application->last_code, "LEASE_EXPIRED");
    assert_true(application->died_at_ms > 0);
    must_count(&driver, 0, 1);
    assert_int_equal(must_settle(&driver, "A", claim.generation, SETTLE_RETRY, 0, &transient),
                     SETTLE_FENCED);
    must_count(&driver, 0, 1);
}

static void believes_a_success_that_comes_after_the_end(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "token", "event");
    struct claim claim = must_claim_one(&driver);
    stored_spread(server, "A");
    (void)redis_server_cli(server, "HINCRBY 'seek-signal:{0}:app:A' accepted -%d",
                           DRIVER_AGE_MAX_MS + 1);
    let_the_lease_run_out();
    assert_int_equal(must_claim(&driver, 4), 0);
    must_count(&driver, 0, 1);
    assert_int_equal(must_settle(&driver, "A", claim.generation, SETTLE_DELIVERED, 0, &delivered),
                     SETTLED);
    must_count(&driver, 0, 0);
    const struct application *application = must_get(&driver, "A");
    assert_int_equal(application->state, DELIVERY_DELIVERED);
    assert_string_equal(application->last_code, "");
    assert_int_equal(application->died_at_ms, 0);
}

static void clears_away_a_deleted_application(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "token", "event");
    (void)redis_server_cli(server, "DEL 'seek-signal:{0}:app:A'");
    assert_int_equal(must_claim(&driver, 4), 0);
    must_count(&driver, 0, 0);
}

/* --- settle --- */

static void records_a_delivery(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "token", "event");
    struct claim claim = must_claim_one(&driver);
    assert_int_equal(must_settle(&driver, "A", claim.generation, SETTLE_DELIVERED, 0, &delivered),
                     SETTLED);
    const struct application *application = must_get(&driver, "A");
    assert_int_equal(application->state, DELIVERY_DELIVERED);
    assert_true(application->delivered_at_ms > 0);
    assert_string_equal(application->last_class, "delivered");
    assert_string_equal(application->last_code, "");
    assert_int_equal(application->last_http_status, 200);
    assert_int_equal(application->attempts, 1);
    must_count(&driver, 0, 0);
    assert_string_not_equal(redis_server_cli(server, "TTL 'seek-signal:{0}:app:A'"), "-1");
}

static void sends_again_after_the_delay(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "token", "event");
    struct claim claim = must_claim_one(&driver);
    must_settle(&driver, "A", claim.generation, SETTLE_RETRY, 50000, &transient);
    const struct application *application = must_get(&driver, "A");
    assert_int_equal(application->state, DELIVERY_PENDING);
    assert_string_equal(application->last_code, "HTTP_503");
    assert_string_equal(application->last_message, "away");
    assert_int_equal(application->last_http_status, 503);
    assert_true(application->next_attempt_at_ms >= application->last_attempt_at_ms + 50000);
    assert_int_equal(must_claim(&driver, 1), 0);
    assert_in_range(driver.claimed.next_due_in_ms, 40000, 50000);
    (void)redis_server_cli(server, "ZINCRBY 'seek-signal:{0}:due' -50000 A");
    assert_int_equal(must_claim_one(&driver).attempt, 2);
}

static void keeps_the_whole_answer_of_the_dead(void **state)
{
    (void)state;
    static struct verdict verdict;
    verdict = refused;
    memset(verdict.message, 'm', sizeof verdict.message - 1);
    must_accept_one(&driver, "A", "token", "event");
    struct claim claim = must_claim_one(&driver);
    must_settle(&driver, "A", claim.generation, SETTLE_DEAD, 0, &verdict);
    const struct application *application = must_get(&driver, "A");
    assert_int_equal(application->state, DELIVERY_DEAD);
    assert_true(application->died_at_ms > 0);
    assert_string_equal(application->last_class, "refused");
    assert_string_equal(application->last_code, "BAD_USER_INPUT");
    assert_string_equal(application->last_message, verdict.message);
    must_count(&driver, 0, 1);
    assert_string_equal(redis_server_cli(server, "TTL 'seek-signal:{0}:app:A'"), "-1");
}

static void spends_no_attempt_on_a_release(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "token", "event");
    struct claim claim = must_claim_one(&driver);
    must_settle(&driver, "A", claim.generation, SETTLE_RELEASE, 0, NULL);
    assert_int_equal(must_get(&driver, "A")->attempts, 0);
    claim = must_claim_one(&driver);
    assert_int_equal(claim.attempt, 1);
    must_settle(&driver, "A", claim.generation, SETTLE_RETRY, 0, &transient);
    claim = must_claim_one(&driver);
    must_settle(&driver, "A", claim.generation, SETTLE_RELEASE, 0, NULL);
    const struct application *application = must_get(&driver, "A");
    assert_int_equal(application->attempts, 1);
    assert_string_equal(application->last_code, "HTTP_503");
}

static void keeps_what_came_of_the_last_ten_attempts(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "token", "event");
    for (int attempt = 1; attempt <= 12; attempt++) {
        struct claim claim = must_claim_one(&driver);
        must_settle(&driver, "A", claim.generation, SETTLE_RETRY, 0,
                    attempt < 12 ? &transient : &refused);
    }
    const char *line = must_get(&driver, "A")->history;
    assert_memory_equal(line, "12 ", 3);
    assert_non_null(strstr(line, " refused "));
    int lines = 1;
    for (; (line = strchr(line, '\n')) != NULL; line++)
        lines++;
    assert_int_equal(lines, 10);
}

static void keeps_a_line_for_each_attempt(void **state)
{
    (void)state;
    static const struct verdict odd = {.class = VERDICT_TRANSIENT, .code = "ODD\nCODE\t1"};
    must_accept_one(&driver, "A", "token", "event");
    for (int attempt = 1; attempt <= 2; attempt++)
        must_settle(&driver, "A", must_claim_one(&driver).generation, SETTLE_RETRY, 0, &odd);
    const struct application *application = must_get(&driver, "A");
    assert_string_equal(application->last_code, "ODD\nCODE\t1");
    const char *older = strchr(application->history, '\n');
    assert_non_null(strstr(application->history, " transient ODD CODE 1\n1 "));
    assert_non_null(strstr(older, " transient ODD CODE 1"));
    assert_null(strchr(older + 1, '\n'));
}

static void remembers_a_refused_access_token(void **state)
{
    (void)state;
    static const struct verdict unauthenticated = {.class = VERDICT_AUTH,
                                                   .code = "UNAUTHENTICATED"};
    must_accept_one(&driver, "A", "token", "event");
    struct claim claim = must_claim_one(&driver);
    must_settle(&driver, "A", claim.generation, SETTLE_RETRY, 0, &unauthenticated);
    assert_true(must_claim_one(&driver).was_auth_before);
}

static void may_be_told_twice(void **state)
{
    (void)state;
    static const struct {
        enum settle_action action;
        const struct verdict *verdict;
        unsigned attempts;
    } cases[] = {{SETTLE_DELIVERED, &delivered, 1},
                 {SETTLE_RETRY, &transient, 1},
                 {SETTLE_DEAD, &refused, 1},
                 {SETTLE_RELEASE, NULL, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        must_forget(&driver, "A");
        must_accept_one(&driver, "A", "token", "event");
        struct claim claim = must_claim_one(&driver);
        for (int repeat = 0; repeat < 2; repeat++) {
            enum settle_outcome outcome = must_settle(&driver, "A", claim.generation,
                                                      cases[i].action, 1000, cases[i].verdict);
            assert_int_equal(outcome, SETTLED);
        }
        assert_int_equal(must_get(&driver, "A")->attempts, cases[i].attempts);
    }
}

/* --- order --- */

static void holds_a_newer_token_back(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "older", "e1");
    struct claim older = must_claim_one(&driver);
    assert_int_equal(must_accept_one(&driver, "A", "newer", "e2"), ACCEPT_REPLACED);
    assert_int_equal(must_replay(&driver, "A"), REPLAY_SCHEDULED);
    assert_int_equal(must_claim(&driver, 4), 0);
    assert_int_equal(must_settle(&driver, "A", older.generation, SETTLE_DELIVERED, 0, &delivered),
                     SETTLE_FENCED);
    assert_int_equal(must_get(&driver, "A")->state, DELIVERY_PENDING);
    struct claim newer = must_claim_one(&driver);
    assert_string_equal(newer.seek_token, "newer");
    assert_int_equal(newer.attempt, 1);
    assert_false(newer.was_expired);
}

static void sends_a_newer_token_when_the_worker_is_gone(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "older", "e1");
    struct claim older = must_claim_one(&driver);
    must_put_token(&driver, "A", "newer", "e2");
    let_the_lease_run_out();
    struct claim newer = must_claim_one(&driver);
    assert_string_equal(newer.seek_token, "newer");
    assert_true(newer.was_expired);
    assert_int_equal(must_settle(&driver, "A", older.generation, SETTLE_DEAD, 0, &refused),
                     SETTLE_FENCED);
    assert_int_equal(must_settle(&driver, "A", newer.generation, SETTLE_DELIVERED, 0, &delivered),
                     SETTLED);
}

static void does_not_resurrect_the_forgotten(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "token", "event");
    struct claim claim = must_claim_one(&driver);
    must_forget(&driver, "A");
    assert_int_equal(must_settle(&driver, "A", claim.generation, SETTLE_RETRY, 0, &transient),
                     SETTLE_FENCED);
    assert_null(must_get(&driver, "A"));
    must_count(&driver, 0, 0);
}

static void holds_a_token_back_after_a_deletion(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "older", "e1");
    struct claim older = must_claim_one(&driver);
    must_forget(&driver, "A");
    assert_null(must_get(&driver, "A"));
    assert_int_equal(must_accept_one(&driver, "A", "newer", "e2"), ACCEPT_ACCEPTED);
    assert_int_equal(must_claim(&driver, 4), 0);
    assert_int_equal(must_settle(&driver, "A", older.generation, SETTLE_DELIVERED, 0, &delivered),
                     SETTLE_FENCED);
    struct claim newer = must_claim_one(&driver);
    assert_string_equal(newer.seek_token, "newer");
    assert_int_not_equal(older.generation, newer.generation);
    assert_int_equal(must_settle(&driver, "A", older.generation, SETTLE_DELIVERED, 0, &delivered),
                     SETTLE_FENCED);
    assert_int_equal(must_get(&driver, "A")->state, DELIVERY_SENDING);
}

static void keeps_a_draft_after_a_deletion(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "older", "e1");
    struct claim older = must_claim_one(&driver);
    must_forget(&driver, "A");
    must_put_token(&driver, "A", "newer", "e2");
    assert_int_equal(must_settle(&driver, "A", older.generation, SETTLE_DELIVERED, 0, &delivered),
                     SETTLE_FENCED);
    assert_int_equal(must_get(&driver, "A")->state, DELIVERY_DRAFT);
    must_count(&driver, 0, 0);
    assert_int_equal(must_accept_one(&driver, "A", NULL, "e3"), ACCEPT_ACCEPTED);
    assert_string_equal(must_claim_one(&driver).seek_token, "newer");
}

static void keeps_nothing_but_the_lease_after_a_deletion(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "token", "event");
    (void)must_claim_one(&driver);
    must_forget(&driver, "A");
    assert_string_equal(redis_server_cli(server, "--raw HKEYS 'seek-signal:{0}:app:A'"),
                        "gen\nlease");
    const char *life = redis_server_cli(server, "--raw PTTL 'seek-signal:{0}:app:A'");
    assert_in_range(strtol(life, NULL, 10), 1, DRIVER_LEASE_MS);
    assert_int_equal(must_replay(&driver, "A"), REPLAY_UNKNOWN);
    must_forget(&driver, "A");
    let_the_lease_run_out();
    assert_int_equal(must_claim(&driver, 4), 0);
    assert_string_equal(redis_server_cli(server, "--raw EXISTS 'seek-signal:{0}:app:A'"), "0");
    must_count(&driver, 0, 0);
}

static void settles_many_at_once(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "token", "e1");
    must_accept_one(&driver, "B", "token", "e2");
    assert_int_equal(must_claim(&driver, 4), 2);
    const struct settlement settlements[] = {
        {"A", driver.claims[0].generation, SETTLE_DELIVERED, 0, &delivered, NULL},
        {"B", driver.claims[1].generation, SETTLE_DEAD, 0, &refused, NULL},
        {"C", 7, SETTLE_RETRY, 0, &transient, NULL},
    };
    struct error error;
    assert_true(store_settle(driver.store, settlements, 3, driver_settle_done, &driver, &error));
    driver_settle_down(&driver);
    assert_int_equal(driver.failure.status, STORE_OK);
    assert_int_equal(driver.settled[0], SETTLED);
    assert_int_equal(driver.settled[1], SETTLED);
    assert_int_equal(driver.settled[2], SETTLE_FENCED);
    must_count(&driver, 0, 1);
}

int main(void)
{
#define SPEC(sentence, function) IT_WITH(sentence, function, store_stand_start, store_stand_stop)
    const struct CMUnitTest tests[] = {
        SPEC("claims what is due, with all it takes to send it", claims_what_is_due),
        SPEC("tells what is not stored since each application repeats it",
             tells_what_is_not_stored),
        SPEC("reads what is stored in full", reads_what_is_stored_in_full),
        SPEC("ends a lease that is stored", ends_a_lease_that_is_stored),
        SPEC("says when the next is due", says_when_the_next_is_due),
        SPEC("claims nothing twice while its lease runs", claims_nothing_twice),
        SPEC("claims again when the lease ran out; the late worker is fenced",
             claims_again_when_the_lease_ran_out),
        SPEC("ends what kills its worker each time, once it is too old",
             ends_what_kills_its_worker),
        SPEC("believes a success that comes after that end",
             believes_a_success_that_comes_after_the_end),
        SPEC("clears away what was deleted by hand", clears_away_a_deleted_application),
        SPEC("records a delivery and lets it expire", records_a_delivery),
        SPEC("sends again after the delay, not before", sends_again_after_the_delay),
        SPEC("keeps SEEK's whole answer with the dead, without expiry",
             keeps_the_whole_answer_of_the_dead),
        SPEC("spends no attempt on a release", spends_no_attempt_on_a_release),
        SPEC("keeps what came of the last ten attempts", keeps_what_came_of_the_last_ten_attempts),
        SPEC("keeps a line for each attempt, whatever SEEK's code is",
             keeps_a_line_for_each_attempt),
        SPEC("remembers that the access token was refused", remembers_a_refused_access_token),
        SPEC("may be told an outcome twice", may_be_told_twice),
        SPEC("holds a newer seek-token back while the older is being sent",
             holds_a_newer_token_back),
        SPEC("sends a newer seek-token when the older one's worker is gone",
             sends_a_newer_token_when_the_worker_is_gone),
        SPEC("does not resurrect what was forgotten while it was sent",
             does_not_resurrect_the_forgotten),
        SPEC("holds a seek-token back while one that was forgotten is being sent",
             holds_a_token_back_after_a_deletion),
        SPEC("keeps a draft that came after a deletion", keeps_a_draft_after_a_deletion),
        SPEC("keeps nothing but the lease of what was forgotten while it was sent",
             keeps_nothing_but_the_lease_after_a_deletion),
        SPEC("settles many at once, each by itself", settles_many_at_once),
    };
    return cmocka_run_group_tests_name("leases", tests, store_stand_begin, store_stand_finish);
}
