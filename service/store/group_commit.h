/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One confirmation for all acknowledged writes that are under way on a connection. While it is
 * open, others may leave, and gather for the next one.
 *
 * Owns:    nothing; a member is its caller's, who keeps it until it was told or has left.
 * Threads: one, the connection's.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <sys/queue.h>

#include "lib/net/redis_client.h"

#include "service/store/confirmation.h"

struct group_member;
TAILQ_HEAD(group_members, group_member);

struct group_member { /* all zero but the last two, at first */
    TAILQ_ENTRY(group_member) members;
    struct group_members *waits_in; /* NULL: for nothing */
    /* Once for each join, unless it leaves. `reason`: a sentence that says why it is not confirmed,
     * though it may be stored all the same; NULL: it is confirmed. */
    void (*confirmed)(void *context, const char *reason);
    void *context;
};

struct group_commit {
    struct redis_client *client; /* borrowed */
    /* Redis gave less than was asked of it, and a new connection may find it otherwise. */
    void (*fell_short)(void *context, const char *reason);
    void *context;
    struct group_members gathering; /* written, and nothing is asked behind them yet */
    struct confirmation wanted;     /* by those */
    struct group_members asked;     /* written before the open questions */
    struct confirmation confirmation;
    unsigned answers_open;
};

void group_commit_init(struct group_commit *group, struct redis_client *client,
                       void (*fell_short)(void *context, const char *reason), void *context);
void group_commit_fini(struct group_commit *group); /* after the connection: nobody is confirmed */

/* Its write, and that of a mark, were just sent on the connection. */
void group_commit_join(struct group_commit *group, struct group_member *member,
                       const struct confirmation *wanted);
/* Whether it was still waiting. */
bool group_commit_leave(struct group_member *member);

/* Whether somebody waits to be asked for: before the next poll. */
bool group_commit_is_due(const struct group_commit *group);
/* Asks for those who gather, unless a confirmation is open. Before the connection writes, so that
 * the questions go with the writes. */
void group_commit_ask(struct group_commit *group);
