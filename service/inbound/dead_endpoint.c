/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * POST /v1/replay and POST /v1/forget: sends again, or forgets, what is dead and fits a filter.
 *
 * The job goes through the dead in small script calls. Each call is a commit of its own; a replay's
 * spreads what it replays over the time to come: whatever ends the job early (the client leaves,
 * the process dies), what was done stays so, the rest stays dead, and the same request again
 * goes on with the rest.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/log.h"

#include "service/inbound/call.h"
#include "service/inbound/damage.h"
#include "service/inbound/dead_filter.h"
#include "service/inbound/endpoints.h"
#include "service/inbound/service_view.h"

enum {
    MATCHES_PER_CALL = 100, /* a script must not hold Redis for long */
    CALLS_MAX = 300,        /* a filter that fits little looks at many */
};

struct dead_job {
    struct call_work work;
    struct call *call; /* borrowed: owns us */
    bool is_forgetting;
    struct dead_filter filter;
    int64_t latest_death_ms, next_due_us; /* -1 until the first answer */
    struct store_place place;             /* its id is in the filter's cursor */
    size_t looked, matched;
    unsigned calls;
};

static void destroy(struct call_work *work)
{
    free(work);
}

/* --- the answer --- */

static bool write_cursor(struct buffer *out, const struct dead_job *job, struct error *error)
{
    if (job->place.id == NULL)
        return buffer_append_text(out, ",\"more\":false,\"cursor\":null}", error);
    const int64_t numbers[DEAD_CURSOR_NUMBERS] = {
        [DEAD_CURSOR_AT_MS] = job->place.at_ms,
        [DEAD_CURSOR_LATEST_DEATH_MS] = job->latest_death_ms,
        [DEAD_CURSOR_NEXT_DUE_US] = job->is_forgetting ? 0 : job->next_due_us,
        [DEAD_CURSOR_SHARD] = job->place.shard,
    };
    return buffer_append_text(out, ",\"more\":true,\"cursor\":\"", error) &&
           cursor_write(out, numbers, DEAD_CURSOR_NUMBERS, job->place.id, error) &&
           buffer_append_text(out, "\"}", error);
}

static bool write_last_due(struct buffer *out, const struct dead_job *job, struct error *error)
{
    char last[RFC3339_BYTES];
    if (job->filter.is_dry || job->matched == 0)
        return buffer_append_text(out, ",\"lastDueAt\":null", error);
    assert(job->filter.per_second >= 1);
    rfc3339_format((job->next_due_us - 1000000 / job->filter.per_second) / 1000, last);
    return buffer_append_format(out, error, ",\"lastDueAt\":\"%s\"", last);
}

static bool write_result(struct buffer *out, const struct dead_job *job, struct error *error)
{
    return buffer_append_format(
               out, error, "{\"matched\":%zu,\"%s\":%zu,\"looked\":%zu,\"dryRun\":%s", job->matched,
               job->is_forgetting ? "forgotten" : "replayed", job->filter.is_dry ? 0 : job->matched,
               job->looked, job->filter.is_dry ? "true" : "false") &&
           (job->is_forgetting || write_last_due(out, job, error)) && write_cursor(out, job, error);
}

static void answer(struct dead_job *job)
{
    struct buffer *body = call_scratch(job->call);
    if (write_result(body, job, NULL))
        call_answer_json(job->call, job->is_forgetting ? 200 : 202, body);
    else
        call_answer_out_of_memory(job->call);
}

/* Also when the client has left or Redis: what was done is done. */
static void note(const struct dead_job *job)
{
    const struct dead_filter *filter = &job->filter;
    if (filter->is_dry || job->matched == 0)
        return;
    if (job->is_forgetting) {
        log_info("dead_forgotten", "Dead applications are forgotten",
                 LOG_INT("count", job->matched), LOG_TEXT("code", filter->code),
                 LOG_TEXT("class", filter->class), CALL_LOG_WHO(job->call));
        return;
    }
    log_info("dead_replayed", "Signals are sent again", LOG_INT("count", job->matched),
             LOG_TEXT("code", filter->code), LOG_TEXT("class", filter->class),
             LOG_INT("per_second", filter->per_second), CALL_LOG_WHO(job->call));
    service_view_note_due(job->call->context->view, true);
}

/* --- the steps --- */

static bool ask(struct dead_job *job, struct error *error);

static bool is_over(const struct dead_job *job)
{
    bool is_unheard = job->call->request == NULL || job->call->is_answered;
    return job->place.id == NULL || job->matched >= (size_t)job->filter.limit ||
           job->calls >= CALLS_MAX || is_unheard;
}

static void take_place(struct dead_job *job, const struct store_place *next)
{
    assert(next->id != job->filter.cursor.id); /* it is written there */
    job->place = *next;
    if (job->place.id == NULL)
        return;
    (void)snprintf(job->filter.cursor.id, sizeof job->filter.cursor.id, "%s", job->place.id);
    job->place.id = job->filter.cursor.id;
}

