/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What the spool tells of itself.
 */
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/clock.h"

#include "service/spool/spool_internal.h"

/* The largest event with everything around it. */
enum { HEADROOM_BYTES = 8 * 1024 };

#define DRAINED(result)                                                                            \
    METRIC_ROW(COUNTER, "seek_signal_spool_drained_total",                                         \
               "Spooled events that came to Redis, by outcome.",                                   \
               .labels = "result=\"" result "\"")

/* clang-format off */
const struct metric_row spool_rows[SPOOL_METRIC_COUNT] = {
    [SPOOL_BYTES]      = METRIC_ROW(GAUGE, "seek_signal_spool_bytes", "Size of the spool on the disk, including segments that were set aside."),
    [SPOOL_LIMIT]      = METRIC_ROW(GAUGE, "seek_signal_spool_limit_bytes", "Limit of the spool, SPOOL_BYTES_MAX."),
    [SPOOL_RECORDS]    = METRIC_ROW(GAUGE, "seek_signal_spool_records", "Events and draft seek-tokens that wait for Redis on the disk."),
    [SPOOL_OLDEST_AGE] = METRIC_ROW(GAUGE, "seek_signal_spool_oldest_age_seconds", "Age of the oldest event in the spool; 0: no events.", .scale = 1e-3),
    [SPOOL_WRITTEN]    = METRIC_ROW(COUNTER, "seek_signal_spool_written_total", "Events and draft seek-tokens that were spooled."),
    [SPOOL_REFUSED]    = METRIC_ROW(COUNTER, "seek_signal_spool_refused_total", "Events and draft seek-tokens that the spool could not take."),
    [SPOOL_DRAINED_APPLIED]    = DRAINED("applied"),
    [SPOOL_DRAINED_DUPLICATE]  = DRAINED("duplicate"),
    [SPOOL_DRAINED_SUPERSEDED] = DRAINED("superseded"),
    [SPOOL_DRAINED_DAMAGED]    = DRAINED("damaged"),
    [SPOOL_DAMAGED]    = METRIC_ROW(COUNTER, "seek_signal_spool_damaged_total", "Places of the journal that are lost or damaged."),
    [SPOOL_UNREADABLE] = METRIC_ROW(GAUGE, "seek_signal_spool_unreadable", "1 while a part of the spool cannot be read and is tried again."),
};
/* clang-format on */

static void describe(const struct spool *spool, struct spool_status *status)
{
    if (spool->failure.kind != ERROR_NONE && spool->failure.kind != ERROR_FULL)
        (void)snprintf(status->reason, sizeof status->reason,
                       "The spool cannot write to %.200s: %.150s.", spool->options.directory,
                       spool->failure.message);
    else if (status->bytes + HEADROOM_BYTES > status->bytes_max)
        (void)snprintf(status->reason, sizeof status->reason,
                       "The spool in %.200s is full: its %" PRIu64 " bytes are used.",
                       spool->options.directory, status->bytes_max);
    status->is_able = status->reason[0] == '\0';
}

void spool_publish(struct spool *spool)
{
    struct spool_status status = {
        .bytes = journal_bytes(spool->journal),
        .bytes_max = spool->options.bytes_max,
        .records = spool->records,
        .oldest_age_ms = -1,
    };
    int64_t age_ms = clock_wall_ms() - spool->oldest_us / 1000;
    if (spool->oldest_us != 0)
        status.oldest_age_ms = age_ms > 0 ? age_ms : 0; /* the clock may have been set back */
    describe(spool, &status);
    metric_set(&spool->metrics[SPOOL_BYTES], (int64_t)status.bytes);
    metric_set(&spool->metrics[SPOOL_LIMIT], (int64_t)status.bytes_max);
    metric_set(&spool->metrics[SPOOL_RECORDS], (int64_t)status.records);
    metric_set(&spool->metrics[SPOOL_UNREADABLE], spool->drain.failure.kind != ERROR_NONE);
    metric_set(&spool->metrics[SPOOL_OLDEST_AGE],
               status.oldest_age_ms > 0 ? status.oldest_age_ms : 0);
    atomic_store(&spool->is_holding_unknown, !journal_is_known(spool->journal));
    atomic_store(&spool->is_holding, !journal_is_empty(spool->journal));
    mutex_lock(&spool->shared.lock);
    spool->shared.status = status;
    mutex_unlock(&spool->shared.lock);
}

void spool_status(struct spool *spool, struct spool_status *out)
{
    mutex_lock(&spool->shared.lock);
    *out = spool->shared.status;
    mutex_unlock(&spool->shared.lock);
}

struct metric_table spool_metrics(const struct spool *spool)
{
    if (spool == NULL)
        return (struct metric_table){.count = 0};
    return (struct metric_table){.metrics = spool->metrics, .count = SPOOL_METRIC_COUNT};
}
