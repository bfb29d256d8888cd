/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "service/command/mover_internal.h"

void mover_note_trouble(const struct mover *mover, struct trouble *trouble, const char *where,
                        const char *detail)
{
    if (trouble->what[0] == '\0')
        trouble->since_ms = mover->now_ms;
    (void)snprintf(trouble->what, sizeof trouble->what, "%s: %s", where, detail);
}

void mover_note_failure(struct mover *mover, struct trouble *trouble, const char *where,
                        const struct store_failure *failure)
{
    if (failure->is_forbidden)
        mover_fail(mover, "%s: %s; a move needs +scan +dbsize at --from as well", where,
                   failure->detail);
    else
        mover_note_trouble(mover, trouble, where, failure->detail);
}

void mover_end_trouble(struct trouble *trouble)
{
    trouble->what[0] = '\0';
}

/* NULL: there is none. */
static const struct trouble *longest_trouble(const struct mover *mover)
{
    const struct trouble *longest = mover->trouble.what[0] != '\0' ? &mover->trouble : NULL;
    for (unsigned i = 0; i < mover->lane_count; i++) {
        const struct trouble *one = &mover->lanes[i].trouble;
        if (one->what[0] != '\0' && (longest == NULL || one->since_ms < longest->since_ms))
            longest = one;
    }
    return longest;
}

int64_t mover_troubled_ms(const struct mover *mover, int64_t now_ms)
{
    const struct trouble *trouble = longest_trouble(mover);
    return trouble != NULL ? now_ms - trouble->since_ms : 0;
}

const char *mover_problem(const struct mover *mover)
{
    const struct trouble *trouble = longest_trouble(mover);
    return mover->has_failed ? mover->problem : trouble != NULL ? trouble->what : "";
}

bool mover_has_paused(const struct mover *mover)
{
    return mover->phase >= PHASE_CLOSE;
}

void mover_fail(struct mover *mover, const char *format, ...)
{
    if (mover->has_failed)
        return;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(mover->problem, sizeof mover->problem, format, arguments);
    va_end(arguments);
    mover->has_failed = true;
}

/* The first ones by name: of many, one is enough to look for. */
void mover_note_blocked(struct mover *mover, const char *ids)
{
    while (*ids != '\0') {
        size_t length = strcspn(ids, "\n"), end = strlen(mover->blocked);
        if (end + length + sizeof ", " <= sizeof mover->blocked)
            (void)snprintf(mover->blocked + end, sizeof mover->blocked - end, "%s%.*s",
                           end > 0 ? ", " : "", (int)length, ids);
        mover->blocked_count++;
        ids += length + (ids[length] == '\n');
    }
}

const char *mover_blocked(const struct mover *mover, unsigned *out_count)
{
    *out_count = mover->blocked_count;
    return mover->blocked;
}

void mover_refuse(struct mover *mover, const char *where, enum move_outcome outcome)
{
    switch (outcome) {
    case MOVE_FINE:
    case MOVE_OVERTAKEN:
    case MOVE_FOREIGN_KEYS:
        assert(outcome == MOVE_NOTHING_HERE); /* these are nothing against it */
        break;
    case MOVE_NOTHING_HERE:
        mover_fail(mover,
                   "%s: there is no data of this version: check the URL, the prefix and the "
                   "shards, or start a service of this version there once",
                   where);
        break;
    case MOVE_SAME:
        mover_fail(mover, "--from and --to are the same Redis, under the same prefix");
        break;
    case MOVE_BUSY:
        mover_fail(mover,
                   "%s: an earlier move from there to another Redis is not finished: run that move "
                   "again first, or give it up with --abandon",
                   where);
        break;
    }
}
