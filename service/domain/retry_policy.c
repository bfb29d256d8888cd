/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/domain/retry_policy.h"

#include <assert.h>
#include <limits.h>

static const enum retry_action actions[VERDICT_CLASS_COUNT] = {
    [VERDICT_DELIVERED] = RETRY_DONE,   [VERDICT_TRANSIENT] = RETRY_LATER,
    [VERDICT_THROTTLED] = RETRY_LATER,  [VERDICT_AUTH] = RETRY_LATER,
    [VERDICT_REFUSED] = RETRY_DEAD,     [VERDICT_MISCONFIGURED] = RETRY_LATER,
    [VERDICT_UNREADABLE] = RETRY_LATER,
};

/* min(max, base * 2^(attempt-1)); stops doubling at the maximum, so that no attempt number
 * overflows. */
static int64_t ceiling_ms(int64_t base_ms, int64_t max_ms, unsigned attempt)
{
    int64_t ceiling = base_ms < max_ms ? base_ms : max_ms;
    for (unsigned i = 1; i < attempt && ceiling < max_ms; i++)
        ceiling = ceiling > max_ms / 2 ? max_ms : ceiling * 2;
    return ceiling;
}

int64_t retry_policy_backoff_ms(int64_t base_ms, int64_t max_ms, unsigned attempt, uint64_t random)
{
    assert(base_ms > 0);
    assert(max_ms > 0);
    /* The remainder favours small values by less than ceiling / 2^64: nothing that anybody could
     * measure. */
    uint64_t count = (uint64_t)ceiling_ms(base_ms, max_ms, attempt) + 1;
    int64_t delay_ms = (int64_t)(random % count);
    return delay_ms > 0 ? delay_ms : 1;
}

static int64_t floor_of_ms(const struct retry_policy *policy, int64_t retry_after_ms)
{
    int64_t most_ms =
        policy->max_ms > RETRY_AFTER_TRUSTED_MS ? policy->max_ms : RETRY_AFTER_TRUSTED_MS;
    if (retry_after_ms < 0)
        return 0;
    return retry_after_ms < most_ms ? retry_after_ms : most_ms;
}

/* SEEK may have the signal already, and would get it again each time: from a minute (with the usual
 * pauses) to six hours, four times as long each time, and never less than half of that. */
static int64_t spaced_ms(const struct retry_policy *policy, unsigned attempt, uint64_t random)
{
    enum { FIRST = 60, LONGEST = 24, ENOUGH = 64 };
    unsigned doublings = attempt < ENOUGH ? 2 * attempt : 2 * ENOUGH;
    int64_t ceiling = ceiling_ms(FIRST * policy->base_ms, LONGEST * policy->max_ms,
                                 doublings > 1 ? doublings - 1 : 1);
    return (ceiling + 1) / 2 + (int64_t)(random % (uint64_t)(ceiling / 2 + 1));
}

static int64_t later_ms(const struct retry_policy *policy, const struct attempt_facts *facts,
                        const struct verdict *verdict, uint64_t random)
{
    /* Retry-After is a floor and jitter goes on top: a jitter around it would ask too early, and
     * none would have everybody ask at the same moment. */
    int64_t floor_ms = floor_of_ms(policy, verdict->retry_after_ms);
    if (verdict->class == VERDICT_AUTH && !facts->was_auth_before)
        return floor_ms; /* SEEK allows one retry with a new access token; it needs no pause */
    int64_t delay_ms = floor_ms;
    if (verdict->class == VERDICT_UNREADABLE)
        delay_ms += spaced_ms(policy, facts->attempt, random);
    else
        delay_ms +=
            retry_policy_backoff_ms(policy->base_ms, policy->max_ms, facts->attempt, random);
    bool is_outage = facts->outage_pause_ms > 0 && verdict->class == VERDICT_TRANSIENT &&
                     !verdict->has_errors && floor_ms == 0;
    return is_outage && facts->outage_pause_ms < delay_ms ? facts->outage_pause_ms : delay_ms;
}

struct retry_decision retry_policy_decide(const struct retry_policy *policy,
                                          const struct attempt_facts *facts,
                                          const struct verdict *verdict, uint64_t random)
{
    enum retry_action action = actions[verdict->class];
    if (action == RETRY_LATER && facts->age_ms > policy->age_max_ms)
        action = RETRY_DEAD;
    return (struct retry_decision){
        .action = action,
        .delay_ms = action == RETRY_LATER ? later_ms(policy, facts, verdict, random) : 0,
    };
}
