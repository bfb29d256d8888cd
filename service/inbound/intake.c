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

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/base/mutex.h"
#include "lib/base/thread.h"
#include "lib/net/event_loop.h"
#include "lib/net/http_server.h"

#include "service/inbound/api.h"
#include "service/inbound/batch.h"
#include "service/inbound/census.h"
#include "service/inbound/history_writer.h"
#include "service/inbound/inbound_context.h"
#include "service/inbound/service_view.h"
#include "service/inbound/spool_batch.h"
#include "service/inbound/waiting_room.h"

enum {
    WAITERS_DIVISOR = 4,
    TRIM_MS = 2000,
    TURN_MS_MAX = 30000,
    NOT_STOPPING = -1,
};

struct intake {
    /* Set by create, then read-only: any thread. */
    char name[16];
    struct metric *metrics; /* borrowed: outlives us */
    /* The thread's own while it runs. */
    struct event_loop *loop; /* owned, as the rest; wake from any thread */
    struct http_server *server;
    struct store *store;
    struct batch *batch;
    struct spool_batch *spool; /* NULL: none */
    struct waiting_room waits;
    struct census census;          /* census_ask from any thread */
    struct history_writer history; /* of the first thread, for the whole process */
    struct inbound_context context;
    bool was_waits_full;
    int64_t trimmed_at_ms;
    bool is_trim_owed; /* something has happened since */
    bool is_quiesced;
    /* main's. */
    struct thread thread;
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

static unsigned connections_of_thread(const struct intake_pool_options *options)
{
    assert(options->thread_count > 0);
    return (options->connections_max + options->thread_count - 1) / options->thread_count;
}

static bool create_server(struct intake *intake, const struct listener *take_listener,
                          const struct intake_pool_options *options, struct error *error)
{
    struct http_server_options server = {
        .listener = *take_listener,
        .body_bytes_max = options->body_bytes_max,
        .header_bytes_max = options->header_bytes_max,
        .connections_max = connections_of_thread(options),
        .connections_per_address_max = options->connections_per_address_max,
        .idle_timeout_s = options->idle_timeout_s,
        .request_timeout_ms = options->read_timeout_ms,
        .tls = options->tls,
        .plain_answer = options->tls != NULL ? intake->context.plain_answer : NULL,
    };
    inbound_context_serve(&intake->context, &server);
    intake->server = http_server_create(&server, error);
    return intake->server != NULL;
}

static bool create_spool_batch(struct intake *intake, struct spool *spool, struct error *error)
{
    if (spool == NULL)
        return true;
    intake->spool = spool_batch_create(spool, intake->loop, error);
    assert(intake->batch != NULL); /* made before */
    batch_use_spool(intake->batch, intake->spool);
    return intake->spool != NULL;
}

static bool create_parts(struct intake *intake, unsigned index,
                         const struct intake_pool_options *options, struct error *error)
{
    assert(intake->server != NULL); /* made before */
    intake->loop = event_loop_create(error);
    if (intake->loop == NULL)
        return false;
    event_loop_show(intake->loop, &intake->heartbeat);
    struct store_options store = options->store;
    store.role = intake->name;
    store.is_quiet = index > 0; /* the first one tells */
    store.metrics =
        (struct store_metrics){.connects = &intake->metrics[INBOUND_REDIS_CONNECTS],
                               .losses = &intake->metrics[INBOUND_REDIS_LOSSES],
                               .round_trip = &intake->metrics[INBOUND_REDIS_ROUND_TRIP]};
    intake->store = store_create(&store, intake->loop, error);
    if (intake->store == NULL)
        return false;
    intake->batch = batch_create(
        intake->store, options->view, intake->metrics,
        options->open_events_max > 0 ? options->open_events_max : INTAKE_OPEN_EVENTS_MAX, error);
    if (intake->batch == NULL)
        return false;
    census_init(&intake->census, intake->store, intake->metrics);
    if (index == 0)
        history_writer_init(&intake->history, intake->store, intake->metrics, options->view);
    return event_loop_watch(intake->loop, http_server_fd(intake->server), EVENT_READ,
                            take_http_events, intake, error) &&
           create_spool_batch(intake, options->spool, error);
}

static void fill_context(struct intake *intake, const struct intake_pool_options *options)
{
    intake->context.routes = api_routes;
    intake->context.route_count = api_route_count;
    intake->context.view = options->view;
    intake->context.body_bytes_max = options->body_bytes_max;
    intake->context.access = options->access;
    /* Over TLS it is called by the names in its certificate, and a browser refuses any other. */
    intake->context.is_local = options->tls == NULL && !options->listen_address->is_unix &&
                               listen_address_is_local(options->listen_address);
    intake->context.metrics = intake->metrics;
    intake->context.loop = intake->loop;
    intake->context.store = intake->store;
    intake->context.batch = intake->batch;
    intake->context.spool = intake->spool;
    intake->context.waits = &intake->waits;
    intake->context.batch_max = options->batch_max;
}

struct intake *intake_create(unsigned index, const struct listener *take_listener,
                             const struct intake_pool_options *options, struct metric *metrics,
                             struct budget *bodies, struct error *error)
{
    struct intake *intake = calloc(1, sizeof *intake);
    if (intake == NULL) {
        struct listener listener = *take_listener;
        listener_close(&listener);
        (void)error_out_of_memory(error);
        return NULL;
    }
    (void)snprintf(intake->name, sizeof intake->name, "intake-%u", index);
    intake->heartbeat.name = intake->name;
    intake->metrics = metrics;
    atomic_init(&intake->stop_at_ms, NOT_STOPPING);
    mutex_init(&intake->shared.lock);
    size_t connections_max = connections_of_thread(options);
    waiting_room_init(&intake->waits,
                      connections_max > WAITERS_DIVISOR ? connections_max / WAITERS_DIVISOR : 1);
    inbound_context_init(&intake->context);
    intake->context.bodies = bodies;
    if (!create_server(intake, take_listener, options, error) ||
        !create_parts(intake, index, options, error)) {
        intake_destroy(intake);
        return NULL;
    }
    fill_context(intake, options);
    return intake;
}

/* ---- the loop ---- */

static int64_t trim_timeout_ms(const struct intake *intake, int64_t now_ms)
{
    int64_t at_ms = intake->trimmed_at_ms + TRIM_MS;
    return !intake->is_trim_owed ? -1 : at_ms > now_ms ? at_ms - now_ms : 0;
}

static void wait_for_events(struct intake *intake)
{
    int64_t now_ms = clock_monotonic_ms();
    int64_t timeout_ms = store_timeout_ms(intake->store, now_ms);
    timeout_ms = clock_sooner_ms(timeout_ms, store_give_back_timeout_ms(intake->store, now_ms));
    timeout_ms = clock_sooner_ms(timeout_ms, trim_timeout_ms(intake, now_ms));
    timeout_ms = clock_sooner_ms(timeout_ms, http_server_timeout_ms(intake->server));
    timeout_ms = clock_sooner_ms(timeout_ms, waiting_room_timeout_ms(&intake->waits, now_ms));
    timeout_ms = clock_sooner_ms(timeout_ms, inbound_context_timeout_ms(&intake->context, now_ms));
    timeout_ms = clock_sooner_ms(timeout_ms, census_timeout_ms(&intake->census, now_ms));
    timeout_ms = clock_sooner_ms(timeout_ms, TURN_MS_MAX);
    int64_t stop_at_ms = atomic_load(&intake->stop_at_ms);
    if (stop_at_ms != NOT_STOPPING)
        timeout_ms = clock_sooner_ms(timeout_ms, stop_at_ms > now_ms ? stop_at_ms - now_ms : 0);
    assert(timeout_ms >= 0 && timeout_ms <= TURN_MS_MAX);
    intake->is_trim_owed |= event_loop_poll(intake->loop, timeout_ms);
}

static void note_waits(struct intake *intake)
{
    if (intake->was_waits_full && !intake->waits.is_full)
        log_info("waits_free", "Requests with ?wait= may wait again");
    intake->was_waits_full = intake->waits.is_full;
}

static void publish(struct intake *intake)
{
    note_waits(intake);
    struct intake_status status = {
        .is_connected = store_has_connected(intake->store),
        .connections = http_server_connections(intake->server),
        .is_full = intake->context.is_full,
        .open_requests = http_server_open_requests(intake->server),
        .waiters = intake->waits.count,
    };
    store_health(intake->store, &status.health);
    mutex_lock(&intake->shared.lock);
    intake->shared.status = status;
    mutex_unlock(&intake->shared.lock);
}

/* What cannot go the straight way has to be claimed. A worker is told so already when the events
 * leave for Redis, not only when they are there: its claim arrives behind them and shares their
 * sync, so that a lone event is sent a third of a millisecond sooner. A claim that comes too early
 * finds nothing, and is made again after the commit.
 *
 * The spool last: it has what the batch could not give to Redis. */
static void commit(struct intake *intake)
{
    bool is_due_soon = batch_turn(intake->batch);
    store_flush(intake->store);
    if (is_due_soon)
        service_view_note_due(intake->context.view, false);
    if (intake->spool != NULL)
        spool_batch_turn(intake->spool);
}

static void trim_memory(struct intake *intake, int64_t now_ms)
{
    if (trim_timeout_ms(intake, now_ms) != 0)
        return;
    intake->trimmed_at_ms = now_ms;
    intake->is_trim_owed = false;
    memory_trim_own();
}

static void turn(struct intake *intake)
{
    wait_for_events(intake);
    log_gather(); /* each event is a line */
    int64_t now_ms = clock_monotonic_ms();
    store_turn(intake->store, now_ms);
    store_give_back_lost(intake->store, now_ms);
    waiting_room_turn(&intake->waits, now_ms);
    inbound_context_turn(&intake->context, now_ms);
    census_turn(&intake->census, now_ms);
    history_writer_turn(&intake->history, now_ms);
    http_server_turn(intake->server);
    commit(intake);
    publish(intake);
    trim_memory(intake, now_ms);
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
    assert(intake->waits.count == 0);
    int64_t now_ms = clock_monotonic_ms();
    bool is_writing = history_writer_is_ending(&intake->history, now_ms);
    return (http_server_open_requests(intake->server) == 0 && !is_writing) || now_ms >= stop_at_ms;
}

static void run(void *context)
{
    struct intake *intake = context;
    heartbeat_beat(&intake->heartbeat, clock_monotonic_ms());
    while (!has_finished_stopping(intake))
        turn(intake);
    /* Suspended requests are answered by `abandon`, before their server goes. */
    http_server_stop(intake->server);
    assert(intake->waits.count == 0); /* nobody waits for a loop that has ended */
    publish(intake);
}

bool intake_start(struct intake *intake, struct error *error)
{
    return thread_start(&intake->thread, intake->name, run, intake, error);
}

void intake_stop(struct intake *intake, int64_t deadline_ms)
{
    atomic_store(&intake->stop_at_ms, deadline_ms < 0 ? 0 : deadline_ms);
    event_loop_wake(intake->loop);
}

void intake_join(struct intake *intake)
{
    thread_join(&intake->thread);
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
    inbound_context_fini(&intake->context);
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
    if (census_ask(&intake->census, clock_monotonic_ms()))
        event_loop_wake(intake->loop);
}
