/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 *     name_lookup ──┐
 *     name_lookup ──┼──► question ◄── its thread, until it has the answer
 *                   │        ▲
 *                   │        └─────── the table, until somebody has taken the answer
 *
 * The last to let go of a question frees it.
 */
#include "lib/net/name_lookup.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/mutex.h"
#include "lib/base/thread.h"
#include "lib/net/event_loop.h"

/* An answer that nobody waited for. Longer than the steps of an attempt that each wait for a name:
 * those of a sentinel and of its master. */
enum { KEPT_MS = 30000 };

struct question {
    char host[256];
    char service[sizeof "65535"];
    struct thread thread;
    int event_fd; /* owned; readable once there is the answer, and then for good; -1: it is numeric
                   */
    atomic_int owners;
    /* Written before is_done, read after it. */
    struct addrinfo *addresses; /* owned */
    int code;
    int64_t done_at_ms;
    atomic_bool is_done;
    bool is_listed; /* the table's, as the next */
    LIST_ENTRY(question) links;
};

struct name_lookup {
    struct event_loop *loop; /* borrowed: outlives us */
    struct question *question;
    int watch_fd; /* owned: a copy of the question's, since a loop knows a descriptor once */
};

static struct {
    struct mutex lock;
    LIST_HEAD(, question) questions;
} table = {.lock = {PTHREAD_MUTEX_INITIALIZER}};

/* --- the question --- */

static int resolve(struct question *question, int flags)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    question->code = getaddrinfo(question->host, question->service, &hints, &question->addresses);
    return question->code;
}

static void leave(struct question *question)
{
    assert(atomic_load(&question->owners) > 0);
    if (atomic_fetch_sub(&question->owners, 1) > 1)
        return;
    assert(!question->is_listed);
    if (question->addresses != NULL)
        freeaddrinfo(question->addresses);
    if (question->event_fd >= 0)
        (void)close(question->event_fd);
#ifndef __clang_analyzer__ /* which does not count owners, and sees uses after this */
    free(question);
#endif
}

static bool is_done(const struct question *question)
{
    return atomic_load_explicit(&question->is_done, memory_order_acquire);
}

static void announce(struct question *question)
{
    assert(!is_done(question));
    question->done_at_ms = clock_monotonic_ms();
    atomic_store_explicit(&question->is_done, true, memory_order_release);
    (void)eventfd_write(question->event_fd, 1); /* the first write to a counter of 0 cannot fail */
}

static void run(void *context)
{
    struct question *question = context;
    (void)resolve(question, 0);
    announce(question);
    leave(question);
}

