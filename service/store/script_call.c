/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/script_call.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include "service/store/confirmation.h"

enum {
    TEXT_BYTES_MAX = 64 << 20,
    COMMAND_ARGUMENTS = 2, /* EVALSHA and the hash: set when it is sent */
};

/* The same for all scripts: KEYS. */
static const char *const keys[] = {"4", STORE_KEY_APPLICATION, STORE_KEY_DUE, STORE_KEY_DEAD,
                                   STORE_KEY_PAUSED};
enum { KEYS_COUNT = sizeof keys / sizeof keys[0] };

struct script_call *script_call_create(struct store *store, const struct script_call_kind *kind,
                                       size_t arguments_max, size_t results_bytes,
                                       struct error *error)
{
    if (!store->health.is_ready) {
        (void)error_set(error, ERROR_IO, "%s", store->health.reason);
        return NULL;
    }
    struct script_call *call = calloc(1, sizeof *call);
    if (call == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    *call = (struct script_call){.store = store, .kind = kind};
    call->arguments_count = COMMAND_ARGUMENTS;
    call->arguments_max = COMMAND_ARGUMENTS + KEYS_COUNT + arguments_max;
    buffer_init(&call->text, TEXT_BYTES_MAX);
    call->arguments = calloc(call->arguments_max, sizeof *call->arguments);
    call->lengths = calloc(call->arguments_max, sizeof *call->lengths);
    call->results = calloc(1, results_bytes > 0 ? results_bytes : 1);
    if (call->arguments == NULL || call->lengths == NULL || call->results == NULL)
        goto fail;
    for (size_t i = 0; i < KEYS_COUNT; i++)
        script_call_add_text(call, keys[i]);
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
    buffer_wipe(&call->text); /* seek-tokens */
    buffer_fini(&call->text);
    free(call->arguments);
    free(call->lengths);
    free(call->results);
    redis_reply_destroy(call->reply);
    free(call);
}

/* --- arguments --- */

static void add_bytes(struct script_call *call, const char *text, size_t length)
{
    assert(call->arguments_count < call->arguments_max);
    if (!buffer_append(&call->text, text, length, NULL))
        call->is_incomplete = true;
    call->lengths[call->arguments_count++] = length;
}

void script_call_add_text(struct script_call *call, const char *text)
{
    add_bytes(call, text, text != NULL ? strlen(text) : 0);
}

void script_call_add_event_id(struct script_call *call, const char *event_id)
{
    static const char zeros[] = "00000000";
    size_t length = strlen(event_id), kept = ATTEMPT_ID_BYTES - sizeof zeros;
    bool ends_with_zeros = length == ATTEMPT_ID_BYTES - 1 && strcmp(event_id + kept, zeros) == 0;
    add_bytes(call, event_id, ends_with_zeros ? kept : length);
}

void script_call_add_number(struct script_call *call, int64_t number)
{
    assert(call->arguments_count < call->arguments_max);
    size_t before = call->text.length;
    if (!buffer_append_integer(&call->text, number, NULL))
        call->is_incomplete = true;
    call->lengths[call->arguments_count++] = call->text.length - before;
}

static void set_command(struct script_call *call, const char *command, const char *script,
                        size_t script_length)
{
    call->arguments[0] = command;
    call->lengths[0] = strlen(command);
    call->arguments[1] = script;
    call->lengths[1] = script_length;
    const char *text = call->text.bytes; /* only now: it has moved while it grew */
    for (size_t i = COMMAND_ARGUMENTS; i < call->arguments_count; i++) {
        call->arguments[i] = text;
        text += call->lengths[i];
    }
}

/* --- the answer --- */

/* No error of Redis: nobody knows what was done. */
static const struct refusal odd = {.sentence =
                                       "Redis answered something that the script does not return"};

/* Logs when a script is refused for another reason than before, and when it works again. */
static void note_refusal(struct script_call *call, const struct refusal *refusal,
                         const char *detail)
{
    const struct refusal **last = &call->store->refusals[call->kind->script];
    if (*last == refusal)
        return;
    *last = refusal;
    if (refusal != NULL && refusal != &odd)
        call->store->inspection.next_at_ms = call->store->now_ms; /* it may refuse all writes */
    if (refusal != NULL)
        log_error("redis_refuses", detail, LOG_TEXT("role", call->store->options.role),
                  LOG_TEXT("script", script_name(call->kind->script)));
    else
        log_info("redis_takes_again", "Redis takes what it refused before",
                 LOG_TEXT("role", call->store->options.role),
                 LOG_TEXT("script", script_name(call->kind->script)));
}

static struct store_failure refused(struct script_call *call, const char *answer)
{
    struct store_failure failure = {.status = STORE_REFUSED};
    refusal_describe(answer, failure.detail, sizeof failure.detail);
    const struct refusal *refusal = refusal_of(answer);
    note_refusal(call, refusal, failure.detail);
    if (refusal->is_elsewhere)
        redis_client_reopen(call->store->client, refusal->sentence);
    return failure;
}

/* The first failure is the cause of the others. */
static void fail(struct script_call *call, enum store_status status, const char *detail)
{
    if (call->failure.status != STORE_OK)
        return;
    call->failure.status = status;
    (void)snprintf(call->failure.detail, sizeof call->failure.detail, "%.*s",
                   (int)sizeof call->failure.detail - 1, detail);
}

/* The results point into the reply, so it is kept until the last answer is here. */
static void read_reply(struct script_call *call, const struct redis_reply *reply)
{
    if (redis_reply_type(reply) == REDIS_TYPE_ERROR) {
        struct store_failure failure = refused(call, redis_reply_text(reply, NULL));
        fail(call, failure.status, failure.detail);
        return;
    }
    call->store->counters.last_round_trip_us = clock_monotonic_us() - call->sent_at_us;
    if (!call->kind->read(call, reply)) {
        note_refusal(call, &odd, odd.sentence);
        fail(call, STORE_UNAVAILABLE, odd.sentence);
        return;
    }
    note_refusal(call, NULL, NULL);
    if (call->answers_open > 1)
        call->reply = redis_client_keep_reply(call->store->client);
}

/* The last answer ends the call. */
static void count_answer(struct script_call *call)
{
    if (--call->answers_open > 0)
        return;
    call->store->calls_open--;
    call->kind->finish(call, &call->failure);
    script_call_destroy(call);
}

static bool is_unknown_script(const struct redis_reply *reply)
{
    return redis_reply_type(reply) == REDIS_TYPE_ERROR &&
           refusal_is_unknown_script(redis_reply_text(reply, NULL));
}

static bool send_command(struct script_call *call, struct error *error);

/* Redis was restarted or its scripts were flushed: this call brings the script along, and Redis
 * keeps it. */
static void send_whole(struct script_call *call)
{
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

static const char lost_detail[] = "the connection to Redis broke, or it did not answer in time";

static void answered(void *context, enum redis_failure lost, const struct redis_reply *reply)
{
    struct script_call *call = context;
    if (lost == REDIS_LOST)
        fail(call, STORE_UNAVAILABLE, lost_detail);
    else if (is_unknown_script(reply) && !call->is_sent_whole)
        send_whole(call);
    else
        read_reply(call, reply);
    count_answer(call);
}

/* --- the confirmation --- */

static void fall_short(struct script_call *call, const char *shortfall)
{
    static const char and_yet[] = "; it may be stored all the same";
    char detail[sizeof call->failure.detail];
    (void)snprintf(detail, sizeof detail, "%.*s%s", (int)(sizeof detail - sizeof and_yet),
                   shortfall, and_yet);
    fail(call, STORE_UNAVAILABLE, detail);
    store_fall_short(call->store, shortfall);
}

static void take_confirmation(struct script_call *call, enum confirmation_question question,
                              enum redis_failure lost, const struct redis_reply *reply)
{
    char shortfall[sizeof call->failure.detail];
    if (lost == REDIS_LOST)
        fail(call, STORE_UNAVAILABLE, lost_detail);
    else if (call->failure.status == STORE_OK && /* else there is nothing to confirm */
             !confirmation_is_given(&call->confirmation, question, reply, shortfall,
                                    sizeof shortfall))
        fall_short(call, shortfall);
    count_answer(call);
}

static void marked(void *context, enum redis_failure lost, const struct redis_reply *reply)
{
    take_confirmation(context, CONFIRM_MARK, lost, reply);
}

static void received(void *context, enum redis_failure lost, const struct redis_reply *reply)
{
    take_confirmation(context, CONFIRM_RECEIVED, lost, reply);
}

static void synced(void *context, enum redis_failure lost, const struct redis_reply *reply)
{
    take_confirmation(context, CONFIRM_SYNCED, lost, reply);
}

/* --- sending --- */

static bool send_confirmation(struct script_call *call, struct error *error)
{
    static const redis_done takers[] = {
        [CONFIRM_MARK] = marked, [CONFIRM_RECEIVED] = received, [CONFIRM_SYNCED] = synced};
    struct confirmation_step steps[CONFIRMATION_STEPS_MAX];
    size_t count = confirmation_steps(&call->confirmation, steps);
    for (size_t i = 0; i < count; i++) {
        if (!redis_client_send(call->store->client, steps[i].argument_count, steps[i].arguments,
                               NULL, takers[steps[i].question], call, error))
            return false;
        call->answers_open++;
    }
    return true;
}

/* A script that is on its way cannot be called back: when its confirmation does not fit behind it,
 * nobody knows how durable it is. */
static bool send_command(struct script_call *call, struct error *error)
{
    if (!redis_client_send(call->store->client, call->arguments_count, call->arguments,
                           call->lengths, answered, call, error))
        return false;
    call->answers_open++;
    if (!send_confirmation(call, error))
        fail(call, STORE_UNAVAILABLE, error->message);
    return true;
}

bool script_call_send(struct script_call *take_call, struct error *error)
{
    AUTO(script_call) *call = take_call;
    if (call->is_incomplete)
        return error_out_of_memory(error);
    const char *hash = call->store->hashes[call->kind->script];
    set_command(call, "EVALSHA", hash, strlen(hash));
    call->sent_at_us = clock_monotonic_us();
    if (script_is_acknowledged(call->kind->script))
        call->confirmation = call->store->confirmation;
    if (!send_command(call, error))
        return false;
    call->store->calls_open++;
    (void)STEAL(call); /* its last answer ends it */
    return true;
}

/* --- reading arrays --- */

bool reply_is_array_of(const struct redis_reply *reply, size_t length)
{
    return redis_reply_type(reply) == REDIS_TYPE_ARRAY && redis_reply_length(reply) == length;
}

const char *reply_text_at(const struct redis_reply *reply, size_t index)
{
    return redis_reply_text(redis_reply_item(reply, index), NULL);
}

int64_t reply_number_at(const struct redis_reply *reply, size_t index)
{
    return redis_reply_integer(redis_reply_item(reply, index));
}
