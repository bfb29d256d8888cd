/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * WAIT and WAITAOF wait for the last write *of their connection*. A script that finds nothing to
 * change (a duplicate) writes nothing, and what it found may come from a connection whose own WAIT
 * fell short. So a write of ours stands in front: the life of the mark is extended. Why that one:
 * it always changes something, costs the same however often it is done, and is taken at maxmemory.
 *
 * WAIT stands in front of WAITAOF, although WAITAOF waits for the replicas too: a replica reports
 * what it has synced when it is asked, before it syncs what came with the question, and then only
 * once a second. After WAIT it has synced what it received, and says so at once.
 */
#include "service/store/confirmation.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>

#include "service/store/durability.h"
#include "service/store/refusal.h"

#define WAIT_MS "1000"

static const char *const counts[DURABILITY_REPLICAS_MAX + 1] = {
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16"};

const char *confirmation_count_text(unsigned replicas)
{
    assert(replicas <= DURABILITY_REPLICAS_MAX);
    return counts[replicas];
}

bool confirmation_is_needed(const struct confirmation *confirmation)
{
    assert(confirmation->synced <= confirmation->received);
    return confirmation->is_synced || confirmation->received > 0;
}

void confirmation_raise(struct confirmation *confirmation, const struct confirmation *other)
{
    confirmation->is_synced |= other->is_synced;
    if (confirmation->received < other->received)
        confirmation->received = other->received;
    if (confirmation->synced < other->synced)
        confirmation->synced = other->synced;
}

size_t confirmation_steps(const struct confirmation *confirmation,
                          struct confirmation_step out[CONFIRMATION_STEPS_MAX])
{
    assert(confirmation->synced <= confirmation->received);
    size_t count = 0;
    if (confirmation->received > 0)
        out[count++] = (struct confirmation_step){
            CONFIRM_RECEIVED,
            {"WAIT", confirmation_count_text(confirmation->received), WAIT_MS},
            3};
    if (confirmation->is_synced || confirmation->synced > 0)
        out[count++] = (struct confirmation_step){
            CONFIRM_SYNCED,
            {"WAITAOF", "1", confirmation_count_text(confirmation->synced), CONFIRMATION_SYNC_MS},
            4};
    assert(count <= CONFIRMATION_STEPS_MAX);
    return count;
}

/* --- the answers --- */

/* An error is a reason of its own. */
static bool is_error(const struct redis_reply *reply, char *reason, size_t bytes)
{
    if (redis_reply_type(reply) != REDIS_TYPE_ERROR)
        return false;
    refusal_describe(redis_reply_text(reply, NULL), reason, bytes);
    return true;
}

bool confirmation_is_marked(const char *mark, const struct redis_reply *reply, char *reason,
                            size_t reason_bytes)
{
    if (is_error(reply, reason, reason_bytes))
        return false;
    if (redis_reply_integer(reply) == 1)
        return true;
    (void)snprintf(reason, reason_bytes, "the key %s was deleted from Redis", mark);
    return false;
}

static bool is_received(const struct confirmation *confirmation, const struct redis_reply *reply,
                        char *reason, size_t bytes)
{
    int64_t count = redis_reply_integer(reply);
    if (count >= confirmation->received)
        return true;
    (void)snprintf(reason, bytes,
                   "%lld of the %u replicas demanded have acknowledged within " WAIT_MS " ms",
                   (long long)count, confirmation->received);
    return false;
}

static bool is_synced(const struct confirmation *confirmation, const struct redis_reply *reply,
                      char *reason, size_t bytes)
{
    bool is_known = redis_reply_length(reply) == 2;
    int64_t here = is_known ? redis_reply_integer(redis_reply_item(reply, 0)) : 0;
    int64_t there = is_known ? redis_reply_integer(redis_reply_item(reply, 1)) : 0;
    if (here >= 1 && there >= confirmation->synced)
        return true;
    if (here < 1)
        (void)snprintf(reason, bytes,
                       "Redis has not synced its file within " CONFIRMATION_SYNC_MS " ms");
    else
        (void)snprintf(
            reason, bytes,
            "%lld of the %u replicas demanded have synced their files within " CONFIRMATION_SYNC_MS
            " ms",
            (long long)there, confirmation->synced);
    return false;
}

bool confirmation_is_given(const struct confirmation *confirmation,
                           enum confirmation_question question, const struct redis_reply *reply,
                           char *reason, size_t reason_bytes)
{
    if (is_error(reply, reason, reason_bytes))
        return false;
    switch (question) {
    case CONFIRM_RECEIVED:
        return is_received(confirmation, reply, reason, reason_bytes);
    case CONFIRM_SYNCED:
        return is_synced(confirmation, reply, reason, reason_bytes);
    }
    return false;
}
