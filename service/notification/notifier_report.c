/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/notification/notifier_report.h"

#include <assert.h>
#include <stdio.h>

#include "lib/base/clock.h"

#define TOLD(result)                                                                               \
    METRIC_ROW(COUNTER, "seek_signal_notifications_total", "Requests to NOTIFY_URL, by result.",   \
               .labels = "result=\"" result "\"")
/* clang-format off */
static const struct metric_row notifier_rows[NOTIFIER_METRIC_COUNT] = {
    [TOLD_DELIVERED] = TOLD("delivered"),
    [TOLD_FAILED]    = TOLD("failed"),
    [TOLD_REFUSED]   = TOLD("refused"),
    [TOLD_WAITING]   = METRIC_ROW(GAUGE, "seek_signal_notifications_waiting", "Notifications that NOTIFY_URL has not taken yet; NaN: another process sends them, or Redis is away."),
    [TOLD_AGE]       = METRIC_ROW(GAUGE, "seek_signal_notification_oldest_age_seconds", "Age of the event in the first waiting notification; 0: none waits.", .scale = 1e-3),
};
/* clang-format on */

static void publish(struct notifier_report *report, bool is_ours, int64_t waiting, int64_t age_ms)
{
    metric_set(&report->metrics[TOLD_WAITING], waiting >= 0 ? waiting : METRIC_UNKNOWN);
    metric_set(&report->metrics[TOLD_AGE], age_ms >= 0 ? age_ms : METRIC_UNKNOWN);
    mutex_lock(&report->shared.lock);
    report->shared.status.is_ours = is_ours;
    report->shared.status.waiting = waiting;
    report->shared.status.oldest_age_ms = age_ms;
    mutex_unlock(&report->shared.lock);
}

void notifier_report_init(struct notifier_report *report)
{
    mutex_init(&report->shared.lock);
    metrics_init(report->metrics, notifier_rows, NOTIFIER_METRIC_COUNT);
    notifier_report_unknown(report);
}

void notifier_report_fini(struct notifier_report *report)
{
    mutex_fini(&report->shared.lock);
}

void notifier_report_unknown(struct notifier_report *report)
{
    publish(report, false, -1, -1);
}

void notifier_report_waiting(struct notifier_report *report, int64_t waiting, int64_t age_ms)
{
    assert(waiting >= 0);
    publish(report, true, waiting, age_ms);
}

void notifier_report_answer(struct notifier_report *report, bool is_taken, const char *reason)
{
    assert(is_taken == (reason[0] == '\0'));
    mutex_lock(&report->shared.lock);
    struct notifier_status *status = &report->shared.status;
    if (is_taken)
        status->last_delivered_at_ms = clock_wall_ms();
    (void)snprintf(status->reason, sizeof status->reason, "%s", reason);
    mutex_unlock(&report->shared.lock);
}

void notifier_report_read(struct notifier_report *report, struct notifier_status *out)
{
    mutex_lock(&report->shared.lock);
    *out = report->shared.status;
    mutex_unlock(&report->shared.lock);
}
