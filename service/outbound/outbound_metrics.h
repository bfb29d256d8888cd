/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The metrics of the workers, all together: a struct metric for each of these rows.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdint.h>

#include "lib/base/metrics.h"

#include "service/domain/upstream_reply.h"
#include "service/outbound/access_token.h"
#include "service/outbound/sending_gate.h"

enum outbound_metric {
    OUTBOUND_ATTEMPTS, /* one row per class of verdict */
    OUTBOUND_RETRY_AGES = OUTBOUND_ATTEMPTS + VERDICT_CLASS_COUNT, /* likewise */
    OUTBOUND_ATTEMPT_DURATION = OUTBOUND_RETRY_AGES + VERDICT_CLASS_COUNT,
    OUTBOUND_DELIVERY_DURATION,
    OUTBOUND_DELIVERED,
    OUTBOUND_RETRIED,
    OUTBOUND_RESENT,
    OUTBOUND_DEAD,
    OUTBOUND_BRAKED,
    OUTBOUND_FENCED,
    OUTBOUND_LEASES_EXPIRED,
    OUTBOUND_DAMAGED,
    OUTBOUND_CLAIMS_HALVED,
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

extern const struct metric_row outbound_rows[OUTBOUND_METRIC_COUNT];

/* Copies what gate and access token say of themselves. `metrics`: one for each row. */
void outbound_metrics_observe(struct metric metrics[], struct sending_gate *gate,
                              struct access_token *token, int64_t now_ms);