static struct question *create_question(const char *host, uint16_t port, struct error *error)
{
    struct question *question = calloc(1, sizeof *question);
    if (question == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    atomic_init(&question->owners, 1);
    question->event_fd = -1;
    (void)snprintf(question->host, sizeof question->host, "%s", host);
    (void)snprintf(question->service, sizeof question->service, "%u", (unsigned)port);
    if (resolve(question, AI_NUMERICHOST) == 0) {
        atomic_init(&question->is_done, true);
        return question;
    }
    question->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (question->event_fd >= 0)
        return question;
    (void)error_set(error, ERROR_IO, "eventfd: %s", strerrordesc_np(errno));
    leave(question);
    return NULL;
}

/* --- the table --- */

static struct question *find(const struct question *like) REQUIRES(table.lock)
{
    struct question *each;
    LIST_FOREACH(each, &table.questions, links)
    if (strcmp(each->host, like->host) == 0 && strcmp(each->service, like->service) == 0)
        return each;
    return NULL;
}

static void strike(struct question *question) REQUIRES(table.lock)
{
    assert(question->is_listed);
    LIST_REMOVE(question, links);
    question->is_listed = false;
}

/* One that has waited too long for somebody who takes it; NULL: none. */
static struct question *strike_stale(int64_t now_ms) REQUIRES(table.lock)
{
    struct question *each;
    LIST_FOREACH(each, &table.questions, links)
    if (is_done(each) && now_ms - each->done_at_ms > KEPT_MS) {
        strike(each);
        return each;
    }
    return NULL;
}

static void forget_stale(void)
{
    struct question *stale;
    do {
        mutex_lock(&table.lock);
        stale = strike_stale(clock_monotonic_ms());
        mutex_unlock(&table.lock);
        if (stale != NULL)
            leave(stale);
    } while (stale != NULL);
}

/* Puts it on the table; or in its place gives the same question that is there already. */
static bool list(struct question **question)
{
    struct question *own = *question;
    assert(!own->is_listed && own->event_fd >= 0);
    mutex_lock(&table.lock);
    struct question *known = find(own);
    atomic_fetch_add(known != NULL ? &known->owners : &own->owners, 1);
    if (known == NULL) {
        LIST_INSERT_HEAD(&table.questions, own, links);
        own->is_listed = true;
    }
    mutex_unlock(&table.lock);
    if (known == NULL)
        return true;
    *question = known;
    leave(own);
    return false;
}

/* Who asks from now on asks anew. */
static void unlist(struct question *question)
{
    mutex_lock(&table.lock);
    bool was_listed = question->is_listed;
    if (was_listed)
        strike(question);
    mutex_unlock(&table.lock);
    if (was_listed)
        leave(question);
}

/* --- the interface --- */

/* To end the poll is all; what there is to say is asked for in each turn. */
static void note_end(void *context, unsigned events)
{
    (void)context;
    (void)events;
}

static bool start_thread(struct question *question, struct error *error)
{
    atomic_fetch_add(&question->owners, 1);
    if (thread_start(&question->thread, "name-lookup", run, question, error)) {
        thread_detach(&question->thread);
        return true;
    }
    question->code = EAI_AGAIN; /* to those who share it by now */
    announce(question);
    unlist(question);
    leave(question);
    return error_wrap(error, "resolving %s", question->host);
}

static bool watch(struct name_lookup *lookup, struct error *error)
{
    lookup->watch_fd = fcntl(lookup->question->event_fd, F_DUPFD_CLOEXEC, 0);
    if (lookup->watch_fd < 0)
        return error_set(error, ERROR_IO, "eventfd: %s", strerrordesc_np(errno));
    return event_loop_watch(lookup->loop, lookup->watch_fd, EVENT_READ, note_end, lookup, error);
}

static bool ask(struct name_lookup *lookup, struct error *error)
{
    forget_stale();
    return (!list(&lookup->question) || start_thread(lookup->question, error)) &&
           watch(lookup, error);
}

struct name_lookup *name_lookup_start(struct event_loop *loop, const char *host, uint16_t port,
                                      struct error *error)
{
    struct name_lookup *lookup = calloc(1, sizeof *lookup);
    if (lookup == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    lookup->loop = loop;
    lookup->watch_fd = -1;
    lookup->question = create_question(host, port, error);
    if (lookup->question != NULL && (is_done(lookup->question) || ask(lookup, error)))
        return lookup;
    name_lookup_destroy(lookup);
    return NULL;
}

static void stop_watching(struct name_lookup *lookup)
{
    if (lookup->watch_fd < 0)
        return;
    event_loop_forget(lookup->loop, lookup->watch_fd);
    (void)close(lookup->watch_fd);
    lookup->watch_fd = -1;
}

void name_lookup_destroy(struct name_lookup *lookup)
{
    if (lookup == NULL)
        return;
    stop_watching(lookup);
    if (lookup->question != NULL)
        leave(lookup->question);
    free(lookup);
}

enum name_lookup_status name_lookup_finish(struct name_lookup *lookup,
                                           const struct addrinfo **out_addresses,
                                           struct error *error)
{
    struct question *question = lookup->question;
    if (!is_done(question))
        return NAME_LOOKUP_PENDING;
    stop_watching(lookup);
    bool is_found = question->code == 0;
    if (!is_found)
        (void)error_set(error, ERROR_IO, "the name %s cannot be resolved: %s", question->host,
                        gai_strerror(question->code));
    assert(!is_found || (question->addresses != NULL && lookup->watch_fd < 0));
    *out_addresses = question->addresses;
    unlist(question); /* ours until the end */
    return is_found ? NAME_LOOKUP_FOUND : NAME_LOOKUP_FAILED;
}
