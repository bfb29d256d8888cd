/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One turn of the spool's thread:
 *
 *     write and sync what was submitted ──► tell ──► drain, if Redis is ready ──► wait
 *
 * All intake threads hand their orders to this one, so that one fdatasync serves all that came
 * while the one before was running, and so that no loop with clients in it waits for a disk. The
 * same thread drains: a journal that only one thread touches needs no lock, and while there is
 * something to drain Redis is there and the intake does without the spool.
 *
 * Why a journal of our own: SQLite would take half the code, but its pages carry no checksum, so
 * that a flipped bit goes unnoticed or makes the whole file malformed where ours costs one event;
 * LMDB has none either; and each is a fifth library. What is needed is little: append, sync, read
 * once, delete.
 */
#include "service/spool/spool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/journal_frame.h"
#include "lib/base/log.h"
#include "lib/base/random.h"
#include "lib/net/event_loop.h"

#include "service/spool/spool_internal.h"

enum {
    TURN_MS_MAX = 1000, /* the heart beats at least this often */
    PROBE_MS = 1000,
};

/* --- stamps ------------------------------------------------------------------------------------
 */

int64_t spool_stamp(struct spool *spool)
{
    int64_t now_us = clock_wall_us();
    int64_t last_us = atomic_load(&spool->last_stamp_us);
    int64_t stamp_us;
    do
        stamp_us = now_us > last_us ? now_us : last_us + 1;
    while (!atomic_compare_exchange_weak(&spool->last_stamp_us, &last_us, stamp_us));
    return stamp_us;
}

uint32_t spool_life(const struct spool *spool)
{
    return spool->life;
}

bool spool_is_holding(const struct spool *spool)
{
    return atomic_load(&spool->is_holding);
}

/* --- writing ------------------------------------------------------------------------------------
 */

static void note_failure(struct spool *spool, const struct error *error, int64_t now_ms)
{
    bool is_news = strcmp(spool->failure.message, error->message) != 0;
    spool->failure = *error;
    spool->probe_at_ms = now_ms + PROBE_MS;
    if (is_news)
        log_error(
            "spool_refuses",
            "SPOOL_DIR does not take events, which get 503 until it does. Make room there, or "
            "bring Redis back",
            LOG_TEXT("detail", error->message), LOG_TEXT("directory", spool->options.directory));
}

static void note_success(struct spool *spool)
{
    if (spool->failure.kind == ERROR_NONE)
        return;
    spool->failure = (struct error){.kind = ERROR_NONE};
    log_info("spool_takes_again", "The spool can be written again");
}

/* What was appended may be on the disk even if the commit failed: in a segment that was full before
 * it. Too many are held then until the journal is empty, and never too few. */
static void hold_all(struct spool *spool, const struct spool_order *order)
{
    struct drain_record record;
    struct journal_piece piece;
    size_t offset = 0;
    while (journal_frame_next(order->records.bytes, order->records.length, &offset, &piece) ==
           JOURNAL_RECORD) {
        if (!spool_record_read(piece.payload, piece.length, &record))
            continue;
        spool_hold(spool, &record);
        if (order->is_written && spool->oldest_us == 0)
            spool->oldest_us = record.stamp_us;
    }
}

static void count_order(struct spool *spool, const struct spool_order *order)
{
    metric_add(&spool->metrics[order->is_written ? SPOOL_WRITTEN : SPOOL_REFUSED],
               (int64_t)order->count);
    if (!order->is_written)
        return;
    if (!spool->has_begun)
        log_warn(
            "spool_begins",
            "Redis does not take events, so they are kept on this machine's disk until it does",
            LOG_TEXT("directory", spool->options.directory));
    spool->has_begun = true;
    spool->records += order->count;
}

static void report(struct spool *spool, struct spool_order *order)
{
    struct event_loop *loop = order->loop;
    mutex_lock(&spool->shared.lock);
    order->state = SPOOL_ORDER_DONE; /* from here on it is its owner's */
    mutex_unlock(&spool->shared.lock);
    event_loop_wake(loop);
}

/* One sync for all of them; false: none counts. An order that finds no room spoils no other. */
static bool write_all(struct spool *spool, struct spool_order *orders, int64_t now_ms,
                      struct error *error)
{
    bool has_room = true;
    for (struct spool_order *order = orders; order != NULL; order = order->next) {
        order->is_written = journal_append(spool->journal, &order->records, &order->error);
        has_room = has_room && order->is_written;
        if (!order->is_written)
            *error = order->error;
    }
    bool is_synced = journal_commit(spool->journal, error);
    if (is_synced && has_room)
        note_success(spool);
    else
        note_failure(spool, error, now_ms);
    return is_synced;
}

static void take_orders(struct spool *spool, struct spool_order *orders, int64_t now_ms)
{
    struct error error;
    bool is_synced = write_all(spool, orders, now_ms, &error);
    for (struct spool_order *order = orders; order != NULL; order = order->next) {
        bool is_appended = order->is_written;
        if (!is_synced && is_appended)
            order->error = error;
        order->is_written = is_appended && is_synced;
        if (is_appended)
            hold_all(spool, order);
        count_order(spool, order);
    }
    spool_publish(spool); /* before anybody is told: see spool_is_holding */
    for (struct spool_order *order = orders, *next; order != NULL; order = next) {
        next = order->next;
        report(spool, order);
    }
}

/* Whether the disk has come back shows only when it is tried, and a service that is not ready may
 * get no event to try it with. An empty record does. */
