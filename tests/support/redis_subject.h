/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A redis_client under test: its loop, what it reported, and what its commands got.
 *
 * Owns:    client and loop. Threads: one at a time. Blocks: in WAIT_UNTIL, for at most a hundred
 *          seconds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/clock.h"
#include "lib/net/event_loop.h"
#include "lib/net/redis_client.h"

#include "tests/support/specification.h"

enum { SUBJECT_PATIENCE_MS = 100000 };

struct subject {
    struct event_loop *loop;
    struct redis_client *client;
    struct redis_url
        url; /* what locate gives, host "": nothing; a test may change it at any time */
    unsigned located, opened, closed;
    char reason[ERROR_MESSAGE_BYTES]; /* of the last `closed` */
    void (*when_opened)(struct subject *subject);
};

extern const struct redis_client_options subject_patient; /* gives up after seconds */
extern const struct redis_client_options subject_hasty;   /* gives up after 250 ms */

void subject_start(struct subject *subject, const struct redis_url *url); /* patient */
void subject_start_with(struct subject *subject, const struct redis_url *url,
                        const struct redis_client_options *options);
/* The last reason, of the peer that it was about. */
void subject_must_say(const struct subject *subject, const char *reason);
void subject_stop(struct subject *subject);

/* One turn of the loop, after at most SUBJECT_REST_MS. */
enum { SUBJECT_REST_MS = 100 };
void subject_turn(struct subject *subject);
void subject_turn_for(struct subject *subject, int64_t duration_ms);

#define WAIT_UNTIL(subject, condition)                                                             \
    do {                                                                                           \
        int64_t deadline_ms_ = clock_monotonic_ms() + SUBJECT_PATIENCE_MS;                         \
        while (!(condition)) {                                                                     \
            if (clock_monotonic_ms() > deadline_ms_)                                               \
                fail_msg("never happened: %s (last reason: %s)", #condition, (subject)->reason);   \
            subject_turn(subject);                                                                 \
        }                                                                                          \
    } while (0)

/* What one command got. */
struct outcome {
    unsigned calls, lost;
    enum redis_type type;
    int64_t integer;
    char text[128];
    size_t length;
};
/* A redis_done whose context is a struct outcome. */
void outcome_note(void *context, enum redis_failure failure, const struct redis_reply *reply);

/* `line`: words separated by spaces. */
bool subject_try_send(struct subject *subject, struct outcome *outcome, const char *line,
                      struct error *error);
void subject_must_send(struct subject *subject, struct outcome *outcome, const char *line);
void subject_must_answer(struct subject *subject, const char *line, const char *expected);
