/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/tracing/tracer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mutex.h"
#include "lib/base/random.h"
#include "lib/base/thread.h"

enum { BODY_BYTES_MAX = 20 * 1024 * 1024 /* what OTLP recommends collectors to take */ };

_Static_assert(BODY_BYTES_MAX / TRACER_BATCH_MAX > 4096, "a span is about 1 KiB");

enum span_metric { SPANS_EXPORTED, SPANS_DROPPED, SPANS_FAILED, SPAN_METRIC_COUNT };

#define SPANS(result)                                                                              \
    METRIC_ROW(COUNTER, "seek_signal_spans_total", "Spans of sampled traces, by result.",          \
               .labels = "result=\"" result "\"")
static const struct metric_row span_rows[SPAN_METRIC_COUNT] = {
    [SPANS_EXPORTED] = SPANS("exported"),
    [SPANS_DROPPED] = SPANS("dropped"),
    [SPANS_FAILED] = SPANS("failed"),
};

struct tracer {
    /* Set by create, then read-only: any thread. */
    struct sampler sampler;
    size_t queue_max, batch_max;
    unsigned delay_ms;
    struct otlp otlp;            /* owned, as the rest */
    struct collector *collector; /* wake from any thread */
    /* main's. */
    struct thread thread;
    /* Any thread. */
    struct metric metrics[SPAN_METRIC_COUNT];
    /* Any thread, holding shared.lock. */
    struct {
        struct mutex lock;
        struct span **spans; /* a ring */
        size_t first, count;
        bool is_closed;
    } shared;
    /* The tracer's thread. */
    struct span **batch;
    int64_t dropped_before;
    bool is_losing; /* logged when it begins and when it ends */
};

/* --- spans ----------------------------------------------------------------------------- */

static void put_random(char digits[SPAN_ID_DIGITS])
{
    uint64_t bits = random_u64();
    for (size_t i = 0; i < SPAN_ID_DIGITS; i++, bits >>= 4)
        digits[i] = "0123456789abcdef"[bits & 0xf];
}

/* Its place in the trace: `parent` is "" where one begins. Of the parent's flags "random trace id"
 * is kept, which says something of the id. That all are zeros, which would be no id, is as
 * good as impossible. */
static void take_place(struct span *span, const char *parent)
{
    static const char form[] = "00-00000000000000000000000000000000-0000000000000000-00";
    memcpy(span->traceparent, form, sizeof form);
    if (parent[0] != '\0') {
        memcpy(span->traceparent, parent, SPAN_ID_AT);
        memcpy(span->parent_id, parent + SPAN_ID_AT, SPAN_ID_DIGITS);
        if (trace_has_flag(parent, TRACE_ID_IS_RANDOM))
            span->traceparent[TRACEPARENT_BYTES - 1] = '2';
    } else {
        put_random(span->traceparent + TRACE_ID_AT);
        put_random(span->traceparent + TRACE_ID_AT + SPAN_ID_DIGITS);
    }
    put_random(span->traceparent + SPAN_ID_AT);
}

struct span *tracer_begin(struct tracer *tracer, enum span_kind kind, const char *parent)
{
    struct span *span = tracer != NULL ? calloc(1, sizeof *span) : NULL;
    if (span == NULL)
        return NULL;
    char known[TRACEPARENT_BYTES + 1] = "";
    if (parent != NULL)
        (void)traceparent_read(parent, known);
    take_place(span, known);
    span->kind = kind;
    span->is_sampled = sampler_takes(&tracer->sampler, known, span->traceparent);
    if (span->is_sampled) /* the last digit is even */
        span->traceparent[TRACEPARENT_BYTES - 1]++;
    return span;
}

/* Whether there was room. `out_is_full_batch`: as many wait now as go into one request. */
static bool push(struct tracer *tracer, struct span *span, bool *out_is_full_batch)
{
    mutex_lock(&tracer->shared.lock);
    size_t count = tracer->shared.count;
    bool has_room = count < tracer->queue_max && !tracer->shared.is_closed;
    if (has_room) {
        tracer->shared.spans[(tracer->shared.first + count) % tracer->queue_max] = span;
        tracer->shared.count++;
    }
    mutex_unlock(&tracer->shared.lock);
    *out_is_full_batch = has_room && count + 1 == tracer->batch_max;
    return has_room;
}

void tracer_end(struct tracer *tracer, struct span *take_span, int64_t duration_us)
{
    if (take_span == NULL)
        return;
    if (!take_span->is_sampled) {
        free(take_span);
        return;
    }
    take_span->end_us = clock_wall_us();
    take_span->start_us = take_span->end_us - duration_us;
    bool is_full_batch;
    if (!push(tracer, take_span, &is_full_batch)) {
        metric_add(&tracer->metrics[SPANS_DROPPED], 1);
        free(take_span);
    }
    if (is_full_batch)
        collector_wake(tracer->collector);
}

/* --- the thread ------------------------------------------------------------------------ */

/* Moves up to a batch out of the queue. */
static size_t take_batch(struct tracer *tracer)
{
    mutex_lock(&tracer->shared.lock);
    size_t count = tracer->shared.count;
    if (count > tracer->batch_max)
        count = tracer->batch_max;
    for (size_t i = 0; i < count; i++)
        tracer->batch[i] = tracer->shared.spans[(tracer->shared.first + i) % tracer->queue_max];
    tracer->shared.first = (tracer->shared.first + count) % tracer->queue_max;
    tracer->shared.count -= count;
    mutex_unlock(&tracer->shared.lock);
    return count;
}

