/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/refusal_brake.h"

#include <assert.h>
#include <string.h>

void refusal_brake_init(struct refusal_brake *brake, unsigned refusals_max)
{
    *brake = (struct refusal_brake){.refusals_max = refusals_max};
}

static bool is_equal(const struct refusal_brake *brake, const struct verdict *verdict)
{
    return strcmp(brake->code, verdict->code) == 0 && strcmp(brake->message, verdict->message) == 0;
}

bool refusal_brake_note(struct refusal_brake *brake, const struct verdict *verdict)
{
    if (verdict->class == VERDICT_DELIVERED)
        brake->count = 0;
    if (verdict->class != VERDICT_REFUSED || brake->refusals_max == 0)
        return false;
    if (brake->count > 0 && !is_equal(brake, verdict))
        brake->count = 0;
    if (brake->count++ == 0) {
        memcpy(brake->code, verdict->code, sizeof brake->code);
        memcpy(brake->message, verdict->message, sizeof brake->message);
    }
    if (brake->count < brake->refusals_max)
        return false;
    assert(brake->count == brake->refusals_max);
    brake->count = 0;
    return true;
}
