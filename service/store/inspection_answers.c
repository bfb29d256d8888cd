/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/inspection_answers.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"

#include "service/store/confirmation.h"
#include "service/store/refusal.h"
#include "service/store/reply.h"

const struct shard *inspection_first_shard(const struct inspection *inspection)
{
    assert(inspection->tried < inspection->shard_count);
    return &inspection->shards[inspection->tried];
}

/* A slot that moves, or has moved, says nothing of the server. The shard that all is tried with has
 * to say something; each of the others is only missed itself. */
static void note_moving(struct inspection *inspection)
{
    if (inspection->is_of_the_rest)
        inspection->is_rest_moving = true;
    else
        inspection->facts.is_moving = true;
}

static void refuse(struct inspection *inspection, const char *answer)
{
    struct preflight_facts *facts = &inspection->facts;
    if (refusal_of(answer)->is_passing)
        note_moving(inspection);
    else if (facts->refusal[0] == '\0')
        refusal_describe(answer, facts->refusal, sizeof facts->refusal);
}

static void refuse_writes(struct inspection *inspection, const char *answer)
{
    struct preflight_facts *facts = &inspection->facts;
    if (refusal_of(answer)->is_passing)
        note_moving(inspection);
    else if (facts->write_refusal[0] == '\0')
        refusal_describe(answer, facts->write_refusal, sizeof facts->write_refusal);
}

/* Cut where it is longer. */
static void copy(char *out, size_t out_bytes, const char *text)
{
    (void)snprintf(out, out_bytes, "%.*s", (int)out_bytes - 1, text);
}

/* --- the answers --- */

static bool is_error(const struct redis_reply *reply)
{
    return redis_reply_type(reply) == REDIS_TYPE_ERROR;
}

void inspection_take_info(struct inspection *inspection, const struct redis_reply *reply)
{
    inspection->facts.clock_read_at_ms = clock_monotonic_ms();
    if (is_error(reply))
        refuse(inspection, redis_reply_text(reply, NULL));
    else
        preflight_read_info(redis_reply_text(reply, NULL), &inspection->facts);
    if (inspection->facts.clock_us > 0)
        inspection->facts.clock_ahead_ms = inspection->facts.clock_us / 1000 - clock_wall_ms();
}

/* Forbidden by most managed Redis: what is not known is not promised. */
void inspection_take_settings(struct inspection *inspection, const struct redis_reply *reply)
{
    inspection->facts.is_config_hidden = is_error(reply);
    for (size_t i = 0; i + 1 < redis_reply_length(reply); i += 2)
        preflight_read_setting(redis_reply_text(redis_reply_item(reply, i), NULL),
                               redis_reply_text(redis_reply_item(reply, i + 1), NULL),
                               &inspection->facts);
}

void inspection_take_probe(struct inspection *inspection, const struct redis_reply *reply)
{
    if (is_error(reply))
        refuse(inspection, redis_reply_text(reply, NULL));
}

static const char odd_answer[] = "something that the script does not return";

/* A script of the work itself. */
void inspection_take_tried(struct inspection *inspection, const struct redis_reply *reply)
{
    if (!is_error(reply))
        return;
    const char *answer = redis_reply_text(reply, NULL);
    if (refusal_of(answer)->is_of_writes)
        refuse_writes(inspection, answer);
    else
        refuse(inspection, answer);
}

void inspection_take_unknown_script(struct inspection *inspection, const struct redis_reply *reply)
{
    if (is_error(reply) && !refusal_is_unknown_script(redis_reply_text(reply, NULL)))
        inspection_take_tried(inspection, reply);
}

void inspection_take_trial(struct inspection *inspection, const struct redis_reply *reply)
{
    struct preflight_facts *facts = &inspection->facts;
    if (is_error(reply)) {
        inspection_take_tried(inspection, reply);
        return;
    }
    if (!reply_is_array_of(reply, 2)) {
        refuse(inspection, odd_answer);
        return;
    }
    const char *commands = reply_text_at(reply, 0), *of_keys = reply_text_at(reply, 1);
    if (commands[0] != '\0' && facts->refusal[0] == '\0')
        refusal_describe_commands(commands, strlen(commands), facts->refusal,
                                  sizeof facts->refusal);
    else if (of_keys[0] != '\0')
        refuse(inspection, of_keys);
}

