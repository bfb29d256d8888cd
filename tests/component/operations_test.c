/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* The operator's side of the store against a real redis-server. */
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"

#include "tests/support/specification.h"
#include "tests/support/store_stand.h"

enum { SEEN_MAX = 64 };

/* Of the last answer. */
static struct {
    unsigned answers;
    enum store_status status;
    size_t count;
    char ids[SEEN_MAX][32], codes[SEEN_MAX][32], fingerprints[SEEN_MAX][32];
    enum delivery_state states[SEEN_MAX];
    int64_t next_attempts_ms[SEEN_MAX];
    struct replay_dead_result replayed;
    struct store_place next;
    char next_id[32];
} seen;

static void must_die_of(const char *id, const char *code, const char *message)
{
    (void)must_accept_one(&driver, id, "token", "event");
    struct claim claim = must_claim_one(&driver);
    struct verdict verdict = {.class = VERDICT_REFUSED};
    (void)snprintf(verdict.code, sizeof verdict.code, "%s", code);
    (void)snprintf(verdict.message, sizeof verdict.message, "%s", message);
    assert_int_equal(must_settle(&driver, id, claim.generation, SETTLE_DEAD, 0, &verdict), SETTLED);
}

static void must_die(const char *id, const char *code)
{
    must_die_of(id, code, "");
}

/* --- answers --- */

static void take_next(const struct store_place *next)
{
    seen.next = *next;
    (void)snprintf(seen.next_id, sizeof seen.next_id, "%s", next->id != NULL ? next->id : "");
    seen.next.id = next->id != NULL ? seen.next_id : NULL;
}

static void take_list(void *context, const struct store_failure *failure,
                      const struct store_list *list)
{
    (void)context;
    seen.answers++;
    seen.status = failure->status;
    seen.count = list->count;
    for (size_t i = 0; i < list->count && i < SEEN_MAX; i++) {
        const struct application *application = &list->items[i].application;
        (void)snprintf(seen.ids[i], sizeof seen.ids[i], "%s", application->id);
        (void)snprintf(seen.codes[i], sizeof seen.codes[i], "%s", application->last_code);
        (void)snprintf(seen.fingerprints[i], sizeof seen.fingerprints[i], "%s",
                       application->token_fingerprint);
        seen.states[i] = application->state;
        seen.next_attempts_ms[i] = application->next_attempt_at_ms;
    }
    take_next(&list->next);
}

static void take_replayed(void *context, const struct store_failure *failure,
                          const struct replay_dead_result *result)
{
    (void)context;
    seen.answers++;
    seen.status = failure->status;
    seen.replayed = *result;
    take_next(&result->next);
}

static void must_list(const struct store_list_query *query)
{
    struct error error;
    seen.answers = 0;
    assert_true(store_list(driver.store, query, take_list, NULL, &error));
    driver_settle_down(&driver);
    assert_int_equal(seen.answers, 1);
    assert_int_equal(seen.status, STORE_OK);
}

static struct replay_dead_query everything(void)
{
    return (struct replay_dead_query){
        .limit = 100, .gap_us = 50000, .latest_death_ms = -1, .next_due_us = -1};
}

static void must_replay_dead(const struct replay_dead_query *query)
{
    struct error error;
    seen.answers = 0;
    assert_true(store_replay_dead(driver.store, query, take_replayed, NULL, &error));
    driver_settle_down(&driver);
    assert_int_equal(seen.answers, 1);
    assert_int_equal(seen.status, STORE_OK);
}

static void must_pause(bool is_paused)
{
    struct error error;
    driver.answers = 0;
    assert_true(store_set_paused(driver.store, is_paused, driver_done, &driver, &error));
    driver_settle_down(&driver);
    assert_int_equal(driver.answers, 1);
    assert_int_equal(driver.failure.status, STORE_OK);
}

/* --- list --- */

static void lists_what_get_gives(void **state)
{
    (void)state;
    must_die("A", "FORBIDDEN");
    (void)must_accept_one(&driver, "B", "token-b", "event");
    must_list(&(struct store_list_query){.listing = LISTING_DEAD, .limit = 10});
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.ids[0], "A");
    assert_string_equal(seen.codes[0], "FORBIDDEN");
    assert_string_equal(seen.fingerprints[0], must_get(&driver, "A")->token_fingerprint);
    assert_int_equal(seen.states[0], DELIVERY_DEAD);
    assert_null(seen.next.id);

    must_list(&(struct store_list_query){.listing = LISTING_PENDING, .limit = 10});
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.ids[0], "B");
    assert_int_equal(seen.next_attempts_ms[0], must_get(&driver, "B")->next_attempt_at_ms);
}

