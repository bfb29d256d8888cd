/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Which traces are recorded, as OTEL_TRACES_SAMPLER says.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>

#include "service/tracing/span.h"

enum sampler_rule { SAMPLER_ALWAYS, SAMPLER_NEVER, SAMPLER_RATIO };

struct sampler {
    enum sampler_rule rule;
    bool follows_parent; /* the rule is for traces that begin here only */
    double ratio;        /* SAMPLER_RATIO: 0 to 1 */
};

/* False: not a number from 0 to 1; `out` is unchanged. */
bool sampler_ratio_parse(const char *text, double *out);

/* Whether the trace is recorded. `parent`, "" when the trace begins here, and `own` are
 * traceparents of version 00 with the same trace id; of `own` the flags do not count. */
bool sampler_takes(const struct sampler *sampler, const char *parent, const char *own);
