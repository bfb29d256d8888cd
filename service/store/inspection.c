/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Asks Redis what preflight.c wants to know, and loads the scripts where the connection is new. All
 * questions go out at once; the finding is made when the last one is answered.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"

#include "service/store/script_call.h"

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
    facts->clock_read_at_ms = clock_monotonic_ms();
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

static void take_nothing(struct preflight_facts *facts, const struct redis_reply *reply)
{
    (void)facts;
    (void)reply; /* what is wrong shows in the answer to the next question */
}

static void take_marked(struct preflight_facts *facts, const struct redis_reply *reply)
{
    static const struct confirmation nothing;
    (void)confirmation_is_given(&nothing, CONFIRM_MARK, reply, facts->confirmation_refusal,
                                sizeof facts->confirmation_refusal);
}

static void take_received(struct preflight_facts *facts, const struct redis_reply *reply)
{
    if (is_error(reply))
        refusal_describe(redis_reply_text(reply, NULL), facts->confirmation_refusal,
                         sizeof facts->confirmation_refusal);
    else
        facts->replicas_received = (unsigned)redis_reply_integer(reply);
}

/* An error is how a Redis before 7.2 answers, or one without an append-only file. */
static void take_synced(struct preflight_facts *facts, const struct redis_reply *reply)
{
    facts->has_waitaof = reply_is_array_of(reply, 2);
    if (facts->has_waitaof)
        facts->replicas_synced = (unsigned)reply_number_at(reply, 1);
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

/* Arguments that are known when the question is put. */
static const char CENSUS[] = "(the script)";
static const char REPLICAS[] = "(replicas demanded)";

/* clang-format off */
static const struct {
    enum durability_level least; /* asked when the demand is this or more */
    const char *arguments[ARGUMENTS_MAX];
    size_t arguments_count;
    void (*take)(struct preflight_facts *facts, const struct redis_reply *reply);
} questions[] = {
    {DURABILITY_ANY, {"INFO"}, 1, take_info},
    {DURABILITY_ANY, {"CONFIG", "GET", "*appendfsync*"}, 3, take_settings},
    /* A real script with the real keys: what the user may not do shows here and not with the first event. */
    {DURABILITY_ANY, {"EVAL", CENSUS, "4", STORE_KEY_APPLICATION, STORE_KEY_DUE, STORE_KEY_DEAD, STORE_KEY_PAUSED}, 7, take_probe},
    {DURABILITY_ANY, {"SET", STORE_KEY_SHARDS, STORE_SHARD_COUNT, "NX"}, 4, take_shards_written},
    {DURABILITY_ANY, {"GET", STORE_KEY_SHARDS}, 2, take_shards},
    /* A confirmation as it will be behind each write, with less patience: one that syncs its file each second is not to
       look by luck as if it did so at once. */
    {DURABILITY_FSYNC, {"SET", STORE_KEY_MARK, "1", "NX", "PX", STORE_MARK_LIFE_MS}, 6, take_nothing},
    {DURABILITY_FSYNC, {"PEXPIRE", STORE_KEY_MARK, STORE_MARK_LIFE_MS}, 3, take_marked},
    {DURABILITY_REPLICAS, {"WAIT", REPLICAS, "500"}, 3, take_received},
    {DURABILITY_FSYNC, {"WAITAOF", "1", REPLICAS, "50"}, 4, take_synced},
};
/* clang-format on */
enum { QUESTIONS_COUNT = sizeof questions / sizeof questions[0] };
_Static_assert(QUESTIONS_COUNT + SCRIPT_COUNT <= INSPECTION_QUESTIONS_MAX, "room for all answers");

static void conclude(struct store *store)
{
    struct inspection *inspection = &store->inspection;
    if (inspection->is_interrupted)
        return; /* store.c knows from `closed` */
    const struct durability demand = store->options.demand;
    struct store_health finding;
    preflight_evaluate(&inspection->facts, demand, &finding);
    store->confirmation = preflight_confirmation(&inspection->facts, demand);
    if (inspection->facts.clock_us > 0)
        store_note_clock(store, inspection->facts.clock_us / 1000,
                         inspection->facts.clock_read_at_ms);
    bool is_well = finding.is_ready && !finding.is_refusing;
    inspection->next_at_ms = store->now_ms + (is_well ? INTERVAL_READY_MS : INTERVAL_UNFIT_MS);
    store_apply_finding(store, &finding);
    if (preflight_is_elsewhere(&inspection->facts, demand))
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

/* Scripts are loaded once per connection, behind which another Redis may be. One that is flushed
 * later is brought along by the next call (script_call.c). */
static bool load(struct store *store, enum script script, struct buffer *text, struct error *error)
{
    return store->hashes[script][0] != '\0' ||
           (script_write(script, text, error) &&
            send_question(store, QUESTIONS_COUNT + script, 3,
                          (const char *[]){"SCRIPT", "LOAD", text->bytes}, error));
}

static bool ask(struct store *store, unsigned question, struct buffer *text, struct error *error)
{
    if (store->options.demand.level < questions[question].least)
        return true;
    const char *arguments[ARGUMENTS_MAX];
    for (size_t i = 0; i < questions[question].arguments_count; i++) {
        arguments[i] = questions[question].arguments[i];
        if (arguments[i] == REPLICAS)
            arguments[i] = confirmation_count_text(store->options.demand.replicas);
        if (arguments[i] != CENSUS)
            continue;
        if (!script_write(SCRIPT_CENSUS, text, error))
            return false;
        arguments[i] = text->bytes;
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
    struct buffer text;
    buffer_init(&text, SCRIPT_BYTES_MAX);
    struct error error;
    for (unsigned i = 0; i < QUESTIONS_COUNT + SCRIPT_COUNT; i++) {
        buffer_clear(&text);
        if (!(i < QUESTIONS_COUNT ? ask(store, i, &text, &error)
                                  : load(store, i - QUESTIONS_COUNT, &text, &error))) {
            inspection->is_interrupted = true;
            break;
        }
        redis_client_flush(store->client); /* or all scripts together would need 256 KiB */
    }
    buffer_fini(&text);
}

int64_t inspection_timeout_ms(const struct store *store, int64_t now_ms)
{
    const struct inspection *inspection = &store->inspection;
    if (inspection->awaited > 0 || !redis_client_is_open(store->client))
        return -1;
    return inspection->next_at_ms > now_ms ? inspection->next_at_ms - now_ms : 0;
}
