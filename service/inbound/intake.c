/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One turn of the loop:
 *
 *     wait ──► Redis: answers resume their requests ──► HTTP: answer, read, parse, gather
 *       ▲                                                          │
 *       └─────────────── send what was gathered ◄──────────────────┘
 *
 * Redis comes first, so that its answers leave with the HTTP turn of the same round; and the events
 * with which their clients follow up join what is sent then.
 */
#include "service/inbound/intake.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mutex.h"
#include "lib/net/event_loop.h"
#include "lib/net/http_server.h"

#include "service/inbound/api.h"
#include "service/inbound/batch.h"
#include "service/inbound/census.h"
#include "service/inbound/front.h"
#include "service/inbound/service_view.h"
#include "service/inbound/spool_batch.h"
#include "service/inbound/waiting_room.h"
#include "service/outbound/worker_pool.h"
#include "service/store/store_watch.h"

enum {
    TURN_MS_MAX = 3000, /* a heart may miss 10 s */
    NOT_STOPPING = -1,
};

struct intake {
    /* Set by create, then read-only: any thread. */
    char name[16];
    struct inbound_metrics *metrics; /* borrowed: outlives us */
    /* The thread's own while it runs. */
    struct event_loop *loop; /* owned, as the rest; wake from any thread */
    struct http_server *server;
    struct store *store;
    struct batch *batch;
    struct spool_batch *spool; /* NULL: none */
    struct waiting_room waits;
    struct census census; /* census_ask from any thread */
    struct front front;
    struct store_watch watch;
    struct store_counters counted; /* as far as the metrics have it */
    int64_t connections_counted;
    bool is_quiesced;
    /* main's. */
    pthread_t thread;
    bool is_started;
    /* Any thread. */
    struct heartbeat heartbeat;
    _Atomic int64_t stop_at_ms; /* NOT_STOPPING, or the deadline */
    /* Any thread, holding shared.lock. */
    struct {
        struct mutex lock;
        struct intake_status status;
    } shared;
};

static void take_http_events(void *context, unsigned events)
{
    (void)context; /* each turn of the loop turns the server anyway */
    (void)events;
}

static bool create_server(struct intake *intake, int take_listen_fd,
                          const struct intake_pool_options *options, struct error *error)
{
    unsigned threads = options->thread_count;
    struct http_server_options server = {
        .listen_fd = take_listen_fd,
        .body_bytes_max = options->body_bytes_max,
        .header_bytes_max = options->header_bytes_max,
        .connections_max = (options->connections_max + threads - 1) / threads,
        .connections_per_address_max = options->connections_per_address_max,
        .idle_timeout_s = options->idle_timeout_s,
        .request_timeout_ms = options->read_timeout_ms,
    };
    front_serve(&intake->front, &server);
    intake->server = http_server_create(&server, error);
    return intake->server != NULL;
}

static bool create_spool_batch(struct intake *intake, struct spool *spool, struct error *error)
{
    if (spool == NULL)
        return true;
    intake->spool = spool_batch_create(spool, intake->loop, error);
    batch_use_spool(intake->batch, intake->spool);
    return intake->spool != NULL;
}

static bool create_parts(struct intake *intake, unsigned index,
                         const struct intake_pool_options *options, struct error *error)
{
    struct store_options store = options->store;
    store.role = intake->name;
    store.is_quiet = index > 0; /* the first one tells */
    intake->store = store_create(&store, error);
    if (intake->store == NULL)
        return false;
    intake->batch = batch_create(
        intake->store, options->view, intake->metrics,
        options->open_events_max > 0 ? options->open_events_max : INTAKE_OPEN_EVENTS_MAX, error);
    if (intake->batch == NULL)
        return false;
    intake->loop = event_loop_create(error);
    store_watch_init(&intake->watch, intake->loop, intake->store);
    census_init(&intake->census, intake->store, intake->metrics);
    return intake->loop != NULL &&
           event_loop_watch(intake->loop, http_server_fd(intake->server), EVENT_READ,
                            take_http_events, intake, error) &&
           create_spool_batch(intake, options->spool, error);
}

