/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/status.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/net/tls_server.h"

#include "service/inbound/health.h"
#include "service/inbound/intake_pool.h"
#include "service/inbound/service_view.h"
#include "service/notification/notifier.h"
#include "service/outbound/access_token.h"
#include "service/outbound/sending_gate.h"
#include "service/outbound/worker_pool.h"
#include "service/spool/spool.h"

static const char *bool_name(bool value)
{
    return value ? "true" : "false";
}

/* A number, or null below 0: unknown. */
static bool write_known(struct buffer *out, const char *name, int64_t value, struct error *error)
{
    if (value < 0)
        return buffer_append_format(out, error, "\"%s\":null", name);
    return buffer_append_format(out, error, "\"%s\":%" PRId64, name, value);
}

/* A text, or null when it is empty. */
static bool write_text(struct buffer *out, const char *name, const char *text, struct error *error)
{
    if (text[0] == '\0')
        return buffer_append_format(out, error, "\"%s\":null", name);
    return buffer_append_format(out, error, "\"%s\":", name) &&
           json_append_string(out, text, strlen(text), error);
}

static bool write_service(struct buffer *out, const struct service_view *view, int64_t now_ms,
                          struct error *error)
{
    char started_at[RFC3339_BYTES];
    struct health ready;
    rfc3339_format(view->started_at_ms, started_at);
    health_look(HEALTH_READY, view, now_ms, &ready);
    return buffer_append_format(
        out, error,
        "{\"version\":\"%s\",\"startedAt\":\"%s\",\"uptimeSeconds\":%" PRId64
        ",\"ready\":%s,\"draining\":%s",
        view->version, started_at, (now_ms - view->started_monotonic_ms) / 1000,
        bool_name(ready.is_fine), bool_name(atomic_load(&view->is_draining)));
}

static bool write_cause(struct buffer *out, const struct store_cause *cause, struct error *error)
{
    return buffer_append_text(out, "{", error) && write_text(out, "class", cause->class, error) &&
           buffer_append_text(out, ",", error) && write_text(out, "code", cause->code, error) &&
           buffer_append_format(out, error, ",\"count\":%" PRId64 "}", cause->count);
}

static bool write_causes(struct buffer *out, const struct store_census *census, struct error *error)
{
    if (!buffer_append_text(out, "\"deadBy\":[", error))
        return false;
    for (size_t i = 0; i < census->cause_count; i++) {
        if ((i > 0 && !buffer_append_text(out, ",", error)) ||
            !write_cause(out, &census->causes[i], error))
            return false;
    }
    return buffer_append_text(out, "],", error) &&
           write_known(out, "deadByOf", census->causes_of, error);
}

static bool write_signals(struct buffer *out, const struct store_census *census,
                          struct error *error)
{
    static const struct store_census unknown = {
        .due = -1, .dead = -1, .oldest_due_age_ms = -1, .causes_of = -1};
    if (census == NULL)
        census = &unknown;
    return buffer_append_text(out, ",\"signals\":{", error) &&
           write_known(out, "due", census->due, error) && buffer_append_text(out, ",", error) &&
           write_known(out, "dead", census->dead, error) && buffer_append_text(out, ",", error) &&
           write_known(out, "oldestDueAgeMs", census->oldest_due_age_ms, error) &&
           buffer_append_text(out, ",", error) && write_causes(out, census, error) &&
           buffer_append_text(out, "}", error);
}

/* May be below 0. */
static bool write_clock(struct buffer *out, const struct store_health *health, struct error *error)
{
    if (!health->is_clock_known)
        return buffer_append_text(out, ",\"clockAheadMs\":null", error);
    return buffer_append_format(out, error, ",\"clockAheadMs\":%" PRId64, health->clock_ahead_ms);
}

static bool write_node(struct buffer *out, const struct store_node *node, struct error *error)
{
    const struct store_health *health = &node->health;
    return buffer_append_text(out, "{", error) &&
           write_text(out, "address", node->address, error) &&
           buffer_append_format(out, error, ",\"shards\":%u,\"ready\":%s,", node->shards,
                                bool_name(health->is_ready && !health->is_refusing)) &&
           write_text(out, "durability",
                      health->is_ready ? durability_name(health->durability) : "", error) &&
           buffer_append_text(out, ",", error) &&
           write_text(out, "reason", health->reason, error) && buffer_append_text(out, "}", error);
}

