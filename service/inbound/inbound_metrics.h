/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The metrics of the intake, for all its threads together: a struct metric for each of these rows.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/metrics.h"

enum intake_result { /* the label values of seek_signal_intake_events_total */
                     INTAKE_ACCEPTED,
                     INTAKE_DUPLICATE,
                     INTAKE_REPLACED,
                     INTAKE_REFUSED,
                     INTAKE_UNAVAILABLE,
                     INTAKE_RESULT_COUNT,
};

enum inbound_listener { LISTENER_API, LISTENER_OPS, LISTENER_COUNT };

enum { STATUS_CLASS_COUNT = 4 /* 2xx to 5xx */ };

enum inbound_metric {
    INBOUND_EVENTS,                                          /* one row per intake_result */
    INBOUND_REQUESTS = INBOUND_EVENTS + INTAKE_RESULT_COUNT, /* one row per class of status */
    INBOUND_REQUEST_DURATION = INBOUND_REQUESTS + STATUS_CLASS_COUNT,
    INBOUND_INTAKE_DURATION,
    INBOUND_OPEN_REQUESTS,
    INBOUND_CONNECTIONS,
    INBOUND_FULL, /* one row per listener, as the next */
    INBOUND_EVICTED = INBOUND_FULL + LISTENER_COUNT,
    INBOUND_TURNED_AWAY = INBOUND_EVICTED + LISTENER_COUNT, /* on the API listener */
    INBOUND_WRONG_KEYS,
    INBOUND_WAITERS,
    INBOUND_WAITS_CUT,
    INBOUND_BODIES,
    INBOUND_BODIES_MAX,
    INBOUND_BODIES_REFUSED,
    INBOUND_BATCH_EVENTS,
    INBOUND_REDIS_CONNECTS,
    INBOUND_REDIS_LOSSES,
    INBOUND_REDIS_ROUND_TRIP,
    INBOUND_DUE, /* of all processes on this Redis, as the next three: census.h */
    INBOUND_DEAD,
    INBOUND_OLDEST_DUE_AGE,
    INBOUND_PAUSED,
    INBOUND_CENSUS_KNOWN,
    INBOUND_METRIC_COUNT,
};

extern const struct metric_row inbound_rows[INBOUND_METRIC_COUNT];

/* `metrics`: one for each row. */
void inbound_metrics_count_reply(struct metric metrics[], unsigned status, int64_t duration_us);
void inbound_metrics_count_batch(struct metric metrics[], size_t events);
