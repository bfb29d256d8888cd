/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* Batches whose events lie in several shards, of which each sets its own pace. */
#include <stdio.h>
#include <string.h>

#include "service/inbound/batch.h"
#include "service/inbound/inbound_metrics.h"
#include "service/inbound/service_view.h"
#include "service/store/shard.h"

#include "tests/support/specification.h"

enum { SHARDS = 3, HEARD_MAX = 200, CALLS_MAX = 400 };

/* ---- the store ---- */

static struct {
    unsigned calls;
    size_t counts[CALLS_MAX];
    store_accept_done done;
    void *contexts[CALLS_MAX];
    char first_ids[CALLS_MAX][24], last_ids[CALLS_MAX][24];
} asked;

static const struct store_failure fine = {.status = STORE_OK};

bool __wrap_store_accept(struct store *store, const struct accept_item *items, size_t count,
                         size_t places, store_accept_done done, void *context, struct error *error);
unsigned __wrap_store_shard_count(const struct store *store);
bool __wrap_store_takes_events_for(const struct store *store, unsigned shard,
                                   struct durability *out);
void __wrap_store_health(const struct store *store, struct store_health *out);

bool __wrap_store_accept(struct store *store, const struct accept_item *items, size_t count,
                         size_t places, store_accept_done done, void *context, struct error *error)
{
    (void)store;
    (void)error;
    assert_int_equal(places, 0);
    assert_true(count > 0 && asked.calls < CALLS_MAX);
    for (size_t i = 1; i < count; i++)
        assert_int_equal(shard_of(items[i].application_id, SHARDS),
                         shard_of(items[0].application_id, SHARDS));
    (void)snprintf(asked.first_ids[asked.calls], 24, "%s", items[0].event_id);
    (void)snprintf(asked.last_ids[asked.calls], 24, "%s", items[count - 1].event_id);
    asked.counts[asked.calls] = count;
    asked.contexts[asked.calls++] = context;
    asked.done = done;
    return true;
}

unsigned __wrap_store_shard_count(const struct store *store)
{
    (void)store;
    return SHARDS;
}

bool __wrap_store_takes_events_for(const struct store *store, unsigned shard,
                                   struct durability *out)
{
    (void)store;
    assert_true(shard < SHARDS);
    if (out != NULL)
        *out = (struct durability){.level = DURABILITY_FSYNC};
    return true;
}

/* Of one shard alone. */
void __wrap_store_health(const struct store *store, struct store_health *out)
{
    (void)store;
    (void)out;
    fail();
}

static void answer_call(unsigned call, const struct store_failure *failure)
{
    static struct accept_result results[HEARD_MAX];
    asked.done(asked.contexts[call], failure, failure->status == STORE_OK ? results : NULL,
               failure->status == STORE_OK ? asked.counts[call] : 0);
}

/* ---- the events ---- */

static struct metric metrics[INBOUND_METRIC_COUNT];
static const struct service_view view = {.version = "1"};

static struct {
    unsigned stored[HEARD_MAX], failed[HEARD_MAX];
} told_of;

static void hear_of(void *context, size_t index, const struct batch_result *result)
{
    assert_ptr_equal(context, &told_of);
    assert_true(index < HEARD_MAX);
    if (result->failure->status == STORE_OK)
        told_of.stored[index]++;
    else
        told_of.failed[index]++;
}

static int reset_with_shards(void **state)
{
    memset(&asked, 0, sizeof asked);
    memset(&told_of, 0, sizeof told_of);
    metrics_init(metrics, inbound_rows, INBOUND_METRIC_COUNT);
    *state = batch_create(NULL, &view, metrics, 2000, NULL);
    return *state == NULL;
}

static char texts[HEARD_MAX][24];

static unsigned shard_at(size_t index)
{
    return shard_of(texts[index], SHARDS);
}

static void add_numbered(struct batch *batch, size_t first, size_t count)
{
    struct error error;
    for (size_t i = first; i < first + count; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "%zu", i);
        const struct accept_item item = {
            .application_id = texts[i], .seek_token = "t", .event_id = texts[i]};
        assert_true(batch_reserve(batch, 1, batch_item_bytes(&item), &error));
        batch_add(batch, &item, hear_of, &told_of, i);
    }
}

