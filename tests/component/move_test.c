/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* The two scripts of a move, between two real Redis: what is held, what is let go, and which of two
 * wins. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"

#include "service/store/calls/move.h"

#include "tests/support/specification.h"
#include "tests/support/store_driver.h"

enum { BATCH_MAX = 4, TEXTS_MAX = 65536, ITEMS_MAX = 16 };

static struct redis_server *from_server, *to_server;
static struct driver from, to;

static const char *const from_id = "9d1b1a52-0000-4000-8000-00000000000f";
static const char *const to_id = "9d1b1a52-0000-4000-8000-00000000000a";

static int begin(void **state)
{
    (void)state;
    from_server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    to_server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    redis_server_stop(from_server);
    redis_server_stop(to_server);
    return 0;
}

static int start(void **state)
{
    (void)state;
    (void)redis_server_cli(from_server, "FLUSHALL");
    (void)redis_server_cli(to_server, "FLUSHALL");
    driver_start(&from, from_server);
    driver_start(&to, to_server);
    driver_must_become(&from, true);
    driver_must_become(&to, true);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    driver_stop(&from);
    driver_stop(&to);
    return 0;
}

/* --- the mover's calls --- */

static struct shown { /* what the source has answered last, kept */
    struct move_out_result result;
    char since[32];
    struct move_item items[ITEMS_MAX];
    char texts[TEXTS_MAX];
    size_t length;
} shown;

static const char *keep(const char *bytes, size_t length)
{
    char *kept = shown.texts + shown.length;
    assert_true(shown.length + length + 1 <= sizeof shown.texts);
    memcpy(kept, bytes, length);
    kept[length] = '\0';
    shown.length += length + 1;
    return kept;
}

static void on_shown(void *context, const struct store_failure *failure,
                     const struct move_out_result *result)
{
    (void)context;
    assert_int_equal(failure->status, STORE_OK);
    shown.result = *result;
    shown.length = 0;
    if (result->outcome != MOVE_FINE)
        return;
    assert_true(result->count <= ITEMS_MAX);
    (void)snprintf(shown.since, sizeof shown.since, "%s", result->since);
    shown.result.name = keep(result->name, strlen(result->name));
    shown.result.batch = keep(result->batch, strlen(result->batch));
    shown.result.place = keep(result->place, strlen(result->place));
    for (size_t i = 0; i < result->count; i++) {
        shown.items[i] = result->items[i];
        shown.items[i].id = keep(result->items[i].id, strlen(result->items[i].id));
        shown.items[i].at = keep(result->items[i].at, strlen(result->items[i].at));
        shown.items[i].bytes = keep(result->items[i].bytes, result->items[i].length);
    }
}

/* How many are held now. */
static size_t ask(const char *done, const char *place)
{
    struct error error;
    char done_copy[32], place_copy[40]; /* they may be what was shown last */
    (void)snprintf(done_copy, sizeof done_copy, "%s", done);
    (void)snprintf(place_copy, sizeof place_copy, "%s", place);
    const struct move_out_query query = {.proposal = from_id,
                                         .target = to_id,
                                         .done = done_copy,
                                         .limit = BATCH_MAX,
                                         .place = place_copy};
    assert_true(store_move_out(from.store, &query, on_shown, NULL, &error));
    driver_settle_down(&from);
    assert_int_equal(shown.result.outcome, MOVE_FINE);
    return shown.result.count;
}

static struct move_in_result taken;

static void on_taken(void *context, const struct store_failure *failure,
                     const struct move_in_result *result)
{
    (void)context;
    assert_int_equal(failure->status, STORE_OK);
    taken = *result;
}

static void give(void)
{
    struct error error;
    const struct move_in_batch batch = {.proposal = to_id,
                                        .source = shown.result.name,
                                        .paused_since = "",
                                        .number = shown.result.batch,
                                        .since = shown.since,
                                        .count = shown.result.count,
                                        .items = shown.items};
    assert_true(store_move_in(to.store, &batch, on_taken, NULL, &error));
    driver_settle_down(&to);
    assert_int_equal(taken.outcome, MOVE_FINE);
}

