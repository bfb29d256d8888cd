/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The states of an application's signal. They live in Redis, and the scripts in store/calls are
 * their only mover; this is the same list for C, with its names.
 *
 *     draft ──► pending ──► sending ──► delivered
 *                  ▲  ▲        │  └───► dead ──┐
 *                  │  └────────┘ retry         │ replay
 *                  └───────────────────────────┘      (a new seek-token leads to pending)
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>

enum delivery_state {
    DELIVERY_DRAFT,
    DELIVERY_PENDING,
    DELIVERY_SENDING,
    DELIVERY_DELIVERED,
    DELIVERY_DEAD,
    DELIVERY_STATE_COUNT,
};

const char *delivery_state_name(enum delivery_state state);
bool delivery_state_parse(const char *name, enum delivery_state *out);
/* Nothing more happens by itself. */
bool delivery_state_is_final(enum delivery_state state);

enum { ATTEMPT_ID_BYTES = 37 };
/* The X-Request-Id of one attempt: the event's id with its last eight hexadecimal digits replaced
 * by the attempt's number (from 1). The ids of all attempts are thus known from two stored values,
 * and nothing grows with their number. `event_id` is a UUID whose last eight digits are zero. */
void attempt_id(const char *event_id, unsigned attempt, char text[ATTEMPT_ID_BYTES]);
/* Whether it is a UUID, as an event's id is. */
bool event_id_is_valid(const char *text);
/* That of its n-th repetition (to 255) after a request that SEEK never processed, which is no
 * attempt: n takes the first two of these digits, which no number of attempts reaches. */
void attempt_id_of_repetition(const char *event_id, unsigned attempt, unsigned repetition,
                              char text[ATTEMPT_ID_BYTES]);
/* A new event id: UUID version 4 from `random`, its last eight digits zero. */
void event_id_make(const unsigned char random[16], char text[ATTEMPT_ID_BYTES]);
