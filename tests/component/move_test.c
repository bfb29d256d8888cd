/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* The two scripts of a move, between two real Redis: what is held, what is let go, what stays. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/move_driver.h"
#include "tests/support/specification.h"

static const char event[] = "0b9cf2d3-9e0b-4e4f-8a00-000000000000";
static const char *const later = "0b9cf2d3-9e0b-4e4f-8a00-000100000000";

static void claims_nothing_that_is_held(void **state)
{
    (void)state;
    (void)must_accept_one(&move_from, "A-1", "token", event);
    assert_int_equal(move_ask("", ""), 1);
    (void)redis_server_cli(move_from_server, "DEL 'seek-signal:{0}:paused'"); /* somebody resumes */
    assert_int_equal(must_claim(&move_from, 1), 0);
    assert_int_equal(must_accept_one(&move_from, "A-1", "newer", later), ACCEPT_REPLACED);
    assert_int_equal(must_claim(&move_from, 1), 0);
    move_give();
    assert_string_equal(move_token_at_target(), "token");
    /* What came meanwhile is not deleted, but comes with the next batch. */
    assert_int_equal(move_ask(move_shown.result.batch, ""), 1);
    assert_int_equal(move_shown.result.deleted, 0);
    move_give();
    assert_string_equal(move_token_at_target(), "newer");
    assert_int_equal(move_ask(move_shown.result.batch, ""), 0);
    assert_int_equal(move_shown.result.deleted, 1);
    assert_null(must_get(&move_from, "A-1"));
    must_count(&move_from, 0, 0);
    must_count(&move_to, 1, 0);
    assert_string_equal(must_claim_one(&move_to).seek_token, "newer");
}

static void shows_a_batch_again_until_it_is_taken(void **state)
{
    (void)state;
    (void)must_accept_one(&move_from, "A-1", "token", event);
    (void)must_accept_one(&move_from, "A-2", "token", event);
    assert_int_equal(move_ask("", ""), 2);
    char batch[64];
    (void)snprintf(batch, sizeof batch, "%s", move_shown.result.batch);
    assert_int_equal(move_ask("", ""), 2);
    assert_string_equal(move_shown.result.batch, batch);
    assert_string_not_equal(move_shown.result.place, ""); /* no walk has come to its end */
    assert_int_equal(move_ask("1", ""), 2);               /* of another batch */
    move_give();
    assert_int_equal(move_taken.written, 2);
    must_forget(&move_to, "A-1");
    move_give(); /* its answer was lost */
    assert_int_equal(move_taken.written + move_taken.superseded, 0);
    assert_null(must_get(&move_to, "A-1"));
    must_count(&move_to, 1, 0);
}

/* The source has lost its last number in a failover, and the clock of its new master is behind. */
static void loses_nothing_when_the_target_knows_a_later_batch(void **state)
{
    (void)state;
    static const char later_batch[] = "8000000000000000";
    char command[256];
    (void)must_accept_one(&move_from, "A-1", "token", event);
    assert_int_equal(move_ask("", ""), 1);
    (void)snprintf(command, sizeof command, "HSET 'seek-signal:{0}:move' 'from:%s' %s",
                   move_shown.result.name, later_batch);
    (void)redis_server_cli(move_to_server, "%s", command);
    move_give_and_get(MOVE_OVERTAKEN);
    assert_string_equal(move_taken.what, later_batch);
    assert_null(must_get(&move_to, "A-1"));
    struct move_out_query query = {.proposal = move_from_id,
                                   .target = move_to_id,
                                   .floor = later_batch,
                                   .limit = MOVE_BATCH_MAX};
    assert_int_equal(move_ask_so(&query), 1);
    assert_true(strcmp(move_shown.result.batch, later_batch) > 0);
    char batch[64];
    (void)snprintf(batch, sizeof batch, "%s", move_shown.result.batch);
    assert_int_equal(move_ask_so(&query), 1); /* once */
    assert_string_equal(move_shown.result.batch, batch);
    move_give();
    assert_string_equal(move_token_at_target(), "token");
    assert_int_equal(move_ask(batch, ""), 0);
    assert_int_equal(move_shown.result.deleted, 1);
}

