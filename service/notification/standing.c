/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/notification/standing.h"

#include <assert.h>
#include <stdio.h>

#include "lib/base/clock.h"

#include "service/outbound/access_token.h"
#include "service/outbound/worker_pool.h"

static struct store_change stalled(const char *reason, const char *detail)
{
    return (struct store_change){.to = SENDING_STALLED, .reason = reason, .detail = detail};
}

static bool is_proven(const struct standing_view *view)
{
    return view->due == 0 || view->was_paused || view->delivered_at_ms > view->stalled_at_ms;
}

struct store_change standing_judge(const struct standing_view *view)
{
    assert(view->token_error != NULL && view->sending_error != NULL);
    if (view->due < 0)
        return (struct store_change){.to = SENDING_UNKNOWN};
    if (view->paused_at_ms > 0)
        return stalled("paused", "an operator has paused it, or a run of refusals has");
    if (view->token_failing_ms >= STANDING_TROUBLE_MS)
        return stalled("access-token", view->token_error);
    /* Only work makes a probe: without any nobody knows whether SEEK still fails. */
    if (view->breaker_open_ms >= STANDING_TROUBLE_MS && view->due > 0)
        return stalled("seek-fails", view->sending_error);
    if (view->oldest_due_age_ms >= STANDING_OVERDUE_MS)
        return stalled("overdue", view->sending_error);
    bool is_in_trouble = view->token_failing_ms >= 0 || view->breaker_open_ms >= 0;
    if (is_in_trouble || !is_proven(view))
        return (struct store_change){.to = SENDING_UNKNOWN};
    return (struct store_change){.to = SENDING_RESUMED};
}

/* --- over and over --- */

void sending_watch_init(struct sending_watch *watch, struct sending_gate *gate,
                        struct access_token *token, struct worker_pool *workers)
{
    assert(gate != NULL && token != NULL && workers != NULL);
    *watch = (struct sending_watch){.gate = gate, .token = token, .workers = workers};
    watch->view.due = -1;
}

/* Something may wait in a shard that has not answered. */
static int64_t due_in(const struct store_census *census)
{
    return census->is_partial && census->due == 0 ? 1 : census->due;
}

void sending_watch_note(struct sending_watch *watch, const struct store_census *census)
{
    watch->view.due = census != NULL ? due_in(census) : -1;
    watch->view.paused_at_ms = census != NULL ? census->paused_at_ms : 0;
    watch->view.oldest_due_age_ms = census != NULL ? census->oldest_due_age_ms : 0;
}

static void look_at_workers(struct sending_watch *watch, int64_t now_ms)
{
    struct standing_view *view = &watch->view;
    struct sending_gate_status sending;
    struct access_token_status token;
    struct worker_pool_status workers;
    sending_gate_status(watch->gate, now_ms, &sending);
    access_token_status(watch->token, now_ms, &token);
    worker_pool_status(watch->workers, &workers);
    if (sending.breaker == BREAKER_CLOSED)
        watch->breaker_open_at_ms = 0;
    else if (watch->breaker_open_at_ms == 0)
        watch->breaker_open_at_ms = now_ms;
    view->breaker_open_ms = watch->breaker_open_at_ms > 0 ? now_ms - watch->breaker_open_at_ms : -1;
    view->token_failing_ms = token.failing_since_ms < 0 ? -1 : now_ms - token.failing_since_ms;
    view->delivered_at_ms = workers.last_delivered_at_ms;
    (void)snprintf(watch->token_error, sizeof watch->token_error, "%s", token.last_error);
    (void)snprintf(watch->sending_error, sizeof watch->sending_error, "%s", sending.last_failure);
}

struct store_change sending_watch_judge(struct sending_watch *watch, int64_t now_ms)
{
    struct standing_view *view = &watch->view;
    look_at_workers(watch, now_ms);
    view->token_error = watch->token_error;
    view->sending_error = watch->sending_error;
    struct store_change change = standing_judge(view);
    if (change.to == SENDING_STALLED) {
        view->stalled_at_ms = clock_wall_ms();
        view->was_paused = view->paused_at_ms > 0;
    }
    assert(view->stalled_at_ms >= 0);
    return change;
}
