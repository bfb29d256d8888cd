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
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/net/event_loop.h"

#include "service/outbound/attempt.h"
#include "service/outbound/authorizer.h"
#include "service/outbound/claimer.h"
#include "service/outbound/recorder.h"
#include "service/outbound/sender.h"
#include "service/store/store_watch.h"

enum {
    REST_MAX_MS = CLAIMER_WAIT_MAX_MS,
    OBSERVE_INTERVAL_MS = 250,
    CONNECT_TIMEOUT_MAX_MS = 5000,
    CONNECTION_LIFE_S = 300, /* SEEK's addresses change */
    TROUBLE_MS = 1000,
};

struct worker {
    /* Set by create, then read-only. */
    struct worker_shared *shared; /* borrowed: outlives us */
    struct heartbeat *heartbeat;  /* borrowed: outlives us */
    char name[24];

    /* The owner of the pool. */
    pthread_t thread;
    bool is_started;
    int end_fd; /* owned; readable once the thread has nothing left to do */

    /* Any thread. */
    struct claimer claimer; /* claimer_rouse; the rest of it is the worker's thread's */
    _Atomic bool is_connected;

    /* The worker's thread. */
    struct event_loop *loop;  /* owned, as the next; event_loop_wake: any thread */
    struct http_client *http; /* watched in the loop, as the next */
    struct store *store;
    struct store_watch watch;
    struct attempts attempts;
    struct authorizer authorizer;
    struct sender sender;
    struct recorder recorder;
    int64_t observe_at_ms;
    struct store_counters counted; /* as far as the metrics have it */
};

/* --- the loop ---------------------------------------------------------------------- */

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void observe(struct worker *worker, int64_t now_ms)
{
    if (now_ms < worker->observe_at_ms)
        return;
    worker->observe_at_ms = now_ms + OBSERVE_INTERVAL_MS;
    struct outbound_metrics *metrics = &worker->shared->metrics;
    outbound_metrics_observe(metrics, worker->shared->gate, worker->shared->access_token, now_ms);
    struct store_counters now;
    store_counters(worker->store, &now);
    const struct store_counters *counted = &worker->counted;
    metric_add(&metrics->rows[OUTBOUND_LEASES_EXPIRED],
               (int64_t)(now.leases_expired - counted->leases_expired));
    metric_add(&metrics->rows[OUTBOUND_REDIS_CONNECTS],
               (int64_t)(now.connects - counted->connects));
    metric_add(&metrics->rows[OUTBOUND_REDIS_LOSSES], (int64_t)(now.losses - counted->losses));
    worker->counted = now;
}

static int64_t work(struct worker *worker, int64_t now_ms)
{
    struct store_health health;
    store_health(worker->store, &health);
    atomic_store_explicit(&worker->is_connected, health.is_ready, memory_order_relaxed);
    if (health.is_ready)
        recorder_turn(&worker->recorder, worker->store, now_ms);
    int64_t wait_ms = claimer_turn(&worker->claimer, health.is_ready, now_ms);
    store_flush(worker->store);
    observe(worker, now_ms);
    return wait_ms;
}

/* `wait_ms`, or less where `limit_ms` is a limit: not -1. */
static int64_t limited(int64_t wait_ms, int64_t limit_ms)
{
    return limit_ms >= 0 ? smaller(wait_ms, limit_ms) : wait_ms;
}

static void rest(struct worker *worker, int64_t now_ms, int64_t wait_ms)
{
    wait_ms = limited(wait_ms, store_watch_prepare(&worker->watch, now_ms));
    wait_ms = limited(wait_ms, http_client_timeout_ms(worker->http));
    struct error error;
    log_release(); /* what came of many signals was logged at once */
    log_gather();
    if (!event_loop_poll(worker->loop, wait_ms > 0 ? wait_ms : 0, &error)) {
        log_error("worker_poll_failed", "tried again", LOG_TEXT("worker", worker->name),
                  LOG_TEXT("detail", error.message));
        (void)poll(NULL, 0, TROUBLE_MS); /* a loop that fails must not spin */
    }
    http_client_turn(worker->http);
    (void)claimer_rouse(&worker->claimer); /* it is up: nobody needs to wake it */
    store_watch_turn(&worker->watch, clock_monotonic_ms());
}