/* One walk after the other, until one finds nothing. */
static void move_all(void)
{
    size_t met = 0;
    (void)ask("", "");
    while (shown.result.count > 0 || shown.result.place[0] != '\0' || met > 0) {
        met += shown.result.count;
        bool has_batch = shown.result.count > 0;
        if (shown.result.place[0] == '\0')
            met = has_batch; /* the next walk */
        if (has_batch)
            give();
        (void)ask(has_batch ? shown.result.batch : "", shown.result.place);
    }
}

static const char *token_at_target(void)
{
    return redis_server_cli(to_server, "HGET 'seek-signal:{0}:app:A-1' token");
}

/* --- what is held --- */

static const char event[] = "0b9cf2d3-9e0b-4e4f-8a00-000000000000";
static const char *const later = "0b9cf2d3-9e0b-4e4f-8a00-000100000000";

static void claims_nothing_that_is_held(void **state)
{
    (void)state;
    (void)must_accept_one(&from, "A-1", "token", event);
    assert_int_equal(ask("", ""), 1);
    (void)redis_server_cli(from_server, "DEL 'seek-signal:{0}:paused'"); /* somebody resumes */
    assert_int_equal(must_claim(&from, 1), 0);
    assert_int_equal(must_accept_one(&from, "A-1", "newer", later), ACCEPT_REPLACED);
    assert_int_equal(must_claim(&from, 1), 0);
    give();
    assert_string_equal(token_at_target(), "token");
    /* What came meanwhile is not deleted, but comes with the next batch. */
    assert_int_equal(ask(shown.result.batch, ""), 1);
    assert_int_equal(shown.result.deleted, 0);
    give();
    assert_string_equal(token_at_target(), "newer");
    assert_int_equal(ask(shown.result.batch, ""), 0);
    assert_int_equal(shown.result.deleted, 1);
    assert_null(must_get(&from, "A-1"));
    must_count(&from, 0, 0);
    must_count(&to, 1, 0);
    assert_string_equal(must_claim_one(&to).seek_token, "newer");
}

static void shows_a_batch_again_until_it_is_taken(void **state)
{
    (void)state;
    (void)must_accept_one(&from, "A-1", "token", event);
    (void)must_accept_one(&from, "A-2", "token", event);
    assert_int_equal(ask("", ""), 2);
    char batch[32];
    (void)snprintf(batch, sizeof batch, "%s", shown.result.batch);
    assert_int_equal(ask("", ""), 2);
    assert_string_equal(shown.result.batch, batch);
    assert_string_not_equal(shown.result.place, ""); /* no walk has come to its end */
    assert_int_equal(ask("1", ""), 2);               /* of another batch */
    give();
    assert_int_equal(taken.written, 2);
    must_forget(&to, "A-1");
    give(); /* its answer was lost */
    assert_int_equal(taken.written + taken.superseded, 0);
    assert_null(must_get(&to, "A-1"));
    must_count(&to, 1, 0);
}

static void moves_nothing_that_was_forgotten(void **state)
{
    (void)state;
    (void)must_accept_one(&from, "A-1", "token", event);
    assert_int_equal(ask("", ""), 1);
    must_forget(&from, "A-1");
    assert_int_equal(ask("", ""), 0); /* the mover was killed before it gave it */
    move_all();
    assert_null(must_get(&to, "A-1"));
    assert_string_equal(redis_server_cli(from_server, "EXISTS 'seek-signal:{0}:app:A-1'"), "0");
    must_count(&from, 0, 0);
}

