/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/outcome_watch.h"

#include <assert.h>
#include <string.h>

#include "lib/base/crc32c.h"
#include "lib/net/event_loop.h"

void outcome_watch_init(struct outcome_watch *watch)
{
    atomic_init(&watch->count, 0);
    mutex_init(&watch->shared.lock);
    for (size_t i = 0; i < OUTCOME_WATCH_LISTS; i++)
        TAILQ_INIT(&watch->shared.lists[i]);
}

void outcome_watch_fini(struct outcome_watch *watch)
{
    assert(atomic_load(&watch->count) == 0);
    mutex_fini(&watch->shared.lock);
}

static size_t list_of(const char *application_id)
{
    return crc32c(0, application_id, strlen(application_id)) % OUTCOME_WATCH_LISTS;
}

void outcome_watch_add(struct outcome_watch *watch, struct outcome_waiter *waiter)
{
    assert(waiter->loop != NULL && waiter->is_called != NULL);
    size_t list = list_of(waiter->application_id);
    mutex_lock(&watch->shared.lock);
    TAILQ_INSERT_TAIL(&watch->shared.lists[list], waiter, links);
    atomic_fetch_add(&watch->count, 1);
    mutex_unlock(&watch->shared.lock);
}

void outcome_watch_remove(struct outcome_watch *watch, struct outcome_waiter *waiter)
{
    size_t list = list_of(waiter->application_id);
    mutex_lock(&watch->shared.lock);
    assert(atomic_load(&watch->count) > 0);
    TAILQ_REMOVE(&watch->shared.lists[list], waiter, links);
    atomic_fetch_sub(&watch->count, 1);
    mutex_unlock(&watch->shared.lock);
}

/* Woken under the lock: a write to a descriptor that cannot block, while the waiter cannot go. */
void outcome_watch_note(struct outcome_watch *watch, const char *application_id)
{
    if (atomic_load(&watch->count) == 0)
        return;
    size_t list = list_of(application_id);
    struct outcome_waiter *waiter;
    mutex_lock(&watch->shared.lock);
    TAILQ_FOREACH(waiter, &watch->shared.lists[list], links)
    {
        if (strcmp(waiter->application_id, application_id) != 0)
            continue;
        atomic_store(waiter->is_called, true);
        event_loop_wake(waiter->loop);
    }
    mutex_unlock(&watch->shared.lock);
}
