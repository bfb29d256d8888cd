/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Parts are created in the order in which they need each other, started from the back (Redis,
 * workers, intake), and stopped from the front. The numbered stop list of ARCHITECTURE.md is
 * app_stop; it runs on a thread of its own, so that main's loop goes on answering probes, watching
 * the embedded Redis and taking a second signal meanwhile.
 */
#include "service/serve/app.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/heartbeat.h"
#include "lib/base/memory.h"
#include "lib/base/thread.h"
#include "lib/net/event_loop.h"
#include "lib/net/http_client.h"
#include "lib/net/listener.h"

#include "service/inbound/intake_pool.h"
#include "service/inbound/ops_server.h"
#include "service/outbound/access_token.h"
#include "service/outbound/sending_gate.h"
#include "service/outbound/worker_pool.h"
#include "service/private_redis/embedded_redis.h"
#include "service/serve/announcement.h"
#include "service/serve/child_watch.h"
#include "service/serve/notifying.h"
#include "service/serve/part_options.h"
#include "service/serve/process.h"
#include "service/serve/redis_location.h"
#include "service/serve/secret_watch.h"
#include "service/serve/supervision.h"
#include "service/serve/tls_watch.h"
#include "service/spool/spool.h"

enum {
    TURN_MAX_MS = 15000,
    TURN_MAX_TOLD_MS = 1000, /* somebody is told, or waits for an end */
    TURN_MAX_BEFORE_READY_MS = 20,
    STOP_MARGIN_MS = 10000,  /* of the whole stop, beside the time for signals on their way */
    INTAKE_STOP_MS = 2500,   /* over Redis's command time-out: what is committing is answered */
    LAST_REQUESTS_MS = 2000, /* of the notifier, and of the tracer */
};

struct app {
    const struct config *config; /* borrowed */
    int64_t started_at_ms;       /* monotonic */
    struct heartbeat heartbeat;
    struct supervision supervision;
    struct redis_location location;
    struct service_view view;
    struct metric_registry metrics;
    struct event_loop *loop; /* owned, as all below */
    int signal_fd;
    struct embedded_redis *embedded;
    struct child_watch child_watch;
    struct access_token *access_token;
    struct sending_gate *gate;
    struct worker_pool *workers;
    struct spool *spool; /* NULL: none */
    struct intake_pool *intake;
    struct ops_server *ops;
    struct secret_watch secret_watch;
    struct tls_watch tls_watch;
    struct memory_watch memory_watch;
    bool is_ready_logged;
    bool is_stopping;
    int64_t stop_from_ms; /* once stopping: until then all goes on, for those who do not know yet */
    bool has_stopper;
    struct thread stopper;
    _Atomic bool is_stopped;    /* set by the stopper */
    struct worker_pool_end end; /* written by the stopper before is_stopped */
    int64_t stop_by_ms;         /* once stopping: whatever does not end by then is left behind */
};

/* --- building ------------------------------------------------------------------------ */

static bool create_redis(struct app *app, struct error *error)
{
    if (!redis_location_init(&app->location, app->config, error))
        return false;
    if (app->config->redis_url != NULL)
        return true;
    app->embedded = embedded_redis_start(app->config->data_dir, error);
    app->location.embedded = app->embedded;
    app->child_watch = (struct child_watch){app->embedded, app->loop, -1};
    return app->embedded != NULL || error_wrap(error, "private Redis");
}

static bool create_tracer(struct app *app, struct error *error)
{
    const struct tracer_options *options = &app->config->tracing;
    if (options->collector.url != NULL)
        app->view.tracer = tracer_create(options, error);
    return options->collector.url == NULL || app->view.tracer != NULL;
}

