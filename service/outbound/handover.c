/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/handover.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void handover_init(struct handover *handover)
{
    atomic_init(&handover->reserved, 0);
    atomic_init(&handover->queued_count, 0);
    mutex_init(&handover->shared.lock);
    TAILQ_INIT(&handover->shared.queue);
}

void handover_fini(struct handover *handover)
{
    struct handed *handed;
    while ((handed = TAILQ_FIRST(&handover->shared.queue)) != NULL) {
        TAILQ_REMOVE(&handover->shared.queue, handed, links);
        free(handed);
    }
    mutex_fini(&handover->shared.lock);
}

static const char *put(char **end, const char *text)
{
    char *copy = *end;
    size_t bytes = strlen(text) + 1;
    memcpy(copy, text, bytes);
    *end += bytes;
    return copy;
}

struct handed *handed_create(const struct claim *claim, int64_t leased_at_ms, bool is_committed)
{
    assert(claim->generation > 0 && claim->attempt > 0);
    size_t bytes = strlen(claim->application_id) + strlen(claim->seek_token) +
                   strlen(claim->event_id) + strlen(claim->traceparent) + 4;
    struct handed *handed = malloc(sizeof *handed + bytes);
    if (handed == NULL)
        return NULL;
    char *end = handed->texts;
    handed->claim = *claim;
    handed->leased_at_ms = leased_at_ms;
    handed->is_committed = is_committed;
    handed->claim.application_id = put(&end, claim->application_id);
    handed->claim.seek_token = put(&end, claim->seek_token);
    handed->claim.event_id = put(&end, claim->event_id);
    handed->claim.traceparent = put(&end, claim->traceparent);
    assert(end == handed->texts + bytes);
    return handed;
}

/* NOLINTNEXTLINE(readability-function-size): TAILQ_CONCAT nests by itself */
void handover_give(struct handover *handover, struct handed_list *list, size_t count)
{
    assert(count > 0);
    mutex_lock(&handover->shared.lock);
    TAILQ_CONCAT(&handover->shared.queue, list, links);
    atomic_fetch_add(&handover->queued_count, count);
    mutex_unlock(&handover->shared.lock);
}

size_t handover_take(struct handover *handover, size_t count, struct handed_list *out)
{
    TAILQ_INIT(out);
    if (count == 0 || atomic_load(&handover->queued_count) == 0)
        return 0;
    size_t taken = 0;
    struct handed *handed;
    mutex_lock(&handover->shared.lock);
    while (taken < count && (handed = TAILQ_FIRST(&handover->shared.queue)) != NULL) {
        TAILQ_REMOVE(&handover->shared.queue, handed, links);
        TAILQ_INSERT_TAIL(out, handed, links);
        taken++;
    }
    assert(taken <= atomic_load(&handover->queued_count));
    atomic_fetch_sub(&handover->queued_count, taken);
    mutex_unlock(&handover->shared.lock);
    return taken;
}

/* In this order: what is reserved is queued before it is reserved no longer. */
bool handover_is_idle(const struct handover *handover)
{
    return atomic_load(&handover->reserved) == 0 && atomic_load(&handover->queued_count) == 0;
}
