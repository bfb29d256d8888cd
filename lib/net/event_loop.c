/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/event_loop.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/base/array.h"
#include "lib/base/clock.h"
#include "lib/base/heartbeat.h"

enum {
    BATCH_EVENTS = 64,
    LONG_MS = 1000, /* a rest that is worth mentioning */
};

/* Descriptors are small numbers, so they index the table of watches. Each watch has a generation,
 * which travels through epoll with the descriptor: an event whose watch was forgotten earlier in
 * the same batch, or whose descriptor is somebody else's by now, no longer matches and is dropped.
 */
struct watch {
    event_callback callback; /* NULL: not watched */
    void *context;           /* borrowed */
    unsigned events;
    uint32_t generation;
};

struct event_loop {
    int epoll_fd;
    int wake_fd;
    struct watch *watches; /* owned; indexed by descriptor */
    size_t watch_count;
    uint32_t generation;
    struct heartbeat *heartbeat; /* borrowed; NULL: nobody looks */
};

static uint64_t tag_of(int fd, uint32_t generation)
{
    assert(fd >= 0);
    return (uint64_t)generation << 32 | (uint32_t)fd;
}

static struct watch *find_watch(const struct event_loop *loop, int fd)
{
    if (fd < 0 || (size_t)fd >= loop->watch_count || loop->watches[fd].callback == NULL)
        return NULL;
    return &loop->watches[fd];
}

static bool reserve_watch(struct event_loop *loop, int fd, struct error *error)
{
    size_t known = loop->watch_count;
    struct watch *watches =
        array_reserve(loop->watches, &loop->watch_count, (size_t)fd + 1, sizeof *watches);
    if (watches == NULL)
        return error_out_of_memory(error);
    memset(watches + known, 0, (loop->watch_count - known) * sizeof *watches);
    loop->watches = watches;
    return true;
}

static uint32_t epoll_mask(unsigned events)
{
    return (events & EVENT_READ ? (uint32_t)EPOLLIN : 0) |
           (events & EVENT_WRITE ? (uint32_t)EPOLLOUT : 0);
}

static unsigned ready_events(uint32_t mask, unsigned wanted)
{
    if (mask & (EPOLLERR | EPOLLHUP))
        return EVENT_READ | EVENT_WRITE;
    return ((mask & EPOLLIN ? EVENT_READ : 0U) | (mask & EPOLLOUT ? EVENT_WRITE : 0U)) & wanted;
}

static void drain_wake_ups(void *context, unsigned events)
{
    const struct event_loop *loop = context;
    (void)events;
    uint64_t count;
    /* EAGAIN cannot matter: the counter is what made the descriptor readable. */
    (void)!read(loop->wake_fd, &count, sizeof count);
}

struct event_loop *event_loop_create(struct error *error)
{
    struct event_loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    loop->wake_fd = -1;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0) {
        (void)error_set(error, ERROR_IO, "creating an epoll set: %s", strerror(errno));
        goto fail;
    }
    loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop->wake_fd < 0) {
        (void)error_set(error, ERROR_IO, "creating an event descriptor: %s", strerror(errno));
        goto fail;
    }
    if (!event_loop_watch(loop, loop->wake_fd, EVENT_READ, drain_wake_ups, loop, error))
        goto fail;
    return loop;
fail:
    event_loop_destroy(loop);
    return NULL;
}

void event_loop_destroy(struct event_loop *loop)
{
    if (loop == NULL)
        return;
    if (loop->wake_fd >= 0)
        (void)close(loop->wake_fd);
    if (loop->epoll_fd >= 0)
        (void)close(loop->epoll_fd);
    free(loop->watches);
    free(loop);
}

bool event_loop_watch(struct event_loop *loop, int fd, unsigned events, event_callback callback,
                      void *context, struct error *error)
{
    assert(fd >= 0);
    assert(callback != NULL);
    if (!reserve_watch(loop, fd, error))
        return false;
    assert(loop->watches != NULL && (size_t)fd < loop->watch_count);
    const struct watch *known = find_watch(loop, fd);
    uint32_t generation = known != NULL ? known->generation : ++loop->generation;
    struct epoll_event event = {.events = epoll_mask(events), .data.u64 = tag_of(fd, generation)};
    if (epoll_ctl(loop->epoll_fd, known != NULL ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0)
        return error_set(error, ERROR_IO, "watching descriptor %d: %s", fd, strerror(errno));
    loop->watches[fd] = (struct watch){
        .callback = callback, .context = context, .events = events, .generation = generation};
    return true;
}

void event_loop_forget(struct event_loop *loop, int fd)
{
    struct watch *watch = find_watch(loop, fd);
    if (watch == NULL)
        return;
    /* Can only fail for a descriptor that is closed already, which epoll has forgotten by itself.
     */
    (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    watch->callback = NULL;
    assert(find_watch(loop, fd) == NULL);
}

static void dispatch(struct event_loop *loop, const struct epoll_event *event)
{
    int fd = (int)(uint32_t)event->data.u64;
    const struct watch *watch = find_watch(loop, fd);
    if (watch == NULL || tag_of(fd, watch->generation) != event->data.u64)
        return;
    unsigned ready = ready_events(event->events, watch->events);
    if (ready != 0)
        watch->callback(watch->context, ready); /* may move the table: `watch` is gone now */
}

void event_loop_show(struct event_loop *loop, struct heartbeat *heartbeat)
{
    if (loop != NULL)
        loop->heartbeat = heartbeat;
}

static int wait(struct event_loop *loop, struct epoll_event *events, int wait_ms)
{
    bool is_long = loop->heartbeat != NULL && (wait_ms < 0 || wait_ms > LONG_MS);
    if (is_long)
        heartbeat_rest(loop->heartbeat, clock_monotonic_ms() + (wait_ms < 0 ? INT_MAX : wait_ms));
    int count = epoll_wait(loop->epoll_fd, events, BATCH_EVENTS, wait_ms);
    bool could_wait = count >= 0 || errno == EINTR;
    assert(could_wait);
    if (is_long)
        heartbeat_beat(loop->heartbeat, clock_monotonic_ms());
    return count;
}

bool event_loop_poll(struct event_loop *loop, int64_t timeout_ms)
{
    struct epoll_event events[BATCH_EVENTS];
    int wait_ms = timeout_ms < 0 ? -1 : timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms;
    int count = wait(loop, events, wait_ms);
    assert(count <= BATCH_EVENTS);
    for (int i = 0; i < count; i++)
        dispatch(loop, &events[i]);
    return count > 0;
}

int event_loop_fd(const struct event_loop *loop)
{
    return loop->epoll_fd;
}

void event_loop_wake(struct event_loop *loop)
{
    int saved_errno = errno; /* a signal handler may be calling */
    const uint64_t one = 1;
    /* EAGAIN means that the counter is full, so a wake-up is pending anyway. */
    (void)!write(loop->wake_fd, &one, sizeof one);
    errno = saved_errno;
}
