/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/domain/delivery.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/ascii.h"
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

bool event_id_is_valid(const char *text)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    for (size_t i = 0; i < sizeof form; i++) {
        if (form[i] == 'x' ? !ascii_is_hex(text[i]) : text[i] != form[i])
            return false;
    }
    return true;
}

void attempt_id_of_repetition(const char *event_id, unsigned attempt, unsigned repetition,
                              char text[ATTEMPT_ID_BYTES])
{
    attempt_id(event_id, (attempt & 0xffffff) | repetition << 24, text);
}

/* The 90 random bits that are left make a collision of two events as good as impossible. */
void event_id_make(const unsigned char random[16], char text[ATTEMPT_ID_BYTES])
{
    enum { RANDOM_BYTES = 12 };
    unsigned char bytes[16] = {0};
    memcpy(bytes, random, RANDOM_BYTES);
    uuid_write(bytes, text);
}
