/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/deadline_queue.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

/* Nothing comes before the first, nor after the last. */
static bool is_sound(const struct deadline_queue *queue)
{
    if (queue->first == NULL)
        return queue->last == NULL;
    return queue->last != NULL && queue->first->earlier == NULL && queue->last->later == NULL;
}

void deadline_set(struct deadline *deadline, struct deadline_queue *queue, int64_t now_ms)
{
    deadline_clear(deadline);
    *deadline = (struct deadline){
        .queue = queue, .earlier = queue->last, .due_ms = now_ms + queue->duration_ms};
    if (queue->last != NULL)
        queue->last->later = deadline;
    else
        queue->first = deadline;
    queue->last = deadline;
    assert(is_sound(queue));
}

void deadline_clear(struct deadline *deadline)
{
    struct deadline_queue *queue = deadline->queue;
    if (queue == NULL)
        return;
    if (deadline->earlier != NULL)
        deadline->earlier->later = deadline->later;
    else
        queue->first = deadline->later;
    if (deadline->later != NULL)
        deadline->later->earlier = deadline->earlier;
    else
        queue->last = deadline->earlier;
    *deadline = (struct deadline){.queue = NULL};
    assert(is_sound(queue));
}

struct deadline *deadline_queue_take_due(struct deadline_queue *queue, int64_t now_ms)
{
    struct deadline *first = queue->first;
    if (first == NULL || first->due_ms > now_ms)
        return NULL;
    deadline_clear(first);
    return first;
}

int64_t deadline_age_ms(const struct deadline *deadline, int64_t now_ms)
{
    assert(deadline->queue != NULL); /* it runs */
    return now_ms - (deadline->due_ms - deadline->queue->duration_ms);
}

int64_t deadline_queue_wait_ms(const struct deadline_queue *queue, int64_t now_ms)
{
    if (queue->first == NULL)
        return -1;
    return queue->first->due_ms > now_ms ? queue->first->due_ms - now_ms : 0;
}
