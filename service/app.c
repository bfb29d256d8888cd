/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Parts are created in the order in which they need each other, started from the back (Redis,
 * workers, intake), and stopped from the front. The numbered stop list of ARCHITECTURE.md is
 * app_stop; it runs on a thread of its own, so that main's loop goes on answering probes, watching
 * the embedded Redis and taking a second signal meanwhile.
 */
#include "service/app.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/heartbeat.h"
#include "lib/net/event_loop.h"
#include "lib/net/http_client.h"

#include "service/announcement.h"
#include "service/inbound/intake_pool.h"
#include "service/inbound/ops_server.h"
#include "service/outbound/access_token.h"
#include "service/outbound/sending_gate.h"
#include "service/outbound/worker_pool.h"
#include "service/process.h"
#include "service/redis_location.h"
#include "service/secret_watch.h"
#include "service/store/embedded_redis.h"
#include "service/store/spool.h"
#include "service/supervision.h"

enum {
    TURN_MAX_MS = 1000,
    TURN_MAX_BEFORE_READY_MS = 20,
    STOP_MARGIN_MS = 10000, /* of the whole stop, beside the time for signals on their way */
    INTAKE_STOP_MS = 2500,  /* over Redis's command time-out: what is committing is answered */
    TRACER_STOP_MS = 2000,
    BREAKER_FAILURES = 10,
    BREAKER_SILENCE_MS = 1000,
    BREAKER_WAIT_MS = 500, /* SEEK's return is seen within BREAKER_WAIT_MAX_MS */
    BREAKER_WAIT_MAX_MS = 2000,
    ACCESS_TOKEN_RETRY_BASE_MS = 500,
    ACCESS_TOKEN_RETRY_MAX_MS = 15000,
    DESCRIPTORS_BESIDE_CONNECTIONS = 256,
};

struct app {
    const struct config *config; /* borrowed */
    int64_t started_at_ms;       /* monotonic */
    size_t connections_max;      /* as far as there are descriptors for them */
    struct heartbeat heartbeat;
    struct supervision supervision;
    struct redis_location location;
    struct service_view view;
    struct event_loop *loop; /* owned, as all below */
    int signal_fd;
    int embedded_fd; /* watched now; -1: none */
    struct embedded_redis *embedded;
    struct access_token *access_token;
    struct sending_gate *gate;
    struct worker_pool *workers;
    struct spool *spool; /* NULL: none */
    struct intake_pool *intake;
    struct ops_server *ops;
    struct secret_watch secret_watch;
    bool is_ready_logged;
    bool is_stopping;
    pthread_t stopper;
    _Atomic bool is_stopped;    /* set by the stopper */
    struct worker_pool_end end; /* written by the stopper before is_stopped */
    int64_t stop_by_ms;         /* once stopping: whatever does not end by then is left behind */
};

/* --- building ------------------------------------------------------------------------ */

static bool create_redis(struct app *app, struct error *error)
{
    app->location.url = app->config->redis_url;
    if (app->config->redis_url != NULL)
        return true;
    app->embedded = embedded_redis_start(app->config->data_dir, error);
    app->location.embedded = app->embedded;
    return app->embedded != NULL || error_wrap(error, "embedded Redis");
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
    const struct config *config = app->config;
    const struct access_token_options token_options = {
        .audience = config->audience,
        .client_id = config->client_id,
        .client_secret = config->client_secret,
        .retry_base_ms = ACCESS_TOKEN_RETRY_BASE_MS,
        .retry_max_ms = ACCESS_TOKEN_RETRY_MAX_MS,
        .outage_max_ms = BREAKER_WAIT_MAX_MS,
        .refresh_timeout_ms = 2 * (int64_t)config->request_timeout_ms,
    };
    const struct sending_gate_options gate_options = {
        .in_flight_max = config->max_in_flight,
        .per_second_max = config->max_per_second,
        .breaker_failures = BREAKER_FAILURES,
        .breaker_silence_ms = BREAKER_SILENCE_MS,
        .breaker_wait_ms = BREAKER_WAIT_MS,
        .breaker_wait_max_ms = BREAKER_WAIT_MAX_MS,
    };
    app->access_token = access_token_create(&token_options, error);
    app->gate = app->access_token != NULL ? sending_gate_create(&gate_options, error) : NULL;
    if (app->gate == NULL)
        return false;
    const struct worker_pool_options options = {
        .worker_count = config->workers,
        .in_flight_max = config->max_in_flight,
        .graphql_url = config->graphql_url,
        .token_url = config->token_url,
        .user_agent = config->user_agent,
        .accept_language = config->accept_language,
        .ca_file = config->ca_file,
        .request_timeout_ms = config->request_timeout_ms,
        .retry_base_ms = config->retry_base_ms,
        .retry_max_ms = config->retry_max_ms,
        .retry_age_max_ms = (int64_t)config->retry_max_age_s * 1000,
        .is_upstream_logged = config->is_upstream_logged != 0,
        /* Nobody is told what workers write, so they go on where an acknowledgement would not be
         * durable enough. */
        .store = redis_location_store_options(&app->location, config,
                                              (struct durability){.level = DURABILITY_ANY}),
        .access_token = app->access_token,
        .gate = app->gate,
        .tracer = app->view.tracer,
    };
    app->workers = worker_pool_create(&options, error);
    return app->workers != NULL;
}

