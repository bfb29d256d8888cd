/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/sandbox/waiting.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/array.h"

void waiting_init(struct waiting *waiting)
{
    *waiting = (struct waiting){.heap = NULL};
}

void waiting_fini(struct waiting *waiting)
{
    free(waiting->heap);
    waiting_init(waiting);
}

static void place(struct waiting *waiting, struct sandbox_wait *wait, size_t index)
{
    waiting->heap[index] = wait;
    wait->position = index + 1;
}

static void sift_up(struct waiting *waiting, struct sandbox_wait *wait, size_t index)
{
    while (index > 0 && waiting->heap[(index - 1) / 2]->due_ms > wait->due_ms) {
        place(waiting, waiting->heap[(index - 1) / 2], index);
        index = (index - 1) / 2;
    }
    place(waiting, wait, index);
}

static void sift_down(struct waiting *waiting, struct sandbox_wait *wait, size_t index)
{
    for (size_t child = 2 * index + 1; child < waiting->count; child = 2 * index + 1) {
        if (child + 1 < waiting->count &&
            waiting->heap[child + 1]->due_ms < waiting->heap[child]->due_ms)
            child++;
        if (waiting->heap[child]->due_ms >= wait->due_ms)
            break;
        place(waiting, waiting->heap[child], index);
        index = child;
    }
    place(waiting, wait, index);
}

bool waiting_add(struct waiting *waiting, struct sandbox_wait *wait, int64_t due_ms,
                 struct error *error)
{
    assert(wait->position == 0);
    struct sandbox_wait **heap = array_reserve(waiting->heap, &waiting->capacity,
                                               waiting->count + 1, sizeof(struct sandbox_wait *));
    if (heap == NULL)
        return error_out_of_memory(error);
    waiting->heap = heap;
    wait->due_ms = due_ms;
    sift_up(waiting, wait, waiting->count++);
    return true;
}

void waiting_remove(struct waiting *waiting, struct sandbox_wait *wait)
{
    if (wait->position == 0)
        return;
    size_t index = wait->position - 1;
    wait->position = 0;
    struct sandbox_wait *last = waiting->heap[--waiting->count];
    if (last == wait)
        return;
    /* The last one takes the gap, and from there goes where it belongs: only one of the two moves
     * it. */
    sift_down(waiting, last, index);
    sift_up(waiting, last, last->position - 1);
}

struct sandbox_wait *waiting_take_due(struct waiting *waiting, int64_t now_ms)
{
    if (waiting->count == 0 || waiting->heap[0]->due_ms > now_ms)
        return NULL;
    struct sandbox_wait *wait = waiting->heap[0];
    waiting_remove(waiting, wait);
    return wait;
}

int64_t waiting_timeout_ms(const struct waiting *waiting, int64_t now_ms)
{
    if (waiting->count == 0 || waiting->heap[0]->due_ms == WAIT_FOREVER)
        return -1;
    int64_t left_ms = waiting->heap[0]->due_ms - now_ms;
    return left_ms > 0 ? left_ms : 0;
}

void waiting_release(struct waiting *waiting)
{
    for (size_t i = 0; i < waiting->count; i++)
        if (waiting->heap[i]->due_ms == WAIT_FOREVER)
            waiting->heap[i]->due_ms = 0; /* long past on the monotonic clock */
    for (size_t i = waiting->count / 2; i-- > 0;)
        sift_down(waiting, waiting->heap[i], i);
}
