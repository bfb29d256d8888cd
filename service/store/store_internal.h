/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What the files of the store share: the connection with its health (store.c, inspection.c).
 *
 * Owns:    see struct store.
 * Threads: one at a time.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/random.h"
#include "lib/net/redis_client.h"

#include "service/store/preflight.h"
#include "service/store/refusal.h"
#include "service/store/script.h"
#include "service/store/store.h"

enum { INSPECTION_QUESTIONS_MAX = 12 + SCRIPT_COUNT };

/* One round of questions to Redis: at each connection, and from time to time since settings can
 * change. */
struct inspection {
    struct inspection_answer {
        struct store *store; /* borrowed: owns this */
        unsigned question;
    } answers[INSPECTION_QUESTIONS_MAX];
    size_t awaited;      /* answers; 0: none is running */
    bool is_interrupted; /* by the end of the connection: no finding */
    struct preflight_facts facts;
    int64_t next_at_ms;
};

struct store {
    struct store_options options;
    struct redis_client *client; /* owned */
    int64_t now_ms;              /* of the last turn */
    unsigned answer_timeout_ms;
    bool is_clock_known;
    int64_t clock_ahead_ms; /* Redis's clock, of our monotonic one */
    struct store_health health;
    struct confirmation confirmation; /* while ready */
    struct inspection inspection;
    char hashes[SCRIPT_COUNT][SCRIPT_HASH_BYTES]; /* "": not loaded by this connection */
    size_t calls_open;
    struct store_claims {
        char key[sizeof STORE_KEY_CLAIM + UUID_BYTES]; /* remembers the last one */
        int64_t number, answered;                      /* of the last one, and of the last answer */
        bool is_open;
    } claims;
    struct store_counters counters;
    const struct refusal *refusals[SCRIPT_COUNT]; /* as last logged; NULL: it works */
};

/* Redis showed its clock in an answer that came at `now_ms`. */
void store_note_clock(struct store *store, int64_t redis_ms, int64_t now_ms);
/* Asks; does nothing while the last round is still running. */
void inspection_start(struct store *store);
int64_t inspection_timeout_ms(const struct store *store, int64_t now_ms); /* -1: none */
/* inspection.c hands its finding to store.c. */
void store_apply_finding(struct store *store, const struct store_health *finding);
/* A write was not confirmed as demanded: not ready until an inspection of a new connection, perhaps
 * to another master, finds it otherwise. Calls that are open end STORE_UNAVAILABLE soon. */
void store_fall_short(struct store *store, const char *shortfall);
