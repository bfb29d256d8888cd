/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/sandbox/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include "service/sandbox/graphql.h"

struct exchange {
    struct state *state; /* borrowed: outlives us */
    struct caller caller;
    struct sandbox_wait wait;
    struct sandbox_answer answer;
    struct sandbox_call *call; /* owned; NULL once it is in the ledger */
    bool is_expired;
    bool is_recorded_late;
    int64_t delay_ms;
};

static const struct {
    enum call_text text;
    const char *name;
} headers[] = {
    {CALL_REQUEST_ID, "X-Request-Id"},         {CALL_USER_AGENT, "User-Agent"},
    {CALL_ACCEPT_LANGUAGE, "Accept-Language"}, {CALL_SESSION_ID, "X-Session-Id"},
    {CALL_TRACEPARENT, "traceparent"},
};

static struct json_text text_of(const char *text)
{
    return (struct json_text){text, text == NULL ? 0 : strlen(text)};
}

static const char *header_of(const struct caller *caller, const char *name)
{
    return caller->calls->header(caller->request, name);
}

static struct incoming incoming_of(const struct caller *caller)
{
    struct incoming incoming = {
        .method = caller->calls->method(caller->request),
        .content_type = header_of(caller, "Content-Type"),
        .authorization = header_of(caller, "Authorization"),
        .now_ms = clock_monotonic_ms(),
    };
    incoming.body = caller->calls->body(caller->request, &incoming.body_length);
    return incoming;
}