static void sends_a_call_to_each_shard(void **state)
{
    struct batch *batch = *state;
    add_numbered(batch, 0, 60);
    assert_true(batch_turn(batch));
    assert_int_equal(asked.calls, SHARDS);
    assert_int_equal(asked.counts[0] + asked.counts[1] + asked.counts[2], 60);
    for (unsigned i = 0; i < SHARDS; i++) { /* in the order in which they came */
        size_t first = 0, last = 59;
        while (shard_at(first) != i)
            first++;
        while (shard_at(last) != i)
            last--;
        assert_string_equal(asked.first_ids[i], texts[first]);
        assert_string_equal(asked.last_ids[i], texts[last]);
    }
    assert_false(batch_turn(batch));
    for (unsigned i = 0; i < SHARDS; i++)
        answer_call(i, &fine);
    batch_destroy(batch);
}

static void tells_each_shard_s_events_of_its_own_failure(void **state)
{
    struct batch *batch = *state;
    static const struct store_failure away = {.status = STORE_UNAVAILABLE, .detail = "away"};
    add_numbered(batch, 0, 30);
    assert_true(batch_turn(batch));
    answer_call(1, &away);
    answer_call(2, &fine);
    answer_call(0, &fine);
    for (size_t i = 0; i < 30; i++) {
        assert_int_equal(told_of.failed[i], shard_at(i) == 1);
        assert_int_equal(told_of.stored[i], shard_at(i) != 1);
    }
    batch_destroy(batch);
}

static void waits_for_no_shard_that_stands_still(void **state)
{
    struct batch *batch = *state;
    add_numbered(batch, 0, 30);
    assert_true(batch_turn(batch));
    answer_call(0, &fine);
    answer_call(2, &fine); /* and the call to shard 1 is never answered, until the end */
    for (size_t first = 30; first < 180; first += 3) {
        unsigned before = asked.calls;
        add_numbered(batch, first, 3);
        (void)batch_turn(batch);
        for (unsigned call = before; call < asked.calls; call++)
            if (shard_of(asked.first_ids[call], SHARDS) != 1)
                answer_call(call, &fine);
    }
    for (size_t i = 0; i < 180; i++)
        assert_int_equal(told_of.stored[i], shard_at(i) != 1);
    unsigned hung = 0;
    for (unsigned call = 0; call < asked.calls; call++)
        hung += shard_of(asked.first_ids[call], SHARDS) == 1;
    assert_in_range(hung, 2, BATCH_CALLS_MAX);
    static const struct store_failure away = {.status = STORE_UNAVAILABLE, .detail = "away"};
    for (unsigned call = 0; call < asked.calls; call++)
        if (shard_of(asked.first_ids[call], SHARDS) == 1)
            answer_call(call, &away);
    (void)batch_turn(batch);
    answer_call(asked.calls - 1, &fine);
    for (size_t i = 0; i < 180; i++) /* each has an answer of its own, once */
        assert_int_equal(told_of.stored[i] + told_of.failed[i], 1);
    batch_destroy(batch);
}

/* One of three shards stands still, and more comes for it than there is room. */
static void keeps_room_for_the_other_shards(void **state)
{
    enum { ROOM = 60, COUNT = 180 };
    batch_destroy(*state);
    struct batch *batch = batch_create(NULL, &view, metrics, ROOM, NULL);
    assert_non_null(batch);
    for (size_t i = 0; i < COUNT; i++) {
        unsigned before = asked.calls;
        add_numbered(batch, i, 1); /* there is room for it */
        (void)batch_turn(batch);
        for (unsigned call = before; call < asked.calls; call++)
            if (shard_of(asked.first_ids[call], SHARDS) != 1)
                answer_call(call, &fine);
    }
    unsigned refused = 0, kept = 0;
    for (size_t i = 0; i < COUNT; i++) {
        if (shard_at(i) != 1) {
            assert_int_equal(told_of.stored[i], 1);
            continue;
        }
        assert_int_equal(told_of.stored[i], 0);
        refused += told_of.failed[i];
        kept += told_of.failed[i] == 0;
    }
    assert_true(refused > 0 && kept >= ROOM / SHARDS);
    static const struct store_failure away = {.status = STORE_UNAVAILABLE, .detail = "away"};
    for (unsigned call = 0; call < asked.calls; call++)
        if (shard_of(asked.first_ids[call], SHARDS) == 1)
            answer_call(call, &away);
    batch_destroy(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("keeps room for the other shards where one stands still",
                keeps_room_for_the_other_shards, reset_with_shards, NULL),
        IT_WITH("sends a call to each of many shards, in order", sends_a_call_to_each_shard,
                reset_with_shards, NULL),
        IT_WITH("tells the events of each shard of its own failure",
                tells_each_shard_s_events_of_its_own_failure, reset_with_shards, NULL),
        IT_WITH("waits for no shard that stands still", waits_for_no_shard_that_stands_still,
                reset_with_shards, NULL),
    };
    return cmocka_run_group_tests_name("batch_lanes", tests, NULL, NULL);
}