/* The same, and the number is the one of a batch that the target has. */
static void tells_a_batch_from_another_one_of_its_number(void **state)
{
    (void)state;
    char first[64], second[64];
    (void)redis_server_cli(move_from_server, "HSET 'seek-signal:{0}:move' last 8000000000000000");
    (void)must_accept_one(&move_from, "A-1", "token-1", event);
    assert_int_equal(move_ask("", ""), 1);
    move_give();
    (void)snprintf(first, sizeof first, "%s", move_shown.result.batch);
    (void)must_accept_one(&move_from, "A-2", "token-2", event);
    (void)redis_server_cli(move_from_server,
                           "HDEL 'seek-signal:{0}:move' batch held:A-1"); /* a failover has */
    (void)redis_server_cli(move_from_server, "HSET 'seek-signal:{0}:move' last 8000000000000000");
    (void)redis_server_cli(move_from_server, "DEL 'seek-signal:{0}:app:A-1'");
    assert_int_equal(move_ask(first, ""), 1);
    assert_int_equal(strtoll(move_shown.result.batch, NULL, 10), strtoll(first, NULL, 10));
    move_give_and_get(MOVE_OVERTAKEN);
    assert_string_equal(move_taken.what, first);
    assert_null(must_get(&move_to, "A-2"));
    struct move_out_query query = {
        .proposal = move_from_id, .target = move_to_id, .floor = first, .limit = MOVE_BATCH_MAX};
    assert_int_equal(move_ask_so(&query), 1);
    move_give();
    assert_non_null(must_get(&move_to, "A-2"));
    (void)snprintf(second, sizeof second, "%s", move_shown.result.batch);
    assert_int_equal(move_ask(second, ""), 0);
    assert_int_equal(move_shown.result.deleted, 1);
}

/* Somebody else's key is in the way of one: the others come, and it stays until the move begins
 * anew. */
static void keeps_what_the_target_has_no_place_for(void **state)
{
    (void)state;
    char batch[64];
    struct move_out_query query = {
        .proposal = move_from_id, .target = move_to_id, .limit = MOVE_BATCH_MAX};
    (void)redis_server_cli(move_to_server, "SET 'seek-signal:{0}:app:A-1' other");
    (void)must_accept_one(&move_from, "A-1", "token-1", event);
    (void)must_accept_one(&move_from, "A-2", "token-2", event);
    assert_int_equal(move_ask_so(&query), 2);
    (void)snprintf(batch, sizeof batch, "%s", move_shown.result.batch);
    move_give_and_get(MOVE_FOREIGN_KEYS);
    assert_string_equal(move_taken.what, "A-1");
    assert_null(must_get(&move_to, "A-2"));
    query.blocked = "A-1\n";
    assert_int_equal(move_ask_so(&query), 1);
    assert_int_equal(move_ask_so(&query), 1); /* its answer was lost */
    assert_string_equal(move_shown.result.batch, batch);
    assert_string_equal(move_shown.items[0].id, "A-2");
    move_give();
    query.blocked = "";
    query.done = batch;
    assert_int_equal(move_ask_so(&query), 0);
    assert_int_equal(move_shown.result.deleted, 1);
    assert_int_equal(move_shown.result.left, 1);
    must_count(&move_from, 1, 0);
    must_count(&move_to, 1, 0);
    /* Begun anew, when the key is gone. */
    (void)redis_server_cli(move_to_server, "DEL 'seek-signal:{0}:app:A-1'");
    query.done = "";
    query.limit = 0;
    assert_int_equal(move_ask_so(&query), 0);
    move_all();
    must_count(&move_to, 2, 0);
    must_count(&move_from, 0, 0);
}

static void gives_up_a_move(void **state)
{
    (void)state;
    (void)must_accept_one(&move_from, "A-1", "token-1", event);
    (void)must_claim_one(&move_from);
    (void)redis_server_cli(move_from_server,
                           "ZADD 'seek-signal:{0}:due' 1 A-1"); /* its lease is over */
    (void)must_accept_one(&move_from, "A-2", "token-2", event);
    (void)must_accept_one(&move_from, "A-3", "token-3", event);
    assert_int_equal(move_ask("", ""), 3);
    (void)must_accept_one(&move_from, "A-3", "newer", later);
    move_give_up();
    assert_int_equal(move_shown.result.deleted, 3);
    assert_string_equal(redis_server_cli(move_from_server, "EXISTS 'seek-signal:{0}:paused'"), "0");
    assert_string_equal(redis_server_cli(move_from_server, "HKEYS 'seek-signal:{0}:move'"),
                        "id\nlast");
    assert_int_equal(must_claim(&move_from, 4), 3);
    move_give_up(); /* again */
    assert_int_equal(move_shown.result.deleted, 0);
    must_count(&move_from, 3, 0);
}

