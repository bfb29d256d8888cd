/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/name_lookup.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/thread.h"
#include "lib/net/event_loop.h"

struct name_lookup {
    struct event_loop *loop; /* borrowed: outlives us, but not the thread, which leaves it alone */
    char host[256];
    char service[sizeof "65535"];
    struct thread thread;
    int event_fd; /* owned; what the thread announces itself with */
    /* The one who starts it and its thread; the last to leave frees it. */
    atomic_int owners;
    /* Written by the thread before is_done, read by the owner after it. */
    struct addrinfo *addresses; /* owned */
    int code;
    atomic_bool is_done;
};

static int resolve(struct name_lookup *lookup, int flags)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    lookup->code = getaddrinfo(lookup->host, lookup->service, &hints, &lookup->addresses);
    return lookup->code;
}

static void leave(struct name_lookup *lookup)
{
    assert(atomic_load(&lookup->owners) > 0);
    if (atomic_fetch_sub(&lookup->owners, 1) > 1)
        return;
    if (lookup->addresses != NULL)
        freeaddrinfo(lookup->addresses);
    if (lookup->event_fd >= 0)
        (void)close(lookup->event_fd);
    free(lookup);
}

static void run(void *context)
{
    struct name_lookup *lookup = context;
    (void)resolve(lookup, 0);
    atomic_store_explicit(&lookup->is_done, true, memory_order_release);
    (void)eventfd_write(lookup->event_fd, 1); /* the first write to a counter of 0 cannot fail */
    leave(lookup);
}

static bool start_thread(struct name_lookup *lookup, struct error *error)
{
    atomic_store(&lookup->owners, 2);
    if (!thread_start(&lookup->thread, "name-lookup", run, lookup, error)) {
        atomic_store(&lookup->owners, 1);
        return error_wrap(error, "resolving %s", lookup->host);
    }
    thread_detach(&lookup->thread);
    return true;
}

/* To end the poll is all; what there is to say is asked for in each turn. */
static void note_end(void *context, unsigned events)
{
    (void)context;
    (void)events;
}

static bool start_in_background(struct name_lookup *lookup, struct error *error)
{
    assert(lookup->event_fd < 0);
    lookup->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (lookup->event_fd < 0)
        return error_set(error, ERROR_IO, "eventfd: %s", strerrordesc_np(errno));
    return event_loop_watch(lookup->loop, lookup->event_fd, EVENT_READ, note_end, lookup, error) &&
           start_thread(lookup, error);
}

struct name_lookup *name_lookup_start(struct event_loop *loop, const char *host, uint16_t port,
                                      struct error *error)
{
    struct name_lookup *lookup = calloc(1, sizeof *lookup);
    if (lookup == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    atomic_init(&lookup->owners, 1);
    lookup->loop = loop;
    lookup->event_fd = -1;
    (void)snprintf(lookup->host, sizeof lookup->host, "%s", host);
    (void)snprintf(lookup->service, sizeof lookup->service, "%u", (unsigned)port);
    if (resolve(lookup, AI_NUMERICHOST) == 0) {
        atomic_init(&lookup->is_done, true);
    } else if (!start_in_background(lookup, error)) {
        name_lookup_destroy(lookup);
        return NULL;
    }
    return lookup;
}

void name_lookup_destroy(struct name_lookup *lookup)
{
    if (lookup == NULL)
        return;
    event_loop_forget(lookup->loop, lookup->event_fd);
    leave(lookup);
}

enum name_lookup_status name_lookup_finish(struct name_lookup *lookup,
                                           struct addrinfo **out_addresses, struct error *error)
{
    if (!atomic_load_explicit(&lookup->is_done, memory_order_acquire))
        return NAME_LOOKUP_PENDING;
    if (lookup->code != 0) {
        (void)error_set(error, ERROR_IO, "the name %s cannot be resolved: %s", lookup->host,
                        gai_strerror(lookup->code));
        return NAME_LOOKUP_FAILED;
    }
    assert(lookup->addresses != NULL); /* and not taken yet */
    *out_addresses = STEAL(lookup->addresses);
    return NAME_LOOKUP_FOUND;
}
