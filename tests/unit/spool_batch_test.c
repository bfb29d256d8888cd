/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What Redis does not take goes to the spool. Both are replaced at link time: the test says when
 * Redis is there, what it answers, and when an order is written.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/journal_frame.h"

#include "service/inbound/inbound_metrics.h"
#include "service/inbound/service_view.h"
#include "service/inbound/spool_batch.h"

#include "tests/support/failing_malloc.h"
#include "tests/support/specification.h"

/* ---- Redis ---- */

static struct {
    bool is_ready;
    unsigned calls;
    size_t count;
    store_accept_done done;
    void *context;
} redis;

bool __wrap_store_accept(struct store *store, const struct accept_item *items, size_t count,
                         size_t places, store_accept_done done, void *context, struct error *error);
void __wrap_store_health(const struct store *store, struct store_health *out);

bool __wrap_store_accept(struct store *store, const struct accept_item *items, size_t count,
                         size_t places, store_accept_done done, void *context, struct error *error)
{
    (void)store;
    (void)items;
    assert_int_equal(places, 0);
    if (!redis.is_ready)
        return error_set(error, ERROR_IO, "Redis is away");
    redis.calls++;
    redis.count = count;
    redis.done = done;
    redis.context = context;
    return true;
}

unsigned __wrap_store_shard_count(const struct store *store);
unsigned __wrap_store_shard_count(const struct store *store)
{
    (void)store;
    return 1;
}

void __wrap_store_health(const struct store *store, struct store_health *out)
{
    (void)store;
    *out = (struct store_health){.is_ready = redis.is_ready};
}

static void redis_answers(enum store_status status)
{
    static const struct accept_result results[10] = {{.event_id = "of Redis"}};
    const struct store_failure failure = {.status = status, .detail = "in Redis's words"};
    bool is_done = status == STORE_OK;
    redis.done(redis.context, &failure, is_done ? results : NULL, is_done ? redis.count : 0);
}

/* ---- the spool ---- */

static struct {
    struct spool_order *order; /* the one that is out */
    unsigned orders;
    bool is_done, is_stopped, is_holding;
    int64_t stamp_us;
} spool;
static struct spool *const the_spool = (struct spool *)&spool;

bool __wrap_spool_submit(struct spool *spool_, struct spool_order *order);
bool __wrap_spool_is_done(struct spool *spool_, const struct spool_order *order);
int64_t __wrap_spool_stamp(struct spool *spool_);
uint32_t __wrap_spool_life(const struct spool *spool_);
bool __wrap_spool_is_holding_for(const struct spool *spool_, const char *application_id);

bool __wrap_spool_submit(struct spool *spool_, struct spool_order *order)
{
    assert_ptr_equal(spool_, the_spool);
    assert_true(spool.order == NULL || spool.is_done); /* one at a time */
    if (spool.is_stopped)
        return false;
    spool.order = order;
    spool.is_done = false;
    spool.orders++;
    return true;
}

bool __wrap_spool_is_done(struct spool *spool_, const struct spool_order *order)
{
    assert_ptr_equal(spool_, the_spool);
    assert_ptr_equal(order, spool.order);
    return spool.is_done;
}

int64_t __wrap_spool_stamp(struct spool *spool_)
{
    (void)spool_;
    return ++spool.stamp_us;
}

uint32_t __wrap_spool_life(const struct spool *spool_)
{
    assert_ptr_equal(spool_, the_spool);
    return 1;
}

bool __wrap_spool_is_holding_for(const struct spool *spool_, const char *application_id)
{
    assert_ptr_equal(spool_, the_spool);
    assert_non_null(application_id);
    return spool.is_holding;
}

static void spool_answers(bool is_written)
{
    spool.order->is_written = is_written;
    if (!is_written)
        (void)error_set(&spool.order->error, ERROR_FULL, "it is full");
    spool.is_done = true;
}