static void keeps_the_pause_of_before_when_it_is_given_up(void **state)
{
    (void)state;
    (void)redis_server_cli(move_from_server, "SET 'seek-signal:{0}:paused' 1234");
    (void)move_ask("", "");
    move_give_up();
    assert_string_equal(redis_server_cli(move_from_server, "GET 'seek-signal:{0}:paused'"), "1234");
}

/* Each of these would stop all others, or never let the walks end. */
static void leaves_what_is_none_of_ours(void **state)
{
    (void)state;
    static const char make[] =
        "EVAL \"local app, fields = KEYS[1], {} "
        "for i = 1, 300 do fields[2 * i - 1], fields[2 * i] = 'f' .. i, '1' end "
        "redis.call('HSET', app .. 'A-1', unpack(fields)) "
        "redis.call('HSET', app .. 'A-2', 'x', ('y'):rep(2000000)) "
        "for i, id in ipairs({'', ('x'):rep(300), 'A\\\\nB'}) do redis.call('HSET', app .. id, "
        "'state', "
        "i == 2 and 'dead' or 'pending', 'token', 't', 'event', 'e', 'accepted', 1) end \" "
        "1 'seek-signal:{0}:app:'";
    (void)must_accept_one(&move_from, "A-1", "token-1", event);
    (void)must_accept_one(&move_from, "A-2", "token-2", event);
    (void)must_accept_one(&move_from, "A-3", "token-3", event);
    (void)redis_server_cli(move_from_server, "%s", make);
    int64_t left = 0;
    size_t met = 1;
    for (unsigned walks = 0; met > 0; walks++) {
        const char *place = "", *done = "";
        assert_true(walks < 4);
        left = 0;
        met = 0;
        do {
            met += move_ask(done, place);
            left += move_shown.result.left;
            assert_int_equal(move_shown.result.later, 0);
            if (move_shown.result.count > 0)
                move_give();
            done = move_shown.result.batch;
            place = move_shown.result.place;
        } while (place[0] != '\0' || done[0] != '\0');
    }
    assert_int_equal(left, 5);
    assert_string_equal(redis_server_cli(move_to_server, "ZRANGE 'seek-signal:{0}:due' 0 -1"),
                        "A-3");
}

static void moves_nothing_that_was_forgotten(void **state)
{
    (void)state;
    (void)must_accept_one(&move_from, "A-1", "token", event);
    assert_int_equal(move_ask("", ""), 1);
    must_forget(&move_from, "A-1");
    assert_int_equal(move_ask("", ""), 0); /* the mover was killed before it gave it */
    move_all();
    assert_null(must_get(&move_to, "A-1"));
    assert_string_equal(redis_server_cli(move_from_server, "EXISTS 'seek-signal:{0}:app:A-1'"),
                        "0");
    must_count(&move_from, 0, 0);
}

static void waits_for_an_attempt_and_fences_one_that_is_late(void **state)
{
    (void)state;
    (void)must_accept_one(&move_from, "A-1", "token", event);
    struct claim claim = must_claim_one(&move_from);
    assert_int_equal(move_ask("", ""), 0);
    assert_int_equal(move_shown.result.out, 1);
    uint64_t generation = claim.generation;
    (void)redis_server_cli(move_from_server,
                           "ZADD 'seek-signal:{0}:due' 1 A-1"); /* its lease is over */
    assert_int_equal(move_ask("", ""), 1);
    static const struct verdict failed = {.class = VERDICT_TRANSIENT, .code = "TIMEOUT"};
    assert_int_equal(must_settle(&move_from, "A-1", generation, SETTLE_RETRY, 0, &failed),
                     SETTLE_FENCED);
    move_give();
    (void)must_accept_one(&move_from, "A-1", "newer", later);
    (void)redis_server_cli(move_from_server, "DEL 'seek-signal:{0}:paused'"); /* somebody resumes */
    assert_int_equal(must_claim(&move_from, 1), 0);
    assert_int_equal(must_claim_one(&move_to).attempt, 2);
    assert_int_equal(move_ask(move_shown.result.batch, ""), 1);
    assert_int_equal(move_shown.result.deleted, 0);
}

