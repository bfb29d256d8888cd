/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/circuit_breaker.h"

#include <assert.h>

#define TO(state) (1U << (state))

static const unsigned allowed[] = {
    [BREAKER_CLOSED] = TO(BREAKER_CLOSED) | TO(BREAKER_OPEN),
    /* A success may have been on its way when it opened. */
    [BREAKER_OPEN] = TO(BREAKER_PROBING) | TO(BREAKER_CLOSED),
    [BREAKER_PROBING] = TO(BREAKER_OPEN) | TO(BREAKER_CLOSED),
};

/* The sole writer of `state`. */
static void move(struct circuit_breaker *breaker, enum breaker_state next)
{
    assert((allowed[breaker->state] & TO(next)) != 0);
    breaker->state = next;
    breaker->failures = 0;
}

static void open_for(struct circuit_breaker *breaker, int64_t wait_ms, int64_t now_ms)
{
    move(breaker, BREAKER_OPEN);
    breaker->wait_ms = wait_ms < breaker->wait_max_ms ? wait_ms : breaker->wait_max_ms;
    breaker->probe_at_ms = now_ms + breaker->wait_ms;
    assert(breaker->wait_ms > 0 && breaker->wait_ms <= breaker->wait_max_ms);
}

void circuit_breaker_init(struct circuit_breaker *breaker, unsigned failures_max,
                          int64_t silence_max_ms, int64_t wait_first_ms, int64_t wait_max_ms)
{
    assert(failures_max > 0);
    assert(wait_first_ms > 0);
    assert(wait_first_ms <= wait_max_ms);
    *breaker = (struct circuit_breaker){.failures_max = failures_max,
                                        .silence_max_ms = silence_max_ms,
                                        .wait_first_ms = wait_first_ms,
                                        .wait_max_ms = wait_max_ms,
                                        .state = BREAKER_CLOSED};
}

enum breaker_answer circuit_breaker_ask(struct circuit_breaker *breaker, int64_t now_ms,
                                        int64_t *out_wait_ms)
{
    switch (breaker->state) {
    case BREAKER_CLOSED:
        return BREAKER_ALLOWS;
    case BREAKER_PROBING: /* the probe's answer changes the state; nobody knows when */
        *out_wait_ms = breaker->wait_first_ms;
        return BREAKER_REFUSES;
    case BREAKER_OPEN:
        break;
    }
    if (now_ms < breaker->probe_at_ms) {
        *out_wait_ms = breaker->probe_at_ms - now_ms;
        return BREAKER_REFUSES;
    }
    move(breaker, BREAKER_PROBING);
    return BREAKER_ALLOWS_ONE;
}

void circuit_breaker_withdraw(struct circuit_breaker *breaker)
{
    if (breaker->state != BREAKER_PROBING)
        return;
    move(breaker, BREAKER_OPEN);
}

void circuit_breaker_succeed(struct circuit_breaker *breaker)
{
    move(breaker, BREAKER_CLOSED);
}

/* With this failure. */
static bool is_over(struct circuit_breaker *breaker, bool is_silent, int64_t now_ms)
{
    if (breaker->failures++ == 0)
        breaker->failing_since_ms = now_ms;
    return breaker->failures >= breaker->failures_max ||
           (is_silent && breaker->silence_max_ms > 0 && breaker->failures >= CIRCUIT_BREAKER_FEW &&
            now_ms - breaker->failing_since_ms >= breaker->silence_max_ms);
}

void circuit_breaker_fail(struct circuit_breaker *breaker, bool is_silent, int64_t now_ms)
{
    switch (breaker->state) {
    case BREAKER_CLOSED:
        if (is_over(breaker, is_silent, now_ms))
            open_for(breaker, breaker->wait_first_ms, now_ms);
        break;
    case BREAKER_PROBING:
        open_for(breaker, breaker->wait_ms * 2, now_ms);
        break;
    case BREAKER_OPEN: /* one that was on its way when it opened: nothing new */
        break;
    }
}
