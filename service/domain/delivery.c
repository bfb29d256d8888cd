/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/domain/delivery.h"

#include <stdio.h>
#include <string.h>

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

void event_id_make(const unsigned char random[16], char text[ATTEMPT_ID_BYTES])
{
    /* RFC 9562 section 5.4: the version is 4 and the variant's two bits are 10. The 90 bits of luck
     * that are left make a collision of two events as good as impossible. */
    const unsigned version_and_luck = 0x4000u | (((unsigned)random[6] << 8 | random[7]) & 0x0fffu);
    const unsigned variant_and_luck = 0x8000u | (((unsigned)random[8] << 8 | random[9]) & 0x3fffu);
    (void)snprintf(text, ATTEMPT_ID_BYTES, "%02x%02x%02x%02x-%02x%02x-%04x-%04x-%02x%02x00000000",
                   random[0], random[1], random[2], random[3], random[4], random[5],
                   version_and_luck, variant_and_luck, random[10], random[11]);
}
