/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * "Again? When?": a value in, a value out.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "service/domain/upstream_reply.h"

/* A Retry-After of more is not believed to the end: one answer must not stop anything for hours. */
enum { RETRY_AFTER_TRUSTED_MS = 5 * 60 * 1000 };

struct retry_policy {
    int64_t base_ms;
    int64_t max_ms;
    int64_t age_max_ms;
};

struct attempt_facts {
    unsigned attempt;        /* this one's number, from 1 */
    int64_t age_ms;          /* since the event was accepted or last replayed */
    bool was_auth_before;    /* the attempt before this one ended VERDICT_AUTH */
    int64_t outage_pause_ms; /* until SEEK is asked again in an outage; 0: there is none */
};

enum retry_action { RETRY_DONE, RETRY_LATER, RETRY_DEAD };

struct retry_decision {
    enum retry_action action;
    int64_t delay_ms; /* for RETRY_LATER */
};

/* Full jitter: delay = random in [0, min(max, base * 2^(attempt-1))]; Retry-After is a floor,
 * up to the larger of max_ms and RETRY_AFTER_TRUSTED_MS, and jitter goes only upwards. The first
 * VERDICT_AUTH is retried at once (with a new access token), the next one with backoff. What was
 * VERDICT_UNREADABLE is spaced out: SEEK may have it. In an
 * outage that is not about this signal the wait is no longer than until SEEK is asked again: the
 * circuit breaker sets the pace for all then, and nobody waits on once SEEK is back. Dead when
 * refused, or when the age is over its bound. `random` is uniform over all 64 bits. Delays are at
 * least 1 ms but for the auth retry. */
struct retry_decision retry_policy_decide(const struct retry_policy *policy,
                                          const struct attempt_facts *facts,
                                          const struct verdict *verdict, uint64_t random);
/* The same backoff for other repeated work: Redis reconnects, the token endpoint. */
int64_t retry_policy_backoff_ms(int64_t base_ms, int64_t max_ms, unsigned attempt, uint64_t random);