static void fill_front(struct intake *intake, const struct intake_pool_options *options)
{
    intake->front.routes = api_routes;
    intake->front.route_count = api_route_count;
    intake->front.view = options->view;
    intake->front.body_bytes_max = options->body_bytes_max;
    intake->front.api_key = options->api_key;
    intake->front.is_local =
        !options->listen_address->is_unix && listen_address_is_local(options->listen_address);
    intake->front.metrics = intake->metrics;
    intake->front.store = intake->store;
    intake->front.batch = intake->batch;
    intake->front.spool = intake->spool;
    intake->front.waits = &intake->waits;
    intake->front.batch_max = options->batch_max;
}

struct intake *intake_create(unsigned index, int take_listen_fd,
                             const struct intake_pool_options *options,
                             struct inbound_metrics *metrics, struct error *error)
{
    struct intake *intake = calloc(1, sizeof *intake);
    if (intake == NULL) {
        (void)close(take_listen_fd);
        (void)error_out_of_memory(error);
        return NULL;
    }
    (void)snprintf(intake->name, sizeof intake->name, "intake-%u", index);
    intake->heartbeat.name = intake->name;
    intake->metrics = metrics;
    atomic_init(&intake->stop_at_ms, NOT_STOPPING);
    mutex_init(&intake->shared.lock);
    waiting_room_init(&intake->waits);
    front_init(&intake->front);
    if (!create_server(intake, take_listen_fd, options, error) ||
        !create_parts(intake, index, options, error)) {
        intake_destroy(intake);
        return NULL;
    }
    fill_front(intake, options);
    return intake;
}

/* ---- the loop ---- */

static int64_t sooner_ms(int64_t a, int64_t b) /* negative: never */
{
    if (a < 0 || b < 0)
        return a < 0 ? b : a;
    return a < b ? a : b;
}

static void wait_for_events(struct intake *intake)
{
    int64_t now_ms = clock_monotonic_ms();
    int64_t timeout_ms = store_watch_prepare(&intake->watch, now_ms);
    timeout_ms = sooner_ms(timeout_ms, http_server_timeout_ms(intake->server));
    timeout_ms = sooner_ms(timeout_ms, waiting_room_timeout_ms(&intake->waits, now_ms));
    timeout_ms = sooner_ms(timeout_ms, TURN_MS_MAX);
    int64_t stop_at_ms = atomic_load(&intake->stop_at_ms);
    if (stop_at_ms != NOT_STOPPING)
        timeout_ms = sooner_ms(timeout_ms, stop_at_ms > now_ms ? stop_at_ms - now_ms : 0);
    struct error error;
    if (event_loop_poll(intake->loop, timeout_ms, &error))
        return;
    /* Only our own mistake can make it fail. What was acknowledged is in Redis. */
    log_error("intake_failed", error.message, LOG_TEXT("thread", intake->name));
    abort();
}

static void publish_counters(struct intake *intake)
{
    struct store_counters now;
    store_counters(intake->store, &now);
    struct store_counters *counted = &intake->counted;
    int64_t connections = (int64_t)http_server_connections(intake->server);
    if (now.connects != counted->connects)
        metric_add(&intake->metrics->redis_connects, (int64_t)(now.connects - counted->connects));
    if (now.losses != counted->losses)
        metric_add(&intake->metrics->redis_losses, (int64_t)(now.losses - counted->losses));
    if (now.last_round_trip_us != counted->last_round_trip_us)
        metric_observe_us(&intake->metrics->redis_round_trip, now.last_round_trip_us);
    if (connections != intake->connections_counted)
        metric_add(&intake->metrics->connections, connections - intake->connections_counted);
    *counted = now;
    intake->connections_counted = connections;
}

