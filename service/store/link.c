/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/link.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"
#include "lib/net/host.h"

#include "service/store/shard_map.h"

enum {
    CONNECT_TIMEOUT_MS = 1000,
    COMMAND_TIMEOUT_MS = 2000,
    /* Longer than replicas are waited for behind a script, in memory and then on disk
       (confirmation.c): what is missing is reported as such. */
    REPLICAS_TIMEOUT_MS = 3000,
    RECONNECT_MIN_MS = 50,
    RECONNECT_MAX_MS = 2000,
    ANSWER_MS = 100, /* on its way, and what the clocks are read too late */
};

/* --- health --- */

static enum log_level level(const struct store_link *link, enum log_level level)
{
    return link->options.is_quiet ? LOG_DEBUG : level;
}

static void log_health(const struct store_link *link)
{
    const struct store_health *health = &link->health;
    const struct log_field role = LOG_TEXT("role", link->name);
    const struct log_field durability = LOG_TEXT("durability", durability_name(health->durability));
    if (!health->is_ready || health->is_refusing)
        log_at(level(link, LOG_ERROR), "redis_unfit", health->reason, role);
    else if (health->reason[0] != '\0')
        log_at(level(link, LOG_WARN), "redis_ready", health->reason, role, durability);
    else
        log_at(level(link, LOG_INFO), "redis_ready", "Redis is connected and fit", role,
               durability);
}

/* Between the two moments at which the clocks are read lies the way of one answer. */
enum { CLOCK_TOLERANCE_MS = 5000 };

/* Once for each time that it begins or ends. */
static void note_clock_difference(struct store_link *link, const struct store_health *health)
{
    int64_t ahead_ms = health->clock_ahead_ms;
    bool is_off = ahead_ms > CLOCK_TOLERANCE_MS || ahead_ms < -CLOCK_TOLERANCE_MS;
    if (!health->is_clock_known || is_off == link->is_clock_off)
        return;
    link->is_clock_off = is_off;
    const struct log_field role = LOG_TEXT("role", link->name);
    if (is_off)
        log_at(level(link, LOG_WARN), "redis_clock_off",
               "The clocks of Redis and of this machine differ. Set both by NTP. A signal without "
               "a completedAt carries Redis's time",
               role, LOG_INT("ahead_ms", ahead_ms));
    else
        log_at(level(link, LOG_INFO), "redis_clock_right",
               "The clocks of Redis and of this machine agree again", role);
}

static void log_fall(const struct store_link *link, const struct store_health *health)
{
    const struct log_field role = LOG_TEXT("role", link->name);
    const struct log_field durability = LOG_TEXT("durability", durability_name(health->durability));
    if (health->has_fallen)
        log_at(level(link, LOG_WARN), "durability_fallen",
               "Redis gives less durability than before, and events are still accepted. Look at "
               "its settings, or set DURABILITY to the level that you need",
               role, durability, LOG_TEXT("before", durability_name(link->most)));
    else
        log_at(level(link, LOG_INFO), "durability_back", "Redis gives as much durability as before",
               role, durability);
}

/* Once for each time that it begins or ends. */
static void note_durability(struct store_link *link, struct store_health *health)
{
    bool had_fallen = link->health.has_fallen;
    health->has_fallen = had_fallen;
    if (!health->is_ready)
        return;
    health->has_fallen = !durability_satisfies(health->durability, link->most);
    if (!health->has_fallen)
        link->most = health->durability;
    if (health->has_fallen != had_fallen)
        log_fall(link, health);
}

static void apply_health(struct store_link *link, struct store_health *health)
{
    assert(health->is_ready || health->reason[0] != '\0');
    const struct store_health *old = &link->health;
    bool is_fit = health->is_ready && !health->is_refusing; /* else no durability is told */
    bool is_news = health->is_ready != old->is_ready || health->is_refusing != old->is_refusing ||
                   (is_fit && !durability_equals(health->durability, old->durability)) ||
                   strcmp(health->reason, old->reason) != 0;
    note_durability(link, health);
    link->health = *health;
    note_clock_difference(link, health);
    if (is_news)
        log_health(link);
}

/* Since it is unfit, which is logged and stays the reason. */
static void leave(struct store_link *link)
{
    link->is_leaving = redis_client_is_open(link->client);
    redis_client_reopen(link->client, link->health.reason);
}

