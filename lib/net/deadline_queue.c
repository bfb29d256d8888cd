/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/deadline_queue.h"

#include <stddef.h>

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
}

struct deadline *deadline_queue_take_due(struct deadline_queue *queue, int64_t now_ms)
{
    struct deadline *first = queue->first;
    if (first == NULL || first->due_ms > now_ms)
        return NULL;
    deadline_clear(first);
    return first;
}

int64_t deadline_queue_wait_ms(const struct deadline_queue *queue, int64_t now_ms)
{
    if (queue->first == NULL)
        return -1;
    return queue->first->due_ms > now_ms ? queue->first->due_ms - now_ms : 0;
}

int64_t deadline_sooner_ms(int64_t a_ms, int64_t b_ms)
{
    if (a_ms < 0 || b_ms < 0)
        return a_ms < 0 ? b_ms : a_ms;
    return a_ms < b_ms ? a_ms : b_ms;
}