static void publish(struct intake *intake)
{
    publish_counters(intake);
    struct intake_status status = {
        .is_connected = intake->counted.connects > 0,
        .connections = (size_t)intake->connections_counted,
        .open_requests = http_server_open_requests(intake->server),
    };
    store_health(intake->store, &status.health);
    mutex_lock(&intake->shared.lock);
    intake->shared.status = status;
    mutex_unlock(&intake->shared.lock);
}

/* A worker is told already when events leave for Redis, not only when they are there: its claim
 * arrives behind them and shares their sync, so that a lone event is sent a third of a millisecond
 * sooner. A claim that comes too early finds nothing, and is made again after the commit.
 *
 * The spool last: it has what the batch could not give to Redis. */
static void commit(struct intake *intake)
{
    struct worker_pool *workers = intake->front.view->worker_pool;
    bool is_sent = batch_turn(intake->batch);
    store_flush(intake->store);
    if (is_sent && workers != NULL)
        worker_pool_note_due(workers);
    if (intake->spool != NULL)
        spool_batch_turn(intake->spool);
}

static void turn(struct intake *intake)
{
    wait_for_events(intake);
    log_gather(); /* each event is a line */
    int64_t now_ms = clock_monotonic_ms();
    store_watch_turn(&intake->watch, now_ms);
    waiting_room_turn(&intake->waits, now_ms);
    census_turn(&intake->census, now_ms);
    http_server_turn(intake->server);
    commit(intake);
    publish(intake);
    heartbeat_beat(&intake->heartbeat, now_ms);
    log_release();
}

/* Those who wait for SEEK are told what is known: their events are stored already. */
static bool has_finished_stopping(struct intake *intake)
{
    int64_t stop_at_ms = atomic_load(&intake->stop_at_ms);
    if (stop_at_ms == NOT_STOPPING)
        return false;
    if (!intake->is_quiesced) {
        http_server_quiesce(intake->server);
        intake->is_quiesced = true;
    }
    waiting_room_expire_all(&intake->waits);
    return http_server_open_requests(intake->server) == 0 || clock_monotonic_ms() >= stop_at_ms;
}

static void *run(void *context)
{
    struct intake *intake = context;
    (void)pthread_setname_np(pthread_self(), intake->name);
    heartbeat_beat(&intake->heartbeat, clock_monotonic_ms());
    while (!has_finished_stopping(intake))
        turn(intake);
    /* Suspended requests are answered by `abandon`, before their server goes. */
    http_server_stop(intake->server);
    publish(intake);
    return NULL;
}

bool intake_start(struct intake *intake, struct error *error)
{
    int failure = pthread_create(&intake->thread, NULL, run, intake);
    if (failure != 0)
        return error_set(error, ERROR_IO, "starting thread %s: %s", intake->name,
                         strerror(failure));
    intake->is_started = true;
    return true;
}

void intake_stop(struct intake *intake, int64_t deadline_ms)
{
    atomic_store(&intake->stop_at_ms, deadline_ms < 0 ? 0 : deadline_ms);
    event_loop_wake(intake->loop);
}

void intake_join(struct intake *intake)
{
    if (!intake->is_started)
        return;
    (void)pthread_join(intake->thread, NULL);
    intake->is_started = false;
}

/* Requests first, since they use the rest; then the store, whose open calls end and let go of
 * theirs; then the batch, which does the same for what was never sent, and the spool's. */
void intake_destroy(struct intake *intake)
{
    if (intake == NULL)
        return;
    http_server_destroy(intake->server);
    store_destroy(intake->store);
    batch_destroy(intake->batch);
    spool_batch_destroy(intake->spool);
    event_loop_destroy(intake->loop);
    front_fini(&intake->front);
    mutex_fini(&intake->shared.lock);
    free(intake);
}

void intake_status(struct intake *intake, struct intake_status *out)
{
    mutex_lock(&intake->shared.lock);
    *out = intake->shared.status;
    mutex_unlock(&intake->shared.lock);
}

const struct heartbeat *intake_heartbeat(const struct intake *intake)
{
    return &intake->heartbeat;
}

void intake_ask_census(struct intake *intake)
{
    census_ask(&intake->census, clock_monotonic_ms());
}