static void waits_for_an_attempt_and_fences_one_that_is_late(void **state)
{
    (void)state;
    (void)must_accept_one(&from, "A-1", "token", event);
    struct claim claim = must_claim_one(&from);
    assert_int_equal(ask("", ""), 0);
    assert_int_equal(shown.result.out, 1);
    uint64_t generation = claim.generation;
    (void)redis_server_cli(from_server, "ZADD 'seek-signal:{0}:due' 1 A-1"); /* its lease is over */
    assert_int_equal(ask("", ""), 1);
    static const struct verdict failed = {.class = VERDICT_TRANSIENT, .code = "TIMEOUT"};
    assert_int_equal(must_settle(&from, "A-1", generation, SETTLE_RETRY, 0, &failed),
                     SETTLE_FENCED);
    give();
    (void)must_accept_one(&from, "A-1", "newer", later);
    (void)redis_server_cli(from_server, "DEL 'seek-signal:{0}:paused'"); /* somebody resumes */
    assert_int_equal(must_claim(&from, 1), 0);
    assert_int_equal(must_claim_one(&to).attempt, 2);
    assert_int_equal(ask(shown.result.batch, ""), 1);
    assert_int_equal(shown.result.deleted, 0);
}

static void lets_go_what_was_replayed_meanwhile(void **state)
{
    (void)state;
    static const struct verdict refused = {
        .class = VERDICT_REFUSED, .code = "FORBIDDEN", .message = "no"};
    (void)must_accept_one(&from, "A-1", "token", event);
    (void)must_settle(&from, "A-1", must_claim_one(&from).generation, SETTLE_DEAD, 0, &refused);
    while (ask("", shown.result.place) == 0)
        ;
    give();
    assert_int_equal(must_replay(&from, "A-1"), REPLAY_SCHEDULED);
    assert_int_equal(ask(shown.result.batch, ""), 1);
    assert_int_equal(shown.result.deleted, 0);
    give();
    assert_int_equal(must_get(&to, "A-1")->state, DELIVERY_PENDING);
    must_count(&to, 1, 0);
}

/* Whoever tells of deaths at the target begins anew, and passes over this one. */
static void moves_what_the_receiver_of_notifications_was_told(void **state)
{
    (void)state;
    static const struct verdict refused = {
        .class = VERDICT_REFUSED, .code = "FORBIDDEN", .message = "no"};
    (void)must_accept_one(&from, "A-1", "token", event);
    (void)must_settle(&from, "A-1", must_claim_one(&from).generation, SETTLE_DEAD, 0, &refused);
    (void)redis_server_cli(from_server, "HSET 'seek-signal:{0}:app:A-1' told 1234");
    (void)redis_server_cli(from_server, "HSET 'seek-signal:{0}:notify' since 1000 time 9 id Z");
    (void)redis_server_cli(to_server, "HSET 'seek-signal:{0}:notify' since 2000 time 9 id Z");
    move_all();
    assert_string_equal(redis_server_cli(to_server, "HGET 'seek-signal:{0}:app:A-1' told"), "1234");
    assert_string_equal(redis_server_cli(to_server, "HGETALL 'seek-signal:{0}:notify'"),
                        "since\n1000");
}

/* --- of two, the newest --- */

static void let_a_millisecond_pass(void)
{
    int64_t now_ms = clock_wall_ms();
    while (clock_wall_ms() <= now_ms + 1)
        ;
}

/* "Se1": to the source, event, seek-token 1. d: draft, k: delivered, x: dead. */
static void do_step(const char *step)
{
    static const struct verdict delivered = {.class = VERDICT_DELIVERED, .http_status = 200},
                                refused = {
                                    .class = VERDICT_REFUSED, .code = "FORBIDDEN", .message = "no"};
    struct driver *driver = step[0] == 'S' ? &from : &to;
    const char token[] = {'t', step[2], '\0'};
    let_a_millisecond_pass();
    if (step[1] == 'e')
        (void)must_accept_one(driver, "A-1", token, event);
    else if (step[1] == 'd')
        must_put_token(driver, "A-1", token, later);
    else
        assert_int_equal(must_settle(driver, "A-1", must_claim_one(driver).generation,
                                     step[1] == 'k' ? SETTLE_DELIVERED : SETTLE_DEAD, 0,
                                     step[1] == 'k' ? &delivered : &refused),
                         SETTLED);
}

