/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Why no wake-up is lost
 *
 * Something falls due in one thread while a worker goes to sleep in another. Each of the two first
 * writes and then reads what the other one writes:
 *
 *          who makes it due                      a worker that goes to rest
 *          ----------------                      --------------------------
 *     N1   lower ask_at_ms                  R1   its state becomes resting
 *     N2   look for a state that rests      R2   look at ask_at_ms, and take it when it is due
 *     N3   resting becomes awake, and       R3   sleep in its event loop, which a wake-up ends
 *          its event loop is woken               even when it came before the sleep
 *
 * All atomics are sequentially consistent, so that N1, N2, R1 and R2 stand in one order. If R1
 * comes before N2, the waker finds the worker. If not, N1 comes before R2, and the worker finds
 * what is due. The order inside each column is all that counts: a worker that looks before it says
 * that it rests, or a waker that looks for one before it lowers, sleeps through an event.
 *
 * N2 and N3 are one compare-and-exchange, so that of several wakers one wakes the worker, and each
 * of the others goes on looking.
 *
 * An awake owner is relied upon without a wake-up: awake promises that R1 and R2 are still to
 * come, though perhaps behind an answer of SEEK or the store, or else that it leaves:
 *
 *     L1   its state becomes unable
 *     L2   owner becomes nobody, if it was this one
 *     L3   if so, N2 and N3 for whoever rests
 *
 * L1 comes first, so that no waker spends its wake-up on a worker that has given the watch back.
 *
 * - The waker saw it awake, so N1 came before L1. Who takes over after L2 finds the lowered moment
 *   and needs no patience, as nobody owns the watch. Who rested before L2, patient with a owner
 *   that was there, is found by L3.
 * - The waker saw it unable, before L2, and found nobody at rest: all others are awake. They look
 *   after L2 as above, or before it, and are then found by L3.
 * - Another worker took the watch meanwhile, so that L2 fails. It raised ask_at_ms before it became
 *   the owner, and is awake until its answer is there. If N1 came after the raise, its next R2
 *   finds that moment; if before, its question was put after N1 and gets the answer.
 *
 * The moment is raised by due_watch_take alone, before the store is asked; everybody else only
 * lowers it. So what becomes due after the question was put leads to another question.
 *
 * Where no worker is able nobody is woken: each comes back by itself, and R1 and R2 are its way to
 * become able again. And nobody rests for longer than CLAIMER_WAIT_MAX_MS, in case that all this is
 * wrong.
 */
#include "service/outbound/due_watch.h"

#include <assert.h>
#include <stdlib.h>

bool due_watch_init(struct due_watch *watch, size_t worker_count, struct error *error)
{
    assert(worker_count > 0);
    *watch = (struct due_watch){.slot_count = worker_count};
    atomic_init(&watch->ask_at_ms, INT64_MIN);
    atomic_init(&watch->empty_asks, 0);
    atomic_init(&watch->owner, DUE_WATCH_NOBODY);
    watch->slots = calloc(worker_count, sizeof *watch->slots);
    return watch->slots != NULL || error_out_of_memory(error);
}

void due_watch_fini(struct due_watch *watch)
{
    free(watch->slots);
    watch->slots = NULL;
}

static struct due_watch_slot *slot_of(struct due_watch *watch, int worker)
{
    assert(worker >= 0);
    assert((size_t)worker < watch->slot_count);
    return &watch->slots[worker];
}

void due_watch_join(struct due_watch *watch, int worker, struct event_loop *loop)
{
    slot_of(watch, worker)->loop = loop;
}

/* --- waking ------------------------------------------------------------------------ */

/* Whether it was resting; it is awake then. */
static bool wake_up(struct due_watch_slot *slot)
{
    enum due_watch_state resting = DUE_WATCH_RESTING;
    return atomic_compare_exchange_strong(&slot->state, &resting, DUE_WATCH_AWAKE);
}

static bool wake(struct due_watch_slot *slot)
{
    if (!wake_up(slot))
        return false;
    event_loop_wake(slot->loop);
    return true;
}

/* --- the moment -------------------------------------------------------------------- */

bool due_watch_lower(struct due_watch *watch, int64_t at_ms)
{
    int64_t ask_at_ms = atomic_load(&watch->ask_at_ms);
    while (at_ms < ask_at_ms) {
        if (atomic_compare_exchange_weak(&watch->ask_at_ms, &ask_at_ms, at_ms))
            return true;
    }
    return false;
}