/* Stamps and times of completion of the order, "1@5 2@5". */
static const char *ordered(void)
{
    static char text[256];
    struct journal_piece piece;
    struct drain_record record;
    size_t offset = 0, at = 0;
    text[0] = '\0';
    while (journal_frame_next(spool.order->records.bytes, spool.order->records.length, &offset,
                              &piece) == JOURNAL_RECORD) {
        assert_true(spool_record_read(piece.payload, piece.length, &record));
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%d@%d", at > 0 ? " " : "",
                               (int)record.stamp_us, (int)record.completed_at_ms);
    }
    return text;
}

/* ---- those who wait ---- */

static struct {
    size_t spooled, stored, failed;
    char detail[160];
} heard;

static void hear(void *context, size_t index, const struct batch_result *result)
{
    (void)context;
    (void)index;
    if (result->failure->status != STORE_OK) {
        heard.failed++;
        (void)snprintf(heard.detail, sizeof heard.detail, "%s", result->failure->detail);
    } else if (result->durability.level == DURABILITY_SPOOL) {
        heard.spooled++;
        assert_int_equal(result->result->outcome, ACCEPT_ACCEPTED);
        assert_int_equal(result->result->state, DELIVERY_PENDING);
        assert_null(result->result->event_id);
    } else {
        heard.stored++;
    }
}

static struct metric metrics[INBOUND_METRIC_COUNT];
static const struct service_view view = {.version = "1"};
static struct batch *batch;
static struct spool_batch *spool_batch;

static int make(void **state)
{
    struct error error;
    (void)state;
    memset(&redis, 0, sizeof redis);
    memset(&spool, 0, sizeof spool);
    memset(&heard, 0, sizeof heard);
    metrics_init(metrics, inbound_rows, INBOUND_METRIC_COUNT);
    batch = batch_create(NULL, &view, metrics, 100, &error);
    spool_batch = spool_batch_create(the_spool, NULL, &error);
    batch_use_spool(batch, spool_batch);
    return batch == NULL || spool_batch == NULL;
}

static int clear(void **state)
{
    (void)state;
    batch_destroy(batch);
    spool_batch_destroy(spool_batch);
    return 0;
}

static void add(const char *seek_token, int64_t completed_at_ms)
{
    const struct accept_item item = {.application_id = "A",
                                     .seek_token = seek_token,
                                     .event_id = "E",
                                     .completed_at_ms = completed_at_ms};
    assert_true(batch_reserve(batch, 1, batch_item_bytes(&item), NULL));
    batch_add(batch, &item, hear, NULL, 0);
}

static void turn(void)
{
    batch_turn(batch);
    spool_batch_turn(spool_batch);
}

/* ---- what is specified ---- */

static void takes_what_comes_while_redis_is_away(void **state)
{
    (void)state;
    add("t", 5);
    add("t", 6);
    turn();
    assert_string_equal(ordered(), "1@5 2@6");
    assert_int_equal(heard.spooled, 0); /* it is not written yet */
    spool_answers(true);
    turn();
    assert_int_equal(heard.spooled, 2);
}

static void takes_the_moment_of_arrival_for_a_time_that_is_missing(void **state)
{
    (void)state;
    spool.stamp_us = 6999;
    add("t", -1);
    turn();
    assert_string_equal(ordered(), "7000@7");
    spool_answers(true);
}

/* Redis took its time: what came meanwhile is newer. */
static void keeps_the_moment_of_arrival(void **state)
{
    (void)state;
    redis.is_ready = true;
    add("t", 5);
    turn();
    spool.stamp_us = 1000;
    redis_answers(STORE_UNAVAILABLE);
    redis.is_ready = false;
    add("t", 6);
    turn();
    assert_string_equal(ordered(), "1@5 1001@6");
    spool_answers(true);
}

static void leaves_alone_what_redis_takes(void **state)
{
    (void)state;
    redis.is_ready = true;
    add("t", 5);
    turn();
    redis_answers(STORE_OK);
    turn();
    assert_int_equal(heard.stored, 1);
    assert_int_equal(spool.orders, 0);
    add("t", 5);
    turn();
    redis_answers(STORE_REFUSED);
    turn();
    assert_int_equal(spool.orders, 1);
    spool_answers(true);
}