static void lets_go_what_was_replayed_meanwhile(void **state)
{
    (void)state;
    static const struct verdict refused = {
        .class = VERDICT_REFUSED, .code = "FORBIDDEN", .message = "no"};
    (void)must_accept_one(&move_from, "A-1", "token", event);
    (void)must_settle(&move_from, "A-1", must_claim_one(&move_from).generation, SETTLE_DEAD, 0,
                      &refused);
    while (move_ask("", move_shown.result.place) == 0)
        ;
    move_give();
    assert_int_equal(must_replay(&move_from, "A-1"), REPLAY_SCHEDULED);
    assert_int_equal(move_ask(move_shown.result.batch, ""), 1);
    assert_int_equal(move_shown.result.deleted, 0);
    move_give();
    assert_int_equal(must_get(&move_to, "A-1")->state, DELIVERY_PENDING);
    must_count(&move_to, 1, 0);
}

/* Whoever tells of deaths at the target begins anew, and passes over this one. */
static void moves_what_the_receiver_of_notifications_was_told(void **state)
{
    (void)state;
    static const struct verdict refused = {
        .class = VERDICT_REFUSED, .code = "FORBIDDEN", .message = "no"};
    (void)must_accept_one(&move_from, "A-1", "token", event);
    (void)must_settle(&move_from, "A-1", must_claim_one(&move_from).generation, SETTLE_DEAD, 0,
                      &refused);
    (void)redis_server_cli(move_from_server, "HSET 'seek-signal:{0}:app:A-1' told 1234");
    (void)redis_server_cli(move_from_server,
                           "HSET 'seek-signal:{0}:notify' since 1000 time 9 id Z");
    (void)redis_server_cli(move_to_server, "HSET 'seek-signal:{0}:notify' since 2000 time 9 id Z");
    move_all();
    assert_string_equal(redis_server_cli(move_to_server, "HGET 'seek-signal:{0}:app:A-1' told"),
                        "1234");
    assert_string_equal(redis_server_cli(move_to_server, "HGETALL 'seek-signal:{0}:notify'"),
                        "since\n1000");
}

static void moves_on_where_that_was_written_over(void **state)
{
    (void)state;
    (void)must_accept_one(&move_from, "A-1", "token", event);
    (void)redis_server_cli(move_from_server, "HSET 'seek-signal:{0}:notify' since nonsense");
    move_all();
    assert_int_equal(must_get(&move_to, "A-1")->state, DELIVERY_PENDING);
    assert_string_equal(redis_server_cli(move_to_server, "EXISTS 'seek-signal:{0}:notify'"), "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("claims nothing that is held", claims_nothing_that_is_held, move_start, move_stop),
        IT_WITH("shows a batch again until it is taken", shows_a_batch_again_until_it_is_taken,
                move_start, move_stop),
        IT_WITH("loses nothing when the target knows a later batch",
                loses_nothing_when_the_target_knows_a_later_batch, move_start, move_stop),
        IT_WITH("tells a batch from another one of its number",
                tells_a_batch_from_another_one_of_its_number, move_start, move_stop),
        IT_WITH("keeps what the target has no place for", keeps_what_the_target_has_no_place_for,
                move_start, move_stop),
        IT_WITH("gives up a move", gives_up_a_move, move_start, move_stop),
        IT_WITH("keeps the pause of before when it is given up",
                keeps_the_pause_of_before_when_it_is_given_up, move_start, move_stop),
        IT_WITH("leaves what is none of ours", leaves_what_is_none_of_ours, move_start, move_stop),
        IT_WITH("moves nothing that was forgotten", moves_nothing_that_was_forgotten, move_start,
                move_stop),
        IT_WITH("waits for an attempt, and fences one that is late",
                waits_for_an_attempt_and_fences_one_that_is_late, move_start, move_stop),
        IT_WITH("lets go what was replayed meanwhile", lets_go_what_was_replayed_meanwhile,
                move_start, move_stop),
        IT_WITH("moves what the receiver of notifications was told",
                moves_what_the_receiver_of_notifications_was_told, move_start, move_stop),
        IT_WITH("moves on where that was written over", moves_on_where_that_was_written_over,
                move_start, move_stop),
    };
    return cmocka_run_group_tests_name("move", tests, move_begin, move_finish);
}