bool due_watch_is_due(const struct due_watch *watch, int64_t now_ms)
{
    return atomic_load(&watch->ask_at_ms) <= now_ms;
}

int due_watch_owner(const struct due_watch *watch)
{
    return atomic_load(&watch->owner);
}

static int deputy_of(const struct due_watch *watch, int owner)
{
    return (owner + 1) % (int)watch->slot_count;
}

bool due_watch_is_deputy(const struct due_watch *watch, int worker)
{
    int owner = due_watch_owner(watch);
    return owner != DUE_WATCH_NOBODY && worker == deputy_of(watch, owner);
}

static int64_t patience_of(const struct due_watch *watch, int worker, int64_t patience_ms)
{
    int owner = due_watch_owner(watch);
    return owner == worker || owner == DUE_WATCH_NOBODY ? 0 : patience_ms;
}

void due_watch_note_found(struct due_watch *watch, bool is_empty)
{
    unsigned asks = is_empty ? atomic_load(&watch->empty_asks) + 1 : 0;
    if (asks <= DUE_WATCH_IDLE_ASKS)
        atomic_store(&watch->empty_asks, asks);
}

static int64_t interval_of(const struct due_watch *watch)
{
    bool is_idle = atomic_load(&watch->empty_asks) >= DUE_WATCH_IDLE_ASKS;
    return is_idle ? DUE_WATCH_IDLE_INTERVAL_MS : DUE_WATCH_INTERVAL_MS;
}

bool due_watch_take(struct due_watch *watch, int worker, int64_t patience_ms, int64_t now_ms)
{
    assert(worker >= 0 && (size_t)worker < watch->slot_count);
    int64_t latest_ms = now_ms - patience_of(watch, worker, patience_ms);
    int64_t ask_at_ms = atomic_load(&watch->ask_at_ms);
    while (ask_at_ms <= latest_ms) {
        if (atomic_compare_exchange_weak(&watch->ask_at_ms, &ask_at_ms,
                                         now_ms + interval_of(watch))) {
            if (atomic_exchange(&watch->owner, worker) != worker)
                (void)wake(&watch->slots[deputy_of(watch, worker)]); /* it rested for longer */
            return true;
        }
    }
    return false;
}

int64_t due_watch_wait_ms(const struct due_watch *watch, int worker, int64_t patience_ms,
                          int64_t now_ms)
{
    int64_t latest_ms = now_ms - patience_of(watch, worker, patience_ms);
    int64_t ask_at_ms = atomic_load(&watch->ask_at_ms);
    return ask_at_ms > latest_ms ? ask_at_ms - latest_ms : 0;
}

/* --- whom to wake ------------------------------------------------------------------ */

void due_watch_wake_one(struct due_watch *watch)
{
    int owner = due_watch_owner(watch);
    if (owner != DUE_WATCH_NOBODY) {
        struct due_watch_slot *slot = slot_of(watch, owner);
        if (wake(slot) || atomic_load(&slot->state) == DUE_WATCH_AWAKE)
            return;
    }
    for (size_t i = 0; i < watch->slot_count; i++) {
        if (wake(&watch->slots[i]))
            return;
    }
}

void due_watch_note(struct due_watch *watch, int64_t at_ms)
{
    if (due_watch_lower(watch, at_ms))
        due_watch_wake_one(watch);
}

/* --- the worker's state ------------------------------------------------------------ */

void due_watch_rest(struct due_watch *watch, int worker)
{
    struct due_watch_slot *slot = slot_of(watch, worker);
    assert(slot->loop != NULL);
    atomic_store(&slot->state, DUE_WATCH_RESTING);
}

void due_watch_stay_awake(struct due_watch *watch, int worker)
{
    atomic_store(&slot_of(watch, worker)->state, DUE_WATCH_AWAKE);
}

void due_watch_wake_up(struct due_watch *watch, int worker)
{
    (void)wake_up(slot_of(watch, worker));
}

void due_watch_leave(struct due_watch *watch, int worker)
{
    atomic_store(&slot_of(watch, worker)->state, DUE_WATCH_UNABLE);
    if (atomic_compare_exchange_strong(&watch->owner, &worker, DUE_WATCH_NOBODY))
        due_watch_wake_one(watch);
}