static void gathers_while_an_order_is_out_and_lets_the_rest_wait(void **state)
{
    (void)state;
    add("t", 1);
    turn();
    add("t", 2);
    turn();
    assert_true(spool_batch_is_busy(spool_batch));
    add("t", 3);
    turn();
    assert_int_equal(spool.orders, 1);
    spool_answers(true);
    turn(); /* tells the first, submits the second, which frees the way for the third */
    assert_string_equal(ordered(), "2@2");
    spool_answers(true);
    turn();
    assert_string_equal(ordered(), "3@3");
    spool_answers(true);
    turn();
    assert_int_equal(spool.orders, 3);
    assert_int_equal(heard.spooled, 3);
}

static void tells_why_it_was_not_written(void **state)
{
    (void)state;
    add("t", 1);
    turn();
    spool_answers(false);
    turn();
    assert_int_equal(heard.failed, 1);
    assert_non_null(strstr(heard.detail, "it is full"));
}

static void tells_when_the_spool_is_stopped(void **state)
{
    (void)state;
    spool.is_stopped = true;
    add("t", 1);
    turn();
    assert_int_equal(heard.failed, 1);
}

static void tells_everybody_at_the_end(void **state)
{
    (void)state;
    add("t", 1);
    turn();
    add("t", 2);
    turn();
    add("t", 3);
    spool_answers(true);
    (void)clear(NULL);
    assert_int_equal(heard.spooled, 1);
    assert_int_equal(heard.failed, 2);
    batch = NULL;
    spool_batch = NULL;
}

static void does_not_take_what_has_no_seek_token(void **state)
{
    (void)state;
    add(NULL, 1);
    turn();
    assert_int_equal(heard.failed, 1);
    assert_string_equal(heard.detail, "Redis is away");
    assert_int_equal(spool.orders, 0);
}

static void lets_what_has_no_seek_token_wait_for_the_drain(void **state)
{
    (void)state;
    redis.is_ready = true;
    spool.is_holding = true;
    add(NULL, 1);
    turn();
    assert_int_equal(heard.failed, 1);
    assert_non_null(strstr(heard.detail, "the spool may hold"));
    assert_int_equal(redis.calls, 0);
    add(NULL, 1);
    add("t", 1);
    turn();
    assert_int_equal(redis.count, 1);
    redis_answers(STORE_OK);
    spool.is_holding = false;
    add(NULL, 1);
    turn();
    assert_int_equal(redis.calls, 2);
    redis_answers(STORE_OK);
    assert_int_equal(heard.stored, 2);
}

static void tells_of_redis_when_memory_is_out(void **state)
{
    (void)state;
    add("t", 1);
    failing_malloc_arm(0);
    turn();
    assert_true(failing_malloc_disarm());
    assert_int_equal(heard.failed, 1);
    assert_string_equal(heard.detail, "Redis is away");
    assert_int_equal(spool.orders, 0);
}

#define SPECIFIED(sentence, function) IT_WITH(sentence, function, make, clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPECIFIED("takes what comes while Redis is away", takes_what_comes_while_redis_is_away),
        SPECIFIED("takes the moment of arrival for a time that is missing",
                  takes_the_moment_of_arrival_for_a_time_that_is_missing),
        SPECIFIED("keeps the moment of arrival", keeps_the_moment_of_arrival),
        SPECIFIED("leaves alone what Redis takes", leaves_alone_what_redis_takes),
        SPECIFIED("gathers while an order is out, and lets the rest wait",
                  gathers_while_an_order_is_out_and_lets_the_rest_wait),
        SPECIFIED("tells why it was not written", tells_why_it_was_not_written),
        SPECIFIED("tells when the spool is stopped", tells_when_the_spool_is_stopped),
        SPECIFIED("tells everybody at the end", tells_everybody_at_the_end),
        SPECIFIED("does not take what has no seek-token", does_not_take_what_has_no_seek_token),
        SPECIFIED("lets what has no seek-token wait for the drain",
                  lets_what_has_no_seek_token_wait_for_the_drain),
        SPECIFIED("tells of Redis when memory is out", tells_of_redis_when_memory_is_out),
    };
    return cmocka_run_group_tests_name("spool_batch", tests, NULL, NULL);
}
