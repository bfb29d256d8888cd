/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * POST /v1/replay: sends again what is dead and fits a filter.
 *
 * The job goes through the dead in small script calls. Each call is a commit of its own, which
 * spreads what it replays over the time to come: whatever ends the job early (the client leaves,
 * the process dies), what was replayed stays so, the rest stays dead, and the same request again
 * goes on with the rest.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/log.h"

#include "service/inbound/call.h"
#include "service/inbound/endpoints.h"
#include "service/inbound/replay_filter.h"
#include "service/inbound/service_view.h"
#include "service/outbound/worker_pool.h"

enum {
    MATCHES_PER_CALL = 100, /* a script must not hold Redis for long */
    MATCHES_MAX = 10000,    /* of one request; then the caller goes on by the cursor */
    CALLS_MAX = 300,        /* a filter that fits little looks at many */
};

struct replay_job {
    struct call *call; /* held */
    struct replay_filter filter;
    int64_t latest_death_ms, next_due_us; /* -1 until the first answer */
    struct store_place place;             /* its id is in the filter's cursor */
    size_t looked, matched;
    unsigned calls;
};

static void end_job(struct replay_job *job)
{
    call_release(job->call);
    free(job);
}

/* --- the answer --- */

static bool write_cursor(struct buffer *out, const struct replay_job *job, struct error *error)
{
    if (job->place.id == NULL)
        return buffer_append_text(out, ",\"more\":false,\"cursor\":null}", error);
    const int64_t numbers[REPLAY_CURSOR_NUMBERS] = {
        [REPLAY_CURSOR_AT_MS] = job->place.at_ms,
        [REPLAY_CURSOR_LATEST_DEATH_MS] = job->latest_death_ms,
        [REPLAY_CURSOR_NEXT_DUE_US] = job->next_due_us,
    };
    return buffer_append_text(out, ",\"more\":true,\"cursor\":\"", error) &&
           cursor_write(out, numbers, REPLAY_CURSOR_NUMBERS, job->place.id, error) &&
           buffer_append_text(out, "\"}", error);
}

static bool write_last_due(struct buffer *out, const struct replay_job *job, struct error *error)
{
    char last[RFC3339_BYTES];
    if (job->filter.is_dry || job->matched == 0)
        return buffer_append_text(out, ",\"lastDueAt\":null", error);
    rfc3339_format((job->next_due_us - 1000000 / job->filter.per_second) / 1000, last);
    return buffer_append_format(out, error, ",\"lastDueAt\":\"%s\"", last);
}

static void answer(struct replay_job *job)
{
    struct call *call = job->call;
    struct buffer *body = call_scratch(call);
    size_t replayed = job->filter.is_dry ? 0 : job->matched;
    if (buffer_append_format(
            body, NULL, "{\"matched\":%zu,\"replayed\":%zu,\"looked\":%zu,\"dryRun\":%s",
            job->matched, replayed, job->looked, job->filter.is_dry ? "true" : "false") &&
        write_last_due(body, job, NULL) && write_cursor(body, job, NULL))
        call_answer_json(call, 202, body);
    else
        call_answer_out_of_memory(call);
}

/* Also when the client has left or Redis: what was done is done. */
static void note(const struct replay_job *job)
{
    if (job->filter.is_dry || job->matched == 0)
        return;
    log_info("dead_replayed", "Signals are sent again", LOG_INT("count", job->matched),
             LOG_TEXT("code", job->filter.code), LOG_INT("per_second", job->filter.per_second),
             LOG_TEXT("request_id", job->call->request_id));
    if (job->call->front->view->worker_pool != NULL)
        worker_pool_wake(job->call->front->view->worker_pool);
}

/* --- the steps --- */

static bool ask(struct replay_job *job, struct error *error);

static bool is_over(const struct replay_job *job)
{
    bool is_unheard = job->call->request == NULL || job->call->is_answered;
    return job->place.id == NULL || job->matched >= MATCHES_MAX || job->calls >= CALLS_MAX ||
           is_unheard;
}

static void take_piece(struct replay_job *job, const struct replay_dead_result *result)
{
    job->looked += result->looked;
    job->matched += result->matched;
    job->latest_death_ms = result->latest_death_ms;
    job->next_due_us = result->next_due_us;
    job->place = result->next;
    if (job->place.id == NULL)
        return;
    (void)snprintf(job->filter.cursor.id, sizeof job->filter.cursor.id, "%s", job->place.id);
    job->place.id = job->filter.cursor.id;
}

static void on_piece(void *context, const struct store_failure *failure,
                     const struct replay_dead_result *result)
{
    struct replay_job *job = context;
    struct error error;
    if (failure->status != STORE_OK) {
        call_refuse_store(job->call, failure);
    } else {
        take_piece(job, result);
        if (!is_over(job)) {
            if (ask(job, &error))
                return;
            call_refuse_untaken(job->call, &error);
        }
        answer(job); /* unless it was refused */
    }
    note(job);
    end_job(job);
}

static bool ask(struct replay_job *job, struct error *error)
{
    size_t left = MATCHES_MAX - job->matched;
    const struct replay_dead_query query = {
        .code = job->filter.code,
        .is_dry = job->filter.is_dry,
        .limit = left < MATCHES_PER_CALL ? left : MATCHES_PER_CALL,
        .gap_us = 1000000 / job->filter.per_second,
        .latest_death_ms = job->latest_death_ms,
        .next_due_us = job->next_due_us,
        .after = job->place,
    };
    job->calls++;
    return store_replay_dead(job->call->front->store, &query, on_piece, job, error);
}

static void start(struct call *call, const struct replay_filter *filter)
{
    struct error error;
    struct replay_job *job = calloc(1, sizeof *job);
    if (job == NULL) {
        call_answer_out_of_memory(call);
        return;
    }
    *job = (struct replay_job){
        .call = call, .filter = *filter, .latest_death_ms = -1, .next_due_us = -1};
    if (filter->has_cursor) {
        job->latest_death_ms = filter->cursor.numbers[REPLAY_CURSOR_LATEST_DEATH_MS];
        job->next_due_us = filter->cursor.numbers[REPLAY_CURSOR_NEXT_DUE_US];
        job->place = (struct store_place){.at_ms = filter->cursor.numbers[REPLAY_CURSOR_AT_MS],
                                          .id = job->filter.cursor.id};
    }
    call_hold(call);
    if (ask(job, &error))
        return;
    call_refuse_untaken(call, &error);
    end_job(job);
}

void replay_dead_post(struct call *call)
{
    struct replay_filter filter;
    struct problem problem;
    struct error detail;
    size_t length;
    if (!call_is_json(call))
        return;
    const char *body = http_request_body(call->request, &length);
    if (replay_filter_parse(body, length, &filter, &problem, &detail))
        start(call, &filter);
    else
        call_refuse(call, &problem);
}
