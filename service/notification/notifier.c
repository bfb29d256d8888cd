/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Redis is looked at every second, by one call that says what was told since the last one, renews
 * the lease, and answers what is to be told next. One notification is on its way at a time:
 *
 *     look ─► something to tell ─► send ─► taken ─► look, saying so ─► …
 *      ▲                            └──► failed ─► pause ─┐
 *      └──────────── a second ◄───────────────────────────┘
 *
 * Of many shards the first alone is looked at while nothing happens: see shard_rounds.h.
 * What was taken is told to Redis at once (tellings.h), so that a crash repeats one notification at
 * most, under the same id. Looks go on while one is on its way, for the lease.
 */
#include "service/notification/notifier.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/random.h"
#include "lib/base/thread.h"
#include "lib/base/uuid.h"
#include "lib/net/event_loop.h"

#include "service/domain/event.h"
#include "service/notification/notifier_report.h"
#include "service/notification/shard_rounds.h"
#include "service/notification/standing.h"
#include "service/notification/tellings.h"

enum {
    LOOK_MS = 1000,
    AWAY_MS = 100, /* while Redis cannot be asked */
    LEASE_MS = 15000,
    TURN_MAX_MS = 1000,
};

#define RUNS INT64_MAX

struct notifier {
    /* Set by create, then read-only. */
    struct notifier_options options;
    struct heartbeat heartbeat;
    char name[UUID_BYTES]; /* of this process, among those that may tell */
    /* main's. */
    struct thread thread;
    /* Any thread. */
    _Atomic int64_t stop_at_ms;
    struct notifier_report report;
    /* The notifier's thread. */
    struct event_loop *loop; /* owned, as the next two; event_loop_wake: any thread */
    struct store *store;
    struct receiver *receiver;
    struct buffer body; /* of the notification on its way */
    struct tellings tellings;
    bool is_looking, is_census_open, is_stop_seen, is_leaving, is_over;
    bool is_failing; /* as last logged */
    bool has_more;   /* the last look found something that could be told now, or more to look at */
    int64_t created_at_ms, look_at_ms;
    struct sending_watch watch;
    struct shard_rounds rounds;
};

static bool is_stopping(const struct notifier *notifier)
{
    return atomic_load(&notifier->stop_at_ms) != RUNS;
}

static void note_failing(struct notifier *notifier, bool is_failing, const char *reason)
{
    if (is_failing && !notifier->is_failing)
        log_warn("notifications_failing",
                 "NOTIFY_URL does not take notifications; they are kept and repeated",
                 LOG_TEXT("detail", reason));
    else if (!is_failing && notifier->is_failing)
        log_info("notifications_taken", "NOTIFY_URL takes notifications again");
    notifier->is_failing = is_failing;
}

/* --- the receiver --- */

static void on_sent(void *context, enum receiver_verdict verdict, const char *reason)
{
    struct notifier *notifier = context;
    assert(notifier->tellings.sent.id[0] != '\0' && notifier->tellings.told.id[0] == '\0');
    if (notifier->is_over)
        return; /* cut by us */
    notifier_report_answer(&notifier->report, verdict == RECEIVER_TOOK, reason);
    switch (verdict) {
    case RECEIVER_TOOK:
        metric_add(&notifier->report.metrics[TOLD_DELIVERED], 1);
        note_failing(notifier, false, "");
        tellings_take(&notifier->tellings);
        break;
    case RECEIVER_FAILED:
        metric_add(&notifier->report.metrics[TOLD_FAILED], 1);
        note_failing(notifier, true, reason);
        break;
    case RECEIVER_REFUSED:
        metric_add(&notifier->report.metrics[TOLD_REFUSED], 1);
        log_error("notification_refused",
                  "NOTIFY_URL refuses this notification; it is not repeated any more",
                  LOG_TEXT("detail", reason), LOG_TEXT("about", notifier->tellings.sent.id));
        tellings_take(&notifier->tellings);
        break;
    case RECEIVER_GONE:
        metric_add(&notifier->report.metrics[TOLD_FAILED], 1);
        log_error("notifications_unwanted",
                  "NOTIFY_URL answers 410: this process sends it nothing more; what happens is "
                  "kept for another NOTIFY_URL, or the next start",
                  LOG_TEXT("detail", reason));
        break;
    }
    notifier->tellings.sent.id[0] = '\0';
    notifier->look_at_ms = 0;
}

static bool write_next(struct notifier *notifier, const struct store_notification *next,
                       char id[NOTIFICATION_ID_BYTES], struct error *error)
{
    const char *source = notifier->options.source;
    const struct application *dead = &next->dead.application;
    tellings_send(&notifier->tellings, next);
    buffer_clear(&notifier->body);
    if (!notifier->tellings.sent.is_dead)
        return notification_write_change(&notifier->body, source, &next->change, id, error);
    int64_t died_at_ms = dead->died_at_ms > 0 ? dead->died_at_ms : next->place.at_ms;
    return notification_write_dead(&notifier->body, source, dead, died_at_ms, id, error);
}

