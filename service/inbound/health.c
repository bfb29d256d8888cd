/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/health.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/heartbeat.h"
#include "lib/base/json.h"
#include "lib/base/log.h"

#include "service/inbound/intake_pool.h"
#include "service/inbound/service_view.h"
#include "service/notification/notifier.h"
#include "service/outbound/worker_pool.h"
#include "service/spool/spool.h"

static bool is_silent_for(const struct heartbeat *heartbeat, int64_t now_ms, int64_t most_ms)
{
    return heartbeat_age_ms(heartbeat, now_ms) > most_ms;
}

bool heartbeat_is_wedged(const struct heartbeat *heartbeat, int64_t now_ms)
{
    return is_silent_for(heartbeat, now_ms, HEALTH_WEDGED_AFTER_MS);
}

static void describe_silence(char *out, size_t size, const struct heartbeat *heartbeat,
                             int64_t now_ms)
{
    assert(heartbeat->name != NULL); /* each loop has one */
    (void)snprintf(out, size, "The loop of %s has not turned for %" PRId64 " ms.", heartbeat->name,
                   heartbeat_age_ms(heartbeat, now_ms));
}

size_t health_loops(const struct service_view *view,
                    const struct heartbeat *loops[HEALTH_LOOPS_MAX])
{
    size_t count = 0;
    if (view->main_loop != NULL)
        loops[count++] = view->main_loop;
    const struct heartbeat *heartbeat;
    for (size_t i = 0; view->intake_pool != NULL && count < HEALTH_LOOPS_MAX &&
                       (heartbeat = intake_pool_heartbeat(view->intake_pool, i)) != NULL;
         i++)
        loops[count++] = heartbeat;
    if (view->spool != NULL && count < HEALTH_LOOPS_MAX)
        loops[count++] = spool_heartbeat(view->spool);
    if (view->notifier != NULL && count < HEALTH_LOOPS_MAX)
        loops[count++] = notifier_heartbeat(view->notifier);
    if (view->worker_pool == NULL)
        return count;
    size_t workers;
    const struct heartbeat *heartbeats = worker_pool_heartbeats(view->worker_pool, &workers);
    for (size_t i = 0; i < workers && count < HEALTH_LOOPS_MAX; i++)
        loops[count++] = &heartbeats[i];
    assert(count <= HEALTH_LOOPS_MAX);
    return count;
}

static void look_live(const struct service_view *view, int64_t now_ms, struct health *out)
{
    const struct heartbeat *loops[HEALTH_LOOPS_MAX];
    size_t count = health_loops(view, loops);
    for (size_t i = 0; i < count; i++) {
        if (!heartbeat_is_wedged(loops[i], now_ms))
            continue;
        out->is_fine = false;
        describe_silence(out->detail, sizeof out->detail, loops[i], now_ms);
        return;
    }
    int64_t stuck_ms = log_stuck_ms(now_ms);
    if (stuck_ms > HEALTH_STALLED_AFTER_MS)
        (void)snprintf(out->detail, sizeof out->detail,
                       "Nobody has read the log for %" PRId64 " ms; lines are lost once its queue "
                       "is full.",
                       stuck_ms);
}

/* The intake thread that takes no events, although it may have said once that it can. */
static const struct heartbeat *find_stalled_intake(const struct service_view *view, int64_t now_ms)
{
    const struct heartbeat *heartbeat;
    for (size_t i = 0; view->intake_pool != NULL &&
                       (heartbeat = intake_pool_heartbeat(view->intake_pool, i)) != NULL;
         i++)
        if (is_silent_for(heartbeat, now_ms, HEALTH_STALLED_AFTER_MS))
            return heartbeat;
    return NULL;
}

static void see_spool(struct spool *spool, int64_t now_ms, struct spool_status *out)
{
    spool_status(spool, out);
    const struct heartbeat *heartbeat = spool_heartbeat(spool);
    if (!is_silent_for(heartbeat, now_ms, HEALTH_STALLED_AFTER_MS))
        return;
    out->is_able = false;
    describe_silence(out->reason, sizeof out->reason, heartbeat, now_ms);
}

/* What the intake threads and the spool have to tell. */
struct sight {
    struct intake_pool_status intake;
    struct spool_status spool; /* without a spool: not able */
    bool is_redis_ready;
};

static void see(const struct service_view *view, int64_t now_ms, struct sight *out)
{
    *out = (struct sight){.is_redis_ready = false};
    if (view->intake_pool != NULL)
        intake_pool_status(view->intake_pool, &out->intake);
    if (view->spool != NULL)
        see_spool(view->spool, now_ms, &out->spool);
    out->is_redis_ready =
        out->intake.threads > 0 && out->intake.threads_ready == out->intake.threads;
}

