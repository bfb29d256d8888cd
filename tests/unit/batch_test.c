/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The store is replaced at link time: what it is asked to accept is written down, and the test
 * answers when it likes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/inbound/batch.h"
#include "service/inbound/inbound_metrics.h"
#include "service/inbound/service_view.h"

#include "tests/support/specification.h"

enum { EVENTS_MAX = 5000, CALLS_MAX = 200 };

/* ---- the store ---- */

static struct {
    unsigned calls, answered; /* answered in the order of the calls */
    size_t counts[CALLS_MAX];
    store_accept_done done;
    void *contexts[CALLS_MAX];
    char first_ids[CALLS_MAX][24], last_ids[CALLS_MAX][24];
    bool is_refusing;
} asked;

static const struct store_failure fine = {.status = STORE_OK};

bool __wrap_store_accept(struct store *store, const struct accept_item *items, size_t count,
                         size_t places, store_accept_done done, void *context, struct error *error);
void __wrap_store_health(const struct store *store, struct store_health *out);
unsigned __wrap_store_shard_count(const struct store *store);
bool __wrap_store_takes_events_for(const struct store *store, unsigned shard,
                                   struct durability *out);

bool __wrap_store_accept(struct store *store, const struct accept_item *items, size_t count,
                         size_t places, store_accept_done done, void *context, struct error *error)
{
    (void)store;
    assert_non_null(items);
    assert_int_equal(places, 0);
    assert_in_range(count, 1, BATCH_CALL_EVENTS_MAX);
    if (asked.is_refusing)
        return error_set(error, ERROR_IO, "the connection is closed");
    assert_in_range(asked.calls - asked.answered, 0, BATCH_CALLS_MAX - 1);
    (void)snprintf(asked.first_ids[asked.calls], 24, "%s", items[0].event_id);
    (void)snprintf(asked.last_ids[asked.calls], 24, "%s", items[count - 1].event_id);
    asked.counts[asked.calls] = count;
    asked.contexts[asked.calls++] = context;
    asked.done = done;
    return true;
}

void __wrap_store_health(const struct store *store, struct store_health *out)
{
    (void)store;
    *out = (struct store_health){.is_ready = true, .durability.level = DURABILITY_FSYNC};
}

unsigned __wrap_store_shard_count(const struct store *store)
{
    (void)store;
    return 1;
}

bool __wrap_store_takes_events_for(const struct store *store, unsigned shard,
                                   struct durability *out)
{
    (void)store;
    (void)shard;
    (void)out;
    fail(); /* of many shards alone */
    return false;
}

static void answer_call(unsigned call, const struct store_failure *failure)
{
    static struct accept_result results[EVENTS_MAX];
    asked.done(asked.contexts[call], failure, failure->status == STORE_OK ? results : NULL,
               failure->status == STORE_OK ? asked.counts[call] : 0);
}

static void answer(const struct store_failure *failure)
{
    assert_true(asked.answered < asked.calls);
    answer_call(asked.answered++, failure);
}

/* ---- the events ---- */

static struct {
    size_t told, stored, failed;
    size_t last_index;
    char detail[160];
} heard;

static void hear(void *context, size_t index, const struct batch_result *result)
{
    assert_ptr_equal(context, &heard);
    assert_int_equal(index, heard.told); /* in the order in which they came */
    heard.told++;
    heard.last_index = index;
    if (result->failure->status == STORE_OK) {
        heard.stored++;
        assert_non_null(result->result);
        assert_int_equal(result->durability.level, DURABILITY_FSYNC);
    } else {
        heard.failed++;
        assert_null(result->result);
        (void)snprintf(heard.detail, sizeof heard.detail, "%s", result->failure->detail);
    }
}

static struct metric metrics[INBOUND_METRIC_COUNT];
static const struct service_view view = {.version = "1"};

static int reset(void **state)
{
    memset(&asked, 0, sizeof asked);
    memset(&heard, 0, sizeof heard);
    metrics_init(metrics, inbound_rows, INBOUND_METRIC_COUNT);
    *state = batch_create(NULL, &view, metrics, 2000, NULL);
    return *state == NULL;
}

static size_t added;