static size_t unrecorded(const struct worker *worker)
{
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
    atomic_fetch_add(&worker->shared->unrecorded_count, count);
    atomic_fetch_add(&worker->shared->repeat_count, repeat_count);
    log_warn("outcomes_unrecorded",
             "Redis did not take these outcomes in time; they are sent again after their lease",
             LOG_TEXT("worker", worker->name), LOG_INT("count", count),
             LOG_INT("repeats", repeat_count));
}

static void *run(void *context)
{
    struct worker *worker = context;
    (void)pthread_setname_np(pthread_self(), worker->name);
    int64_t now_ms = clock_monotonic_ms();
    store_turn(worker->store, now_ms, false, false);
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
    claimer_end(&worker->claimer);
    note_unrecorded(worker);
    (void)eventfd_write(worker->end_fd, 1); /* cannot fail: the counter is at 0 */
    return NULL;
}

/* --- life -------------------------------------------------------------------------- */

static bool create_clients(struct worker *worker, struct error *error)
{
    const struct worker_shared *shared = worker->shared;
    const struct http_client_options options = {
        .ca_file = shared->ca_file,
        .connections_max = (unsigned)shared->share + 1, /* and one for the access token */
        .connection_life_max_s = CONNECTION_LIFE_S,
        .connect_timeout_ms =
            (unsigned)smaller(shared->upstream.timeout_ms, CONNECT_TIMEOUT_MAX_MS),
    };
    worker->loop = event_loop_create(error);
    if (worker->loop == NULL)
        return false;
    worker->http = http_client_create(&options, worker->loop, error);
    if (worker->http == NULL)
        return false;
    struct store_options store = shared->store;
    store.role = worker->name;
    store.is_quiet = true; /* the intake tells */
    worker->store = store_create(&store, error);
    store_watch_init(&worker->watch, worker->loop, worker->store);
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
    authorizer_init(&worker->authorizer, shared, worker->http);
    worker->sender = (struct sender){.shared = shared,
                                     .http = worker->http,
                                     .attempts = &worker->attempts,
                                     .authorizer = &worker->authorizer};
    worker->claimer.worker = (int)index;
    worker->claimer.shared = shared;
    worker->claimer.store = worker->store;
    worker->claimer.attempts = &worker->attempts;
    worker->claimer.authorizer = &worker->authorizer;
    worker->claimer.sender = &worker->sender;
    return worker;
fail:
    worker_destroy(worker);
    return NULL;
}

void worker_destroy(struct worker *worker)
{
    if (worker == NULL)
        return;
    assert(!worker->is_started);
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
    int status = pthread_create(&worker->thread, NULL, run, worker);
    if (status != 0)
        return error_set(error, ERROR_IO, "starting %s: %s", worker->name, strerror(status));
    worker->is_started = true;
    return true;
}

/* Not pthread_timedjoin_np, whose deadline is one of the wall clock: somebody who sets it would
 * have a thread left behind, or waited for forever. */
bool worker_join(struct worker *worker, int64_t deadline_ms)
{
    if (!worker->is_started)
        return true;
    struct pollfd end = {.fd = worker->end_fd, .events = POLLIN};
    int ready;
    do {
        int64_t left_ms = deadline_ms - clock_monotonic_ms();
        ready = poll(&end, 1, left_ms > 0 ? (int)smaller(left_ms, INT_MAX) : 0);
    } while (ready < 0 && errno == EINTR);
    if (ready <= 0)
        return false;
    (void)pthread_join(worker->thread, NULL);
    worker->is_started = false;
    return true;
}

void worker_wake(struct worker *worker)
{
    event_loop_wake(worker->loop);
}

bool worker_wake_resting(struct worker *worker)
{
    if (!claimer_rouse(&worker->claimer))
        return false;
    worker_wake(worker);
    return true;
}

bool worker_is_awake(const struct worker *worker)
{
    return atomic_load(&worker->claimer.state) == CLAIMER_AWAKE;
}

bool worker_is_connected(const struct worker *worker)
{
    return atomic_load_explicit(&worker->is_connected, memory_order_relaxed);
}