static void take_environment(struct inspection *inspection, const struct shard *shard,
                             const char *stored)
{
    struct preflight_facts *facts = &inspection->facts;
    const char *own = inspection->environment;
    if (own == NULL || stored[0] == '\0' || strcmp(stored, own) == 0)
        return;
    copy(facts->environment, sizeof facts->environment, own);
    copy(facts->stored_environment, sizeof facts->stored_environment, stored);
    facts->environment_key = shard->keys[SHARD_ENVIRONMENT];
}

/* Of several shards that do not fit the first one counts. */
void inspection_take_layout_of(struct inspection *inspection, const struct shard *shard,
                               const struct redis_reply *reply)
{
    struct preflight_facts *facts = &inspection->facts;
    if (is_error(reply)) {
        inspection_take_tried(inspection, reply);
        if (reply_is_passing(reply))
            inspection->looked_at(inspection->context, shard->number, true);
        return;
    }
    if (!reply_is_array_of(reply, 4)) {
        refuse(inspection, odd_answer);
        return;
    }
    inspection->looked_at(inspection->context, shard->number, false);
    if (inspection->is_of_the_rest && !preflight_knows_layout(facts))
        return;
    copy(facts->layout, sizeof facts->layout, reply_text_at(reply, 0));
    copy(facts->shards, sizeof facts->shards, reply_text_at(reply, 1));
    take_environment(inspection, shard, reply_text_at(reply, 2));
    if (reply_text_at(reply, 3)[0] != '\0')
        refuse_writes(inspection, reply_text_at(reply, 3));
}

void inspection_take_layout(struct inspection *inspection, const struct redis_reply *reply)
{
    inspection_take_layout_of(inspection, inspection_first_shard(inspection), reply);
}

void inspection_take_nothing(struct inspection *inspection, const struct redis_reply *reply)
{
    (void)inspection;
    (void)reply; /* what is wrong shows in the answer to the next question */
}

void inspection_take_marked(struct inspection *inspection, const struct redis_reply *reply)
{
    if (reply_is_passing(reply)) {
        note_moving(inspection);
        return;
    }
    (void)confirmation_is_marked(inspection_first_shard(inspection)->keys[SHARD_MARK], reply,
                                 inspection->facts.confirmation_refusal,
                                 sizeof inspection->facts.confirmation_refusal);
}

void inspection_take_received(struct inspection *inspection, const struct redis_reply *reply)
{
    assert(inspection->demand.level >= DURABILITY_REPLICAS); /* else nobody asked */
    if (is_error(reply))
        refusal_describe(redis_reply_text(reply, NULL), inspection->facts.confirmation_refusal,
                         sizeof inspection->facts.confirmation_refusal);
    else
        inspection->facts.replicas_received = (unsigned)redis_reply_integer(reply);
}

/* An error is how a Redis before 7.2 answers, or one without an append-only file. */
void inspection_take_synced(struct inspection *inspection, const struct redis_reply *reply)
{
    assert(inspection->demand.level >= DURABILITY_FSYNC); /* else nobody asked */
    inspection->facts.has_waitaof = reply_is_array_of(reply, 2);
    if (inspection->facts.has_waitaof)
        inspection->facts.replicas_synced = (unsigned)reply_number_at(reply, 1);
}

void inspection_take_synced_in_time(struct inspection *inspection, const struct redis_reply *reply)
{
    inspection->facts.syncs_in_time = reply_is_array_of(reply, 2) && reply_number_at(reply, 0) >= 1;
}

void inspection_take_hash(struct inspection *inspection, enum script script,
                          const struct redis_reply *reply)
{
    assert(script < SCRIPT_COUNT_ALL);
    if (is_error(reply))
        refuse(inspection, redis_reply_text(reply, NULL));
    else
        (void)snprintf(inspection->hashes[script], sizeof inspection->hashes[script], "%s",
                       redis_reply_text(reply, NULL));
}
