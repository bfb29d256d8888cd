/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * How the sandbox behaves when no fault is at work: what the command line sets and
 * `PATCH /sandbox/settings` changes.
 *
 * Owns: nothing; a plain value. Threads: one at a time. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/json.h"

enum { BEHAVIOUR_TEXT_BYTES_MAX = 255 };

struct behaviour {
    int64_t latency_ms;        /* before every answer of SEEK's two endpoints */
    int64_t latency_jitter_ms; /* plus 0 to this, at random */
    int64_t expires_in_s;      /* of access tokens given from now on */
    bool is_playground;        /* every access token counts as a Playground one */
    bool is_success_true;      /* "sendSignal":true, otherwise null */
    bool keeps_bodies;         /* the ledger keeps the bodies of GraphQL calls */
    char client_id[BEHAVIOUR_TEXT_BYTES_MAX + 1]; /* "": any non-empty one will do */
    char client_secret[BEHAVIOUR_TEXT_BYTES_MAX + 1];
    /* Seek-tokens that contain this count as expired; "": none does. */
    char expired_contains[BEHAVIOUR_TEXT_BYTES_MAX + 1];
};

extern const struct behaviour behaviour_default;

/* All members or, with ERROR_INVALID, none. */
MUST_CHECK bool behaviour_patch(struct behaviour *behaviour, const struct json_value *object,
                                struct error *error);
/* Appends a JSON object; without the client secret. */
MUST_CHECK bool behaviour_write(const struct behaviour *behaviour, struct buffer *buffer,
                                struct error *error);
