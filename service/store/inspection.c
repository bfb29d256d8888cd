/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * All questions go out at once; the round is finished when the last one is answered.
 */
#include "service/store/inspection.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "service/store/confirmation.h"
#include "service/store/inspection_answers.h"

enum {
    INTERVAL_READY_MS = 30000,   /* CONFIG SET can change what was found */
    INTERVAL_OF_MANY_MS = 45000, /* the same, of several nodes that each have a connection */
    INTERVAL_UNFIT_MS = 500,     /* it may be loading, or somebody may be repairing it */
    SCRIPT_BYTES_MAX = 64 << 10,
    ARGUMENTS_MAX = 10,
    ARGUMENTS_ALL_MAX = 3 + SHARD_SCRIPT_KEYS + ARGUMENTS_MAX, /* with a script and its keys */
};

/* --- the questions --- */

/* Arguments that are known when the question is put. */
static const char REPLICAS[] = "(replicas demanded)";
static const char COUNT[] = "(of the shards)";
static const char ENVIRONMENT[] = "(that of this process)";
static const char OLD_COUNT[] = "(the old key of the count)";
static const char WRITES[] = "(or looked at)";
static const char NO_HASH[] = "0000000000000000000000000000000000000000";
static const char key_places[SHARD_KEY_COUNT];
#define KEY(key) (&key_places[key])

enum { PLAIN = SCRIPT_COUNT_ALL }; /* no script, but a command */

/* clang-format off */
static const struct {
    enum durability_level least; /* asked when the demand is this or more */
    unsigned script;             /* run whole */
    enum shard_key keys;         /* the first of the script's KEYS */
    const char *arguments[ARGUMENTS_MAX];
    size_t arguments_count;
    void (*take)(struct inspection *inspection, const struct redis_reply *reply);
} questions[] = {
    {DURABILITY_ANY, PLAIN, 0, {"INFO"}, 1, inspection_take_info},
    {DURABILITY_ANY, PLAIN, 0, {"CONFIG", "GET", "*appendfsync*"}, 3, inspection_take_settings},
    /* What the user may not do shows here and not with the first event: each command, then real scripts with real keys, then
       those that change something with keys of their own. */
    {DURABILITY_ANY, SCRIPT_TRIAL, SHARD_APPLICATION, {KEY(SHARD_TRIAL)}, 1, inspection_take_trial},
    {DURABILITY_ANY, PLAIN, 0, {"EVALSHA", NO_HASH, "0"}, 3, inspection_take_unknown_script},
    {DURABILITY_ANY, SCRIPT_CENSUS, SHARD_APPLICATION, {NULL}, 0, inspection_take_probe},
    {DURABILITY_ANY, SCRIPT_LAYOUT, SHARD_APPLICATION,
     {KEY(SHARD_LAYOUT), KEY(SHARD_SHARDS), KEY(SHARD_ENVIRONMENT), SHARD_LAYOUT_NUMBER, COUNT, ENVIRONMENT, OLD_COUNT, WRITES}, 8,
     inspection_take_layout},
    {DURABILITY_ANY, SCRIPT_ACCEPT, SHARD_TRIAL_KEYS, 
     {"0", "1000", "", "1", "0", "0", SHARD_TRIAL_ID, "token", "event", ""}, 10, inspection_take_tried},
    {DURABILITY_ANY, SCRIPT_CLAIM, SHARD_TRIAL_KEYS,
     {"1", "1000", "1000", KEY(SHARD_TRIAL_CLAIM), "1", "0", "9999999999999"}, 7, inspection_take_tried},
    {DURABILITY_ANY, SCRIPT_SETTLE, SHARD_TRIAL_KEYS,
     {"1000", SHARD_TRIAL_ID, "-------", "release" " 0" " -" " 0" " 0" " "}, 4, inspection_take_tried},
    {DURABILITY_ANY, SCRIPT_FORGET, SHARD_TRIAL_KEYS, {SHARD_TRIAL_ID}, 1, inspection_take_tried},
    {DURABILITY_ANY, PLAIN, 0,
     {"DEL", KEY(SHARD_TRIAL_APPLICATION), KEY(SHARD_TRIAL_KEYS + SHARD_DUE), KEY(SHARD_TRIAL_KEYS + SHARD_DEAD),
      KEY(SHARD_TRIAL_CLAIM)}, 5, inspection_take_nothing},
    /* A confirmation as it will be behind each write, with less patience: one that syncs its file each second is not to
       look by chance as if it did so at once. */
    {DURABILITY_FSYNC, PLAIN, 0, {"SET", KEY(SHARD_MARK), "1", "NX", "PX", CONFIRMATION_MARK_LIFE_MS}, 6, inspection_take_nothing},
    {DURABILITY_FSYNC, PLAIN, 0, {"PEXPIRE", KEY(SHARD_MARK), CONFIRMATION_MARK_LIFE_MS}, 3, inspection_take_marked},
    {DURABILITY_REPLICAS, PLAIN, 0, {"WAIT", REPLICAS, "500"}, 3, inspection_take_received},
    {DURABILITY_FSYNC, PLAIN, 0, {"WAITAOF", "1", REPLICAS, "50"}, 4, inspection_take_synced},
    /* And with all of it, once for each connection: one that leaves syncing to its system never does. */
    {DURABILITY_FSYNC, PLAIN, 0, {"WAITAOF", "1", "0", CONFIRMATION_SYNC_MS}, 4, inspection_take_synced_in_time},
};
/* clang-format on */
enum { QUESTIONS_COUNT = sizeof questions / sizeof questions[0] };
/* Behind the questions the scripts are loaded; then, for each shard but the first, its layout is
 * asked for, and its mark is written. */