/* What cannot be written is not repeated: it would stand before all others. */
static void send_next(struct notifier *notifier, const struct store_notification *next,
                      int64_t now_ms)
{
    char id[NOTIFICATION_ID_BYTES];
    struct error error;
    if (write_next(notifier, next, id, &error)) {
        receiver_send(notifier->receiver, id, &notifier->body, now_ms);
        return;
    }
    bool is_passing = error.kind == ERROR_MEMORY;
    log_error("notification_unwritten",
              is_passing ? "tried again" : "this notification is left out",
              LOG_TEXT("detail", error.message), LOG_TEXT("about", notifier->tellings.sent.id));
    if (!is_passing)
        tellings_take(&notifier->tellings);
    notifier->tellings.sent.id[0] = '\0';
}

/* --- Redis --- */

static void report(struct notifier *notifier, const struct store_notification *next)
{
    bool is_change = next->change.to != SENDING_UNKNOWN;
    int64_t change_age_ms = is_change ? clock_wall_ms() - next->change.at_ms : 0;
    int64_t age_ms = next->untold > 0 ? next->untold_age_ms : 0;
    notifier_report_waiting(&notifier->report, next->untold + is_change,
                            change_age_ms > age_ms ? change_age_ms : age_ms);
}

/* Sends what comes next, unless Redis has yet to be told of the one before. */
static void go_on(struct notifier *notifier, const struct store_notification *next, int64_t now_ms)
{
    bool is_something = next->change.to != SENDING_UNKNOWN || next->has_dead;
    bool is_told = notifier->tellings.told.id[0] == '\0';
    bool is_known = tellings_knows(&notifier->tellings, next);
    bool are_all_asked =
        shard_rounds_end(&notifier->rounds, true, true, is_something || next->untold > 0, now_ms);
    notifier->has_more = next->untold > 0 && !is_something;
    if (!is_told || is_known || notifier->has_more || !are_all_asked)
        notifier->look_at_ms = now_ms;
    if (are_all_asked && is_told && is_something && !is_known &&
        receiver_is_free(notifier->receiver, now_ms))
        send_next(notifier, next, now_ms);
}

static void take_notification(void *context, const struct store_failure *failure,
                              const struct store_notification *next)
{
    struct notifier *notifier = context;
    int64_t now_ms = clock_monotonic_ms();
    assert(notifier->is_looking);
    notifier->is_looking = false;
    notifier->look_at_ms = now_ms + LOOK_MS;
    notifier->has_more = false;
    notifier->is_over = notifier->is_leaving;
    tellings_hear(&notifier->tellings, failure->status == STORE_OK ? next : NULL);
    if (failure->status != STORE_OK || !next->is_ours || notifier->is_leaving) {
        shard_rounds_end(&notifier->rounds, failure->status == STORE_OK, false, false, now_ms);
        notifier_report_unknown(&notifier->report);
        return;
    }
    report(notifier, next);
    go_on(notifier, next, now_ms);
}

static void take_census(void *context, const struct store_failure *failure,
                        const struct store_census *census)
{
    struct notifier *notifier = context;
    assert(notifier->is_census_open);
    notifier->is_census_open = false;
    if (failure->status != STORE_OK || census->is_partial || census->due > 0 ||
        census->paused_at_ms > 0 || notifier->watch.view.paused_at_ms > 0)
        shard_rounds_stir(&notifier->rounds, clock_monotonic_ms());
    sending_watch_note(&notifier->watch, failure->status == STORE_OK ? census : NULL);
}

/* The census is that of a look before: a second is soon enough. */
static void look(struct notifier *notifier, int64_t now_ms)
{
    char change_id[UUID_BYTES];
    struct error error;
    bool is_urgent = tellings_has_any(&notifier->tellings) ||
                     (notifier->is_stop_seen && notifier->rounds.is_ours);
    bool is_of_all = shard_rounds_begin(&notifier->rounds, is_urgent, now_ms);
    if (!notifier->is_census_open)
        notifier->is_census_open =
            is_of_all ? store_census_of_some(notifier->store, take_census, notifier, &error)
                      : store_census_of_first(notifier->store, take_census, notifier, &error);
    struct store_notify_query query = {.asker = notifier->name,
                                       .is_of_first = !is_of_all,
                                       .lease_ms = notifier->is_leaving ? 0 : LEASE_MS,
                                       .wanted_for_ms = now_ms - notifier->created_at_ms};
    query.sending = sending_watch_judge(&notifier->watch, now_ms);
    uuid_v4(change_id);
    query.sending.id = change_id;
    tellings_say(&notifier->tellings, &query);
    notifier->is_looking =
        store_notify(notifier->store, &query, take_notification, notifier, &error);
    notifier->look_at_ms = now_ms + LOOK_MS;
    if (!notifier->is_looking) { /* why Redis is away is told by the intake */
        notifier->look_at_ms = now_ms + AWAY_MS;
        shard_rounds_end(&notifier->rounds, false, false, false, now_ms);
        notifier->is_over = notifier->is_leaving;
        notifier_report_unknown(&notifier->report);
    }
}

/* --- the thread --- */

