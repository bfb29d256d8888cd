/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/sending_gate.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/mutex.h"

#include "service/domain/retry_policy.h"
#include "service/outbound/in_flight_limit.h"
#include "service/outbound/rate_limiter.h"
#include "service/outbound/refusal_brake.h"

enum {
    RECHECK_MS = 1000, /* for a wait whose end nobody can foresee */
    THROTTLE_FIRST_MS = 1000,
    THROTTLE_MAX_MS = 60 * 1000,
    BREAKER_KNOWN_MS = 30 * 1000, /* after the time for a probe */
};

struct sending_gate {
    /* Any thread, holding shared.lock. */
    struct {
        struct mutex lock;
        size_t taken;     /* places: reserved for a claim, or in flight */
        size_t in_flight; /* of these */
        struct in_flight_limit limit;
        struct rate_limiter rate;
        struct circuit_breaker breaker;
        struct refusal_brake brake;
        bool is_braked;      /* and nobody has taken notice */
        int64_t throttle_ms; /* the least for the next 429; grows until a signal is delivered */
        int64_t throttled_until_ms;
        char last_failure[SENDING_FAILURE_BYTES];
        bool is_throttled; /* until SEEK has answered otherwise, after that time */
    } shared;
};

struct sending_gate *sending_gate_create(const struct sending_gate_options *options,
                                         struct error *error)
{
    struct sending_gate *gate = calloc(1, sizeof *gate);
    if (gate == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    mutex_init(&gate->shared.lock);
    in_flight_limit_init(&gate->shared.limit, options->in_flight_max);
    /* The bucket is full from the beginning, so its clock may start anywhere in the past. */
    rate_limiter_init(&gate->shared.rate, options->per_second_max, 0);
    circuit_breaker_init(&gate->shared.breaker, options->breaker_failures,
                         options->breaker_silence_ms, options->breaker_wait_ms,
                         options->breaker_wait_max_ms);
    refusal_brake_init(&gate->shared.brake, options->refusals_max);
    gate->shared.throttle_ms = THROTTLE_FIRST_MS;
    return gate;
}

void sending_gate_destroy(struct sending_gate *gate)
{
    if (gate == NULL)
        return;
    mutex_fini(&gate->shared.lock);
    free(gate);
}

/* What holds whenever nobody is inside. The limit that adapts may be below what is out already; the
 * places never exceed the one that is set. */
static void unlock(struct sending_gate *gate) RELEASES(gate->shared.lock)
{
    assert(gate->shared.in_flight <= gate->shared.taken);
    assert(gate->shared.taken <= gate->shared.limit.max);
    mutex_unlock(&gate->shared.lock);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* What the in-flight limit and the breaker leave of `wanted`. */
static size_t allowed(struct sending_gate *gate, size_t wanted, int64_t now_ms,
                      int64_t *out_wait_ms) REQUIRES(gate->shared.lock)
{
    assert(wanted > 0);
    size_t limit = gate->shared.limit.current;
    size_t free_places = limit > gate->shared.taken ? limit - gate->shared.taken : 0;
    *out_wait_ms = RECHECK_MS;
    if (free_places == 0)
        return 0;
    /* A probe is alone: what started before the breaker opened has to be back first. */
    if (gate->shared.breaker.state == BREAKER_OPEN && gate->shared.taken > 0)
        return 0;
    switch (circuit_breaker_ask(&gate->shared.breaker, now_ms, out_wait_ms)) {
    case BREAKER_ALLOWS:
        return smaller(wanted, free_places);
    case BREAKER_ALLOWS_ONE:
        return 1;
    case BREAKER_REFUSES:
        break;
    }
    return 0;
}

static size_t enter(struct sending_gate *gate, size_t wanted, int64_t now_ms, int64_t *out_wait_ms)
    REQUIRES(gate->shared.lock)
{
    *out_wait_ms = RECHECK_MS;
    if (wanted == 0)
        return 0;
    if (now_ms < gate->shared.throttled_until_ms) {
        *out_wait_ms = gate->shared.throttled_until_ms - now_ms;
        return 0;
    }
    if (gate->shared.is_throttled && gate->shared.taken > 0)
        return 0;
    /* After the wait one asks whether it is over, before all do. */
    size_t count = allowed(gate, gate->shared.is_throttled ? 1 : wanted, now_ms, out_wait_ms);
    if (count == 0)
        return 0;
    count = rate_limiter_take(&gate->shared.rate, count, now_ms, out_wait_ms);
    if (count == 0)
        circuit_breaker_withdraw(&gate->shared.breaker);
    gate->shared.taken += count;
    assert(gate->shared.taken <= gate->shared.limit.max);
    return count;
}

size_t sending_gate_enter(struct sending_gate *gate, size_t wanted, int64_t now_ms,
                          int64_t *out_wait_ms)
{
    int64_t wait_ms;
    mutex_lock(&gate->shared.lock);
    size_t count = enter(gate, wanted, now_ms, &wait_ms);
    unlock(gate);
    if (count == 0)
        *out_wait_ms = wait_ms;
    return count;
}

size_t sending_gate_enter_open(struct sending_gate *gate, size_t wanted, int64_t now_ms)
{
    int64_t wait_ms;
    mutex_lock(&gate->shared.lock);
    bool is_open = gate->shared.breaker.state == BREAKER_CLOSED && !gate->shared.is_throttled;
    size_t count = is_open ? enter(gate, wanted, now_ms, &wait_ms) : 0;
    unlock(gate);
    assert(count <= wanted);
    return count;
}

size_t sending_gate_ahead(struct sending_gate *gate, size_t wanted)
{
    mutex_lock(&gate->shared.lock);
    bool is_open = gate->shared.breaker.state == BREAKER_CLOSED && !gate->shared.is_throttled &&
                   gate->shared.rate.per_second == 0;
    size_t in_flight = is_open ? gate->shared.in_flight : 0;
    unlock(gate);
    return smaller(wanted, in_flight);
}

static void give_back(struct sending_gate *gate, size_t count) REQUIRES(gate->shared.lock)
{
    assert(count <= gate->shared.taken - gate->shared.in_flight);
    gate->shared.taken -= count;
    rate_limiter_return(&gate->shared.rate, count);
    circuit_breaker_withdraw(&gate->shared.breaker);
}

void sending_gate_return(struct sending_gate *gate, size_t count)
{
    if (count == 0)
        return;
    mutex_lock(&gate->shared.lock);
    give_back(gate, count);
    unlock(gate);
}

void sending_gate_start(struct sending_gate *gate)
{
    mutex_lock(&gate->shared.lock);
    assert(gate->shared.in_flight < gate->shared.taken);
    gate->shared.in_flight++;
    unlock(gate);
}

void sending_gate_cut(struct sending_gate *gate)
{
    mutex_lock(&gate->shared.lock);
    assert(gate->shared.in_flight > 0);
    gate->shared.in_flight--;
    give_back(gate, 1);
    unlock(gate);
}

/* One window of throttling may bring many 429, each about the same thing: only the first makes the
 * next window longer. */
static void throttle(struct sending_gate *gate, int64_t retry_after_ms, int64_t now_ms)
    REQUIRES(gate->shared.lock)
{
    int64_t wait_ms = gate->shared.throttle_ms;
    if (now_ms >= gate->shared.throttled_until_ms) {
        int64_t next_ms = 2 * gate->shared.throttle_ms;
        gate->shared.throttle_ms = next_ms < THROTTLE_MAX_MS ? next_ms : THROTTLE_MAX_MS;
    } else {
        wait_ms = 0;
    }
    if (retry_after_ms > wait_ms)
        wait_ms = retry_after_ms < RETRY_AFTER_TRUSTED_MS ? retry_after_ms : RETRY_AFTER_TRUSTED_MS;
    gate->shared.is_throttled = true;
    if (now_ms + wait_ms > gate->shared.throttled_until_ms)
        gate->shared.throttled_until_ms = now_ms + wait_ms;
    assert(gate->shared.throttle_ms <= THROTTLE_MAX_MS);
}

static void observe(struct sending_gate *gate, const struct verdict *verdict, bool is_token_proven,
                    int64_t now_ms) REQUIRES(gate->shared.lock)
{
    if (verdict->class != VERDICT_TRANSIENT && now_ms >= gate->shared.throttled_until_ms)
        gate->shared.is_throttled = false;
    switch (verdict->class) {
    case VERDICT_DELIVERED:
        gate->shared.throttle_ms = THROTTLE_FIRST_MS;
        in_flight_limit_succeed(&gate->shared.limit);
        circuit_breaker_succeed(&gate->shared.breaker);
        break;
    case VERDICT_TRANSIENT:
        /* A failed probe says nothing of how much SEEK can bear once it is back. */
        if (gate->shared.breaker.state == BREAKER_CLOSED)
            in_flight_limit_strain(&gate->shared.limit, now_ms);
        circuit_breaker_fail(&gate->shared.breaker, !verdict->has_errors, now_ms);
        break;
    case VERDICT_UNREADABLE:
    case VERDICT_MISCONFIGURED: /* somebody else answers: no more use in asking than in an outage */
        circuit_breaker_fail(&gate->shared.breaker, false, now_ms);
        break;
    case VERDICT_THROTTLED: /* strained, but it answers */
        in_flight_limit_strain(&gate->shared.limit, now_ms);
        circuit_breaker_succeed(&gate->shared.breaker);
        throttle(gate, verdict->retry_after_ms, now_ms);
        break;
    case VERDICT_AUTH:
        /* Of an access token that was taken before, it is one event's trouble; of one that never
         * was, everybody's. */
        if (is_token_proven)
            circuit_breaker_succeed(&gate->shared.breaker);
        else
            circuit_breaker_fail(&gate->shared.breaker, false, now_ms);
        break;
    case VERDICT_REFUSED:
        in_flight_limit_succeed(&gate->shared.limit);
        circuit_breaker_succeed(&gate->shared.breaker);
        break;
    case VERDICT_CLASS_COUNT:
        assert(false);
    }
}

/* A failed probe changes nothing that anybody has to know. */
static void log_change(enum breaker_state before, enum breaker_state after,
                       const struct verdict *verdict)
{
    if (before == BREAKER_CLOSED && after == BREAKER_OPEN)
        log_warn(
            "breaker_opened",
            "SEEK is down; sending is on hold, and one request at a time checks whether it is back",
            LOG_TEXT("code", verdict->code), LOG_TEXT("detail", verdict->message));
    else if (before != BREAKER_CLOSED && after == BREAKER_CLOSED)
        log_info("breaker_closed", "SEEK answers again; sending goes on");
}

/* What an operator has to know while signals wait; cut when SEEK has much to say. */
static void describe_failure(const struct verdict *verdict, char out[SENDING_FAILURE_BYTES])
{
    out[0] = '\0';
    if (verdict->class != VERDICT_DELIVERED && verdict->class != VERDICT_REFUSED)
        (void)snprintf(out, SENDING_FAILURE_BYTES, "%s: %.300s", verdict->code, verdict->message);
}

int64_t sending_gate_leave(struct sending_gate *gate, const struct verdict *verdict,
                           bool is_token_proven, int64_t now_ms)
{
    char failure[SENDING_FAILURE_BYTES];
    describe_failure(verdict, failure);
    mutex_lock(&gate->shared.lock);
    assert(gate->shared.in_flight > 0);
    gate->shared.in_flight--;
    gate->shared.taken--;
    enum breaker_state before = gate->shared.breaker.state;
    bool was_throttled = now_ms < gate->shared.throttled_until_ms;
    observe(gate, verdict, is_token_proven, now_ms);
    gate->shared.is_braked |= refusal_brake_note(&gate->shared.brake, verdict);
    memcpy(gate->shared.last_failure, failure, sizeof failure);
    enum breaker_state after = gate->shared.breaker.state;
    int64_t throttled_for_ms = gate->shared.throttled_until_ms - now_ms;
    int64_t pause_ms = gate->shared.breaker.probe_at_ms - now_ms;
    unlock(gate);

    log_change(before, after, verdict);
    if (!was_throttled && throttled_for_ms > 0)
        log_warn("throttled", "SEEK is rate-limiting us; sending waits",
                 LOG_INT("delay_ms", throttled_for_ms),
                 LOG_INT("retry_after_ms", verdict->retry_after_ms),
                 LOG_TEXT("code", verdict->code));
    if (after == BREAKER_CLOSED)
        return 0;
    return pause_ms > 0 ? pause_ms : 1;
}

bool sending_gate_take_brake(struct sending_gate *gate)
{
    mutex_lock(&gate->shared.lock);
    bool is_braked = gate->shared.is_braked;
    gate->shared.is_braked = false;
    unlock(gate);
    return is_braked;
}

/* Only work makes a probe: without any nobody sees that SEEK is back. */
static bool is_breaker_known(const struct sending_gate *gate, int64_t now_ms)
    REQUIRES(gate->shared.lock)
{
    return gate->shared.breaker.state != BREAKER_OPEN || gate->shared.taken > 0 ||
           now_ms < gate->shared.breaker.probe_at_ms + BREAKER_KNOWN_MS;
}

void sending_gate_status(struct sending_gate *gate, int64_t now_ms, struct sending_gate_status *out)
{
    mutex_lock(&gate->shared.lock);
    int64_t throttled_for_ms = gate->shared.throttled_until_ms - now_ms;
    *out = (struct sending_gate_status){
        .in_flight = gate->shared.in_flight,
        .in_flight_limit = gate->shared.limit.current,
        .breaker = gate->shared.breaker.state,
        .is_breaker_known = is_breaker_known(gate, now_ms),
        .throttled_for_ms = throttled_for_ms > 0 ? throttled_for_ms : 0,
    };
    memcpy(out->last_failure, gate->shared.last_failure, sizeof out->last_failure);
    unlock(gate);
}