/* Of a cluster alone. */
static bool write_nodes(struct buffer *out, const struct store *store, struct error *error)
{
    struct store_node node;
    bool is_written = true;
    if (store == NULL || !store_node(store, 0, &node))
        return true;
    for (size_t i = 0; is_written && store_node(store, i, &node); i++)
        is_written = buffer_append_text(out, i == 0 ? ",\"nodes\":[" : ",", error) &&
                     write_node(out, &node, error);
    return is_written && buffer_append_text(out, "]", error);
}

static bool write_store(struct buffer *out, const struct intake_pool_status *intake,
                        const struct store *store, struct error *error)
{
    const struct store_health *health = &intake->health;
    return buffer_append_format(out, error, ",\"store\":{\"ready\":%s,",
                                bool_name(health->is_ready && !health->is_refusing)) &&
           write_text(out, "durability",
                      health->is_ready ? durability_name(health->durability) : "", error) &&
           buffer_append_text(out, ",", error) &&
           write_text(out, "reason", health->reason, error) && write_clock(out, health, error) &&
           buffer_append_format(out, error, ",\"shards\":%u,\"shardsReady\":%u",
                                health->shard_count, health->shards_ready) &&
           write_nodes(out, store, error) &&
           buffer_append_format(
               out, error,
               "},\"intake\":{\"threads\":%u,\"threadsReady\":%u,\"connections\":%zu,"
               "\"full\":%s,\"openRequests\":%zu}",
               intake->threads, intake->threads_ready, intake->connections,
               bool_name(intake->threads_full > 0), intake->open_requests);
}

/* Redis keeps the pause, for all processes on it. */
static bool write_pause(struct buffer *out, const struct store_census *census, struct error *error)
{
    char since[RFC3339_BYTES] = "";
    if (census == NULL)
        return buffer_append_text(out, "\"paused\":null,\"pausedSince\":null,\"movedTo\":null",
                                  error);
    if (census->paused_at_ms > 0)
        rfc3339_format(census->paused_at_ms, since);
    return buffer_append_format(out, error, "\"paused\":%s,",
                                bool_name(census->paused_at_ms > 0)) &&
           write_text(out, "pausedSince", since, error) && buffer_append_text(out, ",", error) &&
           write_text(out, "movedTo", census->moved_to, error);
}

static bool write_sending(struct buffer *out, struct sending_gate *gate,
                          const struct store_census *census, int64_t now_ms, struct error *error)
{
    static const char *const breaker_names[] = {
        [BREAKER_CLOSED] = "closed", [BREAKER_OPEN] = "open", [BREAKER_PROBING] = "probing"};
    struct sending_gate_status status;
    sending_gate_status(gate, now_ms, &status);
    return buffer_append_format(
               out, error,
               ",\"sending\":{\"breaker\":\"%s\",\"inFlight\":%zu,\"inFlightLimit\":%u,"
               "\"throttledForMs\":%" PRId64 ",",
               status.is_breaker_known ? breaker_names[status.breaker] : "unknown",
               status.in_flight, status.in_flight_limit, status.throttled_for_ms) &&
           write_pause(out, census, error) && buffer_append_text(out, ",", error) &&
           write_text(out, "lastError", status.last_failure, error) &&
           buffer_append_text(out, "}", error);
}

static bool write_access_token(struct buffer *out, struct access_token *token, int64_t now_ms,
                               struct error *error)
{
    struct access_token_status status;
    access_token_status(token, now_ms, &status);
    int64_t failing_for_ms = status.failing_since_ms < 0 ? -1 : now_ms - status.failing_since_ms;
    return buffer_append_format(out, error,
                                ",\"accessToken\":{\"valid\":%s,\"refreshes\":%" PRIu64
                                ",\"failures\":%" PRIu64 ",",
                                bool_name(status.is_valid), status.refreshes, status.failures) &&
           write_known(out, "expiresInMs", status.expires_in_ms, error) &&
           buffer_append_text(out, ",", error) &&
           write_known(out, "failingForMs", failing_for_ms, error) &&
           buffer_append_text(out, ",", error) &&
           write_text(out, "lastError", status.last_error, error) &&
           buffer_append_text(out, "}", error);
}