void store_link_fall_short(struct store_link *link, const char *reason)
{
    struct store_health health = {.durability = link->health.durability,
                                  .is_clock_known = link->health.is_clock_known,
                                  .clock_ahead_ms = link->health.clock_ahead_ms};
    (void)snprintf(health.reason, sizeof health.reason, "%s", reason);
    apply_health(link, &health);
    leave(link);
}

bool store_link_leads(const struct shard *shard)
{
    return shard->link != NULL && shard->link->health.is_ready && shard->is_known;
}

bool store_link_accepts(const struct shard *shard)
{
    return store_link_leads(shard) && !shard->link->health.is_refusing;
}

void store_link_note_moving(const struct store_link *link, struct shard *shard, bool is_moving)
{
    if (is_moving == shard->is_moving)
        return;
    shard->is_moving = is_moving;
    const struct log_field role = LOG_TEXT("role", link->options.role);
    const struct log_field number = LOG_INT("shard", shard->number);
    if (is_moving)
        log_at(LOG_WARN, "shard_moving",
               "A shard is being moved to another node of the cluster, and its events are refused "
               "until the move ends",
               role, number);
    else
        log_at(LOG_INFO, "shard_moved", "The shard takes everything again", role, number);
}

void store_link_count(struct metric *metric, int64_t amount)
{
    if (metric != NULL)
        metric_add(metric, amount);
}

void store_link_note_clock(struct store_link *link, int64_t redis_ms, int64_t now_ms)
{
    link->is_clock_known = true;
    link->clock_ahead_ms = redis_ms - now_ms;
}

int64_t store_link_latest_ms(const struct store_link *link)
{
    int64_t patience_ms = (int64_t)link->answer_timeout_ms - ANSWER_MS;
    return link->is_clock_known ? clock_monotonic_ms() + link->clock_ahead_ms + patience_ms
                                : INT64_MAX;
}

static void fell_short(void *context, const char *reason)
{
    store_link_fall_short(context, reason);
}

static void looked_at(void *context, unsigned number, bool is_moving)
{
    struct store_link *link = context;
    assert(number < link->options.shard_count);
    struct shard *shard = &link->options.shards[number];
    shard->is_known |= !is_moving;
    if (link->options.map != NULL) /* else it is a node of a cluster, unawares */
        store_link_note_moving(link, shard, is_moving);
}

static void finished(void *context)
{
    struct store_link *link = context;
    assert(link->inspection.awaited == 0);
    const struct preflight_facts *facts = &link->inspection.facts;
    const struct durability demand = link->options.demand;
    struct store_health health;
    bool is_moving = facts->is_moving || link->inspection.is_rest_moving;
    if (is_moving && link->options.map != NULL)
        shard_map_want(link->options.map);
    if (facts->is_moving && link->options.map != NULL) { /* another shard is tried soon */
        inspection_plan(&link->inspection, false, link->now_ms);
        return;
    }
    preflight_evaluate(facts, demand, &health);
    link->confirmation = preflight_confirmation(facts, demand);
    if (facts->clock_us > 0)
        store_link_note_clock(link, facts->clock_us / 1000, facts->clock_read_at_ms);
    inspection_plan(&link->inspection, health.is_ready && !health.is_refusing, link->now_ms);
    apply_health(link, &health);
    if (link->options.map != NULL && preflight_is_elsewhere(facts, demand))
        shard_map_want(link->options.map);
    if (preflight_is_elsewhere(facts, demand))
        leave(link); /* and look for the master */
}

static const char is_cluster_now[] = "REDIS_URL names a cluster now: restart this process";

static bool locate(void *context, struct redis_url *out, struct error *error)
{
    const struct store_link *link = context;
    if (!link->options.locate(link->options.context, out, error))
        return false;
    if (link->options.map == NULL)
        return out->seeds.count == 0 || error_set(error, ERROR_CONFIG, "%s", is_cluster_now);
    memcpy(out->host, link->options.node.host, sizeof out->host);
    out->port = link->options.node.port;
    return true;
}

static void opened(void *context)
{
    struct store_link *link = context;
    assert(!link->health.is_ready); /* it was closed before, or never open */
    link->has_connected = true;
    store_link_count(link->options.metrics.connects, 1);
    inspection_start_anew(&link->inspection, link->now_ms);
}

