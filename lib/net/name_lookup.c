/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/name_lookup.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct name_lookup {
    char host[256];
    char service[sizeof "65535"];
    int event_fd;
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

static void announce(struct name_lookup *lookup)
{
    atomic_store_explicit(&lookup->is_done, true, memory_order_release);
    (void)eventfd_write(lookup->event_fd, 1); /* the first write to a counter of 0 cannot fail */
}

static void leave(struct name_lookup *lookup)
{
    if (atomic_fetch_sub(&lookup->owners, 1) > 1)
        return;
    if (lookup->addresses != NULL)
        freeaddrinfo(lookup->addresses);
    if (lookup->event_fd >= 0)
        (void)close(lookup->event_fd);
    free(lookup);
}

static void *run(void *context)
{
    struct name_lookup *lookup = context;
    (void)resolve(lookup, 0);
    announce(lookup);
    leave(lookup);
    return NULL;
}

/* The thread blocks every signal: they are for main alone. */
static bool start_thread(struct name_lookup *lookup, struct error *error)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    atomic_store(&lookup->owners, 2);
    pthread_t thread;
    int code = pthread_create(&thread, NULL, run, lookup);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0) {
        atomic_store(&lookup->owners, 1);
        return error_set(error, ERROR_IO, "no thread to resolve %s: %s", lookup->host,
                         strerrordesc_np(code));
    }
    (void)pthread_detach(thread);
    return true;
}

struct name_lookup *name_lookup_start(const char *host, uint16_t port, struct error *error)
{
    struct name_lookup *lookup = calloc(1, sizeof *lookup);
    if (lookup == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    atomic_init(&lookup->owners, 1);
    (void)snprintf(lookup->host, sizeof lookup->host, "%s", host);
    (void)snprintf(lookup->service, sizeof lookup->service, "%u", (unsigned)port);
    lookup->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (lookup->event_fd < 0) {
        (void)error_set(error, ERROR_IO, "eventfd: %s", strerrordesc_np(errno));
        goto fail;
    }
    if (resolve(lookup, AI_NUMERICHOST) == 0)
        announce(lookup);
    else if (!start_thread(lookup, error))
        goto fail;
    return lookup;
fail:
    leave(lookup);
    return NULL;
}

void name_lookup_destroy(struct name_lookup *lookup)
{
    if (lookup != NULL)
        leave(lookup);
}

int name_lookup_fd(const struct name_lookup *lookup)
{
    return lookup->event_fd;
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
    *out_addresses = STEAL(lookup->addresses);
    return NAME_LOOKUP_FOUND;
}
