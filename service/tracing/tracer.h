/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Spans, from the threads that work to a collector. The thread that ends a span leaves it in a
 * queue with a maximum; one thread sends the spans of the queue. A span that finds the queue full
 * is dropped and counted: sending signals never waits for tracing.
 *
 * Owns:    the queue, the way to the collector, its thread.
 * Threads: create, stop, destroy from main; everything else from any.
 * Blocks:  stop up to its deadline; everything else never.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/metrics.h"
#include "lib/base/ownership.h"

#include "service/tracing/collector.h"
#include "service/tracing/otlp.h"
#include "service/tracing/sampler.h"
#include "service/tracing/span.h"

struct tracer;

enum { TRACER_BATCH_MAX = 4096 };

struct tracer_options {
    struct collector_options collector;
    struct otlp_source source; /* borrowed for create */
    struct sampler sampler;
    uint32_t queue_max; /* spans that wait */
    uint32_t batch_max; /* spans in one request: at most queue_max and TRACER_BATCH_MAX */
    uint32_t delay_ms;  /* a span waits for others at most so long */
};

/* Starts the thread. */
MUST_CHECK struct tracer *tracer_create(const struct tracer_options *options, struct error *error);
/* Sends what waits, until the deadline (clock_monotonic_ms), and joins. Accepts NULL. */
void tracer_stop(struct tracer *tracer, int64_t deadline_ms);
void tracer_destroy(struct tracer *tracer); /* stops first, at once; accepts NULL */
DEFINE_AUTO(tracer);

/* A span below `parent`, a traceparent as traceparent_read takes it; NULL or anything else begins a
 * trace. NULL without a tracer or memory: then there is nothing to fill or end. */
struct span *tracer_begin(struct tracer *tracer, enum span_kind kind, const char *parent);
/* It ended now and has lasted so long. Accepts a NULL span. */
void tracer_end(struct tracer *tracer, struct span *take_span, int64_t duration_us);

/* The rows of /metrics about spans. */
struct metric_table tracer_metrics(const struct tracer *tracer); /* accepts NULL: none */