static void go_on(struct dead_job *job, const struct store_failure *failure)
{
    assert(job->calls > 0 && job->calls <= CALLS_MAX);
    struct error error;
    if (failure->status != STORE_OK) {
        call_refuse_store(job->call, failure);
    } else {
        if (!is_over(job)) {
            if (ask(job, &error))
                return;
            call_refuse_untaken(job->call, &error);
        }
        answer(job); /* unless it was refused */
    }
    note(job);
    call_release(job->call);
}

static void take_replayed(void *context, const struct store_failure *failure,
                          const struct replay_dead_result *result)
{
    struct dead_job *job = context;
    assert(!job->is_forgetting);
    if (failure->status == STORE_OK) {
        job->looked += result->looked;
        job->matched += result->matched;
        job->latest_death_ms = result->latest_death_ms;
        job->next_due_us = result->next_due_us;
        for (size_t i = 0; i < result->damaged_count; i++)
            damage_tell(job->call, result->damaged[i].application_id, result->damaged[i].field);
        take_place(job, &result->next);
    }
    go_on(job, failure);
}

static void take_forgotten(void *context, const struct store_failure *failure,
                           const struct forget_dead_result *result)
{
    struct dead_job *job = context;
    assert(job->is_forgetting);
    if (failure->status == STORE_OK) {
        job->looked += result->looked;
        job->matched += result->matched;
        job->latest_death_ms = result->latest_death_ms;
        take_place(job, &result->next);
    }
    go_on(job, failure);
}

static struct store_filter filter_of(const struct dead_job *job)
{
    return (struct store_filter){.class = job->filter.class,
                                 .code = job->filter.code,
                                 .since_ms = job->filter.since_ms,
                                 .until_ms = job->filter.until_ms};
}

static bool ask_to_forget(struct dead_job *job, size_t limit, struct error *error)
{
    const struct forget_dead_query query = {
        .filter = filter_of(job),
        .is_dry = job->filter.is_dry,
        .limit = limit,
        .latest_death_ms = job->latest_death_ms,
        .after = job->place,
    };
    return store_forget_dead(job->call->context->store, &query, take_forgotten, job, error);
}

static bool ask(struct dead_job *job, struct error *error)
{
    size_t wanted = (size_t)job->filter.limit;
    assert(job->matched < wanted && job->calls < CALLS_MAX);
    assert(job->filter.per_second >= 1);
    size_t left = wanted - job->matched;
    size_t limit = left < MATCHES_PER_CALL ? left : MATCHES_PER_CALL;
    const struct replay_dead_query query = {
        .filter = filter_of(job),
        .is_dry = job->filter.is_dry,
        .limit = limit,
        .gap_us = 1000000 / job->filter.per_second,
        .latest_death_ms = job->latest_death_ms,
        .next_due_us = job->next_due_us,
        .after = job->place,
    };
    job->calls++;
    return job->is_forgetting
               ? ask_to_forget(job, limit, error)
               : store_replay_dead(job->call->context->store, &query, take_replayed, job, error);
}

static void start(struct call *call, bool is_forgetting, const struct dead_filter *filter)
{
    assert(call->work == NULL);
    struct error error;
    struct dead_job *job = calloc(1, sizeof *job);
    if (job == NULL) {
        call_answer_out_of_memory(call);
        return;
    }
    *job = (struct dead_job){.work = {.destroy = destroy},
                             .call = call,
                             .is_forgetting = is_forgetting,
                             .filter = *filter,
                             .latest_death_ms = -1,
                             .next_due_us = -1};
    call->work = &job->work;
    if (filter->has_cursor) {
        job->latest_death_ms = filter->cursor.numbers[DEAD_CURSOR_LATEST_DEATH_MS];
        job->next_due_us = filter->cursor.numbers[DEAD_CURSOR_NEXT_DUE_US];
        job->place =
            (struct store_place){.at_ms = filter->cursor.numbers[DEAD_CURSOR_AT_MS],
                                 .id = job->filter.cursor.id,
                                 .shard = (unsigned)filter->cursor.numbers[DEAD_CURSOR_SHARD]};
    }
    call_start(call, ask(job, &error), &error);
}

static void post(struct call *call, bool is_forgetting)
{
    struct dead_filter filter;
    struct problem problem;
    struct error detail;
    size_t length;
    if (!call_is_json(call))
        return;
    call_note_who(call);
    const char *body = call_body(call, &length);
    if (dead_filter_parse(body, length, !is_forgetting, clock_wall_ms(), &filter, &problem,
                          &detail))
        start(call, is_forgetting, &filter);
    else
        call_refuse(call, &problem);
}

void replay_dead_post(struct call *call)
{
    post(call, false);
}

void forget_dead_post(struct call *call)
{
    if (!call_is_awaiting_spool(call, NULL))
        post(call, true);
}