static void probe(struct spool *spool, int64_t now_ms)
{
    bool is_due = spool->failure.kind != ERROR_NONE && spool->failure.kind != ERROR_FULL &&
                  now_ms >= spool->probe_at_ms;
    if (!is_due)
        return;
    char storage[64];
    size_t start;
    struct buffer record;
    struct error error;
    buffer_init_fixed(&record, storage, sizeof storage);
    bool is_written = journal_frame_open(&record, &start, &error) &&
                      journal_frame_close(&record, start, &error) &&
                      journal_append(spool->journal, &record, &error);
    if (journal_commit(spool->journal, &error) && is_written)
        note_success(spool);
    else
        note_failure(spool, &error, now_ms);
}

/* --- the loop -----------------------------------------------------------------------------------
 */

static struct spool_order *take_queue(struct spool *spool, bool *out_is_closed)
{
    mutex_lock(&spool->shared.lock);
    struct spool_order *orders = spool->shared.first;
    spool->shared.first = spool->shared.last = NULL;
    *out_is_closed = spool->shared.is_closed;
    mutex_unlock(&spool->shared.lock);
    return orders;
}

static void rest(struct spool *spool, int64_t wait_max_ms)
{
    int64_t now_ms = clock_monotonic_ms();
    store_flush(spool->store);
    int64_t timeout_ms = clock_sooner_ms(store_timeout_ms(spool->store, now_ms), wait_max_ms);
    if (spool->drain.retry_at_ms > now_ms)
        timeout_ms = clock_sooner_ms(timeout_ms, spool->drain.retry_at_ms - now_ms);
    event_loop_poll(spool->loop, timeout_ms);
    store_turn(spool->store, clock_monotonic_ms());
}

static void run(void *context)
{
    struct spool *spool = context;
    for (bool is_closed = false; !is_closed;) {
        int64_t now_ms = clock_monotonic_ms();
        heartbeat_beat(&spool->heartbeat, now_ms);
        struct spool_order *orders = take_queue(spool, &is_closed);
        if (orders != NULL)
            take_orders(spool, orders, now_ms);
        if (is_closed)
            break;
        probe(spool, now_ms);
        bool is_more = spool_drain_turn(spool, now_ms);
        spool_publish(spool);
        rest(spool, is_more ? 0 : TURN_MS_MAX);
    }
}

/* --- any thread ---------------------------------------------------------------------------------
 */

bool spool_submit(struct spool *spool, struct spool_order *order)
{
    mutex_lock(&spool->shared.lock);
    bool is_taken = !spool->shared.is_closed;
    if (is_taken) {
        order->state = SPOOL_ORDER_SUBMITTED;
        order->next = NULL;
        if (spool->shared.last != NULL)
            spool->shared.last->next = order;
        else
            spool->shared.first = order;
        spool->shared.last = order;
    }
    mutex_unlock(&spool->shared.lock);
    if (is_taken)
        event_loop_wake(spool->loop);
    return is_taken;
}

bool spool_is_done(struct spool *spool, const struct spool_order *order)
{
    mutex_lock(&spool->shared.lock);
    bool is_done = order->state == SPOOL_ORDER_DONE;
    mutex_unlock(&spool->shared.lock);
    return is_done;
}

const struct heartbeat *spool_heartbeat(const struct spool *spool)
{
    return &spool->heartbeat;
}

/* --- life ---------------------------------------------------------------------------------------
 */

struct spool *spool_create(const struct spool_options *options, struct error *error)
{
    struct spool *spool = calloc(1, sizeof *spool);
    if (spool == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    spool->options = *options;
    spool->life = (uint32_t)random_u64() | 1;
    spool->options.store.role = spool->heartbeat.name = "spool";
    spool->options.store.is_quiet = true; /* the intake tells */
    mutex_init(&spool->shared.lock);
    metrics_init(spool->metrics, spool_rows, SPOOL_METRIC_COUNT);
    buffer_init(&spool->drain.segment, SIZE_MAX / 4);
    spool->loop = event_loop_create(error);
    event_loop_show(spool->loop, &spool->heartbeat);
    if (spool->loop == NULL || !spool_open_journal(spool, error))
        goto fail;
    spool->store = store_create(&spool->options.store, spool->loop, error);
    if (spool->store == NULL)
        goto fail;
    spool_publish(spool);
    return spool;
fail:
    spool_destroy(spool);
    return NULL;
}

bool spool_start(struct spool *spool, struct error *error)
{
    return thread_start(&spool->thread, "spool", run, spool, error);
}

void spool_stop(struct spool *spool)
{
    if (spool == NULL)
        return;
    mutex_lock(&spool->shared.lock);
    spool->shared.is_closed = true;
    mutex_unlock(&spool->shared.lock);
    if (!spool->thread.is_started)
        return;
    event_loop_wake(spool->loop);
    thread_join(&spool->thread);
    if (spool->records > 0)
        log_warn("spool_holds", "These events wait in SPOOL_DIR for the next start",
                 LOG_INT("records", spool->records),
                 LOG_TEXT("directory", spool->options.directory));
}

void spool_destroy(struct spool *spool)
{
    if (spool == NULL)
        return;
    spool_stop(spool);
    store_destroy(spool->store);
    journal_destroy(spool->journal);
    spool_drain_fini(spool);
    event_loop_destroy(spool->loop);
    mutex_fini(&spool->shared.lock);
    free(spool);
}
