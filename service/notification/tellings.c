/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/notification/tellings.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static bool is_any(const struct told *told)
{
    return told->id[0] != '\0';
}

static void forget(struct told *told)
{
    told->id[0] = '\0';
}

static struct told of(const struct store_notification *next)
{
    const struct application *dead = &next->dead.application;
    struct told told = {.is_dead = next->change.to == SENDING_UNKNOWN,
                        .place_ms = next->place.at_ms,
                        .died_at_ms = dead->died_at_ms};
    (void)snprintf(told.id, sizeof told.id, "%s", told.is_dead ? dead->id : next->change.id);
    return told;
}

void tellings_send(struct tellings *tellings, const struct store_notification *next)
{
    assert(!is_any(&tellings->sent) && !is_any(&tellings->told));
    tellings->sent = of(next);
}

void tellings_take(struct tellings *tellings)
{
    assert(is_any(&tellings->sent) && !is_any(&tellings->told));
    tellings->told = tellings->sent;
}

bool tellings_has_any(const struct tellings *tellings)
{
    return is_any(&tellings->told) || is_any(&tellings->late);
}

void tellings_say(struct tellings *tellings, struct store_notify_query *query)
{
    struct told *said = is_any(&tellings->told) ? &tellings->told : &tellings->late;
    tellings->said = is_any(said) ? said : NULL;
    if (tellings->said == NULL)
        return;
    if (!said->is_dead) {
        query->told_change = said->id;
        return;
    }
    query->told = (struct store_place){.at_ms = said->place_ms, .id = said->id};
    query->told_died_ms = said->died_at_ms;
}

/* One is remembered. If others are late too, they are told twice, under the same id. Where another
 * process tells, it is not asked for: to say it, all shards would be asked for their leases. */
void tellings_hear(struct tellings *tellings, const struct store_notification *answer)
{
    struct told *said = tellings->said;
    tellings->said = NULL;
    if (answer == NULL)
        return;
    if (said == &tellings->told && !answer->is_told)
        tellings->late = *said;
    if (said == &tellings->told || (said != NULL && answer->is_told))
        forget(said);
    if (!answer->is_ours)
        forget(&tellings->late);
}

bool tellings_knows(const struct tellings *tellings, const struct store_notification *next)
{
    const struct told *late = &tellings->late;
    bool is_something = next->change.to != SENDING_UNKNOWN || next->has_dead;
    if (!is_any(late) || !is_something)
        return false;
    struct told told = of(next);
    return told.is_dead == late->is_dead && strcmp(told.id, late->id) == 0 &&
           (!told.is_dead || told.died_at_ms == late->died_at_ms);
}