static void on_spool_due(void *context)
{
    const struct app *app = context;
    worker_pool_wake(app->workers);
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
        .due = on_spool_due,
        .context = app,
    };
    app->spool = spool_create(&options, error);
    app->view.spool = app->spool;
    return app->spool != NULL || error_wrap(error, "SPOOL_DIR");
}

static bool create_inbound(struct app *app, struct error *error)
{
    const struct config *config = app->config;
    const struct intake_pool_options options = {
        .listen_address = &config->listen_address,
        .thread_count = config->intake_threads,
        .body_bytes_max = config->max_body_bytes,
        .header_bytes_max = config->max_header_bytes,
        .connections_max = (unsigned)app->connections_max,
        .connections_per_address_max = config->max_connections_per_address,
        .idle_timeout_s = config->idle_timeout_s,
        .read_timeout_ms = config->read_timeout_ms,
        .batch_max = config->max_batch,
        .store = redis_location_store_options(&app->location, config, config->durability),
        .api_key = config->api_key,
        .spool = app->spool,
        .view = &app->view,
    };
    app->intake = intake_pool_create(&options, error);
    if (app->intake == NULL)
        return error_wrap(error, "LISTEN");
    app->view.worker_pool = app->workers;
    app->view.gate = app->gate;
    app->view.access_token = app->access_token;
    app->view.intake_pool = app->intake;
    app->view.main_loop = &app->heartbeat;
    app->view.version = SEEK_SIGNAL_VERSION;
    app->view.started_at_ms = clock_wall_ms();
    app->view.started_monotonic_ms = app->started_at_ms;
    app->ops = ops_server_create(&config->ops_listen_address, app->loop, &app->view, error);
    return app->ops != NULL || error_wrap(error, "OPS_LISTEN");
}

/* --- signals ------------------------------------------------------------------------- */

static void *app_stop(void *context)
{
    struct app *app = context;
    intake_pool_begin_drain(app->intake); /* 1 */
    app->end =
        worker_pool_stop(app->workers, clock_monotonic_ms() +
                                           (int64_t)app->config->shutdown_timeout_s * 1000); /* 2 */
    intake_pool_stop(app->intake, clock_monotonic_ms() + INTAKE_STOP_MS);                    /* 3 */
    spool_stop(app->spool);                                                                  /* 4 */
    tracer_stop(app->view.tracer, clock_monotonic_ms() + TRACER_STOP_MS);                    /* 5 */
    atomic_store(&app->is_stopped, true);
    event_loop_wake(app->loop); /* 6 to 8: app_serve, on main */
    return NULL;
}