static bool create_outbound(struct app *app, struct error *error)
{
    const struct access_token_options token_options = part_options_for_access_token(app->config);
    const struct sending_gate_options gate_options = part_options_for_gate(app->config);
    app->access_token = access_token_create(&token_options, error);
    app->gate = app->access_token != NULL ? sending_gate_create(&gate_options, error) : NULL;
    if (app->gate == NULL)
        return false;
    struct worker_pool_options options = part_options_for_workers(app->config, &app->location);
    options.access_token = app->access_token;
    options.gate = app->gate;
    options.tracer = app->view.tracer;
    app->workers = worker_pool_create(&options, error);
    const struct notifying parts = {app->config, &app->location, app->gate, app->access_token,
                                    app->workers};
    return app->workers != NULL && notifying_create(&parts, &app->view.notifier, error);
}

static void on_due(void *context, bool may_be_resumed)
{
    const struct app *app = context;
    worker_pool_note_due(app->workers, may_be_resumed);
}

static bool create_spool(struct app *app, struct error *error)
{
    const struct config *config = app->config;
    if (config->spool_dir == NULL)
        return true;
    const struct spool_options options = {
        .directory = config->spool_dir,
        .bytes_max = config->spool_bytes_max,
        .store = redis_location_store_options(&app->location, config, config->durability),
        .due = on_due,
        .context = app,
    };
    app->spool = spool_create(&options, error);
    app->view.spool = app->spool;
    return app->spool != NULL || error_wrap(error, "SEEK_SIGNAL_SPOOL_DIR");
}

static bool create_inbound(struct app *app, struct error *error)
{
    const struct config *config = app->config;
    struct intake_pool_options options = part_options_for_intake(config, &app->location);
    options.connections_max = (unsigned)process_fit_connections(
        config->max_connections, part_options_descriptors(config, &app->location));
    options.tls = app->tls_watch.server;
    options.spool = app->spool;
    options.view = &app->view;
    app->intake = intake_pool_create(&options, error);
    if (app->intake == NULL)
        return error_wrap(error, "LISTEN");
    app->view.tls = app->tls_watch.server;
    app->view.worker_pool = app->workers;
    app->view.due = on_due;
    app->view.due_context = app;
    app->view.gate = app->gate;
    app->view.access_token = app->access_token;
    app->view.intake_pool = app->intake;
    app->view.inbound_metrics = intake_pool_inbound_metrics(app->intake);
    app->metrics = (struct metric_registry){
        {intake_pool_metrics(app->intake), spool_metrics(app->spool),
         worker_pool_metrics(app->workers), notifier_metrics(app->view.notifier),
         tracer_metrics(app->view.tracer)},
        5}; /* in the order of the page */
    app->view.metrics = &app->metrics;
    app->view.main_loop = &app->heartbeat;
    app->view.version = SEEK_SIGNAL_VERSION;
    app->view.started_at_ms = clock_wall_ms();
    app->view.started_monotonic_ms = app->started_at_ms;
    app->ops = ops_server_create(&config->ops_listen_address, app->loop, &app->view, error);
    return app->ops != NULL || error_wrap(error, "OPS_LISTEN");
}

/* --- signals ------------------------------------------------------------------------- */

static void app_stop(void *context)
{
    struct app *app = context;
    intake_pool_begin_drain(app->intake); /* 1: a failure comes without a signal */
    app->end =
        worker_pool_stop(app->workers, clock_monotonic_ms() +
                                           (int64_t)app->config->shutdown_timeout_s * 1000); /* 2 */
    intake_pool_stop(app->intake, clock_monotonic_ms() + INTAKE_STOP_MS);                    /* 3 */
    spool_stop(app->spool);                                                                  /* 4 */
    notifier_stop(app->view.notifier, clock_monotonic_ms() + LAST_REQUESTS_MS);              /* 5 */
    tracer_stop(app->view.tracer, clock_monotonic_ms() + LAST_REQUESTS_MS);                  /* 6 */
    atomic_store(&app->is_stopped, true);
    event_loop_wake(app->loop); /* 7 to 9: app_serve, on main */
}

