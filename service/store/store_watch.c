/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The store opens and closes its descriptor by itself, so nobody can forget it before it is closed.
 * Epoll forgets a closed descriptor alone; a new connection that got the old number is found out by
 * the watch that fails, as long as the watch is renewed. That is done in each turn while the
 * connection is not settled; then only when its interest changes.
 */
#include "service/store/store_watch.h"

#include "lib/base/log.h"
#include "lib/net/event_loop.h"

#include "service/store/store.h"

void store_watch_init(struct store_watch *watch, struct event_loop *loop, struct store *store)
{
    *watch = (struct store_watch){.loop = loop, .store = store, .fd = -1};
}

static void take_events(void *context, unsigned events)
{
    ((struct store_watch *)context)->ready |= events;
}

static bool try_to_watch(struct store_watch *watch, struct error *error)
{
    return event_loop_watch(watch->loop, watch->fd, watch->wanted, take_events, watch, error);
}

static void renew(struct store_watch *watch)
{
    struct error error;
    bool is_watched = watch->fd < 0 || try_to_watch(watch, &error);
    if (!is_watched) {
        event_loop_forget(watch->loop, watch->fd);
        is_watched = try_to_watch(watch, &error);
    }
    if (!is_watched && !watch->is_failing)
        log_error("redis_watch_failed", error.message);
    watch->is_failing = !is_watched;
}

int64_t store_watch_prepare(struct store_watch *watch, int64_t now_ms)
{
    struct redis_interest interest;
    struct store_counters counters;
    struct store_health health;
    store_interest(watch->store, now_ms, &interest);
    store_counters(watch->store, &counters);
    store_health(watch->store, &health);
    unsigned wanted =
        (interest.want_read ? EVENT_READ : 0U) | (interest.want_write ? EVENT_WRITE : 0U);
    uint64_t changes = counters.connects + counters.losses;
    bool is_settled = health.is_ready && !watch->is_failing && interest.fd == watch->fd &&
                      wanted == watch->wanted && changes == watch->changes;
    watch->ready = 0;
    if (is_settled)
        return interest.timeout_ms;
    if (interest.fd != watch->fd)
        event_loop_forget(watch->loop, watch->fd);
    watch->fd = interest.fd;
    watch->wanted = wanted;
    watch->changes = changes;
    renew(watch);
    return interest.timeout_ms;
}

void store_watch_turn(struct store_watch *watch, int64_t now_ms)
{
    store_turn(watch->store, now_ms, watch->ready & EVENT_READ, watch->ready & EVENT_WRITE);
}
