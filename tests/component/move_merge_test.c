/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* The target of a move: of two applications, the newest wins. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"

#include "tests/support/move_driver.h"
#include "tests/support/specification.h"

static const char event[] = "0b9cf2d3-9e0b-4e4f-8a00-000000000000";
static const char *const later = "0b9cf2d3-9e0b-4e4f-8a00-000100000000";

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
    struct driver *driver = step[0] == 'S' ? &move_from : &move_to;
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
        (void)redis_server_cli(move_from_server, "FLUSHDB");
        (void)redis_server_cli(move_to_server, "FLUSHDB");
        (void)redis_server_cli(move_from_server,
                               "MSET 'seek-signal:{0}:layout' 2 'seek-signal:{0}:shards' 1");
        for (size_t j = 0; j < 6 && rows[i].steps[j] != NULL; j++)
            do_step(rows[i].steps[j]);
        move_all();
        const struct application *application = must_get(&move_to, "A-1");
        if (application == NULL || strcmp(move_token_at_target(), rows[i].token) != 0 ||
            application->state != rows[i].expected)
            fail_msg("row %zu: %s, state %d", i, move_token_at_target(),
                     application != NULL ? (int)application->state : -1);
        bool is_owed = rows[i].expected == DELIVERY_PENDING;
        must_count(&move_to, is_owed, rows[i].expected == DELIVERY_DEAD);
        must_count(&move_from, 0, 0);
        assert_null(must_get(&move_from, "A-1"));
        assert_int_equal(must_claim(&move_to, 2), is_owed);
        /* A life of its own has what owes nothing. */
        bool has_life = strtol(redis_server_cli(move_to_server, "PTTL 'seek-signal:{0}:app:A-1'"),
                               NULL, 10) > 0;
        bool is_kept = rows[i].expected == DELIVERY_DRAFT || rows[i].expected == DELIVERY_DELIVERED;
        assert_int_equal(has_life, is_kept);
    }
}

static void waits_behind_the_attempt_that_is_out_at_the_target(void **state)
{
    (void)state;
    do_step("Te1");
    struct claim claim = must_claim_one(&move_to);
    uint64_t generation = claim.generation;
    do_step("Se2");
    move_all();
    assert_string_equal(move_token_at_target(), "t2");
    assert_int_equal(must_claim(&move_to, 1), 0);
    static const struct verdict delivered = {.class = VERDICT_DELIVERED, .http_status = 200};
    (void)must_settle(&move_to, "A-1", generation, SETTLE_DELIVERED, 0, &delivered);
    assert_string_equal(must_claim_one(&move_to).seek_token, "t2");
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
    (void)must_accept_one(&move_from, "A-1", "token", event);
    assert_int_equal(move_ask("", ""), 1);
    (void)redis_server_cli(move_to_server, "CONFIG SET maxmemory 1");
    const struct move_in_batch batch = {.proposal = move_to_id,
                                        .source = move_shown.result.name,
                                        .batch = move_shown.result.batch,
                                        .count = move_shown.result.count,
                                        .items = move_shown.items};
    assert_true(store_move_in(move_to.store, &batch, on_refused, &status, &error));
    driver_settle_down(&move_to);
    (void)redis_server_cli(move_to_server, "CONFIG SET maxmemory 0");
    assert_int_equal(status, STORE_REFUSED);
    assert_string_equal(
        redis_server_cli(
            move_to_server,
            "EXISTS 'seek-signal:{0}:app:A-1' 'seek-signal:{0}:due' 'seek-signal:{0}:move'"),
        "0");
}
int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("lets the newest win", lets_the_newest_win, move_start, move_stop),
        IT_WITH("waits behind the attempt that is out at the target",
                waits_behind_the_attempt_that_is_out_at_the_target, move_start, move_stop),
        IT_WITH("takes nothing where there is no memory", takes_nothing_where_there_is_no_memory,
                move_start, move_stop),
    };
    return cmocka_run_group_tests_name("move_merge", tests, move_begin, move_finish);
}
