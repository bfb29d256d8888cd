/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The rows of /metrics that the workers fill.
 *
 * Owns: its metrics. Threads: init from one, before the others; the rest from any. Blocks: never.
 */
#pragma once

#include <stdint.h>

#include "lib/base/metrics.h"

#include "service/domain/upstream_reply.h"
#include "service/outbound/access_token.h"
#include "service/outbound/sending_gate.h"

enum outbound_metric {
    OUTBOUND_ATTEMPTS, /* one row per class of verdict */
    OUTBOUND_ATTEMPT_DURATION = OUTBOUND_ATTEMPTS + VERDICT_CLASS_COUNT,
    OUTBOUND_DELIVERY_DURATION,
    OUTBOUND_DELIVERED,
    OUTBOUND_RETRIED,
    OUTBOUND_DEAD,
    OUTBOUND_FENCED,
    OUTBOUND_LEASES_EXPIRED,
    OUTBOUND_IN_FLIGHT,
    OUTBOUND_IN_FLIGHT_LIMIT,
    OUTBOUND_BREAKER,
    OUTBOUND_THROTTLED,
    OUTBOUND_TOKEN_REFRESHED,
    OUTBOUND_TOKEN_FAILED,
    OUTBOUND_TOKEN_EXPIRY,
    OUTBOUND_TOKEN_AGE,
    OUTBOUND_TOKEN_FAILING,
    OUTBOUND_REDIS_CONNECTS,
    OUTBOUND_REDIS_LOSSES,
    OUTBOUND_METRIC_COUNT,
};

struct outbound_metrics {
    struct metric rows[OUTBOUND_METRIC_COUNT];
    struct metric *list[OUTBOUND_METRIC_COUNT]; /* the same, as metrics_write takes them */
};

void outbound_metrics_init(struct outbound_metrics *metrics);
void outbound_metrics_count(struct outbound_metrics *metrics, enum outbound_metric metric);
uint64_t outbound_metrics_value(const struct outbound_metrics *metrics,
                                enum outbound_metric metric);
/* Copies what gate and access token say of themselves. */
void outbound_metrics_observe(struct outbound_metrics *metrics, struct sending_gate *gate,
                              struct access_token *token, int64_t now_ms);
