/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* The spool while some shards of many are away, for long and with much. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/journal.h"

#include "service/store/shard.h"

#include "tests/support/captured_log.h"
#include "tests/support/failing_open.h"
#include "tests/support/specification.h"
#include "tests/support/spool_stand.h"

enum {
    SHARDS = 5,
    THERE = 0,
    AWAY = 1,
    OTHER = 2,
    TOKEN_BYTES = 4000,
    IN_ORDER = 250,
    HOUR_MS = 3600000
};
enum { ROOM_BYTES = 64 * 1024 * 1024 };

/* --- what the spool's thread meets, and does --- */

static _Atomic bool is_away[SHARDS];
static _Atomic bool is_lost_at_drain;    /* all shards are away from the next call on */
static _Atomic bool is_refused;          /* each call fails, and no shard is away */
static _Atomic bool is_gone_after_drain; /* THERE is away once the next call is on its way */
static _Atomic uint64_t unreadable;      /* number of a segment */
static _Atomic unsigned reads, reads_of_turn, reads_of_turn_max;

bool __real_store_takes_events_for(const struct store *store, unsigned shard,
                                   struct durability *out);
bool __wrap_store_takes_events_for(const struct store *store, unsigned shard,
                                   struct durability *out);
bool __wrap_store_takes_events_for(const struct store *store, unsigned shard,
                                   struct durability *out)
{
    return __real_store_takes_events_for(store, shard, out) && !atomic_load(&is_away[shard]);
}

bool __real_store_drain(struct store *store, const struct drain_record *records, size_t count,
                        store_drain_done done, void *context, struct error *error);
bool __wrap_store_drain(struct store *store, const struct drain_record *records, size_t count,
                        store_drain_done done, void *context, struct error *error);
/* NOLINTNEXTLINE(readability-function-size) */
bool __wrap_store_drain(struct store *store, const struct drain_record *records, size_t count,
                        store_drain_done done, void *context, struct error *error)
{
    static const struct store_failure lost = {.status = STORE_UNAVAILABLE, .detail = "lost"};
    if (atomic_exchange(&is_gone_after_drain, false))
        atomic_store(&is_away[THERE], true);
    if (atomic_load(&is_refused)) {
        done(context, &lost, NULL, 0);
        return true;
    }
    if (!atomic_exchange(&is_lost_at_drain, false))
        return __real_store_drain(store, records, count, done, context, error);
    for (unsigned i = 0; i < SHARDS; i++)
        atomic_store(&is_away[i], true);
    done(context, &lost, NULL, 0);
    return true;
}

bool __real_journal_read(struct journal *journal, uint64_t number, struct buffer *out,
                         struct error *error);
bool __wrap_journal_read(struct journal *journal, uint64_t number, struct buffer *out,
                         struct error *error);
bool __wrap_journal_read(struct journal *journal, uint64_t number, struct buffer *out,
                         struct error *error)
{
    unsigned of_turn = atomic_fetch_add(&reads_of_turn, 1) + 1;
    atomic_fetch_add(&reads, 1);
    if (number == atomic_load(&unreadable))
        return error_set(error, ERROR_IO, "unreadable");
    if (of_turn > atomic_load(&reads_of_turn_max))
        atomic_store(&reads_of_turn_max, of_turn);
    return __real_journal_read(journal, number, out, error);
}

bool __real_event_loop_poll(struct event_loop *self, int64_t timeout_ms);
bool __wrap_event_loop_poll(struct event_loop *self, int64_t timeout_ms);
bool __wrap_event_loop_poll(struct event_loop *self, int64_t timeout_ms)
{
    if (self != loop)
        atomic_store(&reads_of_turn, 0);
    return __real_event_loop_poll(self, timeout_ms);
}

static int make(void **state)
{
    spool_shards = SHARDS;
    for (unsigned i = 0; i < SHARDS; i++)
        atomic_store(&is_away[i], false);
    atomic_store(&is_lost_at_drain, false);
    atomic_store(&is_gone_after_drain, false);
    atomic_store(&is_refused, false);
    atomic_store(&unreadable, JOURNAL_NONE);
    atomic_store(&failing_open_code, FAILING_OPEN_FINE);
    return spool_stand_make(state);
}