enum { OF_THE_REST = QUESTIONS_COUNT + SCRIPT_COUNT_ALL };
_Static_assert(OF_THE_REST + 2 * SHARD_COUNT_MAX <= INSPECTION_QUESTIONS_MAX,
               "room for all answers");

static void ask_of_the_rest(struct inspection *inspection);

static bool is_all_well(const struct inspection *inspection)
{
    const struct preflight_facts *facts = &inspection->facts;
    return preflight_knows_layout(facts) && facts->refusal[0] == '\0' &&
           facts->write_refusal[0] == '\0' && !facts->is_moving && !inspection->is_rest_moving &&
           !inspection->is_own_changed;
}

static void answered(void *context, enum redis_failure lost, const struct redis_reply *reply)
{
    const struct inspection_answer *answer = context;
    struct inspection *inspection = answer->inspection;
    assert(inspection->awaited > 0 && answer->question < INSPECTION_QUESTIONS_MAX);
    unsigned of_the_rest = answer->question - OF_THE_REST;
    if (lost == REDIS_LOST)
        inspection->is_interrupted = true;
    else if (answer->question < QUESTIONS_COUNT)
        questions[answer->question].take(inspection, reply);
    else if (answer->question < OF_THE_REST)
        inspection_take_hash(inspection, answer->question - QUESTIONS_COUNT, reply);
    else if (of_the_rest % 2 == 0) /* else that of its mark, of which the first shard tells */
        inspection_take_layout_of(inspection, &inspection->shards[of_the_rest / 2], reply);
    if (--inspection->awaited > 0 || inspection->is_interrupted) /* of which link.c is told */
        return;
    if (!inspection->is_of_the_rest)
        ask_of_the_rest(inspection);
    if (inspection->awaited > 0 || inspection->is_interrupted)
        return;
    inspection->is_rest_known = is_all_well(inspection);
    if (!preflight_is_foreign(&inspection->facts)) /* else the next shard would get our mark */
        inspection->rounds++;
    inspection->finished(inspection->context);
}

