/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "service/command/mover_internal.h"

void mover_note_problem(struct mover *mover, const char *where, const char *detail)
{
    if (!mover->has_failed)
        (void)snprintf(mover->problem, sizeof mover->problem, "%s: %s", where, detail);
}

void mover_note_progress(struct mover *mover)
{
    mover->progressed_at_ms = mover->now_ms;
    if (!mover->has_failed)
        mover->problem[0] = '\0';
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

void mover_refuse(struct mover *mover, const char *where, enum move_outcome outcome,
                  const char *what)
{
    switch (outcome) {
    case MOVE_FINE:
    case MOVE_OVERTAKEN:
        assert(outcome != MOVE_FINE && outcome != MOVE_OVERTAKEN);
        break;
    case MOVE_NOTHING_HERE:
        mover_fail(mover,
                   "%s: nothing of this version's is kept there: look at the URL, the prefix "
                   "and the shards; or start a service of this version on it once",
                   where);
        break;
    case MOVE_SAME:
        mover_fail(mover, "--from and --to are the same Redis, under the same prefix");
        break;
    case MOVE_BUSY:
        mover_fail(mover,
                   "%s: a move from there to another Redis was not brought to its end: run that "
                   "one again first, or give it up with --abandon",
                   where);
        break;
    case MOVE_FOREIGN_KEY:
        mover_fail(mover,
                   "%s: the key of application %s holds something else: delete or rename that "
                   "key, and run the move again",
                   where, what);
        break;
    }
}