static void lets_the_newest_win(void **state)
{
    (void)state;
    static const struct {
        const char *steps[6], *token;
        enum delivery_state expected;
    } rows[] = {
        {{"Se1"}, "t1", DELIVERY_PENDING},
        {{"Sd1"}, "t1", DELIVERY_DRAFT},
        {{"Se1", "Sk"}, "t1", DELIVERY_DELIVERED},
        {{"Se1", "Sx"}, "t1", DELIVERY_DEAD},
        /* the same seek-token */
        {{"Se1", "Te1"}, "t1", DELIVERY_PENDING},
        {{"Se1", "Te1", "Tk"}, "t1", DELIVERY_DELIVERED},
        {{"Te1", "Se1", "Sk"}, "t1", DELIVERY_DELIVERED},
        {{"Te1", "Tx", "Se1", "Sk"}, "t1", DELIVERY_DELIVERED},
        {{"Te1", "Se1", "Sx"}, "t1", DELIVERY_PENDING},
        {{"Se1", "Te1", "Tx"}, "t1", DELIVERY_DEAD},
        {{"Td1", "Se1"}, "t1", DELIVERY_PENDING},
        {{"Sd1", "Te1"}, "t1", DELIVERY_PENDING},
        {{"Sd1", "Te1", "Tk"}, "t1", DELIVERY_DELIVERED},
        {{"Td1", "Se1", "Sk"}, "t1", DELIVERY_DELIVERED},
        /* the target's is newer */
        {{"Se1", "Te2"}, "t2", DELIVERY_PENDING},
        {{"Se1", "Te2", "Tk"}, "t2", DELIVERY_DELIVERED},
        {{"Se1", "Sk", "Te2", "Tx"}, "t2", DELIVERY_DEAD},
        {{"Se1", "Td2"}, "t2", DELIVERY_PENDING},
        {{"Se1", "Sx", "Td2"}, "t2", DELIVERY_PENDING},
        {{"Se1", "Sk", "Td2"}, "t2", DELIVERY_DRAFT},
        {{"Sd1", "Td2"}, "t2", DELIVERY_DRAFT},
        /* the source's is newer */
        {{"Te1", "Se2"}, "t2", DELIVERY_PENDING},
        {{"Te1", "Tk", "Se2"}, "t2", DELIVERY_PENDING},
        {{"Te1", "Tx", "Se2"}, "t2", DELIVERY_PENDING},
        {{"Te1", "Tx", "Se2", "Sx"}, "t2", DELIVERY_DEAD},
        {{"Te1", "Se2", "Sk"}, "t2", DELIVERY_DELIVERED},
        {{"Te1", "Sd2"}, "t2", DELIVERY_PENDING},
        {{"Te1", "Tk", "Sd2"}, "t2", DELIVERY_DRAFT},
        {{"Td1", "Sd2"}, "t2", DELIVERY_DRAFT},
        /* what was replaced before does not come back */
        {{"Se1", "Se2", "Te1"}, "t2", DELIVERY_PENDING},
        {{"Te1", "Te2", "Se1"}, "t2", DELIVERY_PENDING},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)redis_server_cli(from_server, "FLUSHDB");
        (void)redis_server_cli(to_server, "FLUSHDB");
        (void)redis_server_cli(from_server,
                               "MSET 'seek-signal:{0}:layout' 2 'seek-signal:{0}:shards' 1");
        for (size_t j = 0; j < 6 && rows[i].steps[j] != NULL; j++)
            do_step(rows[i].steps[j]);
        move_all();
        const struct application *application = must_get(&to, "A-1");
        if (application == NULL || strcmp(token_at_target(), rows[i].token) != 0 ||
            application->state != rows[i].expected)
            fail_msg("row %zu: %s, state %d", i, token_at_target(),
                     application != NULL ? (int)application->state : -1);
        bool is_owed = rows[i].expected == DELIVERY_PENDING;
        must_count(&to, is_owed, rows[i].expected == DELIVERY_DEAD);
        must_count(&from, 0, 0);
        assert_null(must_get(&from, "A-1"));
        assert_int_equal(must_claim(&to, 2), is_owed);
        /* A life of its own has what owes nothing. */
        bool has_life =
            strtol(redis_server_cli(to_server, "PTTL 'seek-signal:{0}:app:A-1'"), NULL, 10) > 0;
        bool is_kept = rows[i].expected == DELIVERY_DRAFT || rows[i].expected == DELIVERY_DELIVERED;
        assert_int_equal(has_life, is_kept);
    }
}

