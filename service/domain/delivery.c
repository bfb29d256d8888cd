/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/domain/delivery.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/uuid.h"

static const struct {
    const char *name;
    bool is_final;
} states[DELIVERY_STATE_COUNT] = {
    [DELIVERY_DRAFT] = {"draft", true},      [DELIVERY_PENDING] = {"pending", false},
    [DELIVERY_SENDING] = {"sending", false}, [DELIVERY_DELIVERED] = {"delivered", true},
    [DELIVERY_DEAD] = {"dead", true},
};

const char *delivery_state_name(enum delivery_state state)
{
    return states[state].name;
}

bool delivery_state_parse(const char *name, enum delivery_state *out)
{
    for (unsigned i = 0; i < DELIVERY_STATE_COUNT; i++) {
        if (strcmp(states[i].name, name) == 0) {
            *out = (enum delivery_state)i;
            return true;
        }
    }
    return false;
}

bool delivery_state_is_final(enum delivery_state state)
{
    return states[state].is_final;
}

void attempt_id(const char *event_id, unsigned attempt, char text[ATTEMPT_ID_BYTES])
{
    enum { KEPT = ATTEMPT_ID_BYTES - 1 - 8 };
    (void)snprintf(text, ATTEMPT_ID_BYTES, "%.*s%08x", KEPT, event_id, attempt);
}

/* The 90 bits of luck that are left make a collision of two events as good as impossible. */
void event_id_make(const unsigned char random[16], char text[ATTEMPT_ID_BYTES])
{
    enum { LUCK_BYTES = 12 };
    unsigned char luck[16] = {0};
    memcpy(luck, random, LUCK_BYTES);
    uuid_write(luck, text);
}
