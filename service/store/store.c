/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The connection and its health. Ready means: connected, and the last inspection found nothing
 * wrong.
 */
#include "service/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"

#include "service/store/store_internal.h"

enum {
    CONNECT_TIMEOUT_MS = 1000,
    COMMAND_TIMEOUT_MS = 2000,
    /* Longer than replicas are waited for behind a script, in memory and then on disk
       (confirmation.c): a shortfall is to be told as such. */
    REPLICAS_TIMEOUT_MS = 3000,
    RECONNECT_MIN_MS = 50,
    RECONNECT_MAX_MS = 2000,
};

/* --- health --- */

static enum log_level level(const struct store *store, enum log_level level)
{
    return store->options.is_quiet ? LOG_DEBUG : level;
}

static void log_health(const struct store *store)
{
    const struct store_health *health = &store->health;
    const struct log_field role = LOG_TEXT("role", store->options.role);
    const struct log_field durability = LOG_TEXT("durability", durability_name(health->durability));
    if (!health->is_ready)
        log_write(level(store, LOG_ERROR), "redis_unfit", health->reason, role, LOG_END);
    else if (health->reason[0] != '\0')
        log_write(level(store, LOG_WARN), "redis_ready", health->reason, role, durability, LOG_END);
    else
        log_write(level(store, LOG_INFO), "redis_ready", "Redis is connected and fit", role,
                  durability, LOG_END);
}

void store_apply_finding(struct store *store, const struct store_health *finding)
{
    const struct store_health *old = &store->health;
    bool is_news = finding->is_ready != old->is_ready || finding->is_refusing != old->is_refusing ||
                   !durability_equals(finding->durability, old->durability) ||
                   strcmp(finding->reason, old->reason) != 0;
    store->health = *finding;
    if (is_news)
        log_health(store);
}

void store_fall_short(struct store *store, const char *shortfall)
{
    struct store_health finding = {.durability = store->health.durability};
    (void)snprintf(finding.reason, sizeof finding.reason, "%s", shortfall);
    store_apply_finding(store, &finding);
    redis_client_reopen(store->client, finding.reason);
}

static bool locate(void *context, struct redis_url *out, struct error *error)
{
    const struct store *store = context;
    return store->options.locate(store->options.context, out, error);
}

static void opened(void *context)
{
    struct store *store = context;
    store->counters.connects++;
    memset(store->hashes, 0, sizeof store->hashes); /* it may be another Redis */
    inspection_start(store);
}

static void closed(void *context, const char *reason)
{
    struct store *store = context;
    if (store->health.is_ready)
        store->counters.losses++;
    else if (strcmp(store->health.reason, reason) == 0)
        return; /* closed by us since it is unfit, which stays the reason and is logged */
    store->health.is_ready = false;
    (void)snprintf(store->health.reason, sizeof store->health.reason, "Redis is away: %s", reason);
    log_write(level(store, LOG_WARN), "redis_lost", store->health.reason,
              LOG_TEXT("role", store->options.role), LOG_END);
}

void store_health(const struct store *store, struct store_health *out)
{
    *out = store->health;
}

void store_note_clock(struct store *store, int64_t redis_ms, int64_t now_ms)
{
    store->is_clock_known = true;
    store->clock_ahead_ms = redis_ms - now_ms;
}

bool store_is_confirming(const struct store *store)
{
    return store->confirmation.is_synced || store->confirmation.received > 0;
}

void store_counters(const struct store *store, struct store_counters *out)
{
    *out = store->counters;
}

size_t store_pending(const struct store *store)
{
    return store->calls_open;
}

/* --- life --- */

struct store *store_create(const struct store_options *options, struct error *error)
{
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    store->options = *options;
    char name[UUID_BYTES];
    uuid_v4(name);
    (void)snprintf(store->claims.key, sizeof store->claims.key, "%s%s", STORE_KEY_CLAIM, name);
    store->health = (struct store_health){.reason = "Redis has not answered yet"};
    bool are_replicas_asked = options->demand.level >= DURABILITY_REPLICAS;
    store->answer_timeout_ms = are_replicas_asked ? REPLICAS_TIMEOUT_MS : COMMAND_TIMEOUT_MS;
    store->client = redis_client_create(
        &(struct redis_client_options){
            .locate = locate,
            .opened = opened,
            .closed = closed,
            .context = store,
            .connect_timeout_ms = CONNECT_TIMEOUT_MS,
            .command_timeout_ms = store->answer_timeout_ms,
            .reconnect_min_ms = RECONNECT_MIN_MS,
            .reconnect_max_ms = RECONNECT_MAX_MS,
            .ca_file = options->ca_file,
        },
        error);
    if (store->client == NULL)
        goto fail;
    return store;
fail:
    store_destroy(store);
    return NULL;
}

void store_destroy(struct store *store)
{
    if (store == NULL)
        return;
    store->health = (struct store_health){.reason = "the connection to Redis is being closed"};
    redis_client_destroy(store->client); /* ends the open calls, which may not start others */
    free(store);
}

/* --- the loop --- */

void store_interest(const struct store *store, int64_t now_ms, struct redis_interest *out)
{
    redis_client_interest(store->client, now_ms, out);
    int64_t inspection_ms = inspection_timeout_ms(store, now_ms);
    if (inspection_ms >= 0 && (out->timeout_ms < 0 || inspection_ms < out->timeout_ms))
        out->timeout_ms = inspection_ms;
}

void store_turn(struct store *store, int64_t now_ms, bool is_readable, bool is_writable)
{
    store->now_ms = now_ms;
    redis_client_turn(store->client, now_ms, is_readable, is_writable);
    if (inspection_timeout_ms(store, now_ms) == 0)
        inspection_start(store);
}

void store_flush(struct store *store)
{
    redis_client_flush(store->client);
}
