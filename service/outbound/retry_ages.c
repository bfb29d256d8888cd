/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/retry_ages.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "lib/base/crc32c.h"

enum { PATIENCE_MS = 5 * 60 * 1000 /* from when it is due to the end of its attempt */ };

void retry_ages_init(struct retry_ages *ages)
{
    *ages = (struct retry_ages){.shared.kept = {{{.id = 0}}}};
    mutex_init(&ages->shared.lock);
}

void retry_ages_fini(struct retry_ages *ages)
{
    mutex_fini(&ages->shared.lock);
}

static uint32_t id_of(const char *application_id)
{
    assert(application_id[0] != '\0');
    return crc32c(0, application_id, strlen(application_id));
}

static void forget(struct retry_ages *ages, uint32_t id) REQUIRES(ages->shared.lock)
{
    for (size_t class = 0; class < VERDICT_CLASS_COUNT; class ++)
        for (size_t i = 0; i < RETRY_AGES_KEPT; i++)
            if (ages->shared.kept[class][i].id == id)
                ages->shared.kept[class][i].forget_at_ms = 0;
}

/* An empty place, or that of the youngest if it is younger. NULL: there is none. */
static struct retry_age *place_for(struct retry_age kept[RETRY_AGES_KEPT], int64_t accepted_at_ms,
                                   int64_t now_ms)
{
    struct retry_age *youngest = &kept[0];
    for (size_t i = 0; i < RETRY_AGES_KEPT; i++) {
        if (now_ms >= kept[i].forget_at_ms)
            return &kept[i];
        if (kept[i].accepted_at_ms > youngest->accepted_at_ms)
            youngest = &kept[i];
    }
    return youngest->accepted_at_ms > accepted_at_ms ? youngest : NULL;
}

void retry_ages_note(struct retry_ages *ages, const char *application_id, enum verdict_class class,
                     int64_t age_ms, int64_t delay_ms, int64_t now_ms)
{
    assert((size_t) class < VERDICT_CLASS_COUNT);
    assert(delay_ms >= 0);
    uint32_t id = id_of(application_id);
    int64_t accepted_at_ms = now_ms - (age_ms > 0 ? age_ms : 0);
    mutex_lock(&ages->shared.lock);
    forget(ages, id);
    struct retry_age *place = place_for(ages->shared.kept[class], accepted_at_ms, now_ms);
    if (place != NULL)
        *place = (struct retry_age){.id = id,
                                    .accepted_at_ms = accepted_at_ms,
                                    .forget_at_ms = now_ms + delay_ms + PATIENCE_MS};
    mutex_unlock(&ages->shared.lock);
}

void retry_ages_forget(struct retry_ages *ages, const char *application_id)
{
    uint32_t id = id_of(application_id);
    mutex_lock(&ages->shared.lock);
    forget(ages, id);
    mutex_unlock(&ages->shared.lock);
}

void retry_ages_hold(struct retry_ages *ages, int64_t now_ms)
{
    mutex_lock(&ages->shared.lock);
    for (size_t class = 0; class < VERDICT_CLASS_COUNT; class ++)
        for (size_t i = 0; i < RETRY_AGES_KEPT; i++) {
            struct retry_age *each = &ages->shared.kept[class][i];
            if (now_ms < each->forget_at_ms && each->forget_at_ms < now_ms + PATIENCE_MS)
                each->forget_at_ms = now_ms + PATIENCE_MS;
        }
    mutex_unlock(&ages->shared.lock);
}

int64_t retry_ages_oldest_ms(struct retry_ages *ages, enum verdict_class class, int64_t now_ms)
{
    assert((size_t) class < VERDICT_CLASS_COUNT);
    int64_t oldest_ms = 0;
    mutex_lock(&ages->shared.lock);
    for (size_t i = 0; i < RETRY_AGES_KEPT; i++) {
        const struct retry_age *each = &ages->shared.kept[class][i];
        if (now_ms < each->forget_at_ms && now_ms - each->accepted_at_ms > oldest_ms)
            oldest_ms = now_ms - each->accepted_at_ms;
    }
    mutex_unlock(&ages->shared.lock);
    return oldest_ms;
}