/* Nothing that could be told now is left to tell. */
static bool is_idle(const struct notifier *notifier, int64_t now_ms)
{
    bool is_told =
        notifier->tellings.told.id[0] == '\0' && !receiver_is_sending(notifier->receiver);
    struct store_health health;
    store_health(notifier->store, &health);
    if (!health.is_ready)
        return !receiver_is_sending(notifier->receiver);
    return is_told && !notifier->has_more && !notifier->is_looking && now_ms < notifier->look_at_ms;
}

/* Whether the thread may end. */
static bool stop_step(struct notifier *notifier, int64_t now_ms)
{
    int64_t stop_at_ms = atomic_load(&notifier->stop_at_ms);
    if (stop_at_ms == RUNS)
        return false;
    if (!notifier->is_stop_seen)
        notifier->look_at_ms = 0; /* once more, for what has died last */
    notifier->is_stop_seen = true;
    if (!notifier->is_leaving && !notifier->is_looking &&
        (is_idle(notifier, now_ms) || now_ms >= stop_at_ms)) {
        notifier->is_leaving = true;
        notifier->look_at_ms = 0;
    }
    return notifier->is_over || now_ms >= stop_at_ms + NOTIFIER_GRACE_MS;
}

static void rest(struct notifier *notifier, int64_t now_ms)
{
    int64_t wait_ms = notifier->look_at_ms > now_ms ? notifier->look_at_ms - now_ms : 0;
    if (notifier->is_looking || wait_ms > TURN_MAX_MS)
        wait_ms = TURN_MAX_MS;
    if (is_stopping(notifier))
        wait_ms = clock_sooner_ms(wait_ms, 20);
    wait_ms = clock_sooner_ms(wait_ms, store_timeout_ms(notifier->store, now_ms));
    wait_ms = clock_sooner_ms(wait_ms, receiver_timeout_ms(notifier->receiver));
    store_flush(notifier->store);
    event_loop_poll(notifier->loop, wait_ms);
    receiver_turn(notifier->receiver);
    store_turn(notifier->store, clock_monotonic_ms());
}

static void run(void *context)
{
    struct notifier *notifier = context;
    for (;;) {
        int64_t now_ms = clock_monotonic_ms();
        heartbeat_beat(&notifier->heartbeat, now_ms);
        if (stop_step(notifier, now_ms))
            break;
        if (!notifier->is_looking && now_ms >= notifier->look_at_ms)
            look(notifier, now_ms);
        rest(notifier, now_ms);
    }
    notifier->is_over = true;
}

/* --- any thread --- */

const struct heartbeat *notifier_heartbeat(const struct notifier *notifier)
{
    return &notifier->heartbeat;
}

struct metric_table notifier_metrics(const struct notifier *notifier)
{
    if (notifier == NULL)
        return (struct metric_table){.count = 0};
    return (struct metric_table){.metrics = notifier->report.metrics,
                                 .count = NOTIFIER_METRIC_COUNT};
}

void notifier_status(struct notifier *notifier, struct notifier_status *out)
{
    notifier_report_read(&notifier->report, out);
}

/* --- life --- */

struct notifier *notifier_create(const struct notifier_options *options, struct error *error)
{
    struct notifier *notifier = calloc(1, sizeof *notifier);
    if (notifier == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    notifier->options = *options;
    notifier->options.store.role = notifier->heartbeat.name = "notifier";
    notifier->options.store.is_quiet = true; /* the intake tells */
    sending_watch_init(&notifier->watch, options->gate, options->access_token, options->workers);
    atomic_init(&notifier->stop_at_ms, RUNS);
    notifier->created_at_ms = clock_monotonic_ms();
    uuid_v4(notifier->name);
    notifier_report_init(&notifier->report);
    buffer_init(&notifier->body, NOTIFICATION_BYTES_MAX);
    notifier->loop = event_loop_create(error);
    event_loop_show(notifier->loop, &notifier->heartbeat);
    if (notifier->loop != NULL)
        notifier->receiver =
            receiver_create(&options->receiver, notifier->loop, on_sent, notifier, error);
    if (notifier->receiver != NULL)
        notifier->store = store_create(&notifier->options.store, notifier->loop, error);
    shard_rounds_init(&notifier->rounds, notifier->store);
    if (notifier->store != NULL)
        return notifier;
    notifier_destroy(notifier);
    return NULL;
}

bool notifier_start(struct notifier *notifier, struct error *error)
{
    return thread_start(&notifier->thread, "notifier", run, notifier, error);
}

void notifier_stop(struct notifier *notifier, int64_t deadline_ms)
{
    if (notifier == NULL || !notifier->thread.is_started)
        return;
    atomic_store(&notifier->stop_at_ms, deadline_ms);
    event_loop_wake(notifier->loop);
    thread_join(&notifier->thread);
}

void notifier_destroy(struct notifier *notifier)
{
    if (notifier == NULL)
        return;
    assert(!notifier->thread.is_started);
    receiver_destroy(notifier->receiver); /* first what calls back into the rest */
    store_destroy(notifier->store);
    event_loop_destroy(notifier->loop);
    buffer_fini(&notifier->body);
    notifier_report_fini(&notifier->report);
    free(notifier);
}