static void closed(void *context, const char *reason)
{
    struct store_link *link = context;
    bool was_left = link->is_leaving, is_refused = redis_client_is_refused(link->client);
    link->is_leaving = false;
    if (link->health.is_ready)
        store_link_count(link->options.metrics.losses, 1);
    else if (was_left)
        return;
    link->health.is_ready = false;
    (void)snprintf(link->health.reason, sizeof link->health.reason, "%s: %s",
                   is_refused ? "Redis refuses us" : "Redis is away", reason);
    log_at(level(link, is_refused ? LOG_ERROR : LOG_WARN), "redis_lost", link->health.reason,
           LOG_TEXT("role", link->name));
}

/* --- life --- */

bool store_link_init(struct store_link *link, const struct store_link_options *options,
                     struct event_loop *loop, struct error *error)
{
    link->options = *options;
    link->health = (struct store_health){.reason = "Redis has not answered yet"};
    char node[HOST_PORT_BYTES];
    host_port_write(options->node.host, options->node.port, node);
    if (options->map == NULL)
        (void)snprintf(link->name, sizeof link->name, "%s", options->role);
    else
        (void)snprintf(link->name, sizeof link->name, "%.20s %.*s", options->role,
                       LINK_NAME_BYTES - 22, node);
    bool are_replicas_asked = options->demand.level >= DURABILITY_REPLICAS;
    link->answer_timeout_ms = are_replicas_asked ? REPLICAS_TIMEOUT_MS : COMMAND_TIMEOUT_MS;
    link->client = redis_client_create(
        &(struct redis_client_options){
            .locate = locate,
            .opened = opened,
            .closed = closed,
            .context = link,
            .connect_timeout_ms = CONNECT_TIMEOUT_MS,
            .command_timeout_ms = link->answer_timeout_ms,
            .reconnect_min_ms = RECONNECT_MIN_MS,
            .reconnect_max_ms = RECONNECT_MAX_MS,
            .tls = options->tls,
        },
        loop, error);
    group_commit_init(&link->group, link->client, fell_short, link);
    link->inspection.client = link->client;
    link->inspection.shards = options->shards;
    link->inspection.shard_count = options->shard_count;
    link->inspection.demand = options->demand;
    link->inspection.is_of_cluster = options->map != NULL;
    link->inspection.environment = options->environment;
    link->inspection.is_visitor = options->is_visitor;
    link->inspection.looked_at = looked_at;
    link->inspection.finished = finished;
    link->inspection.context = link;
    return link->client != NULL;
}

void store_link_fini(struct store_link *link)
{
    link->health = (struct store_health){.reason = "the connection to Redis is being closed"};
    redis_client_destroy(link->client); /* ends the open calls, which may not start others */
    group_commit_fini(&link->group);
    assert(link->calls_open == 0);
}

void store_link_set_shards(struct store_link *link, const unsigned numbers[], size_t count)
{
    struct inspection *inspection = &link->inspection;
    assert(count <= link->options.shard_count);
    bool is_same = count == inspection->own_count &&
                   memcmp(numbers, inspection->own, count * sizeof numbers[0]) == 0;
    if (is_same)
        return;
    memcpy(inspection->own, numbers, count * sizeof numbers[0]);
    inspection->own_count = count;
    inspection->is_rest_known = false;
    inspection->is_own_changed = true;
    inspection->next_at_ms = link->now_ms;
}

/* --- the loop --- */

int64_t store_link_timeout_ms(const struct store_link *link, int64_t now_ms)
{
    if (group_commit_is_due(&link->group))
        return 0;
    return clock_sooner_ms(redis_client_timeout_ms(link->client, now_ms),
                           inspection_timeout_ms(&link->inspection, now_ms));
}

void store_link_flush(struct store_link *link)
{
    group_commit_ask(&link->group);
    redis_client_flush(link->client);
}

void store_link_turn(struct store_link *link, int64_t now_ms)
{
    link->now_ms = now_ms;
    link->last_round_trip_us = -1;
    group_commit_ask(&link->group);
    redis_client_turn(link->client, now_ms);
    if (link->last_round_trip_us >= 0 && link->options.metrics.round_trip != NULL)
        metric_observe_us(link->options.metrics.round_trip, link->last_round_trip_us);
    if (inspection_timeout_ms(&link->inspection, now_ms) == 0)
        inspection_start(&link->inspection, now_ms);
}
