/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* The spool with a real disk, and a real Redis that goes away and comes back. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "service/spool/spool.h"

#include "tests/support/specification.h"
#include "tests/support/spool_stand.h"

/* --- what it is for --- */

static void brings_to_redis_what_it_was_given(void **state)
{
    (void)state;
    begin();
    must_write("A", "one");
    must_write("B", "two");
    EVENTUALLY(is_drained());
    must_be("A", "pending", "one");
    must_be("B", "pending", "two");
    assert_int_equal(drained("result=\"applied\""), 2);
    assert_int_equal(spool_stand_files("journal-", false), 0);
    assert_true(atomic_load(&due_calls) > 0);
    assert_int_equal(status().oldest_age_ms, -1);
}

static void holds_it_until_redis_is_back(void **state)
{
    (void)state;
    redis_server_kill(server);
    begin();
    must_write("A", "older");
    must_write("A", "newer");
    assert_true(spool_is_holding(spool)); /* as soon as anybody is told */
    struct spool_status now = status();
    assert_true(now.is_able && now.records == 2 && now.bytes > 0 && now.oldest_age_ms >= 0);
    redis_server_restart(server);
    EVENTUALLY(is_drained());
    must_be("A", "pending", "newer");
    assert_int_equal(drained("result=\"applied\""), 2);
}

static void holds_it_through_lives_without_redis(void **state)
{
    (void)state;
    redis_server_kill(server);
    for (int life = 0; life < 3; life++) {
        char id[16];
        begin();
        assert_int_equal(status().records, life);
        assert_int_equal(spool_is_holding(spool), life > 0);
        (void)snprintf(id, sizeof id, "A-%d", life);
        must_write(id, "token");
        end();
    }
    redis_server_restart(server);
    begin();
    EVENTUALLY(is_drained());
    for (int life = 0; life < 3; life++) {
        char id[16];
        (void)snprintf(id, sizeof id, "A-%d", life);
        must_be(id, "pending", "token");
    }
}

static void writes_what_was_submitted_before_it_ends(void **state)
{
    (void)state;
    redis_server_kill(server);
    begin();
    struct spool_order order, late;
    open_order(&order, loop);
    open_order(&late, loop);
    for (int i = 0; i < 1000; i++)
        add_event(&order, "A", "token");
    assert_true(spool_submit(spool, &order));
    spool_stop(spool);
    assert_true(spool_is_done(spool, &order) && order.is_written);
    assert_false(spool_submit(spool, &late));
    buffer_fini(&order.records);
    end();
    begin();
    assert_int_equal(status().records, 1000);
    redis_server_restart(server);
    EVENTUALLY(is_drained());
}

/* --- what comes twice --- */

/* A crash between the last call and the end of the segment. */
static void changes_nothing_the_second_time(void **state)
{
    (void)state;
    static const char name[] = "journal-0000000000000000.log";
    char bytes[4096];
    redis_server_kill(server);
    begin();
    must_write("A", "older");
    must_write("A", "newer");
    must_write("B", "only");
    end();
    size_t length = read_file(name, bytes, sizeof bytes);
    redis_server_restart(server);
    begin();
    EVENTUALLY(is_drained());
    end();
    (void)redis_server_cli(server, "HSET 'seek-signal:{0}:app:A' state delivered");
    (void)redis_server_cli(server, "ZREM 'seek-signal:{0}:due' A");
    write_file(name, bytes, length);
    begin();
    EVENTUALLY(is_drained());
    must_be("A", "delivered", "newer");
    must_be("B", "pending", "only");
    assert_int_equal(drained("result=\"superseded\""), 0);
    assert_int_equal(drained("result=\"duplicate\""), 3);
    assert_int_equal(drained("result=\"applied\""), 0);
}

/* --- many at once --- */

enum { THREADS = 4, ORDERS = 50, STAMPS = 1000 };