/* A load balancer goes on sending for seconds to a process that has to end: Kubernetes tells both
 * at the same time. Callers on this machine know better, and are not kept waiting. */
static uint32_t stop_delay_s(const struct config *config)
{
    return listen_address_is_local(&config->listen_address) ? 0 : config->shutdown_delay_s;
}

static void on_signal(void *context, unsigned events)
{
    struct app *app = context;
    (void)events;
    struct signalfd_siginfo info;
    if (read(app->signal_fd, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    char name[PROCESS_SIGNAL_BYTES];
    if (!process_is_ended_by((int)info.ssi_signo, name))
        return;
    if (app->is_stopping)
        process_end_at_once("A second stop signal came, so the service ends at once. Signals in "
                            "progress are sent again when their leases end");
    uint32_t delay_s = stop_delay_s(app->config);
    log_info("stopping", "Signals in progress are finished first", LOG_TEXT("signal", name),
             LOG_INT("delay_s", delay_s), LOG_INT("deadline_s", app->config->shutdown_timeout_s));
    intake_pool_begin_drain(app->intake); /* 1 */
    app->is_stopping = true;
    app->stop_from_ms = clock_monotonic_ms() + (int64_t)delay_s * 1000;
    app->stop_by_ms =
        app->stop_from_ms + (int64_t)app->config->shutdown_timeout_s * 1000 + STOP_MARGIN_MS;
    app->supervision.is_stopping = true;
}

/* -1: nothing to wait for. */
static int64_t stop_timeout_ms(const struct app *app, int64_t now_ms)
{
    if (!app->is_stopping || app->has_stopper)
        return -1;
    return app->stop_from_ms > now_ms ? app->stop_from_ms - now_ms : 0;
}

static void stop_turn(struct app *app)
{
    struct error error;
    if (stop_timeout_ms(app, clock_monotonic_ms()) != 0)
        return;
    app->has_stopper = thread_start(&app->stopper, "stopper", app_stop, app, &error);
    if (!app->has_stopper)
        process_end_at_once("no thread for a clean stop: ending at once");
}

static bool create_loop(struct app *app, const sigset_t *signals, struct error *error)
{
    app->loop = event_loop_create(error);
    if (app->loop == NULL)
        return false;
    event_loop_show(app->loop, &app->heartbeat);
    app->signal_fd = signalfd(-1, signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (app->signal_fd < 0)
        return error_set(error, ERROR_IO, "signalfd: %s", strerror(errno));
    return event_loop_watch(app->loop, app->signal_fd, EVENT_READ, on_signal, app, error);
}

/* --- running ------------------------------------------------------------------------- */

static void note_ready(struct app *app)
{
    if (app->is_ready_logged || !announce_ready(&app->view, app->started_at_ms))
        return;
    app->is_ready_logged = true;
    app->supervision.is_ready = true;
}

static int64_t turn_max_ms(const struct app *app)
{
    if (!app->is_ready_logged)
        return TURN_MAX_BEFORE_READY_MS;
    bool is_told = app->supervision.socket_name != NULL || app->is_stopping;
    return is_told ? TURN_MAX_TOLD_MS : TURN_MAX_MS;
}

static bool turn(struct app *app, struct error *error)
{
    int64_t now_ms = clock_monotonic_ms();
    heartbeat_beat(&app->heartbeat, now_ms);
    if (app->is_stopping && now_ms >= app->stop_by_ms)
        process_end_at_once("A thread does not end and is left behind; leases run out");
    supervision_turn(&app->supervision, &app->view, now_ms);
    int64_t timeout_ms = clock_sooner_ms(turn_max_ms(app), ops_server_timeout_ms(app->ops));
    timeout_ms = clock_sooner_ms(timeout_ms, supervision_timeout_ms(&app->supervision, now_ms));
    timeout_ms = clock_sooner_ms(timeout_ms, child_watch_timeout_ms(&app->child_watch, now_ms));
    timeout_ms = clock_sooner_ms(timeout_ms, secret_watch_timeout_ms(&app->secret_watch));
    timeout_ms = clock_sooner_ms(timeout_ms, tls_watch_timeout_ms(&app->tls_watch, now_ms));
    timeout_ms = clock_sooner_ms(timeout_ms, memory_watch_timeout_ms(&app->memory_watch, now_ms));
    timeout_ms = clock_sooner_ms(timeout_ms, stop_timeout_ms(app, now_ms));
    if (!child_watch_prepare(&app->child_watch, error))
        return false;
    event_loop_poll(app->loop, timeout_ms);
    stop_turn(app);
    ops_server_turn(app->ops);
    child_watch_turn(&app->child_watch);
    note_ready(app);
    secret_watch_turn(&app->secret_watch);
    tls_watch_turn(&app->tls_watch, now_ms);
    memory_watch_turn(&app->memory_watch, now_ms);
    return true;
}

static bool run(struct app *app, struct error *error)
{
    if (!worker_pool_start(app->workers, error) ||
        (app->spool != NULL && !spool_start(app->spool, error)) ||
        (app->view.notifier != NULL && !notifier_start(app->view.notifier, error)) ||
        !intake_pool_start(app->intake, error))
        return false;
    announce_listening(app->config, app->intake, app->ops);
    while (!atomic_load(&app->is_stopped)) {
        if (!turn(app, error))
            return false;
    }
    return true;
}

/* Also after a failure: what runs is stopped before anything is freed. */
static void finish(struct app *app)
{
    if (app->has_stopper)
        thread_join(&app->stopper);
    else if (app->intake != NULL)
        app_stop(app);
    if (app->end.stuck > 0)
        process_end_at_once(
            "a worker does not end: leaving it behind; its leases run out by themselves");
}

static void destroy(struct app *app)
{
    ops_server_destroy(app->ops); /* 7 */
    spool_stop(app->spool);
    intake_pool_destroy(app->intake);
    tls_watch_close(&app->tls_watch);
    spool_destroy(app->spool);
    notifier_destroy(app->view.notifier);
    worker_pool_destroy(app->workers);
    sending_gate_destroy(app->gate);
    access_token_destroy(app->access_token);
    tracer_destroy(app->view.tracer);
    redis_location_fini(&app->location);
    embedded_redis_destroy(app->embedded); /* 8 */
    if (app->signal_fd >= 0)
        (void)close(app->signal_fd);
    event_loop_destroy(app->loop); /* 9 */
}

int app_serve(const struct config *config)
{
    struct app app = {.config = config,
                      .started_at_ms = clock_monotonic_ms(),
                      .heartbeat = {.name = "main"},
                      .supervision = {.socket_name = config->notify_socket,
                                      .alive_every_ms = config->watchdog_ms / 2},
                      .secret_watch = {.config = config},
                      .signal_fd = -1};
    struct error error;
    sigset_t signals;
    process_take_signals(&signals);
    memory_init();
    process_raise_descriptors();
    if (!http_client_startup(&error)) {
        log_error("start_failed", error.message);
        return 1;
    }
    bool is_clean = create_loop(&app, &signals, &error) && create_redis(&app, &error) &&
                    create_tracer(&app, &error) && create_outbound(&app, &error) &&
                    create_spool(&app, &error) && tls_watch_open(&app.tls_watch, config, &error) &&
                    create_inbound(&app, &error) && run(&app, &error);
    bool is_config_wrong = !is_clean && error.kind == ERROR_CONFIG;
    if (!is_clean)
        log_error(app.is_ready_logged ? "failed" : "start_failed", error.message);
    finish(&app);
    destroy(&app);
    http_client_cleanup();
    if (is_clean)
        announce_stopped(&app.end);
    if (is_config_wrong)
        return 2;
    return is_clean ? 0 : 1;
}
