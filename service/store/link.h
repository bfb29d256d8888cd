/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One connection of a store to Redis, and its health. Ready means: connected, and the last
 * inspection found nothing wrong.
 *
 * Owns:    the connection; the event loop that it is watched in is borrowed.
 * Threads: one at a time, the loop's.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "lib/base/error.h"
#include "lib/net/redis_client.h"

#include "service/store/confirmation.h"
#include "service/store/durability.h"
#include "service/store/group_commit.h"
#include "service/store/health.h"
#include "service/store/inspection.h"
#include "service/store/refusal.h"
#include "service/store/script.h"
#include "service/store/shard.h"

struct event_loop;
struct shard_map;

struct store_link_options { /* as in struct store_options */
    bool (*locate)(void *context, struct redis_url *out, struct error *error);
    void *context;
    struct tls_files tls; /* borrowed: outlive it */
    const char *role;
    const char *environment; /* NULL: that does not count */
    struct shard *shards;    /* of the store */
    unsigned shard_count;
    struct redis_address node; /* of a cluster, in the place of what `locate` has; host "": none */
    struct shard_map *map;     /* the cluster's; NULL: none */
    struct durability demand;
    struct store_metrics metrics;
    bool is_quiet;
    bool is_visitor;
};

enum { LINK_NAME_BYTES = 64 };

struct store_link {
    TAILQ_ENTRY(store_link) links; /* the store's */
    struct store_link_options options;
    char name[LINK_NAME_BYTES];  /* the role, for logs, and the node's address */
    struct redis_client *client; /* owned */
    int64_t now_ms;              /* of the last turn */
    unsigned answer_timeout_ms;
    bool is_clock_known;
    int64_t clock_ahead_ms; /* Redis's clock, of our monotonic one */
    bool is_clock_off;      /* as last logged: by more than tolerance from our wall clock */
    struct durability most; /* that Redis has given so far */
    bool is_leaving;        /* closes the connection, since it is unfit */
    struct store_health health;
    struct confirmation confirmation; /* while ready: of what is sent from now on */
    struct group_commit group;
    struct inspection inspection;
    size_t calls_open;                            /* not answered yet */
    bool has_connected;                           /* ever */
    int64_t last_round_trip_us;                   /* of this turn; -1: none */
    const struct refusal *refusals[SCRIPT_COUNT]; /* as last logged; NULL: it works */
};

/* `link` is all zero before, and stays where it is. After false, too, store_link_fini is owed. */
MUST_CHECK bool store_link_init(struct store_link *link, const struct store_link_options *options,
                                struct event_loop *loop, struct error *error);
void store_link_fini(struct store_link *link); /* open calls end STORE_UNAVAILABLE */

/* Which shards lie there is known before it connects, and what changes is looked at soon. */
void store_link_set_shards(struct store_link *link, const unsigned numbers[], size_t count);

int64_t store_link_timeout_ms(const struct store_link *link, int64_t now_ms);
void store_link_turn(struct store_link *link, int64_t now_ms);
void store_link_flush(struct store_link *link);

/* Whether a shard has a link that is ready, and what lies there was found right. */
bool store_link_leads(const struct shard *shard);
/* And takes what needs memory. */
bool store_link_accepts(const struct shard *shard);
/* A shard's slot is on its way to another node, or its calls are taken: logged when that begins and
 * when it ends. */
void store_link_note_moving(const struct store_link *link, struct shard *shard, bool is_moving);
/* Adds to one of options.metrics. */
void store_link_count(struct metric *metric, int64_t amount);
/* Redis showed its clock in an answer that came at `now_ms`. */
void store_link_note_clock(struct store_link *link, int64_t redis_ms, int64_t now_ms);
/* By Redis's clock, as it was shown last: when the answer to a call that is sent now can no longer
 * come in time, so that what it leases would be nobody's. If that clock was set forward since, one
 * call leases nothing, and shows it. */
int64_t store_link_latest_ms(const struct store_link *link);
/* A write was not confirmed as demanded: not ready until an inspection of a new connection, perhaps
 * to another master, finds it otherwise. Calls that are open end STORE_UNAVAILABLE soon. */
void store_link_fall_short(struct store_link *link, const char *reason);
