/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * An access token and the words to say what happens to it, for each test its own.
 *
 * Owns:    the scene, from set_up to tear_down.
 * Threads: one at a time.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "service/outbound/access_token.h"

enum { START_MS = 100000, RETRY_MAX_MS = 8000, OUTAGE_MAX_MS = 1000, REFRESH_TIMEOUT_MS = 20000 };

#define CLIENT_SECRET "s3cr3t \"quoted\" value"

struct scene {
    struct secret *id, *secret;
    struct access_token *token;
    struct buffer line;
    uint64_t generation;
    int64_t wait_ms;
};

int set_up(void **state);
int tear_down(void **state);
enum access_token_outcome acquire(struct scene *scene, int64_t now_ms);
bool answer(struct scene *scene, unsigned status, const char *body, int64_t now_ms,
            struct error *error);
void grant(struct scene *scene, const char *text, int64_t life_s, int64_t now_ms);
void must_be_ready(struct scene *scene, int64_t now_ms, const char *text);

#define SCENE(sentence, function) IT_WITH(sentence, function, set_up, tear_down)
