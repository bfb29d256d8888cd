/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * While a connection waits by WAIT or WAITAOF, Redis serves nothing else on it: up to a second
 * where the file is synced once a second. If each write had a wait of its own, those of a few
 * writes that come together would outlast the time-out for an answer. So one wait is open at a
 * time, and covers all that was written before it:
 *
 *     sent       A a W          B b   C c               W                    D d
 *                    for A      gather behind it        for B and C          gathers
 *     Redis      A a ───── waits ─────┐ B b C c         ───── waits ─────┐ D d
 *     told                            A                                  B, C
 *
 *     A  a script      a  its mark (confirmation.c)      W  WAIT, WAITAOF, or both
 *
 * A script behind an open wait is answered when that ends, and the next wait is counted from when
 * it is sent: no answer is awaited for longer than one wait takes. A write that finds no wait open
 * is not delayed, since W goes in its packet, with all others of that turn of the loop.
 *
 * A write that Redis refused, or whose script it does not know, leaves. When all have left, a wait
 * that falls short says nothing of the node.
 */
#include "service/store/group_commit.h"

#include <assert.h>
#include <stdio.h>

#include "lib/base/error.h"

#include "service/store/reply.h"

enum { REASON_BYTES = ERROR_MESSAGE_BYTES };

static void tell_all(struct group_members *members, const char *reason)
{
    struct group_member *member;
    while ((member = TAILQ_FIRST(members)) != NULL) {
        (void)group_commit_leave(member);
        member->confirmed(member->context, reason);
    }
}

/* --- the answers --- */

/* What gathers meanwhile is lost with the connection, too. */
static void lose(struct group_commit *group)
{
    tell_all(&group->asked, reply_lost);
    tell_all(&group->gathering, reply_lost);
}

static void fall_short(struct group_commit *group, const struct redis_reply *reply,
                       const char *reason)
{
    if (!reply_is_passing(reply))
        group->fell_short(group->context, reason);
    tell_all(&group->asked, reason);
}

static void take(struct group_commit *group, enum confirmation_question question,
                 enum redis_failure lost, const struct redis_reply *reply)
{
    char reason[REASON_BYTES];
    assert(group->answers_open > 0);
    group->answers_open--;
    if (lost == REDIS_LOST)
        lose(group);
    else if (!TAILQ_EMPTY(&group->asked) &&
             !confirmation_is_given(&group->confirmation, question, reply, reason, sizeof reason))
        fall_short(group, reply, reason);
    if (group->answers_open == 0)
        tell_all(&group->asked, NULL);
}

static void received(void *context, enum redis_failure lost, const struct redis_reply *reply)
{
    take(context, CONFIRM_RECEIVED, lost, reply);
}

static void synced(void *context, enum redis_failure lost, const struct redis_reply *reply)
{
    take(context, CONFIRM_SYNCED, lost, reply);
}

/* --- the questions --- */

static bool send_questions(struct group_commit *group, struct error *error)
{
    static const redis_done takers[] = {[CONFIRM_RECEIVED] = received, [CONFIRM_SYNCED] = synced};
    struct confirmation_step steps[CONFIRMATION_STEPS_MAX];
    size_t count = confirmation_steps(&group->confirmation, steps);
    assert(count > 0 && count <= CONFIRMATION_STEPS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (!redis_client_send(group->client, steps[i].argument_count, steps[i].arguments, NULL,
                               takers[steps[i].question], group, error))
            return false;
        group->answers_open++;
    }
    return true;
}

bool group_commit_is_due(const struct group_commit *group)
{
    return group->answers_open == 0 && !TAILQ_EMPTY(&group->gathering);
}

/* NOLINTNEXTLINE(readability-function-size): TAILQ_CONCAT nests by itself */
static void take_in(struct group_commit *group)
{
    struct group_member *member;
    TAILQ_FOREACH(member, &group->gathering, members)
    member->waits_in = &group->asked;
    TAILQ_CONCAT(&group->asked, &group->gathering, members);
    group->confirmation = group->wanted;
    group->wanted = (struct confirmation){0};
}

void group_commit_ask(struct group_commit *group)
{
    struct error error;
    if (!group_commit_is_due(group))
        return;
    assert(TAILQ_EMPTY(&group->asked));
    take_in(group);
    if (!send_questions(group, &error))
        tell_all(&group->asked, error.message); /* what they wrote cannot be called back */
}

/* --- who waits --- */

void group_commit_join(struct group_commit *group, struct group_member *member,
                       const struct confirmation *wanted)
{
    assert(member->waits_in == NULL && confirmation_is_needed(wanted));
    confirmation_raise(&group->wanted, wanted);
    TAILQ_INSERT_TAIL(&group->gathering, member, members);
    member->waits_in = &group->gathering;
}

bool group_commit_leave(struct group_member *member)
{
    if (member->waits_in == NULL)
        return false;
    TAILQ_REMOVE(member->waits_in, member, members);
    member->waits_in = NULL;
    return true;
}

void group_commit_init(struct group_commit *group, struct redis_client *client,
                       void (*fell_short)(void *context, const char *reason), void *context)
{
    *group = (struct group_commit){.client = client, .fell_short = fell_short, .context = context};
    TAILQ_INIT(&group->gathering);
    TAILQ_INIT(&group->asked);
}

void group_commit_fini(struct group_commit *group)
{
    assert(group->answers_open == 0 && TAILQ_EMPTY(&group->asked));
    tell_all(&group->gathering, reply_lost);
}
