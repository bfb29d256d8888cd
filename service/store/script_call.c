/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A call from its arguments to its last answer
 *
 *     script_call_create ─► add arguments ─► script_call_send
 *                                                  │ in this order
 *                       ┌──────────────────────────┴────────────────────────────┐
 *     to Redis          EVALSHA        PEXPIRE mark                 WAIT, WAITAOF
 *                       └─ the script  └─ acknowledged ones only    └─ by the group of the link
 *     answers           read_reply     marked                       confirmed
 *                       │                                           │
 *                       answers_open counts down with each; the last one finishes: finish, destroy
 *
 * The confirmation is that of the link at the moment of sending, and may ask for nothing
 * (confirmation.c says what each question is for). WAIT and WAITAOF are asked once for all calls of
 * the link that wait (group_commit.c); the mark is each call's own, since its shard may lie
 * elsewhere by now. The results point into the script's reply, which is kept until the last answer
 * is here.
 *
 * A script that Redis does not know (it was restarted, its scripts were flushed) leaves the group,
 * and is sent once more, whole, with a mark behind it; the answer to the first mark still comes:
 *
 *     EVALSHA  PEXPIRE                                EVAL  PEXPIRE  (group)
 *     NOSCRIPT    1                 answers_open: 3 ─► 2 ─► 5 ─► … ─► 0
 *        └─ sends ─────────────────────────────────────►
 *
 * What the caller is told. The first failure counts, since the others follow from it:
 *     an error of Redis's             STORE_REFUSED: nothing was done, by this call
 *     an answer that no script gives  STORE_UNAVAILABLE: nobody knows what was done
 *     the connection is lost          STORE_UNAVAILABLE
 *     not confirmed as demanded       STORE_UNAVAILABLE: it is there, perhaps not durably; and the
 *                                     link is not ready until a new connection finds it otherwise
 *
 * An error that says that another server may be the right one closes the connection. One that was
 * not there at the last call is logged, and inspected at the next turn.
 */
#include "service/store/script_call.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include "service/store/confirmation.h"
#include "service/store/event_id.h"
#include "service/store/reply.h"

enum {
    TEXT_BYTES_MAX = 64 << 20,
    MOVES_MAX = 3,
    COMMAND_ARGUMENTS = 2,                  /* EVALSHA and the hash: set when it is sent */
    KEYS_ARGUMENTS = 1 + SHARD_SCRIPT_KEYS, /* their number, and they */
};

