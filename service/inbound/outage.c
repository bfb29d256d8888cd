/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/outage.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include "service/inbound/spool_batch.h"
#include "service/store/store.h"

enum { QUIET_MS = 5000 };

/* While the spool takes events, a 503 is for what Redis alone knows. */
static bool is_spooling(const struct call *call)
{
    struct spool_status status = {.is_able = false};
    if (call->context->spool != NULL)
        spool_status(spool_batch_spool(call->context->spool), &status);
    return status.is_able;
}

/* An outage refuses thousands of requests a second; its beginning and its end are what matters. */
void outage_note_refusal(struct call *call, const struct problem *problem)
{
    const struct problem_kind *kind = problem_kind(problem->code);
    bool is_intake = call->route != NULL && call->route->is_intake;
    bool is_store =
        problem->code == PROBLEM_STORE_UNAVAILABLE || problem->code == PROBLEM_STORE_REFUSED;
    if (kind->status < 500 || problem->code == PROBLEM_SHUTTING_DOWN || !is_intake ||
        (is_store && is_spooling(call)))
        return;
    call->context->refused_at_ms = clock_monotonic_ms();
    if (call->context->is_unavailable)
        return;
    call->context->is_unavailable = true;
    /* Somebody has to act where Redis is the reason; a full service helps itself. */
    log_at(is_store ? LOG_ERROR : LOG_WARN, "intake_unavailable",
           "Events get 503 until the reason is gone", LOG_TEXT("code", kind->name),
           LOG_TEXT("reason", problem_detail(problem)));
}

/* Where some shards are away the others' events are accepted all the time. */
void outage_note_stored(struct call *call)
{
    struct inbound_context *context = call->context;
    if (!context->is_unavailable || (store_shard_count(context->store) > 1 &&
                                     clock_monotonic_ms() < context->refused_at_ms + QUIET_MS))
        return;
    context->is_unavailable = false;
    log_info("intake_available", "Events are accepted again");
}
