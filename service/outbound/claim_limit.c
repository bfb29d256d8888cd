/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/claim_limit.h"

#include <assert.h>
#include <stdint.h>

#include "lib/base/log.h"

enum { DOUBLE_AFTER = 32 }; /* so that one in so many is lost where a limit stays */

void claim_limit_init(struct claim_limit *limit)
{
    *limit = (struct claim_limit){.current = CLAIM_LIMIT_MAX};
}

bool claim_limit_halve(struct claim_limit *limit, size_t asked_for)
{
    assert(asked_for <= CLAIM_LIMIT_MAX);
    if (asked_for <= 1)
        return false;
    bool is_repeated = limit->current < CLAIM_LIMIT_MAX;
    limit->current = asked_for / 2;
    limit->answers_in_a_row = 0;
    if (is_repeated && !limit->is_shrunk) {
        limit->is_shrunk = true;
        log_warn("claims_shrunk",
                 "Answers to claims are lost again and again, so fewer signals are claimed at a "
                 "time. See client-output-buffer-limit of Redis, and its log",
                 LOG_INT("limit", (int64_t)limit->current));
    }
    assert(limit->current >= 1 && limit->current < CLAIM_LIMIT_MAX);
    return true;
}

void claim_limit_succeed(struct claim_limit *limit)
{
    assert(limit->current >= 1);
    if (limit->current == CLAIM_LIMIT_MAX || ++limit->answers_in_a_row < DOUBLE_AFTER)
        return;
    limit->answers_in_a_row = 0;
    limit->current *= 2;
    if (limit->current < CLAIM_LIMIT_MAX)
        return;
    limit->current = CLAIM_LIMIT_MAX;
    if (limit->is_shrunk)
        log_info("claims_grown", "The full number of signals is claimed at a time again");
    limit->is_shrunk = false;
}