/* null: none is to be tried again. */
static bool write_oldest_retry(struct buffer *out, const struct worker_pool_status *status,
                               struct error *error)
{
    if (status->oldest_retry_class == VERDICT_CLASS_COUNT)
        return buffer_append_text(out, ",\"oldestRetry\":null", error);
    return buffer_append_format(
        out, error, ",\"oldestRetry\":{\"ageMs\":%" PRId64 ",\"class\":\"%s\"}",
        status->oldest_retry_ms, verdict_class_name(status->oldest_retry_class));
}

static bool write_workers(struct buffer *out, struct worker_pool *pool, struct error *error)
{
    struct worker_pool_status status;
    worker_pool_status(pool, &status);
    char delivered_at[RFC3339_BYTES] = "";
    if (status.last_delivered_at_ms > 0)
        rfc3339_format(status.last_delivered_at_ms, delivered_at);
    return buffer_append_format(
               out, error,
               ",\"workers\":{\"threads\":%u,\"threadsConnected\":%u,\"delivered\":%" PRIu64
               ",\"retried\":%" PRIu64 ",\"died\":%" PRIu64 ",\"fenced\":%" PRIu64
               ",\"leasesExpired\":%" PRIu64 ",",
               status.workers, status.workers_connected, status.delivered, status.retried,
               status.died, status.fenced, status.leases_expired) &&
           write_text(out, "lastDeliveredAt", delivered_at, error) &&
           write_oldest_retry(out, &status, error) && buffer_append_text(out, "}", error);
}

static bool write_spool(struct buffer *out, struct spool *spool, struct error *error)
{
    struct spool_status status;
    spool_status(spool, &status);
    return buffer_append_format(out, error,
                                ",\"spool\":{\"able\":%s,\"records\":%zu,\"bytes\":%" PRIu64
                                ",\"bytesMax\":%" PRIu64 ",",
                                bool_name(status.is_able), status.records, status.bytes,
                                status.bytes_max) &&
           write_known(out, "oldestAgeMs", status.oldest_age_ms, error) &&
           buffer_append_text(out, ",", error) && write_text(out, "reason", status.reason, error) &&
           buffer_append_text(out, "}", error);
}

static bool write_tls(struct buffer *out, struct tls_server *server, struct error *error)
{
    struct tls_server_status status;
    char expires_at[RFC3339_BYTES];
    tls_server_status(server, &status);
    rfc3339_format(status.expires_at_ms, expires_at);
    return buffer_append_format(
               out, error, ",\"tls\":{\"certificateExpiresAt\":\"%s\",\"renewals\":%" PRIu64 ",",
               expires_at, status.renewals) &&
           write_text(out, "reason", status.reason, error) && buffer_append_text(out, "}", error);
}

/* Only the process that tells knows what waits. */
static bool write_notifications(struct buffer *out, struct notifier *notifier, struct error *error)
{
    struct notifier_status status;
    char delivered_at[RFC3339_BYTES] = "";
    notifier_status(notifier, &status);
    if (status.last_delivered_at_ms > 0)
        rfc3339_format(status.last_delivered_at_ms, delivered_at);
    return buffer_append_format(out, error, ",\"notifications\":{\"telling\":%s,",
                                bool_name(status.is_ours)) &&
           write_known(out, "waiting", status.waiting, error) &&
           buffer_append_text(out, ",", error) &&
           write_known(out, "oldestAgeMs", status.oldest_age_ms, error) &&
           buffer_append_text(out, ",", error) &&
           write_text(out, "lastDeliveredAt", delivered_at, error) &&
           buffer_append_text(out, ",", error) && write_text(out, "reason", status.reason, error) &&
           buffer_append_text(out, "}", error);
}

bool status_write(struct buffer *out, const struct service_view *view, const struct store *store,
                  const struct store_census *census, int64_t now_ms, struct error *error)
{
    struct intake_pool_status intake = {.threads = 0};
    if (view->intake_pool != NULL)
        intake_pool_status(view->intake_pool, &intake);
    return write_service(out, view, now_ms, error) && write_signals(out, census, error) &&
           write_store(out, &intake, store, error) &&
           (view->spool == NULL || write_spool(out, view->spool, error)) &&
           (view->notifier == NULL || write_notifications(out, view->notifier, error)) &&
           (view->tls == NULL || write_tls(out, view->tls, error)) &&
           (view->gate == NULL || write_sending(out, view->gate, census, now_ms, error)) &&
           (view->access_token == NULL ||
            write_access_token(out, view->access_token, now_ms, error)) &&
           (view->worker_pool == NULL || write_workers(out, view->worker_pool, error)) &&
           buffer_append_text(out, "}", error);
}