static struct call_facts facts_of(const struct caller *caller, enum call_kind kind)
{
    struct call_facts facts = {
        .kind = kind,
        .received_ms = clock_wall_ms(),
        .monotonic_us = clock_monotonic_us(),
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        facts.texts[headers[i].text] = text_of(header_of(caller, headers[i].name));
    return facts;
}

static void spoil(struct exchange *exchange, enum fault_target target, struct call_facts *facts)
{
    struct state *state = exchange->state;
    struct fault fault;
    exchange->delay_ms = state->behaviour.latency_ms +
                         fault_script_random(state->script, state->behaviour.latency_jitter_ms);
    if (!fault_script_take(state->script, target, facts->texts[CALL_SEEK_TOKEN].bytes, &fault))
        return;
    fault_apply(&fault, &exchange->answer);
    facts->texts[CALL_FAULT] = text_of(fault_name(&fault));
    exchange->delay_ms += fault.latency_ms;
    exchange->is_recorded_late = fault.recorded == FAULT_RECORDED_AT_END;
}

static bool is_status_seen(enum answer_ending ending)
{
    return ending == ANSWER_SENT || ending == ANSWER_CUT || ending == ANSWER_THEN_CLOSED ||
           ending == ANSWER_LARGE_HEAD || ending == ANSWER_GOAWAY_AFTER;
}

static bool keep(struct exchange *exchange, struct call_facts *facts)
{
    const struct sandbox_answer *answer = &exchange->answer;
    const char *expired = exchange->state->behaviour.expired_contains;
    const char *seek_token = facts->texts[CALL_SEEK_TOKEN].bytes;
    exchange->is_expired =
        expired[0] != '\0' && seek_token != NULL && strstr(seek_token, expired) != NULL;
    facts->status = is_status_seen(answer->ending) ? answer->status : 0;
    facts->is_authorized = answer->is_authorized;
    facts->is_delivered = answer->is_delivered;
    facts->texts[CALL_OUTCOME] = text_of(answer->outcome);
    exchange->call = sandbox_call_create(facts, NULL);
    return exchange->call != NULL && !answer->is_out_of_memory;
}

static void record(struct exchange *exchange)
{
    if (exchange->call == NULL)
        return;
    struct ledger *ledger = exchange->state->ledger;
    bool was_full = ledger->is_full;
    if (!ledger_add(ledger, STEAL(exchange->call), exchange->is_expired) && !was_full)
        log_warn("ledger_full",
                 "Later calls are counted and not kept, until DELETE /sandbox/ledger",
                 LOG_INT("calls", ledger->count));
}

static bool plan_token(struct exchange *exchange, const struct incoming *incoming)
{
    struct state *state = exchange->state;
    struct call_facts facts = facts_of(&exchange->caller, CALL_TOKEN);
    oauth_answer(state->oauth, &state->behaviour, incoming, &exchange->answer);
    if (exchange->answer.access_token[0] != '\0')
        facts.texts[CALL_ACCESS_TOKEN] = text_of(exchange->answer.access_token);
    spoil(exchange, FAULT_ON_TOKEN, &facts);
    return keep(exchange, &facts);
}

static bool plan_graphql(struct exchange *exchange, const struct incoming *incoming)
{
    struct state *state = exchange->state;
    struct call_facts facts = facts_of(&exchange->caller, CALL_GRAPHQL);
    struct graphql_call call;
    graphql_answer(&state->behaviour, state->oauth, incoming, &call, &exchange->answer);
    facts.texts[CALL_SEEK_TOKEN] = call.input.seek_token;
    facts.texts[CALL_TIMESTAMP] = call.input.timestamp;
    facts.texts[CALL_TYPE_CODE] = call.input.type_code;
    if (state->behaviour.keeps_bodies)
        facts.texts[CALL_BODY] = (struct json_text){incoming->body, incoming->body_length};
    spoil(exchange, FAULT_ON_GRAPHQL, &facts);
    bool is_kept = keep(exchange, &facts);
    graphql_call_fini(&call);
    return is_kept;
}

static bool (*const plans[])(struct exchange *exchange, const struct incoming *incoming) = {
    [CALL_GRAPHQL] = plan_graphql,
    [CALL_TOKEN] = plan_token,
};

static void report(const struct exchange *exchange)
{
    static const char *const events[] = {[CALL_GRAPHQL] = "graphql", [CALL_TOKEN] = "token"};
    const struct sandbox_call *call = exchange->call;
    log_info(events[call->facts.kind], call_text(call, CALL_OUTCOME),
             LOG_INT("status", call->facts.status),
             LOG_TEXT("request_id", call_text(call, CALL_REQUEST_ID)),
             LOG_TEXT("fault", call_text(call, CALL_FAULT)),
             LOG_INT("delay_ms", exchange->delay_ms));
}

static void finish(struct exchange *exchange)
{
    record(exchange);
    /* The last step: the exchange may be gone afterwards. */
    exchange->caller.calls->answer(exchange->caller.request, &exchange->answer);
}

static void answer_or_wait(struct exchange *exchange, int64_t now_ms)
{
    bool is_withheld = exchange->answer.ending == ANSWER_WITHHELD;
    if (!exchange->is_recorded_late)
        record(exchange);
    if (exchange->delay_ms == 0 && !is_withheld) {
        finish(exchange);
        return;
    }
    int64_t due_ms = is_withheld ? WAIT_FOREVER : now_ms + exchange->delay_ms;
    if (!waiting_add(&exchange->state->waiting, &exchange->wait, due_ms, NULL))
        finish(exchange); /* no memory to wait with */
}

static struct exchange *exchange_create(struct state *state, const struct caller *caller)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL)
        return NULL;
    exchange->state = state;
    exchange->caller = *caller;
    exchange->wait.owner = exchange;
    answer_init(&exchange->answer);
    return exchange;
}

void exchange_begin(struct state *state, const struct caller *caller, enum call_kind kind)
{
    struct exchange *exchange = exchange_create(state, caller);
    caller->calls->attach(caller->request, exchange);
    struct incoming incoming = incoming_of(caller);
    if (exchange == NULL || !plans[kind](exchange, &incoming)) {
        log_error("out_of_memory", "The connection is closed without an answer");
        caller->calls->drop(caller->request);
        return;
    }
    report(exchange);
    answer_or_wait(exchange, incoming.now_ms);
}

void exchange_turn(struct state *state, int64_t now_ms)
{
    struct sandbox_wait *wait;
    while ((wait = waiting_take_due(&state->waiting, now_ms)) != NULL)
        finish(wait->owner);
}

void exchange_end(struct exchange *take_exchange)
{
    struct exchange *exchange = take_exchange;
    if (exchange == NULL)
        return;
    waiting_remove(&exchange->state->waiting, &exchange->wait);
    record(exchange);
    answer_fini(&exchange->answer);
    free(exchange);
}
