/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A turn of the loop: record what is finished, claim if possible, then wait for sockets, for a
 * wake-up or for the next moment at which something can be done.
 */
#include "service/outbound/worker.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/thread.h"
#include "lib/net/event_loop.h"

#include "service/outbound/absence.h"
#include "service/outbound/attempt.h"
#include "service/outbound/authorizer.h"
#include "service/outbound/claimer.h"
#include "service/outbound/recorder.h"
#include "service/outbound/sender.h"

enum {
    REST_MAX_MS = CLAIMER_WAIT_MAX_MS,
    CONNECTION_LIFE_S = 300, /* SEEK's addresses change */
};

struct worker {
    /* Set by create, then read-only. */
    struct worker_shared *shared; /* borrowed: outlives us */
    struct heartbeat *heartbeat;  /* borrowed: outlives us */
    int number;                   /* among the workers, for the watch */
    char name[24];

    /* The owner of the pool. */
    struct thread thread;
    int end_fd; /* owned; readable once the thread has nothing left to do */

    /* Any thread. */
    _Atomic bool is_connected;

    /* The worker's thread. */
    struct event_loop *loop;  /* owned, as the next; event_loop_wake: any thread */
    struct http_client *http; /* watched in the loop, as the next */
    struct store *store;
    struct absence absence;
    struct attempts attempts;
    struct authorizer authorizer;
    struct sender sender;
    struct claimer claimer;
    struct recorder recorder;
};

/* --- the loop ---------------------------------------------------------------------- */

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Nothing is claimed from a shard that has just come back; where there are others, from those. */
static void yield_to_recorders(struct worker *worker, int64_t now_ms)
{
    unsigned shard_count = store_shard_count(worker->store);
    bool is_any_freed = false;
    absence_turn(&worker->absence, worker->store, now_ms);
    worker->claimer.yields_until_ms = now_ms + absence_wait_ms(&worker->absence, shard_count);
    for (unsigned i = 0; i < shard_count; i++)
        is_any_freed |=
            store_hold_claims(worker->store, i, absence_is_yielded(&worker->absence, i));
    if (is_any_freed) /* what is due there was passed over */
        due_watch_note(&worker->shared->due_watch, now_ms);
}

static int64_t work(struct worker *worker, int64_t now_ms)
{
    struct store_health health;
    store_health(worker->store, &health);
    atomic_store_explicit(&worker->is_connected, health.is_ready, memory_order_relaxed);
    yield_to_recorders(worker, now_ms);
    if (health.is_ready)
        recorder_turn(&worker->recorder, worker->store, now_ms);
    int64_t wait_ms = claimer_turn(&worker->claimer, health.is_ready, now_ms);
    if (health.is_ready)
        recorder_turn(&worker->recorder, worker->store, now_ms); /* what that has released */
    store_flush(worker->store);
    if (!health.is_ready)
        return wait_ms; /* the store ends the wait */
    wait_ms = clock_sooner_ms(
        wait_ms, absence_timeout_ms(&worker->absence, store_shard_count(worker->store)));
    return clock_sooner_ms(wait_ms, recorder_timeout_ms(&worker->recorder, now_ms));
}

static void rest(struct worker *worker, int64_t now_ms, int64_t wait_ms)
{
    wait_ms = clock_sooner_ms(wait_ms > 0 ? wait_ms : 0, store_timeout_ms(worker->store, now_ms));
    wait_ms = clock_sooner_ms(wait_ms, http_client_timeout_ms(worker->http));
    log_release(); /* what came of many signals was logged at once */
    log_gather();
    event_loop_poll(worker->loop, wait_ms);
    http_client_turn(worker->http);
    due_watch_wake_up(&worker->shared->due_watch, worker->number);
    store_turn(worker->store, clock_monotonic_ms());
}

static size_t unrecorded(const struct worker *worker)
{
    assert(worker->attempts.counts[ATTEMPT_FREE] <= worker->attempts.size);
    return worker->attempts.size - worker->attempts.counts[ATTEMPT_FREE];
}

/* Whether the loop may end, after a turn that found nothing to begin; `out_wait_ms`: until the next
 * step of the stop. */
static bool stop_step(struct worker *worker, int64_t now_ms, int64_t *out_wait_ms)
{
    int64_t stop_at_ms = atomic_load(&worker->shared->stop_at_ms);
    *out_wait_ms = REST_MAX_MS;
    if (stop_at_ms == WORKER_RUNS)
        return false;
    if (now_ms >= stop_at_ms && !worker->sender.is_cut) {
        sender_cut(&worker->sender);
        *out_wait_ms = 0; /* what was cut is recorded at once */
        return false;
    }
    int64_t end_ms = worker->sender.is_cut ? stop_at_ms + WORKER_RECORD_GRACE_MS : stop_at_ms;
    *out_wait_ms = end_ms - now_ms;
    return (unrecorded(worker) == 0 && !claimer_is_about_to_begin(&worker->claimer, now_ms)) ||
           now_ms >= stop_at_ms + WORKER_RECORD_GRACE_MS;
}

static size_t repeats(const struct attempts *attempts)
{
    size_t count = 0;
    for (size_t i = 0; i < attempts->used_count; i++)
        count += attempts->items[i].state != ATTEMPT_FREE &&
                 attempts->items[i].action == SETTLE_DELIVERED;
    return count;
}