/* With Redis away the spool decides, and with the spool the reason is of interest all the same. */
static void describe(const struct service_view *view, const struct sight *sight, struct health *out)
{
    static const char full[] =
        "All connections are taken; for each new one the longest idle one is closed";
    const char *redis = sight->intake.health.reason, *spool = sight->spool.reason;
    if (redis[0] == '\0' && sight->intake.threads_full > 0)
        redis = full;
    if (!sight->is_redis_ready && out->is_fine)
        spool = "Events are kept in the spool.";
    (void)snprintf(out->detail, sizeof out->detail, "%s%s%s", redis,
                   redis[0] != '\0' && spool[0] != '\0' ? ". " : "",
                   view->spool != NULL ? spool : "");
}

static void look_ready(const struct service_view *view, int64_t now_ms, struct health *out)
{
    struct sight sight;
    see(view, now_ms, &sight);
    out->is_fine = sight.is_redis_ready || (sight.intake.threads > 0 && sight.spool.is_able);
    describe(view, &sight, out);
    const struct heartbeat *stalled = find_stalled_intake(view, now_ms);
    if (stalled != NULL) {
        out->is_fine = false;
        describe_silence(out->detail, sizeof out->detail, stalled, now_ms);
    }
    if (atomic_load(&view->is_draining)) {
        out->is_fine = false;
        (void)snprintf(out->detail, sizeof out->detail, "The service is shutting down.");
    }
}

static void look_started(const struct service_view *view, int64_t now_ms, struct health *out)
{
    struct sight sight;
    see(view, now_ms, &sight);
    const struct intake_pool_status *intake = &sight.intake;
    out->is_fine = intake->threads > 0 &&
                   (intake->threads_connected == intake->threads || sight.spool.is_able);
    if (!out->is_fine)
        (void)snprintf(out->detail, sizeof out->detail,
                       "%u of %u intake threads have reached Redis%s%s", intake->threads_connected,
                       intake->threads, intake->health.reason[0] != '\0' ? ": " : "",
                       intake->health.reason);
}

void health_look(enum health_probe probe, const struct service_view *view, int64_t now_ms,
                 struct health *out)
{
    *out = (struct health){.is_fine = true};
    switch (probe) {
    case HEALTH_LIVE:
        out->code = PROBLEM_NOT_LIVE;
        look_live(view, now_ms, out);
        return;
    case HEALTH_READY:
        out->code = PROBLEM_NOT_READY;
        look_ready(view, now_ms, out);
        return;
    case HEALTH_STARTED:
        out->code = PROBLEM_NOT_STARTED;
        look_started(view, now_ms, out);
        return;
    }
}

static bool write_loops(struct buffer *out, const struct service_view *view, int64_t now_ms,
                        struct error *error)
{
    const struct heartbeat *loops[HEALTH_LOOPS_MAX];
    size_t count = health_loops(view, loops);
    if (!buffer_append_text(out, ",\"loops\":[", error))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!buffer_append_format(
                out, error, "%s{\"name\":\"%s\",\"ageMs\":%" PRId64 ",\"wedged\":%s}",
                i > 0 ? "," : "", loops[i]->name, heartbeat_age_ms(loops[i], now_ms),
                heartbeat_is_wedged(loops[i], now_ms) ? "true" : "false"))
            return false;
    }
    return buffer_append_text(out, "]", error);
}

static bool write_head(struct buffer *out, enum health_probe probe, const struct health *health,
                       struct error *error)
{
    static const char *const members[] = {
        [HEALTH_LIVE] = "live", [HEALTH_READY] = "ready", [HEALTH_STARTED] = "started"};
    if (!health->is_fine) {
        const struct problem problem = {.code = health->code, .detail = health->detail};
        return problem_write_open(out, &problem, error) &&
               buffer_append_format(out, error, ",\"%s\":false", members[probe]);
    }
    if (!buffer_append_format(out, error, "{\"%s\":true", members[probe]))
        return false;
    if (health->detail[0] == '\0')
        return true;
    return buffer_append_text(out, ",\"warning\":", error) &&
           json_append_string(out, health->detail, strlen(health->detail), error);
}

bool health_write(struct buffer *out, enum health_probe probe, const struct service_view *view,
                  int64_t now_ms, const struct health *health, struct error *error)
{
    return write_head(out, probe, health, error) &&
           (probe != HEALTH_LIVE || write_loops(out, view, now_ms, error)) &&
           buffer_append_text(out, "}", error);
}