static bool send_question(struct inspection *inspection, unsigned question, size_t count,
                          const char *const arguments[], struct error *error)
{
    assert(question < INSPECTION_QUESTIONS_MAX && count <= ARGUMENTS_ALL_MAX);
    size_t lengths[ARGUMENTS_ALL_MAX];
    for (size_t i = 0; i < count; i++)
        lengths[i] = strlen(arguments[i]);
    struct inspection_answer *answer = &inspection->answers[question];
    *answer = (struct inspection_answer){.inspection = inspection, .question = question};
    if (!redis_client_send(inspection->client, count, arguments, lengths, answered, answer, error))
        return false;
    inspection->awaited++;
    return true;
}

/* Scripts are loaded once per connection, behind which another Redis may be. One that is flushed
 * later is brought along by the next call (script_call.c). */
static bool load(struct inspection *inspection, enum script script, struct buffer *text,
                 struct error *error)
{
    assert(script < SCRIPT_COUNT_ALL);
    bool is_needed =
        script < SCRIPT_COUNT || (script == SCRIPT_LAYOUT && inspection->own_count > 1);
    return !is_needed || inspection->hashes[script][0] != '\0' ||
           (script_write(script, text, error) &&
            send_question(inspection, QUESTIONS_COUNT + script, 3,
                          (const char *[]){"SCRIPT", "LOAD", text->bytes}, error));
}

static const char keys_count[] = "4";
_Static_assert(SHARD_SCRIPT_KEYS == 4, "as Redis gets them");

/* What a placeholder stands for; anything else stands for itself. */
static const char *known(const struct inspection *inspection, const char *argument)
{
    uintptr_t place = (uintptr_t)argument - (uintptr_t)key_places;
    if (place < SHARD_KEY_COUNT)
        return inspection_first_shard(inspection)->keys[place];
    if (argument == ENVIRONMENT)
        return inspection->environment != NULL ? inspection->environment : "";
    if (argument == OLD_COUNT)
        return inspection_first_shard(inspection)->old_count_key;
    if (argument == COUNT)
        return inspection->facts.shards_wanted;
    if (argument == WRITES)
        return inspection->is_visitor ? "0" : "1";
    return argument == REPLICAS ? confirmation_count_text(inspection->demand.replicas) : argument;
}

static bool is_asked(const struct inspection *inspection, unsigned question)
{
    bool is_once = questions[question].take == inspection_take_synced_in_time;
    return inspection->demand.level >= questions[question].least &&
           !(is_once && inspection->facts.syncs_in_time);
}

static bool ask(struct inspection *inspection, unsigned question, struct buffer *text,
                struct error *error)
{
    assert(question < QUESTIONS_COUNT);
    const char *arguments[ARGUMENTS_ALL_MAX];
    size_t count = 0;
    unsigned script = questions[question].script;
    if (!is_asked(inspection, question))
        return true;
    if (script != PLAIN) {
        if (!script_write(script, text, error))
            return false;
        arguments[count++] = "EVAL";
        arguments[count++] = text->bytes;
        arguments[count++] = keys_count;
        for (size_t key = 0; key < SHARD_SCRIPT_KEYS; key++)
            arguments[count++] =
                inspection_first_shard(inspection)->keys[questions[question].keys + key];
    }
    for (size_t i = 0; i < questions[question].arguments_count; i++)
        arguments[count++] = known(inspection, questions[question].arguments[i]);
    return send_question(inspection, question, count, arguments, error);
}