static void note_unrecorded(const struct worker *worker)
{
    size_t count = unrecorded(worker);
    if (count == 0)
        return;
    size_t repeat_count = repeats(&worker->attempts);
    assert(repeat_count <= count);
    atomic_fetch_add(&worker->shared->unrecorded_count, count);
    atomic_fetch_add(&worker->shared->repeat_count, repeat_count);
    log_warn("outcomes_unrecorded",
             "Redis did not record these outcomes in time; their signals are sent again when their "
             "leases end",
             LOG_TEXT("worker", worker->name), LOG_INT("count", count),
             LOG_INT("repeats", repeat_count));
}

static void run(void *context)
{
    struct worker *worker = context;
    int64_t now_ms = clock_monotonic_ms();
    log_gather();
    for (;; now_ms = clock_monotonic_ms()) {
        heartbeat_beat(worker->heartbeat, now_ms);
        int64_t wait_ms = work(worker, now_ms);
        int64_t stop_wait_ms;
        if (stop_step(worker, now_ms, &stop_wait_ms))
            break;
        rest(worker, now_ms, smaller(wait_ms, stop_wait_ms));
    }
    log_release();
    worker->authorizer.is_stopping = true;
    due_watch_leave(&worker->shared->due_watch, worker->number);
    note_unrecorded(worker);
    (void)eventfd_write(worker->end_fd, 1); /* cannot fail: the counter is at 0 */
}

/* --- life -------------------------------------------------------------------------- */

static bool create_clients(struct worker *worker, struct error *error)
{
    const struct worker_shared *shared = worker->shared;
    const struct http_client_options options = {
        .ca_file = shared->ca_file,
        .connections_max = (unsigned)shared->share + 1, /* and one for the access token */
        .connection_life_max_s = CONNECTION_LIFE_S,
        .connect_timeout_ms = upstream_connect_timeout_ms(shared->upstream.timeout_ms),
    };
    worker->loop = event_loop_create(error);
    if (worker->loop == NULL)
        return false;
    event_loop_show(worker->loop, worker->heartbeat);
    worker->http = http_client_create(&options, worker->loop, error);
    if (worker->http == NULL)
        return false;
    struct store_options store = shared->store;
    store.role = worker->name;
    store.is_quiet = true; /* the intake tells */
    store.metrics =
        (struct store_metrics){.connects = &worker->shared->metrics[OUTBOUND_REDIS_CONNECTS],
                               .losses = &worker->shared->metrics[OUTBOUND_REDIS_LOSSES],
                               .leases_expired = &worker->shared->metrics[OUTBOUND_LEASES_EXPIRED]};
    worker->store = store_create(&store, worker->loop, error);
    return worker->store != NULL;
}

struct worker *worker_create(struct worker_shared *shared, unsigned index,
                             struct heartbeat *heartbeat, struct error *error)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    worker->shared = shared;
    worker->heartbeat = heartbeat;
    worker->number = (int)index;
    worker->end_fd = eventfd(0, EFD_CLOEXEC);
    (void)snprintf(worker->name, sizeof worker->name, "worker-%u", index);
    heartbeat->name = worker->name;
    if (worker->end_fd < 0) {
        (void)error_set(error, ERROR_IO, "creating an event descriptor: %s", strerror(errno));
        goto fail;
    }
    if (!attempts_init(&worker->attempts, shared->share, &worker->sender, error) ||
        !recorder_init(&worker->recorder, shared, &worker->attempts, error) ||
        !create_clients(worker, error))
        goto fail;
    due_watch_join(&shared->due_watch, worker->number, worker->loop);
    authorizer_init(&worker->authorizer, shared, worker->http);
    worker->sender = (struct sender){.shared = shared,
                                     .http = worker->http,
                                     .attempts = &worker->attempts,
                                     .authorizer = &worker->authorizer};
    worker->claimer = (struct claimer){.worker = worker->number,
                                       .shared = shared,
                                       .store = worker->store,
                                       .attempts = &worker->attempts,
                                       .authorizer = &worker->authorizer,
                                       .sender = &worker->sender};
    claim_limit_init(&worker->claimer.limit);
    return worker;
fail:
    worker_destroy(worker);
    return NULL;
}

void worker_destroy(struct worker *worker)
{
    if (worker == NULL)
        return;
    assert(!worker->thread.is_started);
    /* First what calls back into the rest. */
    http_client_destroy(worker->http);
    store_destroy(worker->store);
    event_loop_destroy(worker->loop);
    recorder_fini(&worker->recorder);
    authorizer_fini(&worker->authorizer);
    attempts_fini(&worker->attempts);
    if (worker->end_fd >= 0)
        (void)close(worker->end_fd);
    free(worker);
}

bool worker_start(struct worker *worker, struct error *error)
{
    return thread_start(&worker->thread, worker->name, run, worker, error);
}

/* Not pthread_timedjoin_np, whose deadline is one of the wall clock: somebody who sets it would
 * have a thread left behind, or waited for forever. */
bool worker_join(struct worker *worker, int64_t deadline_ms)
{
    if (!worker->thread.is_started)
        return true;
    struct pollfd end = {.fd = worker->end_fd, .events = POLLIN};
    int ready;
    do {
        int64_t left_ms = deadline_ms - clock_monotonic_ms();
        ready = poll(&end, 1, left_ms > 0 ? (int)smaller(left_ms, INT_MAX) : 0);
    } while (ready < 0 && errno == EINTR);
    if (ready <= 0)
        return false;
    thread_join(&worker->thread);
    return true;
}

void worker_wake(struct worker *worker)
{
    event_loop_wake(worker->loop);
}

bool worker_is_connected(const struct worker *worker)
{
    return atomic_load_explicit(&worker->is_connected, memory_order_relaxed);
}