static void goes_on_behind_the_last_one(void **state)
{
    (void)state;
    char id[32];
    for (int i = 0; i < 7; i++) {
        (void)snprintf(id, sizeof id, "A-%d", i);
        must_die(id, i % 2 == 0 ? "EVEN" : "ODD");
    }
    struct store_list_query query = {.listing = LISTING_DEAD, .limit = 3};
    size_t total = 0, pages = 0;
    do {
        must_list(&query);
        for (size_t i = 0; i < seen.count; i++) {
            (void)snprintf(id, sizeof id, "A-%zu", total++);
            assert_string_equal(seen.ids[i], id);
        }
        query.after = seen.next;
        pages++;
    } while (query.after.id != NULL);
    assert_int_equal(total, 7);
    assert_int_equal(pages, 3);
    must_list(
        &(struct store_list_query){.listing = LISTING_DEAD, .filter.code = "ODD", .limit = 10});
    assert_int_equal(seen.count, 3);
}

static void lists_the_latest_first_by_the_beginning_of_the_id(void **state)
{
    (void)state;
    must_die("A-1", "CODE");
    must_die("B-1", "CODE");
    must_die("A-2", "CODE");
    must_die("A-3", "CODE");
    struct store_list_query query = {
        .listing = LISTING_DEAD, .filter.id_prefix = "A-", .is_latest_first = true, .limit = 2};
    must_list(&query);
    assert_int_equal(seen.count, 2);
    assert_string_equal(seen.ids[0], "A-3");
    assert_string_equal(seen.ids[1], "A-2");
    query.after = seen.next;
    must_list(&query);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.ids[0], "A-1");
    assert_null(seen.next.id);
}

static void lists_nothing_of_an_entry_without_a_hash(void **state)
{
    (void)state;
    must_die("A", "FORBIDDEN");
    (void)redis_server_cli(server, "DEL 'seek-signal:{0}:app:A'");
    must_list(&(struct store_list_query){.listing = LISTING_DEAD, .limit = 10});
    assert_int_equal(seen.count, 0);
    assert_null(seen.next.id);
}

static void knows_what_can_be_listed(void **state)
{
    (void)state;
    enum store_listing listing;
    assert_true(store_listing_parse("dead", &listing) && listing == LISTING_DEAD);
    assert_true(store_listing_parse("due", &listing) && listing == LISTING_DUE);
    assert_false(store_listing_parse("draft", &listing));
    assert_false(store_listing_parse("delivered", &listing));
    assert_false(store_listing_parse("", &listing));
}

/* --- replay of the dead --- */

static void replays_one_after_the_other(void **state)
{
    (void)state;
    must_die("A", "FORBIDDEN");
    must_die("B", "OTHER");
    must_die("C", "FORBIDDEN");
    int64_t before_us = clock_wall_ms() * 1000;
    struct replay_dead_query query = everything();
    query.filter.code = "FORBIDDEN";
    must_replay_dead(&query);
    assert_int_equal(seen.replayed.looked, 3);
    assert_int_equal(seen.replayed.matched, 2);
    assert_null(seen.next.id);
    assert_in_range(seen.replayed.next_due_us, before_us + 100000, clock_wall_ms() * 1000 + 101000);
    must_count(&driver, 2, 1);
    assert_int_equal(must_get(&driver, "C")->next_attempt_at_ms,
                     (seen.replayed.next_due_us - 50000) / 1000);
    assert_int_equal(must_get(&driver, "A")->died_at_ms, 0);
    assert_true(must_get(&driver, "A")->replayed_at_ms > 0);
}

static void replays_what_begins_as_asked(void **state)
{
    (void)state;
    must_die_of("A-1", "X", "Not authorized");
    must_die_of("A-2", "X", "Not allowed");
    must_die_of("B-1", "X", "Not authorized for this hirer");
    must_die_of("B-2", "X", "");
    struct replay_dead_query query = everything();
    query.filter.message = "Not authorized";
    query.is_dry = true;
    must_replay_dead(&query);
    assert_int_equal(seen.replayed.matched, 2);
    query.is_dry = false;
    query.filter.id_prefix = "B-";
    must_replay_dead(&query);
    assert_int_equal(seen.replayed.matched, 1);
    assert_int_equal(must_get(&driver, "B-1")->state, DELIVERY_PENDING);
    must_list(&(struct store_list_query){
        .listing = LISTING_DEAD, .filter.message = "Not a", .filter.code = "x", .limit = 10});
    assert_int_equal(seen.count, 2);
    assert_string_equal(seen.ids[0], "A-1");
    assert_string_equal(seen.ids[1], "A-2");
}