static bool try_to_add(struct batch *batch, size_t count, const char *seek_token)
{
    const struct accept_item item = {
        .application_id = "A", .seek_token = seek_token, .event_id = "E"};
    struct error error;
    if (!batch_reserve(batch, count, count * batch_item_bytes(&item), &error)) {
        assert_int_equal(error.kind, ERROR_FULL);
        return false;
    }
    for (size_t i = 0; i < count; i++)
        batch_add(batch, &item, hear, &heard, added++);
    return true;
}

static void sends_a_lone_event_at_once(void **state)
{
    struct batch *batch = *state;
    added = 0;
    assert_true(try_to_add(batch, 1, "t"));
    assert_int_equal(asked.calls, 0);
    assert_true(batch_turn(batch));
    assert_int_equal(asked.calls, 1);
    assert_false(batch_turn(batch));
    assert_int_equal(asked.calls, 1);
    answer(&fine);
    assert_int_equal(heard.stored, 1);
    batch_turn(batch);
    assert_int_equal(asked.calls, 1);
    batch_destroy(batch);
}

static void add_and_turn(struct batch *batch, size_t count)
{
    assert_true(try_to_add(batch, count, "t"));
    batch_turn(batch);
}

static void gathers_until_half_as_many_wait(void **state)
{
    struct batch *batch = *state;
    added = 0;
    add_and_turn(batch, 100);
    add_and_turn(batch, 49);
    assert_int_equal(asked.calls, 1);
    add_and_turn(batch, 1); /* half of 100 */
    assert_int_equal(asked.calls, 2);
    assert_int_equal(asked.counts[1], 50);
    add_and_turn(batch, 74);
    assert_int_equal(asked.calls, 2);
    add_and_turn(batch, 1); /* half of 150 */
    assert_int_equal(asked.counts[2], 75);
    while (asked.answered < asked.calls)
        answer(&fine);
    assert_int_equal(heard.stored, 225);
    batch_destroy(batch);
}

static void sends_what_waits_when_nothing_is_on_its_way(void **state)
{
    struct batch *batch = *state;
    added = 0;
    add_and_turn(batch, 100);
    add_and_turn(batch, 1);
    assert_int_equal(asked.calls, 1);
    answer(&fine);
    assert_int_equal(heard.stored, 100);
    batch_turn(batch);
    assert_int_equal(asked.counts[1], 1);
    answer(&fine);
    assert_int_equal(heard.stored, 101);
    batch_destroy(batch);
}

static void bounds_the_calls_on_their_way(void **state)
{
    struct batch *batch = *state;
    added = 0;
    for (size_t i = 0, count = 10; i < BATCH_CALLS_MAX; i++, count *= 2)
        add_and_turn(batch, count);
    assert_int_equal(asked.calls, BATCH_CALLS_MAX);
    add_and_turn(batch, 300);
    add_and_turn(batch, 300);
    assert_int_equal(asked.calls, BATCH_CALLS_MAX);
    answer(&fine);
    batch_turn(batch);
    assert_int_equal(asked.counts[BATCH_CALLS_MAX], 600);
    while (asked.answered < asked.calls)
        answer(&fine);
    assert_int_equal(heard.stored, added);
    batch_destroy(batch);
}

static void answer_all(struct batch *batch)
{
    do {
        batch_turn(batch);
        while (asked.answered < asked.calls)
            answer(&fine);
    } while (heard.told < added);
}

static void splits_by_count(void **state)
{
    struct batch *batch = *state;
    added = 0;
    assert_true(try_to_add(batch, 2500, "t"));
    answer_all(batch);
    assert_int_equal(asked.calls, 3);
    assert_int_equal(asked.counts[0], BATCH_CALL_EVENTS_MAX);
    assert_int_equal(asked.counts[2], 500);
    assert_int_equal(heard.stored, 2500);
    batch_destroy(batch);
}

static void splits_by_bytes(void **state)
{
    struct batch *batch = *state;
    char seek_token[4097];
    memset(seek_token, 't', 4096);
    seek_token[4096] = '\0';
    added = 0;
    assert_true(try_to_add(batch, 300, seek_token));
    answer_all(batch);
    assert_int_equal(asked.counts[0], BATCH_CALL_BYTES_MAX / 4098);
    assert_int_equal(asked.counts[0] + asked.counts[1], 300);
    batch_destroy(batch);
}

