/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/attempt.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define TO(state) (1U << (state))

static const unsigned allowed[ATTEMPT_STATE_COUNT] = {
    [ATTEMPT_FREE] = TO(ATTEMPT_SENDING) | TO(ATTEMPT_FINISHED),
    [ATTEMPT_SENDING] = TO(ATTEMPT_FINISHED),
    [ATTEMPT_FINISHED] = TO(ATTEMPT_SETTLING),
    [ATTEMPT_SETTLING] = TO(ATTEMPT_FREE) | TO(ATTEMPT_FINISHED),
};

bool attempts_init(struct attempts *attempts, size_t size, void *owner, struct error *error)
{
    *attempts = (struct attempts){.owner = owner, .size = size, .counts = {[ATTEMPT_FREE] = size}};
    attempts->items = calloc(size, sizeof *attempts->items);
    if (attempts->items == NULL) {
        attempts->size = 0;
        return error_out_of_memory(error);
    }
    return true;
}

static void drop_seek_token(struct attempt *attempt)
{
    if (attempt->seek_token != NULL)
        explicit_bzero(attempt->seek_token, strlen(attempt->seek_token));
    free(attempt->seek_token);
    attempt->seek_token = NULL;
}

void attempts_fini(struct attempts *attempts)
{
    for (size_t i = 0; i < attempts->size; i++) {
        drop_seek_token(&attempts->items[i]);
        free(attempts->items[i].span);
    }
    free(attempts->items);
    *attempts = (struct attempts){0};
}

static bool copy_text(char *out, size_t size, const char *text)
{
    size_t length = strlen(text);
    if (length >= size)
        return false;
    memcpy(out, text, length + 1);
    return true;
}

static struct attempt *find_free(const struct attempts *attempts)
{
    for (size_t i = 0; i < attempts->size; i++) {
        if (attempts->items[i].state == ATTEMPT_FREE)
            return &attempts->items[i];
    }
    return NULL;
}

struct attempt *attempts_prepare(struct attempts *attempts, const struct claim *claim,
                                 int64_t now_ms)
{
    struct attempt *attempt = find_free(attempts);
    if (attempt == NULL ||
        !copy_text(attempt->application_id, sizeof attempt->application_id,
                   claim->application_id) ||
        !copy_text(attempt->event_id, sizeof attempt->event_id, claim->event_id))
        return NULL;
    drop_seek_token(attempt);
    attempt->seek_token = strdup(claim->seek_token);
    if (attempt->seek_token == NULL)
        return NULL;
    attempt->owner = attempts->owner;
    attempt_id(claim->event_id, claim->attempt, attempt->request_id);
    attempt->generation = claim->generation;
    attempt->number = claim->attempt;
    attempt->claimed_at_ms = now_ms;
    attempt->age_ms = claim->age_ms;
    attempt->was_auth_before = claim->was_auth_before;
    return attempt;
}

void attempts_move(struct attempts *attempts, struct attempt *attempt, enum attempt_state next)
{
    assert((allowed[attempt->state] & TO(next)) != 0);
    attempts->counts[attempt->state]--;
    attempts->counts[next]++;
    attempt->state = next;
    if (next != ATTEMPT_SENDING)
        drop_seek_token(attempt);
}