static bool ask_of_shard(struct inspection *inspection, const struct shard *shard,
                         struct error *error)
{
    const char *environment = inspection->environment != NULL ? inspection->environment : "";
    const char *const layout[] = {"EVALSHA",
                                  inspection->hashes[SCRIPT_LAYOUT],
                                  keys_count,
                                  shard->keys[0],
                                  shard->keys[1],
                                  shard->keys[2],
                                  shard->keys[3],
                                  shard->keys[SHARD_LAYOUT],
                                  shard->keys[SHARD_SHARDS],
                                  shard->keys[SHARD_ENVIRONMENT],
                                  SHARD_LAYOUT_NUMBER,
                                  inspection->facts.shards_wanted,
                                  environment,
                                  shard->old_count_key,
                                  inspection->is_visitor ? "0" : "1"};
    const char *const mark[] = {"SET", shard->keys[SHARD_MARK],  "1", "NX",
                                "PX",  CONFIRMATION_MARK_LIFE_MS};
    unsigned question = OF_THE_REST + 2 * shard->number;
    return send_question(inspection, question, sizeof layout / sizeof layout[0], layout, error) &&
           (inspection->demand.level < DURABILITY_FSYNC ||
            send_question(inspection, question + 1, sizeof mark / sizeof mark[0], mark, error));
}

/* Once for each connection, when the first shard's is known: who comes first with another number of
 * shards, or another environment, is to leave no mark in the others. */
static void ask_of_the_rest(struct inspection *inspection)
{
    struct error error;
    inspection->is_of_the_rest = true;
    if (inspection->is_rest_known || !preflight_knows_layout(&inspection->facts) ||
        inspection->hashes[SCRIPT_LAYOUT][0] == '\0')
        return; /* with one shard, too */
    for (size_t i = 0; i < inspection->own_count; i++)
        if (inspection->own[i] != inspection->tried &&
            !ask_of_shard(inspection, &inspection->shards[inspection->own[i]], &error)) {
            inspection->is_interrupted = true;
            return;
        }
}

void inspection_start_anew(struct inspection *inspection, int64_t now_ms)
{
    memset(inspection->hashes, 0, sizeof inspection->hashes);
    inspection->facts.syncs_in_time = false;
    inspection->is_rest_known = false;
    inspection_start(inspection, now_ms);
}

void inspection_start(struct inspection *inspection, int64_t now_ms)
{
    if (inspection->awaited > 0 || inspection->own_count == 0)
        return;
    inspection->tried = inspection->own[inspection->rounds % inspection->own_count];
    inspection->is_interrupted = false;
    inspection->next_at_ms = now_ms + INTERVAL_UNFIT_MS; /* if this one comes to nothing */
    inspection->is_of_the_rest = false;
    inspection->is_rest_moving = false;
    inspection->is_own_changed = false;
    inspection->facts = (struct preflight_facts){.syncs_in_time = inspection->facts.syncs_in_time};
    inspection->facts.is_cluster_wanted = inspection->is_of_cluster;
    (void)snprintf(inspection->facts.shards_wanted, sizeof inspection->facts.shards_wanted, "%u",
                   inspection->shard_count);
    struct buffer text;
    buffer_init(&text, SCRIPT_BYTES_MAX);
    struct error error;
    for (unsigned i = 0; i < QUESTIONS_COUNT + SCRIPT_COUNT_ALL; i++) {
        buffer_clear(&text);
        if (!(i < QUESTIONS_COUNT ? ask(inspection, i, &text, &error)
                                  : load(inspection, i - QUESTIONS_COUNT, &text, &error))) {
            inspection->is_interrupted = true;
            break;
        }
        redis_client_flush(inspection->client); /* or all scripts together would need 256 KiB */
    }
    assert(inspection->is_interrupted || inspection->awaited > 0);
    buffer_fini(&text);
}

void inspection_plan(struct inspection *inspection, bool is_well, int64_t now_ms)
{
    int64_t ready_ms = inspection->is_of_cluster ? INTERVAL_OF_MANY_MS : INTERVAL_READY_MS;
    bool is_over = is_well && inspection->is_rest_known;
    inspection->next_at_ms = now_ms + (is_over ? ready_ms : INTERVAL_UNFIT_MS);
}

int64_t inspection_timeout_ms(const struct inspection *inspection, int64_t now_ms)
{
    if (inspection->awaited > 0 || inspection->own_count == 0 ||
        !redis_client_is_open(inspection->client))
        return -1;
    return inspection->next_at_ms > now_ms ? inspection->next_at_ms - now_ms : 0;
}