static void *write_orders(void *context)
{
    const char *id = context;
    struct error error;
    struct event_loop *own = event_loop_create(&error);
    struct spool_order order;
    open_order(&order, own);
    for (int i = 0; i < ORDERS; i++) {
        char seek_token[16];
        (void)snprintf(seek_token, sizeof seek_token, "t-%d", i);
        buffer_clear(&order.records);
        order.count = 0;
        add_event(&order, id, seek_token);
        assert_true(spool_submit(spool, &order));
        while (!spool_is_done(spool, &order))
            event_loop_poll(own, 1000);
        assert_true(order.is_written);
    }
    buffer_fini(&order.records);
    event_loop_destroy(own);
    return NULL;
}

static void serves_many_threads(void **state)
{
    (void)state;
    static char ids[THREADS][16];
    pthread_t threads[THREADS];
    begin();
    for (int i = 0; i < THREADS; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "A-%d", i);
        assert_int_equal(pthread_create(&threads[i], NULL, write_orders, ids[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    EVENTUALLY(is_drained());
    for (int i = 0; i < THREADS; i++)
        must_be(ids[i], "pending", "t-49");
    assert_int_equal(counted("seek_signal_spool_written_total", NULL), THREADS * ORDERS);
}

static void *take_stamps(void *context)
{
    int64_t *stamps = context;
    for (int i = 0; i < STAMPS; i++)
        stamps[i] = spool_stamp(spool);
    return NULL;
}

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static void gives_each_stamp_once_and_rising(void **state)
{
    (void)state;
    static int64_t stamps[THREADS][STAMPS];
    pthread_t threads[THREADS];
    begin();
    int64_t before_us = clock_wall_us();
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_stamps, stamps[i]), 0);
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++)
        for (int j = 1; j < STAMPS; j++)
            assert_true(stamps[i][j] > stamps[i][j - 1]);
    qsort(stamps, THREADS * STAMPS, sizeof(int64_t), compare);
    for (int i = 1; i < THREADS * STAMPS; i++)
        assert_true((&stamps[0][0])[i] > (&stamps[0][0])[i - 1]);
    assert_true(stamps[0][0] >= before_us);
}

/* The clock was set back between two lives. */
static void goes_on_behind_the_stamps_of_an_earlier_life(void **state)
{
    (void)state;
    struct spool_order order;
    int64_t future_us = clock_wall_us() + 3600000000;
    const struct drain_record record = {.kind = DRAIN_EVENT,
                                        .application_id = "A",
                                        .seek_token = "token",
                                        .event_id = "event",
                                        .stamp_us = future_us};
    redis_server_kill(server);
    begin();
    open_order(&order, loop);
    assert_true(spool_record_write(&order.records, &record, NULL));
    order.count = 1;
    assert_true(spool_submit(spool, &order));
    EVENTUALLY(spool_is_done(spool, &order));
    buffer_fini(&order.records);
    end();
    begin();
    assert_true(spool_stamp(spool) == future_us + 1);
    redis_server_restart(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("brings to Redis what it was given", brings_to_redis_what_it_was_given,
                spool_stand_make, spool_stand_clear),
        IT_WITH("holds it until Redis is back", holds_it_until_redis_is_back, spool_stand_make,
                spool_stand_clear),
        IT_WITH("holds it through lives without Redis", holds_it_through_lives_without_redis,
                spool_stand_make, spool_stand_clear),
        IT_WITH("writes what was submitted before it ends",
                writes_what_was_submitted_before_it_ends, spool_stand_make, spool_stand_clear),
        IT_WITH("changes nothing the second time", changes_nothing_the_second_time,
                spool_stand_make, spool_stand_clear),
        IT_WITH("serves many threads", serves_many_threads, spool_stand_make, spool_stand_clear),
        IT_WITH("gives each stamp once, and rising", gives_each_stamp_once_and_rising,
                spool_stand_make, spool_stand_clear),
        IT_WITH("goes on behind the stamps of an earlier life",
                goes_on_behind_the_stamps_of_an_earlier_life, spool_stand_make, spool_stand_clear),
    };
    return cmocka_run_group_tests_name("spool", tests, spool_stand_start, spool_stand_stop);
}