static void note_losses(struct tracer *tracer, size_t lost, const char *reason)
{
    int64_t dropped = metric_value(&tracer->metrics[SPANS_DROPPED]);
    bool has_dropped = dropped != tracer->dropped_before;
    tracer->dropped_before = dropped;
    bool is_losing = lost > 0 || has_dropped;
    if (is_losing && !tracer->is_losing)
        log_warn("spans_lost", "Spans do not reach the collector; signals are sent all the same",
                 LOG_TEXT("detail", lost > 0 ? reason : "the queue of spans is full"));
    else if (!is_losing && tracer->is_losing)
        log_info("spans_kept", "Spans reach the collector again");
    tracer->is_losing = is_losing;
}

static void export_batch(struct tracer *tracer, size_t count)
{
    struct buffer body;
    struct error error = {.kind = ERROR_NONE};
    size_t rejected = 0;
    buffer_init(&body, BODY_BYTES_MAX);
    if (!otlp_write(&tracer->otlp, tracer->batch, count, &body, &error) ||
        !collector_send(tracer->collector, &body, &rejected, &error) || rejected > count)
        rejected = count;
    buffer_fini(&body);
    for (size_t i = 0; i < count; i++)
        free(tracer->batch[i]);
    metric_add(&tracer->metrics[SPANS_EXPORTED], (int64_t)(count - rejected));
    metric_add(&tracer->metrics[SPANS_FAILED], (int64_t)rejected);
    note_losses(tracer, rejected, error.message);
}

static size_t waiting(struct tracer *tracer)
{
    mutex_lock(&tracer->shared.lock);
    size_t count = tracer->shared.count;
    mutex_unlock(&tracer->shared.lock);
    return count;
}

/* What waits; when it is not the end, what does not fill a request waits for more. It is counted
 * after the request: the wake-up for what filled a batch meanwhile may have ended a wait for the
 * collector. */
static void export_all(struct tracer *tracer)
{
    size_t least;
    do {
        size_t count = take_batch(tracer);
        if (count > 0)
            export_batch(tracer, count);
        least = collector_is_stopping(tracer->collector) ? 1 : tracer->batch_max;
    } while (waiting(tracer) >= least);
}

static void run(void *context)
{
    struct tracer *tracer = context;
    while (!collector_is_stopping(tracer->collector)) {
        collector_wait(tracer->collector, clock_monotonic_ms() + tracer->delay_ms);
        export_all(tracer);
    }
    export_all(tracer); /* what came before the stop, and after the last look */
}

/* --- life ------------------------------------------------------------------------------ */

struct tracer *tracer_create(const struct tracer_options *options, struct error *error)
{
    assert(options->batch_max > 0 && options->batch_max <= TRACER_BATCH_MAX);
    assert(options->batch_max <= options->queue_max);
    struct tracer *tracer = calloc(1, sizeof *tracer);
    if (tracer == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    tracer->sampler = options->sampler;
    tracer->queue_max = options->queue_max;
    tracer->batch_max = options->batch_max;
    tracer->delay_ms = options->delay_ms;
    mutex_init(&tracer->shared.lock);
    metrics_init(tracer->metrics, span_rows, SPAN_METRIC_COUNT);
    if (!otlp_init(&tracer->otlp, &options->source, error))
        goto fail;
    tracer->collector = collector_create(&options->collector, error);
    if (tracer->collector == NULL)
        goto fail;
    tracer->shared.spans = calloc(options->queue_max, sizeof(struct span *));
    tracer->batch = calloc(options->batch_max, sizeof(struct span *));
    if (tracer->shared.spans == NULL || tracer->batch == NULL) {
        (void)error_out_of_memory(error);
        goto fail;
    }
    if (!thread_start(&tracer->thread, "tracer", run, tracer, error))
        goto fail;
    return tracer;
fail:
    tracer_destroy(tracer);
    return NULL;
}

static void close_queue(struct tracer *tracer)
{
    mutex_lock(&tracer->shared.lock);
    tracer->shared.is_closed = true;
    mutex_unlock(&tracer->shared.lock);
}

void tracer_stop(struct tracer *tracer, int64_t deadline_ms)
{
    if (tracer == NULL || !tracer->thread.is_started)
        return;
    close_queue(tracer);
    collector_stop(tracer->collector, deadline_ms);
    thread_join(&tracer->thread);
}

void tracer_destroy(struct tracer *tracer)
{
    if (tracer == NULL)
        return;
    tracer_stop(tracer, clock_monotonic_ms());
    collector_destroy(tracer->collector);
    otlp_fini(&tracer->otlp);
    mutex_fini(&tracer->shared.lock);
    free(tracer->shared.spans);
    free(tracer->batch);
    free(tracer);
}

struct metric_table tracer_metrics(const struct tracer *tracer)
{
    if (tracer == NULL)
        return (struct metric_table){.count = 0};
    return (struct metric_table){.metrics = tracer->metrics, .count = SPAN_METRIC_COUNT};
}
