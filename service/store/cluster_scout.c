/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/cluster_scout.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/net/host.h"

#include "service/store/refusal.h"

enum {
    CONNECT_TIMEOUT_MS = 1000,
    COMMAND_TIMEOUT_MS = 1000,
    RECONNECT_MIN_MS = 20,
    RECONNECT_MAX_MS = 500,
};

void cluster_scout_init(struct cluster_scout *scout, const struct cluster_scout_options *options,
                        struct event_loop *loop)
{
    scout->options = *options;
    scout->loop = loop;
}

/* Before the next attempt: those before it were in vain. */
static void note_tries(struct cluster_scout *scout)
{
    if (scout->tries < scout->candidates)
        return;
    if (scout->tries > 0)
        shard_map_note_lost(scout->options.map, scout->tried);
    scout->tries = 0;
    scout->tried[0] = '\0';
}

static void add_try(struct cluster_scout *scout, const struct redis_address *address)
{
    char text[HOST_PORT_BYTES];
    host_port_write(address->host, address->port, text);
    size_t length = strlen(scout->tried);
    (void)snprintf(scout->tried + length, sizeof scout->tried - length, "%s%s",
                   length > 0 ? "," : "", text);
    scout->tries++;
}

/* The next one to be asked: a node that is known, or a seed. */
static bool locate(void *context, struct redis_url *out, struct error *error)
{
    struct cluster_scout *scout = context;
    if (!scout->options.locate(scout->options.context, out, error))
        return false;
    if (out->seeds.count == 0)
        return error_set(error, ERROR_CONFIG,
                         "REDIS_URL names no cluster any more: restart this process");
    note_tries(scout);
    (void)shard_map_copy(scout->options.map, &scout->nodes);
    scout->candidates = scout->nodes.count + out->seeds.count;
    assert(scout->candidates > 0);
    size_t turn = scout->turn++ % scout->candidates;
    const struct redis_address *next = turn < scout->nodes.count
                                           ? &scout->nodes.nodes[turn]
                                           : &out->seeds.addresses[turn - scout->nodes.count];
    memcpy(out->host, next->host, sizeof out->host);
    out->port = next->port;
    memcpy(scout->asked, next->host, sizeof scout->asked);
    add_try(scout, next);
    return true;
}

static void note_trouble(struct cluster_scout *scout, const char *reason)
{
    static const char start[] = "no node of the cluster can say where the data is: ";
    char text[SHARD_MAP_REASON_BYTES];
    (void)snprintf(text, sizeof text, "%s%.*s", start, (int)(sizeof text - sizeof start), reason);
    shard_map_note_trouble(scout->options.map, text);
}

static void closed(void *context, const char *reason)
{
    note_trouble(context, reason);
}

static void try_next(struct cluster_scout *scout, const char *reason)
{
    note_trouble(scout, reason);
    redis_client_reopen(scout->client, reason);
}

/* A node that knows of no failure and of no slots that nobody has. */
static void take_state(void *context, enum redis_failure lost, const struct redis_reply *reply)
{
    static const char name[] = "cluster_current_epoch:";
    struct cluster_scout *scout = context;
    scout->is_epoch_known = false;
    if (lost == REDIS_LOST)
        return;
    const char *text = redis_reply_text(reply, NULL);
    const char *epoch = strstr(text, name);
    scout->is_epoch_known = redis_reply_type(reply) == REDIS_TYPE_TEXT && epoch != NULL;
    scout->epoch = scout->is_epoch_known ? strtoull(epoch + sizeof name - 1, NULL, 10) : 0;
}

static void take_slots(void *context, enum redis_failure lost, const struct redis_reply *reply)
{
    struct cluster_scout *scout = context;
    struct error error;
    if (lost == REDIS_LOST)
        return; /* the next attempt is under way */
    if (redis_reply_type(reply) == REDIS_TYPE_ERROR) {
        char reason[SHARD_MAP_REASON_BYTES];
        refusal_describe(redis_reply_text(reply, NULL), reason, sizeof reason);
        try_next(scout, reason);
        return;
    }
    if (!shard_map_read(scout->options.map, reply, scout->asked, &scout->nodes, &error)) {
        try_next(scout, error.message);
        return;
    }
    /* Of a managed cluster that hides its epoch each answer counts. */
    bool is_last_word = !scout->is_epoch_known || scout->refused >= scout->candidates;
    scout->is_done = shard_map_found(scout->options.map, &scout->nodes, scout->epoch, is_last_word,
                                     clock_monotonic_ms());
    if (scout->is_done)
        return;
    scout->refused++;
    try_next(scout, "what it tells is older than what is known");
}

static void opened(void *context)
{
    static const char *const state[] = {"CLUSTER", "INFO"}, *const slots[] = {"CLUSTER", "SLOTS"};
    struct cluster_scout *scout = context;
    struct error error;
    if (!redis_client_send(scout->client, 2, state, NULL, take_state, scout, &error) ||
        !redis_client_send(scout->client, 2, slots, NULL, take_slots, scout, &error))
        note_trouble(scout, error.message);
}

static void begin(struct cluster_scout *scout, int64_t now_ms)
{
    struct error error;
    assert(scout->client == NULL);
    scout->is_done = false;
    scout->refused = 0;
    scout->tries = 0;
    scout->tried[0] = '\0';
    scout->client = redis_client_create(
        &(struct redis_client_options){
            .locate = locate,
            .opened = opened,
            .closed = closed,
            .context = scout,
            .connect_timeout_ms = CONNECT_TIMEOUT_MS,
            .command_timeout_ms = COMMAND_TIMEOUT_MS,
            .reconnect_min_ms = RECONNECT_MIN_MS,
            .reconnect_max_ms = RECONNECT_MAX_MS,
            .tls = scout->options.tls,
        },
        scout->loop, &error);
    if (scout->client != NULL)
        return;
    note_trouble(scout, error.message);
    shard_map_abandon(scout->options.map, now_ms);
}

void cluster_scout_fini(struct cluster_scout *scout)
{
    if (scout->client == NULL)
        return;
    bool was_done = scout->is_done;
    scout->is_done = true;
    redis_client_destroy(scout->client);
    scout->client = NULL;
    if (!was_done)
        shard_map_abandon(scout->options.map, clock_monotonic_ms());
}

int64_t cluster_scout_timeout_ms(const struct cluster_scout *scout, int64_t now_ms)
{
    if (scout->client != NULL)
        return redis_client_timeout_ms(scout->client, now_ms);
    return shard_map_wait_ms(scout->options.map, now_ms);
}

void cluster_scout_turn(struct cluster_scout *scout, int64_t now_ms)
{
    if (scout->client == NULL && shard_map_begin(scout->options.map, now_ms))
        begin(scout, now_ms);
    if (scout->client != NULL)
        redis_client_turn(scout->client, now_ms);
    if (scout->client != NULL && scout->is_done) {
        redis_client_destroy(scout->client);
        scout->client = NULL;
    }
}
