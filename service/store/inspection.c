/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Asks Redis what preflight.c wants to know, and loads the scripts. All questions go out at once;
 * the finding is made when the last one is answered.
 */
#include <stdio.h>
#include <string.h>

#include "service/store/store_internal.h"

enum {
    INTERVAL_READY_MS = 30000, /* CONFIG SET can change what was found */
    INTERVAL_UNFIT_MS = 500,   /* it may be loading, or somebody may be mending it */
    SCRIPT_BYTES_MAX = 64 << 10,
    ARGUMENTS_MAX = 7,
};

static void refuse(struct preflight_facts *facts, const char *answer)
{
    if (facts->refusal[0] == '\0')
        refusal_describe(answer, facts->refusal, sizeof facts->refusal);
}

/* --- the answers --- */

static bool is_error(const struct redis_reply *reply)
{
    return redis_reply_type(reply) == REDIS_TYPE_ERROR;
}

static void take_info(struct preflight_facts *facts, const struct redis_reply *reply)
{
    if (is_error(reply))
        refuse(facts, redis_reply_text(reply, NULL));
    else
        preflight_read_info(redis_reply_text(reply, NULL), facts);
}

/* Forbidden by most managed Redis: what is not known is not promised. */
static void take_settings(struct preflight_facts *facts, const struct redis_reply *reply)
{
    for (size_t i = 0; i + 1 < redis_reply_length(reply); i += 2)
        preflight_read_setting(redis_reply_text(redis_reply_item(reply, i), NULL),
                               redis_reply_text(redis_reply_item(reply, i + 1), NULL), facts);
}

static void take_probe(struct preflight_facts *facts, const struct redis_reply *reply)
{
    if (is_error(reply))
        refuse(facts, redis_reply_text(reply, NULL));
}

static void take_shards_written(struct preflight_facts *facts, const struct redis_reply *reply)
{
    if (is_error(reply))
        refusal_describe(redis_reply_text(reply, NULL), facts->write_refusal,
                         sizeof facts->write_refusal);
}

static void take_shards(struct preflight_facts *facts, const struct redis_reply *reply)
{
    if (is_error(reply))
        refuse(facts, redis_reply_text(reply, NULL));
    else
        (void)snprintf(facts->shards, sizeof facts->shards, "%s", redis_reply_text(reply, NULL));
}

static void take_hash(struct store *store, enum script script, const struct redis_reply *reply)
{
    if (is_error(reply))
        refuse(&store->inspection.facts, redis_reply_text(reply, NULL));
    else
        (void)snprintf(store->hashes[script], sizeof store->hashes[script], "%s",
                       redis_reply_text(reply, NULL));
}

/* --- the questions --- */

/* clang-format off */
static const struct {
    const char *arguments[ARGUMENTS_MAX];
    size_t arguments_count;
    void (*take)(struct preflight_facts *facts, const struct redis_reply *reply);
} questions[] = {
    {{"INFO"}, 1, take_info},
    {{"CONFIG", "GET", "*appendfsync*"}, 3, take_settings},
    /* A real script with the real keys: what the user may not do shows here and not with the first event. */
    {{"EVAL", NULL /* census */, "4", STORE_KEY_APPLICATION, STORE_KEY_DUE, STORE_KEY_DEAD, STORE_KEY_PAUSED}, 7, take_probe},
    {{"SET", STORE_KEY_SHARDS, STORE_SHARD_COUNT, "NX"}, 4, take_shards_written},
    {{"GET", STORE_KEY_SHARDS}, 2, take_shards},
};
/* clang-format on */
enum { QUESTIONS_COUNT = sizeof questions / sizeof questions[0] };
_Static_assert(QUESTIONS_COUNT + SCRIPT_COUNT <= INSPECTION_QUESTIONS_MAX, "room for all answers");

static void conclude(struct store *store)
{
    struct inspection *inspection = &store->inspection;
    if (inspection->is_interrupted)
        return; /* store.c knows from `closed` */
    struct store_health finding;
    preflight_evaluate(&inspection->facts, store->options.demand, &finding);
    inspection->next_at_ms =
        store->now_ms + (finding.is_ready ? INTERVAL_READY_MS : INTERVAL_UNFIT_MS);
    store_apply_finding(store, &finding);
    if (preflight_is_replica(&inspection->facts))
        redis_client_reopen(store->client, finding.reason); /* and look for the master */
}

static void answered(void *context, enum redis_failure lost, const struct redis_reply *reply)
{
    const struct inspection_answer *answer = context;
    struct store *store = answer->store;
    struct inspection *inspection = &store->inspection;
    if (lost == REDIS_LOST)
        inspection->is_interrupted = true;
    else if (answer->question < QUESTIONS_COUNT)
        questions[answer->question].take(&inspection->facts, reply);
    else
        take_hash(store, answer->question - QUESTIONS_COUNT, reply);
    if (--inspection->awaited == 0)
        conclude(store);
}

static bool send_question(struct store *store, unsigned question, size_t count,
                          const char *const arguments[], struct error *error)
{
    size_t lengths[ARGUMENTS_MAX];
    for (size_t i = 0; i < count; i++)
        lengths[i] = strlen(arguments[i]);
    struct inspection_answer *answer = &store->inspection.answers[question];
    *answer = (struct inspection_answer){.store = store, .question = question};
    if (!redis_client_send(store->client, count, arguments, lengths, answered, answer, error))
        return false;
    store->inspection.awaited++;
    return true;
}

static bool ask(struct store *store, unsigned question, struct buffer *script, struct error *error)
{
    buffer_clear(script);
    if (question >= QUESTIONS_COUNT) {
        if (!script_write(question - QUESTIONS_COUNT, script, error))
            return false;
        return send_question(store, question, 3, (const char *[]){"SCRIPT", "LOAD", script->bytes},
                             error);
    }
    if (!script_write(SCRIPT_CENSUS, script, error))
        return false;
    const char *arguments[ARGUMENTS_MAX];
    for (size_t i = 0; i < questions[question].arguments_count; i++) {
        const char *argument = questions[question].arguments[i];
        arguments[i] = argument != NULL ? argument : script->bytes;
    }
    return send_question(store, question, questions[question].arguments_count, arguments, error);
}

void inspection_start(struct store *store)
{
    struct inspection *inspection = &store->inspection;
    if (inspection->awaited > 0)
        return;
    inspection->is_interrupted = false;
    inspection->next_at_ms = store->now_ms + INTERVAL_UNFIT_MS; /* if this one comes to nothing */
    inspection->facts = (struct preflight_facts){.role = ""};
    struct buffer script;
    buffer_init(&script, SCRIPT_BYTES_MAX);
    struct error error;
    for (unsigned i = 0; i < QUESTIONS_COUNT + SCRIPT_COUNT; i++) {
        if (!ask(store, i, &script, &error)) {
            inspection->is_interrupted = true;
            break;
        }
    }
    buffer_fini(&script);
}

int64_t inspection_timeout_ms(const struct store *store, int64_t now_ms)
{
    const struct inspection *inspection = &store->inspection;
    if (inspection->awaited > 0 || !redis_client_is_open(store->client))
        return -1;
    return inspection->next_at_ms > now_ms ? inspection->next_at_ms - now_ms : 0;
}
