/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The state of a notifier, for metrics and /v1/status.
 *
 * Owns: its counts. Threads: one writes, any reads. Blocks: for its lock, moments.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/metrics.h"
#include "lib/base/mutex.h"

#include "service/notification/notifier.h"

enum notifier_metric {
    TOLD_DELIVERED,
    TOLD_FAILED,
    TOLD_REFUSED,
    TOLD_WAITING,
    TOLD_AGE,
    NOTIFIER_METRIC_COUNT
};

struct notifier_report {
    struct metric metrics[NOTIFIER_METRIC_COUNT]; /* any thread */
    /* Any thread, holding shared.lock. */
    struct {
        struct mutex lock;
        struct notifier_status status;
    } shared;
};

void notifier_report_init(struct notifier_report *report);
void notifier_report_fini(struct notifier_report *report);
/* Another process tells, or Redis is away. */
void notifier_report_unknown(struct notifier_report *report);
/* So many wait, the oldest since then (-1: unknown). */
void notifier_report_waiting(struct notifier_report *report, int64_t waiting, int64_t age_ms);
/* `reason`: why the receiver did not take it; "": it did. */
void notifier_report_answer(struct notifier_report *report, bool is_taken, const char *reason);
void notifier_report_read(struct notifier_report *report, struct notifier_status *out);