static void begin_while_all_are_away(void)
{
    for (unsigned i = 0; i < SHARDS; i++)
        atomic_store(&is_away[i], true);
    begin_with(ROOM_BYTES);
    atomic_store(&reads, 0);
    atomic_store(&reads_of_turn_max, 0);
}

static void come_back(unsigned shard)
{
    atomic_store(&is_away[shard], false);
}

/* --- what is written --- */

/* The n-th id of a shard, more or less: in a buffer that the next call overwrites. */
static const char *id_in(unsigned shard, unsigned n)
{
    static char id[32];
    for (unsigned i = 0;; i++) {
        (void)snprintf(id, sizeof id, "A-%u-%u", n, i);
        if (shard_of(id, SHARDS) == shard)
            return id;
    }
}

static void must_submit(struct spool_order *order)
{
    assert_true(spool_submit(spool, order));
    EVENTUALLY(spool_is_done(spool, order));
    assert_true(order->is_written);
    buffer_fini(&order->records);
}

/* About as much as a segment takes. */
static void must_write_much(unsigned shard, const char *letter)
{
    char seek_token[TOKEN_BYTES + 1];
    memset(seek_token, letter[0], TOKEN_BYTES);
    seek_token[TOKEN_BYTES] = '\0';
    struct spool_order order;
    open_order(&order, loop);
    for (unsigned i = 0; i < IN_ORDER; i++)
        add_event(&order, id_in(shard, i), seek_token);
    must_submit(&order);
}

static void must_write_hour_old(const char *id)
{
    struct spool_order order;
    const struct drain_record record = {.kind = DRAIN_EVENT,
                                        .application_id = id,
                                        .seek_token = "token",
                                        .event_id = "event",
                                        .stamp_us = clock_wall_us() - INT64_C(1000) * HOUR_MS};
    open_order(&order, loop);
    assert_true(spool_record_write(&order.records, &record, NULL));
    order.count = 1;
    must_submit(&order);
}

static bool has_token(unsigned shard, const char *id, const char *seek_token)
{
    return strncmp(redis_server_cli(server, "HGET 'seek-signal:{%u}:app:%s' token", shard, id),
                   seek_token, strlen(seek_token)) == 0;
}

/* --- specification --- */

/* Orders and the heartbeat have their turn in between. */
static void reads_one_segment_in_a_turn(void **state)
{
    (void)state;
    begin_while_all_are_away();
    for (unsigned i = 0; i < 8; i++)
        must_write_much(AWAY, "b");
    must_write(id_in(THERE, 0), "token");
    come_back(THERE);
    EVENTUALLY(has_token(THERE, id_in(THERE, 0), "token"));
    assert_in_range(atomic_load(&reads), 8, UINT32_MAX);
    assert_int_equal(atomic_load(&reads_of_turn_max), 1);
    EVENTUALLY(status().records == 8 * IN_ORDER);
    come_back(AWAY);
    EVENTUALLY(is_drained());
    assert_int_equal(atomic_load(&reads_of_turn_max), 1);
    assert_int_equal(spool_stand_files("journal-", false), 0);
}

static void reads_nothing_on_when_all_are_gone_again(void **state)
{
    (void)state;
    begin_while_all_are_away();
    for (unsigned i = 0; i < 8; i++)
        must_write_much(THERE, i < 7 ? "a" : "z");
    atomic_store(&is_lost_at_drain, true);
    come_back(THERE);
    EVENTUALLY(!atomic_load(&is_lost_at_drain));
    must_write(id_in(THERE, 0), "zz"); /* a turn later */
    must_write(id_in(THERE, 0), "zzz");
    assert_int_equal(atomic_load(&reads), 1);
    come_back(THERE);
    EVENTUALLY(is_drained());
    assert_true(has_token(THERE, id_in(THERE, 0), "zzz"));
    assert_true(has_token(THERE, id_in(THERE, 1), "zzzz"));
}