static void on_signal(void *context, unsigned events)
{
    struct app *app = context;
    (void)events;
    struct signalfd_siginfo info;
    if (read(app->signal_fd, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    if (app->is_stopping)
        process_end_at_once("second signal: ending at once; leases run out by themselves");
    log_info("stopping", "signals on their way are finished first",
             LOG_TEXT("signal", info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT"),
             LOG_INT("deadline_s", app->config->shutdown_timeout_s));
    app->is_stopping = true;
    app->stop_by_ms =
        clock_monotonic_ms() + (int64_t)app->config->shutdown_timeout_s * 1000 + STOP_MARGIN_MS;
    supervision_stopping(&app->supervision);
    if (pthread_create(&app->stopper, NULL, app_stop, app) != 0)
        process_end_at_once("no thread for a clean stop: ending at once");
}

static bool create_loop(struct app *app, const sigset_t *signals, struct error *error)
{
    app->loop = event_loop_create(error);
    if (app->loop == NULL)
        return false;
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
    supervision_ready(&app->supervision);
}

static void on_embedded_exit(void *context, unsigned events)
{
    /* The turn after the poll looks at the child; waking up is all that is needed here. */
    (void)context;
    (void)events;
}

/* The child's descriptor is another one in each of its lives. */
static bool watch_embedded(struct app *app, struct error *error)
{
    int fd = app->embedded != NULL ? embedded_redis_fd(app->embedded) : -1;
    if (fd == app->embedded_fd)
        return true;
    if (app->embedded_fd >= 0)
        event_loop_forget(app->loop, app->embedded_fd);
    app->embedded_fd = fd;
    return fd < 0 || event_loop_watch(app->loop, fd, EVENT_READ, on_embedded_exit, app, error);
}

static int64_t sooner(int64_t a_ms, int64_t b_ms) /* -1: never */
{
    if (a_ms < 0 || b_ms < 0)
        return a_ms < 0 ? b_ms : a_ms;
    return a_ms < b_ms ? a_ms : b_ms;
}

static bool turn(struct app *app, struct error *error)
{
    int64_t now_ms = clock_monotonic_ms();
    heartbeat_beat(&app->heartbeat, now_ms);
    if (app->is_stopping && now_ms >= app->stop_by_ms)
        process_end_at_once(
            "a thread does not end: leaving it behind; leases run out by themselves");
    supervision_alive(&app->supervision, &app->view, now_ms);
    int64_t timeout_ms = sooner(app->is_ready_logged ? TURN_MAX_MS : TURN_MAX_BEFORE_READY_MS,
                                ops_server_timeout_ms(app->ops));
    if (app->embedded != NULL)
        timeout_ms = sooner(timeout_ms, embedded_redis_timeout_ms(app->embedded, now_ms));
    if (!watch_embedded(app, error) || !event_loop_poll(app->loop, timeout_ms, error))
        return false;
    ops_server_turn(app->ops);
    if (app->embedded != NULL) {
        int fd = embedded_redis_fd(app->embedded);
        embedded_redis_turn(app->embedded, clock_monotonic_ms());
        /* The turn closes the descriptor of a child that died, and the number may come again. */
        if (fd >= 0 && embedded_redis_fd(app->embedded) != fd) {
            event_loop_forget(app->loop, fd);
            app->embedded_fd = -1;
        }
    }
    note_ready(app);
    secret_watch_turn(&app->secret_watch);
    return true;
}

static bool run(struct app *app, struct error *error)
{
    if (!worker_pool_start(app->workers, error) ||
        (app->spool != NULL && !spool_start(app->spool, error)) ||
        !intake_pool_start(app->intake, error))
        return false;
    announce_listening(app->config, intake_pool_port(app->intake), ops_server_port(app->ops));
    while (!atomic_load(&app->is_stopped)) {
        if (!turn(app, error))
            return false;
    }
    return true;
}

/* Also after a failure: what runs is stopped before anything is freed. */
static void finish(struct app *app)
{
    if (app->is_stopping)
        (void)pthread_join(app->stopper, NULL);
    else if (app->intake != NULL)
        (void)app_stop(app);
    if (app->end.stuck > 0)
        process_end_at_once(
            "a worker does not end: leaving it behind; its leases run out by themselves");
}

static void destroy(struct app *app)
{
    ops_server_destroy(app->ops); /* 6 */
    spool_stop(app->spool);
    intake_pool_destroy(app->intake);
    spool_destroy(app->spool);
    worker_pool_destroy(app->workers);
    sending_gate_destroy(app->gate);
    access_token_destroy(app->access_token);
    tracer_destroy(app->view.tracer);
    embedded_redis_destroy(app->embedded); /* 7 */
    if (app->signal_fd >= 0)
        (void)close(app->signal_fd);
    event_loop_destroy(app->loop); /* 8 */
}

int app_serve(const struct config *config)
{
    struct app app = {.config = config,
                      .started_at_ms = clock_monotonic_ms(),
                      .heartbeat = {.name = "main"},
                      .supervision = {.socket_name = config->notify_socket},
                      .secret_watch = {.config = config},
                      .signal_fd = -1,
                      .embedded_fd = -1};
    struct error error;
    sigset_t signals;
    process_block_signals(&signals);
    process_forbid_cores();
    app.connections_max = process_reserve_descriptors(
        config->max_connections, config->max_in_flight + DESCRIPTORS_BESIDE_CONNECTIONS);
    if (!http_client_startup(&error)) {
        log_error("start_failed", error.message);
        return 1;
    }
    bool is_clean = create_loop(&app, &signals, &error) && create_redis(&app, &error) &&
                    create_tracer(&app, &error) && create_outbound(&app, &error) &&
                    create_spool(&app, &error) && create_inbound(&app, &error) && run(&app, &error);
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