static void takes_a_request_whole_or_not_at_all(void **state)
{
    struct batch *batch = *state;
    added = 0;
    add_and_turn(batch, BATCH_CALL_EVENTS_MAX);
    assert_true(try_to_add(batch, 1, "t"));
    assert_false(try_to_add(batch, 3000, "t"));
    assert_true(try_to_add(batch, 1999, "t"));
    assert_false(try_to_add(batch, 1, "t"));
    batch_turn(batch); /* makes room again */
    assert_true(try_to_add(batch, 3000, "t"));
    assert_false(try_to_add(batch, 1, "t"));
    answer_all(batch);
    assert_int_equal(heard.stored, added);
    /* An empty one takes anything: a request that is too big alone would never be taken. */
    assert_true(try_to_add(batch, 3001, "t"));
    answer_all(batch);
    assert_int_equal(heard.stored, added);
    batch_destroy(batch);
}

static void bounds_the_bytes_that_wait(void **state)
{
    struct batch *batch = *state;
    struct error error;
    added = 0;
    assert_true(try_to_add(batch, 1, "t"));
    assert_true(batch_reserve(batch, 1, BATCH_OPEN_BYTES_MAX - 3, &error));
    assert_false(batch_reserve(batch, 1, BATCH_OPEN_BYTES_MAX - 2, &error));
    batch_turn(batch);
    assert_true(batch_reserve(batch, 1, BATCH_OPEN_BYTES_MAX, &error));
    assert_true(try_to_add(batch, 1, "t")); /* what was sent does not count any longer */
    assert_true(batch_reserve(batch, 1, BATCH_OPEN_BYTES_MAX - 3, &error));
    answer_all(batch);
    batch_destroy(batch);
}

static void tells_of_failures(void **state)
{
    struct batch *batch = *state;
    const struct store_failure lost = {.status = STORE_UNAVAILABLE, .detail = "lost"};
    added = 0;
    assert_true(try_to_add(batch, 5, "t"));
    batch_turn(batch);
    answer(&lost);
    assert_int_equal(heard.failed, 5);
    assert_string_equal(heard.detail, "lost");
    asked.is_refusing = true;
    assert_true(try_to_add(batch, 1500, "t"));
    assert_false(batch_turn(batch)); /* nobody waits for a later turn */
    assert_int_equal(heard.failed, 1505);
    assert_string_equal(heard.detail, "the connection is closed");
    asked.is_refusing = false;
    assert_true(try_to_add(batch, 1, "t"));
    batch_turn(batch);
    answer(&fine);
    assert_int_equal(heard.stored, 1);
    batch_destroy(batch);
}

static void tells_everybody_at_the_end(void **state)
{
    struct batch *batch = *state;
    added = 0;
    assert_true(try_to_add(batch, 7, "t"));
    batch_destroy(batch);
    assert_int_equal(heard.failed, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("sends a lone event at once", sends_a_lone_event_at_once, reset, NULL),
        IT_WITH("gathers until half as many wait as are on their way",
                gathers_until_half_as_many_wait, reset, NULL),
        IT_WITH("sends whatever waits when nothing is on its way",
                sends_what_waits_when_nothing_is_on_its_way, reset, NULL),
        IT_WITH("has so many calls on their way and no more", bounds_the_calls_on_their_way, reset,
                NULL),
        IT_WITH("sends at most a thousand events at once", splits_by_count, reset, NULL),
        IT_WITH("sends at most a mebibyte at once", splits_by_bytes, reset, NULL),
        IT_WITH("takes a request whole or not at all, and any when nothing waits",
                takes_a_request_whole_or_not_at_all, reset, NULL),
        IT_WITH("bounds the bytes that wait", bounds_the_bytes_that_wait, reset, NULL),
        IT_WITH("tells each event of a failure", tells_of_failures, reset, NULL),
        IT_WITH("tells what was never sent when it ends", tells_everybody_at_the_end, reset, NULL),
    };
    return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