static void tells_the_age_of_what_waits_for_the_shard_that_is_away(void **state)
{
    (void)state;
    begin_while_all_are_away();
    must_write_hour_old(id_in(AWAY, 0));
    come_back(THERE);
    for (unsigned i = 1; i <= 3; i++) {
        must_write(id_in(THERE, i), "token");
        EVENTUALLY(has_token(THERE, id_in(THERE, i), "token"));
        EVENTUALLY(status().records == 1);
        assert_true(status().oldest_age_ms >= HOUR_MS);
    }
    come_back(AWAY);
    EVENTUALLY(is_drained());
    assert_int_equal(status().oldest_age_ms, -1);
}

/* In a segment that is read three times, since another shard is away all the time. */
static void counts_once_what_goes_in_parts(void **state)
{
    (void)state;
    enum { MANY = SPOOL_CALL_RECORDS_MAX + 100 };
    char seek_token[1501];
    memset(seek_token, 't', sizeof seek_token - 1);
    seek_token[sizeof seek_token - 1] = '\0';
    struct spool_order order;
    begin_while_all_are_away();
    open_order(&order, loop);
    add_event(&order, id_in(AWAY, 0), "token");
    for (unsigned i = 0; i < MANY; i++)
        add_event(&order, id_in(THERE, i), seek_token);
    must_submit(&order);
    must_write_much(THERE, "b");
    assert_int_equal(spool_stand_files("journal-", false), 2);
    atomic_store(&is_gone_after_drain, true);
    come_back(THERE);
    EVENTUALLY(status().records == 1 + MANY - SPOOL_CALL_RECORDS_MAX + IN_ORDER);
    assert_true(atomic_load(&is_away[THERE]));
    assert_true(spool_is_holding_for(spool, id_in(THERE, 0)));
    come_back(THERE);
    EVENTUALLY(status().records == 1);
    assert_true(has_token(THERE, id_in(THERE, 0), "bbb"));
    assert_true(has_token(THERE, id_in(THERE, MANY - 1), "ttt"));
    assert_int_equal(drained("result=\"applied\""), MANY + IN_ORDER);
    assert_int_equal(drained("result=\"duplicate\""), 0);
    assert_int_equal(drained("result=\"superseded\""), 0);
    assert_false(spool_is_holding_for(spool, id_in(THERE, 0)));
    assert_true(spool_is_holding_for(spool, id_in(AWAY, 0)));
    come_back(AWAY);
    EVENTUALLY(is_drained());
    assert_true(has_token(AWAY, id_in(AWAY, 0), "token"));
}

/* However much waits for another shard. */
static void keeps_nobody_waiting_whose_shard_has_nothing_here(void **state)
{
    (void)state;
    struct spool_order order;
    begin_while_all_are_away();
    open_order(&order, loop);
    for (unsigned i = 0; i < 20000; i++)
        add_event(&order, id_in(AWAY, i), "token");
    must_submit(&order);
    for (unsigned i = 0; i < 100; i++) {
        assert_true(spool_is_holding_for(spool, id_in(AWAY, i)));
        assert_false(spool_is_holding_for(spool, id_in(THERE, i)));
    }
    assert_true(spool_is_holding_for(spool, NULL));
    come_back(AWAY);
    EVENTUALLY(is_drained());
}

static void drains_what_is_in_front_of_the_unreadable(void **state)
{
    (void)state;
    begin_while_all_are_away();
    must_write_much(AWAY, "a");
    must_write_much(THERE, "b");
    must_write(id_in(THERE, 0), "newer");
    atomic_store(&unreadable, 1);
    come_back(THERE);
    EVENTUALLY(counted("seek_signal_spool_unreadable", NULL) == 1);
    come_back(AWAY);
    EVENTUALLY(status().records == IN_ORDER + 1);
    assert_true(has_token(AWAY, id_in(AWAY, 0), "aaa"));
    assert_int_equal(drained("result=\"applied\""), IN_ORDER);
    atomic_store(&unreadable, JOURNAL_NONE);
    EVENTUALLY(is_drained());
    assert_true(has_token(THERE, id_in(THERE, 0), "newer"));
    assert_int_equal(drained("result=\"applied\""), 2 * IN_ORDER + 1);
}