static void counts_when_it_is_dry(void **state)
{
    (void)state;
    must_die("A", "FORBIDDEN");
    struct replay_dead_query query = everything();
    query.is_dry = true;
    must_replay_dead(&query);
    assert_int_equal(seen.replayed.matched, 1);
    must_count(&driver, 0, 1);
}

static void goes_on_where_it_was(void **state)
{
    (void)state;
    must_die("A", "X");
    must_die("B", "X");
    must_die("C", "X");
    struct replay_dead_query query = everything();
    query.limit = 2;
    must_replay_dead(&query);
    assert_int_equal(seen.replayed.matched, 2);
    assert_string_equal(seen.next.id, "B");
    query.after = seen.next;
    query.latest_death_ms = seen.replayed.latest_death_ms;
    query.next_due_us = seen.replayed.next_due_us;
    must_replay_dead(&query);
    assert_int_equal(seen.replayed.matched, 1);
    assert_null(seen.next.id);
    int64_t first_ms = must_get(&driver, "A")->next_attempt_at_ms;
    assert_in_range(must_get(&driver, "C")->next_attempt_at_ms, first_ms + 100, first_ms + 101);
}

/* --- pause --- */

static void claims_nothing_while_paused(void **state)
{
    (void)state;
    (void)must_accept_one(&driver, "A", "token", "event");
    must_pause(true);
    assert_int_equal(must_claim(&driver, 8), 0);
    assert_true(driver.claimed.is_paused);
    assert_int_equal(driver.claimed.due_count, 1);
    assert_int_equal(driver.claimed.next_due_in_ms, -1);
    must_count(&driver, 1, 0);
    int64_t since_ms = driver.census.paused_at_ms;
    assert_in_range(since_ms, clock_wall_ms() - 60000, clock_wall_ms());
    must_pause(true);
    must_count(&driver, 1, 0);
    assert_int_equal(driver.census.paused_at_ms, since_ms);

    must_pause(false);
    assert_int_equal(must_claim(&driver, 8), 1);
    assert_false(driver.claimed.is_paused);
    must_count(&driver, 1, 0);
    assert_int_equal(driver.census.paused_at_ms, 0);
}

static void settles_while_paused(void **state)
{
    (void)state;
    (void)must_accept_one(&driver, "A", "token", "event");
    struct claim claim = must_claim_one(&driver);
    must_pause(true);
    assert_int_equal(must_settle(&driver, "A", claim.generation, SETTLE_DELIVERED, 0, NULL),
                     SETTLED);
}

static void pauses_a_full_redis(void **state)
{
    (void)state;
    (void)redis_server_cli(server, "CONFIG SET maxmemory 1");
    must_pause(true);
    assert_string_not_equal(redis_server_cli(server, "GET seek-signal:{0}:paused"), "");
    must_pause(false);
    (void)redis_server_cli(server, "CONFIG SET maxmemory 0");
}

int main(void)
{
#define HERE(sentence, function) IT_WITH(sentence, function, store_stand_start, store_stand_stop)
    const struct CMUnitTest tests[] = {
        HERE("lists what a look at one gives", lists_what_get_gives),
        HERE("goes on behind the last one", goes_on_behind_the_last_one),
        HERE("lists the latest first, by the beginning of the id",
             lists_the_latest_first_by_the_beginning_of_the_id),
        HERE("lists nothing of an entry whose hash somebody deleted",
             lists_nothing_of_an_entry_without_a_hash),
        HERE("knows which states can be listed", knows_what_can_be_listed),
        HERE("replays the dead one after the other", replays_one_after_the_other),
        HERE("replays what begins as it is asked for", replays_what_begins_as_asked),
        HERE("only counts when it is dry", counts_when_it_is_dry),
        HERE("goes on where it was, at the same rate", goes_on_where_it_was),
        HERE("claims nothing while paused, and tells so", claims_nothing_while_paused),
        HERE("settles while paused what was on its way", settles_while_paused),
        HERE("pauses a Redis that is full", pauses_a_full_redis),
    };
    return cmocka_run_group_tests_name("operations", tests, store_stand_begin, store_stand_finish);
}
