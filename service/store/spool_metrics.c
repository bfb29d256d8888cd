/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What the spool tells of itself.
 */
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/clock.h"

#include "service/store/spool_internal.h"

/* The largest event with everything around it. */
enum { HEADROOM_BYTES = 8 * 1024 };

#define DRAINED "seek_signal_spool_drained_total", "Spooled events that came to Redis, by outcome."

/* clang-format off */
static const struct {
    const char *name, *help, *labels;
    enum metric_type type;
    double scale;
} rows[SPOOL_METRIC_COUNT] = {
    [SPOOL_BYTES]              = {"seek_signal_spool_bytes", "On the disk, set-aside segments included.", NULL, METRIC_GAUGE, 1},
    [SPOOL_RECORDS]            = {"seek_signal_spool_records", "Events and draft seek-tokens that wait for Redis on the disk.", NULL, METRIC_GAUGE, 1},
    [SPOOL_OLDEST_AGE]         = {"seek_signal_spool_oldest_age_seconds", "Age of the first of them; 0: there is none.", NULL, METRIC_GAUGE, 1e-3},
    [SPOOL_WRITTEN]            = {"seek_signal_spool_written_total", "Events and draft seek-tokens that were spooled.", NULL, METRIC_COUNTER, 1},
    [SPOOL_REFUSED]            = {"seek_signal_spool_refused_total", "Those that the spool could not take.", NULL, METRIC_COUNTER, 1},
    [SPOOL_DRAINED_APPLIED]    = {DRAINED, "result=\"applied\"",    METRIC_COUNTER, 1},
    [SPOOL_DRAINED_DUPLICATE]  = {DRAINED, "result=\"duplicate\"",  METRIC_COUNTER, 1},
    [SPOOL_DRAINED_SUPERSEDED] = {DRAINED, "result=\"superseded\"", METRIC_COUNTER, 1},
    [SPOOL_DAMAGED]            = {"seek_signal_spool_damaged_total", "Places of the journal that could not be read.", NULL, METRIC_COUNTER, 1},
};
/* clang-format on */

void spool_metrics_init(struct spool *spool)
{
    for (size_t i = 0; i < SPOOL_METRIC_COUNT; i++) {
        struct metric *metric = &spool->metrics[i];
        metric->name = rows[i].name;
        metric->help = rows[i].help;
        metric->labels = rows[i].labels;
        metric->type = rows[i].type;
        metric->scale = rows[i].scale;
        spool->metric_rows[i] = metric;
    }
}

static void describe(const struct spool *spool, struct spool_status *status)
{
    if (spool->trouble.message[0] != '\0' && spool->trouble.kind != ERROR_FULL)
        (void)snprintf(status->reason, sizeof status->reason, "The spool cannot write: %.150s.",
                       spool->trouble.message);
    else if (status->bytes + HEADROOM_BYTES > status->bytes_max)
        (void)snprintf(status->reason, sizeof status->reason,
                       "The spool is full: its %" PRIu64 " bytes are used.", status->bytes_max);
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
    metric_set(&spool->metrics[SPOOL_RECORDS], (int64_t)status.records);
    metric_set(&spool->metrics[SPOOL_OLDEST_AGE],
               status.oldest_age_ms > 0 ? status.oldest_age_ms : 0);
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

struct metric *const *spool_metrics(const struct spool *spool, size_t *out_count)
{
    *out_count = SPOOL_METRIC_COUNT;
    return spool->metric_rows;
}