/* However often what is in front of it is read in the meantime. */
static void tells_once_of_the_unreadable(void **state)
{
    (void)state;
    begin_while_all_are_away();
    must_write_much(THERE, "a");
    must_write_much(OTHER, "b");
    struct captured_log *captured = captured_log_start();
    atomic_store(&unreadable, 1);
    atomic_store(&is_refused, true);
    come_back(THERE);
    come_back(OTHER);
    EVENTUALLY(atomic_load(&reads) >= 8);
    assert_int_equal(captured_log_count(captured, "\"spool_unreadable\""), 1);
    assert_int_equal(captured_log_count(captured, "\"spool_reads_again\""), 0);
    atomic_store(&is_refused, false);
    atomic_store(&unreadable, JOURNAL_NONE);
    EVENTUALLY(is_drained());
    captured_log_stop(captured);
    assert_int_equal(captured_log_count(captured, "\"spool_reads_again\""), 1);
    captured_log_destroy(captured);
}

/* Nobody knew that there was something for a shard that is there. */
static void looks_into_what_it_could_not_read_at_the_start(void **state)
{
    (void)state;
    begin_while_all_are_away();
    must_write(id_in(THERE, 0), "token");
    end();
    atomic_store(&failing_open_code, EMFILE);
    begin_while_all_are_away();
    must_write(id_in(AWAY, 0), "token");
    come_back(THERE);
    EVENTUALLY(counted("seek_signal_spool_unreadable", NULL) == 1);
    atomic_store(&failing_open_code, FAILING_OPEN_FINE);
    EVENTUALLY(has_token(THERE, id_in(THERE, 0), "token"));
    EVENTUALLY(status().records == 1);
    come_back(AWAY);
    EVENTUALLY(is_drained());
}

/* What it held is lost, which is logged; it is not waited for any more. */
static void is_empty_when_nothing_is_left_that_can_be_read(void **state)
{
    (void)state;
    begin_while_all_are_away();
    must_write(id_in(THERE, 0), "token");
    must_write(id_in(AWAY, 0), "token");
    come_back(THERE);
    EVENTUALLY(status().records == 1);
    assert_in_range(spool_stand_files("journal-", true), 1, 2);
    come_back(AWAY);
    EVENTUALLY(is_drained());
    assert_int_equal(status().oldest_age_ms, -1);
    assert_false(spool_is_holding_for(spool, id_in(AWAY, 0)));
    must_write(id_in(AWAY, 0), "later");
    EVENTUALLY(is_drained());
    assert_true(has_token(AWAY, id_in(AWAY, 0), "later"));
}

#define HERE(sentence, function) IT_WITH(sentence, function, make, spool_stand_clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HERE("reads one segment in a turn", reads_one_segment_in_a_turn),
        HERE("reads nothing on when all shards are gone again",
             reads_nothing_on_when_all_are_gone_again),
        HERE("tells the age of what waits for the shard that is away",
             tells_the_age_of_what_waits_for_the_shard_that_is_away),
        HERE("counts once what goes in parts", counts_once_what_goes_in_parts),
        HERE("keeps nobody waiting whose shard has nothing here",
             keeps_nobody_waiting_whose_shard_has_nothing_here),
        HERE("drains what is in front of the unreadable",
             drains_what_is_in_front_of_the_unreadable),
        HERE("tells once of the unreadable", tells_once_of_the_unreadable),
        HERE("looks into what it could not read at the start",
             looks_into_what_it_could_not_read_at_the_start),
        HERE("is empty when nothing is left that can be read",
             is_empty_when_nothing_is_left_that_can_be_read),
    };
    cmocka_set_test_filter(getenv("TEST_FILTER"));
    return cmocka_run_group_tests_name("spool_shards", tests, spool_stand_start, spool_stand_stop);
}