/* Callback, context and error are three of the parameters of each call. */
/* NOLINTNEXTLINE(readability-function-size) */
struct script_call *script_call_create(struct store *store, struct shard *shard,
                                       const struct script_call_kind *kind, size_t arguments_max,
                                       size_t results_bytes, struct error *error)
{
    if (!store_is_shard_ready(store, shard, error))
        return NULL;
    struct script_call *call = calloc(1, sizeof *call);
    if (call == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    *call = (struct script_call){.store = store, .shard = shard, .link = shard->link, .kind = kind};
    call->arguments_count = COMMAND_ARGUMENTS;
    call->arguments_max = COMMAND_ARGUMENTS + KEYS_ARGUMENTS + arguments_max;
    buffer_init(&call->text, TEXT_BYTES_MAX);
    call->arguments = calloc(call->arguments_max, sizeof *call->arguments);
    call->lengths = calloc(call->arguments_max, sizeof *call->lengths);
    call->results = calloc(1, results_bytes > 0 ? results_bytes : 1);
    if (call->arguments == NULL || call->lengths == NULL || call->results == NULL)
        goto fail;
    script_call_add_number(call, SHARD_SCRIPT_KEYS);
    for (size_t i = 0; i < SHARD_SCRIPT_KEYS; i++)
        script_call_add_text(call, shard->keys[i]);
    assert(call->arguments_count == COMMAND_ARGUMENTS + KEYS_ARGUMENTS);
    return call;
fail:
    script_call_destroy(call);
    (void)error_out_of_memory(error);
    return NULL;
}

void script_call_destroy(struct script_call *call)
{
    if (call == NULL)
        return;
    buffer_fini(&call->text);
    free(call->arguments);
    free(call->lengths);
    free(call->results);
    redis_reply_destroy(call->reply);
    free(call);
}

/* --- the command --- */

static void set_command(struct script_call *call, const char *command, const char *script,
                        size_t script_length)
{
    assert(!call->is_incomplete);
    call->arguments[0] = command;
    call->lengths[0] = strlen(command);
    call->arguments[1] = script;
    call->lengths[1] = script_length;
    const char *text = call->text.bytes; /* only now: it has moved while it grew */
    for (size_t i = COMMAND_ARGUMENTS; i < call->arguments_count; i++) {
        call->arguments[i] = text;
        text += call->lengths[i];
    }
    assert(text == call->text.bytes + call->text.length);
}

/* --- the answer --- */

/* No error of Redis: nobody knows what was done. */
static const struct refusal odd = {.sentence =
                                       "Redis gave an answer that the script never returns"};

/* Logs when a script is refused for another reason than before, and when it works again. */
static void note_refusal(struct script_call *call, const struct refusal *refusal,
                         const char *detail)
{
    assert(call->kind->script < SCRIPT_COUNT);
    const struct refusal **last = &call->link->refusals[call->kind->script];
    bool is_moving = refusal != NULL && refusal->is_passing; /* of the shard, and not of the node */
    if (is_moving || refusal == NULL)
        store_link_note_moving(call->link, call->shard, is_moving);
    if (is_moving || *last == refusal)
        return;
    *last = refusal;
    if (refusal != NULL && refusal != &odd)
        call->link->inspection.next_at_ms = call->link->now_ms; /* it may refuse all writes */
    if (refusal != NULL)
        log_error("redis_refuses", detail, LOG_TEXT("role", call->link->name),
                  LOG_TEXT("script", script_name(call->kind->script)));
    else
        log_info("redis_takes_again", "Redis accepts the calls again that it refused",
                 LOG_TEXT("role", call->link->name),
                 LOG_TEXT("script", script_name(call->kind->script)));
}

static struct store_failure refused(struct script_call *call, const char *answer)
{
    struct store_failure failure = {.status = STORE_REFUSED};
    refusal_describe(answer, failure.detail, sizeof failure.detail);
    const struct refusal *refusal = refusal_of(answer);
    failure.is_forbidden = refusal->is_of_rights;
    note_refusal(call, refusal, failure.detail);
    store_note_refusal(call->store, refusal);
    if (refusal->is_elsewhere)
        redis_client_reopen(call->link->client, refusal->sentence);
    return failure;
}

/* The first failure is the cause of the others. */
static void fail(struct script_call *call, enum store_status status, const char *detail)
{
    assert(status != STORE_OK);
    if (call->failure.status != STORE_OK)
        return;
    call->failure.status = status;
    (void)snprintf(call->failure.detail, sizeof call->failure.detail, "%.*s",
                   (int)sizeof call->failure.detail - 1, detail);
}

/* The results point into the reply, so it is kept until the last answer is here. */
static void read_reply(struct script_call *call, const struct redis_reply *reply)
{
    assert(call->answers_open > 0);
    if (redis_reply_type(reply) == REDIS_TYPE_ERROR) {
        const struct store_failure failure = refused(call, redis_reply_text(reply, NULL));
        if (call->failure.status == STORE_OK)
            call->failure = failure;
        return;
    }
    call->link->last_round_trip_us = clock_monotonic_us() - call->sent_at_us;
    if (!call->kind->read(call, reply)) {
        note_refusal(call, &odd, odd.sentence);
        fail(call, STORE_UNAVAILABLE, odd.sentence);
        return;
    }
    note_refusal(call, NULL, NULL);
    assert(call->reply == NULL);
    if (call->answers_open > 1 || call->fan != NULL)
        call->reply = redis_client_keep_reply(call->link->client);
}

static void note_due(const struct script_call *call)
{
    if (call->kind->makes_due)
        store_note_due(call->store, call->shard, clock_monotonic_ms());
}

static bool send_again(struct script_call *call);

/* The last answer ends the call, unless it goes on to another node. */
static void count_answer(struct script_call *call)
{
    assert(call->answers_open > 0);
    if (--call->answers_open > 0)
        return;
    assert(call->link->calls_open > 0 && call->member.waits_in == NULL);
    call->link->calls_open--;
    if (call->next_link != NULL && send_again(call))
        return;
    note_due(call);
    if (call->fan != NULL) {
        call->ended(call);
        return;
    }
    call->kind->finish(call, &call->failure);
    script_call_destroy(call);
}

static bool is_unknown_script(const struct redis_reply *reply)
{
    return redis_reply_type(reply) == REDIS_TYPE_ERROR &&
           refusal_is_unknown_script(redis_reply_text(reply, NULL));
}

static bool send_command(struct script_call *call, struct error *error);

/* Redis was restarted or its scripts were flushed: this call brings the script along. */
static void send_whole(struct script_call *call)
{
    assert(!call->is_sent_whole);
    struct buffer script;
    struct error error;
    buffer_init(&script, TEXT_BYTES_MAX);
    bool is_sent = script_write(call->kind->script, &script, &error);
    if (is_sent) {
        call->is_sent_whole = true;
        set_command(call, "EVAL", script.bytes, script.length);
        is_sent = send_command(call, &error);
    }
    buffer_fini(&script);
    if (!is_sent)
        fail(call, STORE_REFUSED, error.message);
}

/* MOVED: nothing was done here, and the new owner is told next. Where it is not known
 * yet, or gives less than the caller was told, the call is refused, and comes again. One that has
 * failed already, by its confirmation, stays so. */
static bool can_follow(struct script_call *call, const struct redis_reply *reply)
{
    if (redis_reply_type(reply) != REDIS_TYPE_ERROR || call->moves >= MOVES_MAX ||
        call->failure.status != STORE_OK)
        return false;
    const char *answer = redis_reply_text(reply, NULL);
    call->next_link = store_find_moved(call->store, call->shard, call->link, answer, call->told);
    return call->next_link != NULL && ++call->moves > 0;
}

/* Needs no confirmation, or not yet. */
static void leave_group(struct script_call *call)
{
    if (group_commit_leave(&call->member))
        call->answers_open--;
}

/* What was not done, or not here, has nothing to confirm. */
static void take_answer(struct script_call *call)
{
    if (call->failure.status != STORE_OK || call->next_link != NULL)
        leave_group(call);
    count_answer(call);
}

static void answered(void *context, enum redis_failure lost, const struct redis_reply *reply)
{
    struct script_call *call = context;
    if (lost == REDIS_LOST) {
        fail(call, STORE_UNAVAILABLE, reply_lost);
    } else if (is_unknown_script(reply) && !call->is_sent_whole) {
        leave_group(call);
        send_whole(call);
    } else if (!can_follow(call, reply)) { /* which it does once the answer to its mark is here */
        read_reply(call, reply);
    }
    take_answer(call);
}

/* --- the confirmation --- */

static void fail_unconfirmed(struct script_call *call, const char *reason)
{
    static const char and_yet[] = "; it may be stored all the same";
    char detail[sizeof call->failure.detail];
    (void)snprintf(detail, sizeof detail, "%.*s%s", (int)(sizeof detail - sizeof and_yet), reason,
                   and_yet);
    fail(call, STORE_UNAVAILABLE, detail);
}

/* A mark that is on its way, or has just left, says nothing of the node. */
static void marked(void *context, enum redis_failure lost, const struct redis_reply *reply)
{
    struct script_call *call = context;
    char reason[sizeof call->failure.detail];
    bool is_of_interest = call->next_link == NULL && call->failure.status == STORE_OK;
    if (is_of_interest && lost == REDIS_LOST) {
        fail(call, STORE_UNAVAILABLE, reply_lost);
    } else if (is_of_interest && !confirmation_is_marked(call->shard->keys[SHARD_MARK], reply,
                                                         reason, sizeof reason)) {
        fail_unconfirmed(call, reason);
        if (!reply_is_passing(reply))
            store_link_fall_short(call->link, reason);
    }
    take_answer(call);
}

static void confirmed(void *context, const char *reason)
{
    struct script_call *call = context;
    if (reason != NULL)
        fail_unconfirmed(call, reason);
    count_answer(call);
}

/* --- sending --- */

static bool send_mark(struct script_call *call, struct error *error)
{
    const char *const arguments[] = {"PEXPIRE", call->shard->keys[SHARD_MARK],
                                     CONFIRMATION_MARK_LIFE_MS};
    if (!redis_client_send(call->link->client, sizeof arguments / sizeof arguments[0], arguments,
                           NULL, marked, call, error))
        return false;
    call->answers_open++;
    call->member.confirmed = confirmed;
    call->member.context = call;
    group_commit_join(&call->link->group, &call->member, &call->confirmation);
    call->answers_open++;
    return true;
}

/* A script that is on its way cannot be called back: when its mark does not fit behind it, nobody
 * knows how durable it is. */
static bool send_command(struct script_call *call, struct error *error)
{
    if (!redis_client_send(call->link->client, call->arguments_count, call->arguments,
                           call->lengths, answered, call, error))
        return false;
    call->answers_open++;
    if (confirmation_is_needed(&call->confirmation) && !send_mark(call, error))
        fail(call, STORE_UNAVAILABLE, error->message);
    return true;
}

/* By the hash of the script, which its node knows. */
static bool send_hash(struct script_call *call, struct error *error)
{
    const char *hash = call->link->inspection.hashes[call->kind->script];
    set_command(call, "EVALSHA", hash, strlen(hash));
    call->sent_at_us = clock_monotonic_us();
    if (script_is_acknowledged(call->kind->script))
        call->confirmation = call->link->confirmation;
    return send_command(call, error);
}

static bool send_again(struct script_call *call)
{
    struct error error;
    assert(call->failure.status == STORE_OK && call->reply == NULL);
    call->link = call->next_link;
    call->next_link = NULL;
    call->is_sent_whole = false;
    bool is_open = store_take_moved(call->store);
    if (is_open && send_hash(call, &error)) {
        call->link->calls_open++;
        return true;
    }
    fail(call, STORE_REFUSED, is_open ? error.message : "the connections are being closed");
    return false;
}

bool script_call_send(struct script_call *take_call, struct error *error)
{
    AUTO(script_call) *call = take_call;
    assert(call->answers_open == 0 && call->failure.status == STORE_OK);
    assert(call->arguments_count == call->arguments_max); /* as many as were announced */
    if (call->is_incomplete)
        return error_out_of_memory(error);
    call->told = call->link->health.durability;
    if (!send_hash(call, error))
        return false;
    call->link->calls_open++;
    note_due(call);    /* the claim arrives behind it */
    (void)STEAL(call); /* its last answer ends it */
    return true;
}
