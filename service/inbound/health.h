/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The answers to the probes: is the service alive, ready, started, and if not, why. Never asks
 * Redis or SEEK: it tells what the loops found out last.
 *
 * Owns:    nothing; `detail` is held by value.
 * Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "service/inbound/problem.h"

struct heartbeat;
struct service_view;

enum {
    HEALTH_WEDGED_AFTER_MS = 10000, /* is no more alive */
    HEALTH_STALLED_AFTER_MS = 5000, /* takes no events: over the longest turn of an idle loop */
    HEALTH_LOOPS_MAX = 130
};

enum health_probe {
    HEALTH_LIVE,  /* every loop has turned within HEALTH_WEDGED_AFTER_MS; the log's thread is none:
                     whoever reads the log is no reason for a restart */
    HEALTH_READY, /* an event could be accepted durably now; SEEK does not matter */
    HEALTH_STARTED, /* every intake thread has reached Redis once, or the spool does without */
};

struct health {
    bool is_fine;
    enum problem_code code; /* otherwise */
    char detail[1024];      /* Redis's reason, and the spool's */
};
void health_look(enum health_probe probe, const struct service_view *view, int64_t now_ms,
                 struct health *out);
/* Appends the answer: `{"live":true,…}`, or a problem document with the same members on top. */
MUST_CHECK bool health_write(struct buffer *out, enum health_probe probe,
                             const struct service_view *view, int64_t now_ms,
                             const struct health *health, struct error *error);

/* A loop that has not turned yet is not wedged: it is starting. */
bool heartbeat_is_wedged(const struct heartbeat *heartbeat, int64_t now_ms);
/* main's, the intake's, the spool's and the workers', at most HEALTH_LOOPS_MAX. */
size_t health_loops(const struct service_view *view,
                    const struct heartbeat *loops[HEALTH_LOOPS_MAX]);