static void waits_behind_the_attempt_that_is_out_at_the_target(void **state)
{
    (void)state;
    do_step("Te1");
    struct claim claim = must_claim_one(&to);
    uint64_t generation = claim.generation;
    do_step("Se2");
    move_all();
    assert_string_equal(token_at_target(), "t2");
    assert_int_equal(must_claim(&to, 1), 0);
    static const struct verdict delivered = {.class = VERDICT_DELIVERED, .http_status = 200};
    (void)must_settle(&to, "A-1", generation, SETTLE_DELIVERED, 0, &delivered);
    assert_string_equal(must_claim_one(&to).seek_token, "t2");
}

static void on_refused(void *context, const struct store_failure *failure,
                       const struct move_in_result *result)
{
    (void)result;
    *(enum store_status *)context = failure->status;
}

static void takes_nothing_where_there_is_no_memory(void **state)
{
    (void)state;
    struct error error;
    enum store_status status = STORE_OK;
    (void)must_accept_one(&from, "A-1", "token", event);
    assert_int_equal(ask("", ""), 1);
    (void)redis_server_cli(to_server, "CONFIG SET maxmemory 1");
    const struct move_in_batch batch = {.proposal = to_id,
                                        .source = shown.result.name,
                                        .paused_since = "",
                                        .number = shown.result.batch,
                                        .since = "",
                                        .count = shown.result.count,
                                        .items = shown.items};
    assert_true(store_move_in(to.store, &batch, on_refused, &status, &error));
    driver_settle_down(&to);
    (void)redis_server_cli(to_server, "CONFIG SET maxmemory 0");
    assert_int_equal(status, STORE_REFUSED);
    assert_string_equal(
        redis_server_cli(
            to_server,
            "EXISTS 'seek-signal:{0}:app:A-1' 'seek-signal:{0}:due' 'seek-signal:{0}:move'"),
        "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("claims nothing that is held", claims_nothing_that_is_held, start, stop),
        IT_WITH("shows a batch again until it is taken", shows_a_batch_again_until_it_is_taken,
                start, stop),
        IT_WITH("moves nothing that was forgotten", moves_nothing_that_was_forgotten, start, stop),
        IT_WITH("waits for an attempt, and fences one that is late",
                waits_for_an_attempt_and_fences_one_that_is_late, start, stop),
        IT_WITH("lets go what was replayed meanwhile", lets_go_what_was_replayed_meanwhile, start,
                stop),
        IT_WITH("moves what the receiver of notifications was told",
                moves_what_the_receiver_of_notifications_was_told, start, stop),
        IT_WITH("lets the newest win", lets_the_newest_win, start, stop),
        IT_WITH("waits behind the attempt that is out at the target",
                waits_behind_the_attempt_that_is_out_at_the_target, start, stop),
        IT_WITH("takes nothing where there is no memory", takes_nothing_where_there_is_no_memory,
                start, stop),
    };
    return cmocka_run_group_tests_name("move", tests, begin, finish);
}
