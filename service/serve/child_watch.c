/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/serve/child_watch.h"

#include <stddef.h>

#include "lib/base/clock.h"
#include "lib/net/event_loop.h"

#include "service/private_redis/embedded_redis.h"

static void on_exit_of_child(void *context, unsigned events)
{
    /* The turn after the poll looks at the child; waking up is all that is needed here. */
    (void)context;
    (void)events;
}

/* The child's descriptor is another one in each of its lives. */
bool child_watch_prepare(struct child_watch *watch, struct error *error)
{
    if (watch->redis == NULL)
        return true;
    int fd = embedded_redis_fd(watch->redis);
    if (fd == watch->fd)
        return true;
    if (watch->fd >= 0)
        event_loop_forget(watch->loop, watch->fd);
    watch->fd = fd;
    return fd < 0 || event_loop_watch(watch->loop, fd, EVENT_READ, on_exit_of_child, watch, error);
}

int64_t child_watch_timeout_ms(const struct child_watch *watch, int64_t now_ms)
{
    return watch->redis != NULL ? embedded_redis_timeout_ms(watch->redis, now_ms) : -1;
}

/* The turn closes the descriptor of a child that died, and the number may come again. */
void child_watch_turn(struct child_watch *watch)
{
    if (watch->redis == NULL)
        return;
    int fd = embedded_redis_fd(watch->redis);
    embedded_redis_turn(watch->redis, clock_monotonic_ms());
    if (fd < 0 || embedded_redis_fd(watch->redis) == fd)
        return;
    event_loop_forget(watch->loop, fd);
    watch->fd = -1;
}
