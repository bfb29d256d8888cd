/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * An application as it is kept, out of a script's answer.
 *
 * Owns: nothing: texts are the reply's. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/net/redis_client.h"

#include "service/domain/delivery.h"
#include "service/domain/seek_token.h"

struct application { /* times in ms since 1970, 0: not yet */
    const char *id;
    enum delivery_state state;
    const char *event_id; /* "" for a draft */
    const char *token_fingerprint;
    int64_t token_received_at_ms;
    int64_t accepted_at_ms, completed_at_ms, delivered_at_ms, died_at_ms, replayed_at_ms;
    int64_t next_attempt_at_ms; /* pending */
    int64_t last_attempt_at_ms;
    unsigned attempts;
    uint64_t generation;
    const char *last_class, *last_code, *last_message; /* "" before the first outcome */
    unsigned last_http_status;
    /* A line per attempt, the newest first: number, when (ms), class and code, with spaces between.
     * "" or NULL: none. */
    const char *history;
    const char *traceparent; /* "" */
};

struct listed {
    struct application application;
    int64_t at_ms; /* its time in the listing's order */
    char fingerprint[SEEK_TOKEN_FINGERPRINT_BYTES];
};

/* `entry`: its time in `due` or `dead`, or "", then field and value by turns; a field `id` if `id`
 * is NULL. False when the state is none. */
bool application_read(const struct redis_reply *entry, const char *id, struct listed *out);
