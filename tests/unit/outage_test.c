/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * An hour in which SEEK is away, with a clock of our own: gate and retry policy together, as the
 * workers use them and with the service's figures.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"

#include "service/domain/retry_policy.h"
#include "service/outbound/sending_gate.h"

#include "tests/support/specification.h"

enum {
    TICK_MS = 10,
    OUTAGE_MS = 60 * 60 * 1000,
    ANSWER_MS = 200, /* SEEK's, when it is there */
    APPLICATIONS_MAX = 500,
    IN_FLIGHT_MAX = 64,
    PROBE_MAX_MS = 2000,
    NONE = -1,
};

static const struct retry_policy policy = {
    .base_ms = 1000, .max_ms = 900000, .age_max_ms = INT64_C(1209600000)};

struct outage_application {
    int64_t due_at_ms, answer_at_ms; /* NONE: delivered; NONE: not on its way */
    unsigned attempts;
};

struct world {
    struct sending_gate *gate;
    int64_t now_ms;
    bool is_away;
    bool is_spoken; /* SEEK fails with GraphQL errors, not with silence */
    uint64_t random;
    struct outage_application applications[APPLICATIONS_MAX];
    size_t count, undelivered, attempts, in_flight;
};

static struct world *world_with(size_t count)
{
    const struct sending_gate_options options = {.in_flight_max = IN_FLIGHT_MAX,
                                                 .breaker_failures = 10,
                                                 .breaker_silence_ms = 1000,
                                                 .breaker_wait_ms = 500,
                                                 .breaker_wait_max_ms = PROBE_MAX_MS};
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    *world = (struct world){.gate = sending_gate_create(&options, NULL),
                            .random = UINT64_C(0x9e3779b97f4a7c15),
                            .count = count,
                            .undelivered = count,
                            .is_away = true};
    assert_non_null(world->gate);
    for (size_t i = 0; i < count; i++)
        world->applications[i].answer_at_ms = NONE;
    return world;
}

static void end(struct world *world)
{
    sending_gate_destroy(world->gate);
    free(world);
}

static uint64_t next_random(struct world *world)
{
    world->random ^= world->random << 13;
    world->random ^= world->random >> 7;
    world->random ^= world->random << 17;
    return world->random;
}

static void take_answer(struct world *world, struct outage_application *application)
{
    const struct verdict verdict = {.class = world->is_away ? VERDICT_TRANSIENT : VERDICT_DELIVERED,
                                    .has_errors = world->is_spoken,
                                    .retry_after_ms = -1};
    const struct attempt_facts facts = {
        .attempt = application->attempts,
        .outage_pause_ms = sending_gate_leave(world->gate, &verdict, true, world->now_ms)};
    struct retry_decision decision =
        retry_policy_decide(&policy, &facts, &verdict, next_random(world));
    world->in_flight--;
    application->answer_at_ms = NONE;
    application->due_at_ms =
        decision.action == RETRY_DONE ? NONE : world->now_ms + decision.delay_ms;
    world->undelivered -= decision.action == RETRY_DONE;
}

static bool is_due(const struct world *world, const struct outage_application *application)
{
    return application->answer_at_ms == NONE && application->due_at_ms != NONE &&
           application->due_at_ms <= world->now_ms;
}

/* False: nobody else may go either. */
static bool send_if_due(struct world *world, struct outage_application *application)
{
    int64_t wait_ms;
    if (!is_due(world, application))
        return true;
    if (sending_gate_enter(world->gate, 1, world->now_ms, &wait_ms) == 0)
        return false;
    sending_gate_start(world->gate);
    application->attempts++;
    world->attempts++;
    world->in_flight++;
    application->answer_at_ms = world->now_ms + (world->is_away ? TICK_MS : ANSWER_MS);
    return true;
}

/* Until that time, or until all are delivered. */
static void run_until(struct world *world, int64_t until_ms)
{
    for (; world->now_ms < until_ms && world->undelivered > 0; world->now_ms += TICK_MS) {
        for (size_t i = 0; i < world->count && world->in_flight > 0; i++)
            if (world->applications[i].answer_at_ms == world->now_ms)
                take_answer(world, &world->applications[i]);
        size_t next = 0;
        while (next < world->count && send_if_due(world, &world->applications[next]))
            next++;
    }
}

/* The attempts in the outage, and how long after it the last one is delivered. */
static int64_t live_through(struct world *world, size_t *out_attempts)
{
    run_until(world, OUTAGE_MS);
    *out_attempts = world->attempts;
    world->is_away = false;
    run_until(world, 2 * OUTAGE_MS);
    assert_int_equal(world->undelivered, 0);
    return world->now_ms - OUTAGE_MS;
}

static void all_is_delivered_soon_after_an_hour(void **state)
{
    (void)state;
    static const struct {
        size_t applications;
        int64_t after_max_ms; /* a probe's wait, and what that many take at SEEK's pace */
    } rows[] = {{1, 2500}, {2, 2700}, {9, 3000}, {100, 3500}, {APPLICATIONS_MAX, 6000}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *world = world_with(rows[i].applications);
        size_t attempts;
        int64_t after_ms = live_through(world, &attempts);
        if (getenv("SHOW_FIGURES") != NULL)
            print_message("%zu applications: %zu attempts, delivered %d ms after the outage\n",
                          rows[i].applications, attempts, (int)after_ms);
        assert_in_range(after_ms, 0, rows[i].after_max_ms);
        /* One probe each two seconds, and what was on its way before the breaker opened. */
        assert_in_range(attempts, OUTAGE_MS / PROBE_MAX_MS / 2,
                        OUTAGE_MS / PROBE_MAX_MS + IN_FLIGHT_MAX + 20);
        end(world);
    }
}

static void what_may_be_one_signals_trouble_waits_its_own_pause(void **state)
{
    (void)state;
    struct world *world = world_with(1);
    world->is_spoken = true;
    size_t attempts;
    (void)live_through(world, &attempts);
    assert_in_range(attempts, 10, 40); /* 1 s, 2 s, 4 s, … 15 min */
    end(world);
}

int main(void)
{
    log_configure(LOG_ERROR, LOG_FORMAT_TEXT);
    const struct CMUnitTest tests[] = {
        IT("delivers all within seconds of SEEK's return after an hour, without a storm before",
           all_is_delivered_soon_after_an_hour),
        IT("does not ask every two seconds for one signal that SEEK itself answers with an error",
           what_may_be_one_signals_trouble_waits_its_own_pause),
    };
    return cmocka_run_group_tests_name("outage", tests, NULL, NULL);
}
