/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/acceptor.h"

#include <assert.h>
#include <errno.h>

enum { RETRY_MS = 100, TAKES_PER_TURN_MAX = 64 /* then the others have their turn */ };

void acceptor_init(struct acceptor *acceptor, const struct listener *take_listener)
{
    assert(take_listener->count > 0);
    *acceptor = (struct acceptor){.listener = *take_listener};
}

static bool is_open(const struct acceptor *acceptor)
{
    return acceptor->listener.count > 0;
}

static void forget(struct acceptor *acceptor)
{
    assert(!acceptor->is_watched || is_open(acceptor));
    for (size_t i = 0; acceptor->is_watched && i < acceptor->listener.count; i++)
        event_loop_forget(acceptor->options.loop, acceptor->listener.fds[i]);
    acceptor->is_watched = false;
}

void acceptor_close(struct acceptor *acceptor)
{
    forget(acceptor);
    listener_close(&acceptor->listener);
}

/* Whether there was one; errno tells why not. */
static bool take_next(struct acceptor *acceptor, int listen_fd)
{
    assert(listen_fd >= 0);
    struct sockaddr_storage peer;
    socklen_t length;
    int fd;
    do {
        length = sizeof peer;
        fd = accept4(listen_fd, (struct sockaddr *)&peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (fd < 0 && (errno == EINTR || errno == ECONNABORTED)); /* that one has gone */
    if (fd >= 0)
        acceptor->options.take(acceptor->options.take_context, fd, (const struct sockaddr *)&peer,
                               length);
    return fd >= 0;
}

static void note(struct acceptor *acceptor, bool is_starved, int64_t now_ms)
{
    bool is_news = is_starved != acceptor->is_starved;
    acceptor->is_starved = is_starved;
    acceptor->retry_at_ms = now_ms + RETRY_MS;
    if (is_news && acceptor->options.starve != NULL)
        acceptor->options.starve(acceptor->options.starve_context, is_starved);
}

/* Nobody waits while the loop watches and reports nothing: asking for nothing costs as much as half
 * an event. */
static bool may_wait(const struct acceptor *acceptor, int64_t now_ms)
{
    if (!is_open(acceptor))
        return false;
    if (acceptor->is_starved)
        return now_ms >= acceptor->retry_at_ms;
    return acceptor->is_ready || !acceptor->is_watched;
}

void acceptor_turn(struct acceptor *acceptor, size_t room, int64_t now_ms)
{
    bool is_due = may_wait(acceptor, now_ms);
    acceptor->is_ready = false; /* who is left is reported again */
    if (!is_due)
        return;
    size_t most = room < TAKES_PER_TURN_MAX ? room : TAKES_PER_TURN_MAX;
    size_t count = acceptor->listener.count, empty = 0;
    for (size_t taken = 0; taken < most && empty < count;) {
        if (take_next(acceptor, acceptor->listener.fds[acceptor->next])) {
            taken++;
            continue;
        }
        if (errno != EAGAIN) {
            note(acceptor, true, now_ms);
            return;
        }
        acceptor->next = (acceptor->next + 1) % count;
        empty++;
    }
    if (empty == count)
        note(acceptor, false, now_ms); /* one taken is no sign of relief yet */
    else
        acceptor->next = (acceptor->next + 1) % count;
}

static void take_event(void *context, unsigned events)
{
    (void)events;
    ((struct acceptor *)context)->is_ready = true;
}

static bool watch_all(struct acceptor *acceptor, struct error *error)
{
    for (size_t i = 0; i < acceptor->listener.count; i++) {
        if (event_loop_watch(acceptor->options.loop, acceptor->listener.fds[i], EVENT_READ,
                             take_event, acceptor, error))
            continue;
        while (i-- > 0)
            event_loop_forget(acceptor->options.loop, acceptor->listener.fds[i]);
        return false;
    }
    return true;
}

bool acceptor_watch(struct acceptor *acceptor, bool has_room, struct error *error)
{
    acceptor->has_room = has_room;
    bool is_wanted = is_open(acceptor) && has_room && !acceptor->is_starved;
    if (!is_wanted)
        forget(acceptor);
    else if (!acceptor->is_watched)
        acceptor->is_watched = watch_all(acceptor, error);
    assert(!acceptor->is_watched || is_wanted);
    return acceptor->is_watched == is_wanted;
}

int64_t acceptor_wait_ms(const struct acceptor *acceptor, int64_t now_ms)
{
    if (!is_open(acceptor) || !acceptor->is_starved || !acceptor->has_room)
        return -1;
    return acceptor->retry_at_ms > now_ms ? acceptor->retry_at_ms - now_ms : 0;
}
