/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/attempt.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "service/domain/seek_token.h"

#define TO(state) (1U << (state))

static const unsigned allowed[ATTEMPT_STATE_COUNT] = {
    [ATTEMPT_FREE] = TO(ATTEMPT_CLAIMED),
    [ATTEMPT_CLAIMED] = TO(ATTEMPT_SENDING) | TO(ATTEMPT_FINISHED),
    [ATTEMPT_SENDING] = TO(ATTEMPT_FINISHED),
    [ATTEMPT_FINISHED] = TO(ATTEMPT_SETTLING),
    [ATTEMPT_SETTLING] = TO(ATTEMPT_FREE) | TO(ATTEMPT_FINISHED),
};

bool attempts_init(struct attempts *attempts, size_t sending_max, void *owner, struct error *error)
{
    size_t size = 3 * sending_max;
    *attempts = (struct attempts){.owner = owner,
                                  .size = size,
                                  .sending_max = sending_max,
                                  .counts = {[ATTEMPT_FREE] = size}};
    for (size_t i = 0; i < ATTEMPT_STATE_COUNT; i++)
        TAILQ_INIT(&attempts->lists[i]);
    attempts->items = calloc(size, sizeof *attempts->items);
    if (attempts->items == NULL) {
        attempts->size = 0;
        return error_out_of_memory(error);
    }
    return true;
}

size_t attempts_room(const struct attempts *attempts)
{
    assert(attempts->counts[ATTEMPT_SENDING] <= attempts->sending_max);
    return attempts->sending_max - attempts->counts[ATTEMPT_SENDING];
}

size_t attempts_claim_room(const struct attempts *attempts)
{
    size_t taken = attempts->counts[ATTEMPT_CLAIMED] + attempts->counts[ATTEMPT_SENDING];
    assert(taken <= 2 * attempts->sending_max);
    size_t unclaimed = 2 * attempts->sending_max - taken;
    size_t free_count = attempts->counts[ATTEMPT_FREE];
    return unclaimed < free_count ? unclaimed : free_count;
}

static void drop_seek_token(struct attempt *attempt)
{
    free(attempt->seek_token);
    attempt->seek_token = NULL;
}

void attempts_fini(struct attempts *attempts)
{
    for (size_t i = 0; i < attempts->used_count; i++) {
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

/* The one that was used last, since its memory is at hand; a new one only when there is none. */
static struct attempt *find_free(struct attempts *attempts)
{
    struct attempt *attempt = TAILQ_FIRST(&attempts->lists[ATTEMPT_FREE]);
    if (attempt != NULL || attempts->used_count == attempts->size)
        return attempt;
    assert(attempts->used_count < attempts->size);
    attempt = &attempts->items[attempts->used_count++];
    TAILQ_INSERT_HEAD(&attempts->lists[ATTEMPT_FREE], attempt, links);
    return attempt;
}

/* The field that no script of ours has written; NULL: none. */
static const char *find_damage(const struct claim *claim)
{
    struct rejection rejection;
    if (!application_id_check(claim->application_id, strlen(claim->application_id), &rejection))
        return "id";
    if (!event_id_is_valid(claim->event_id))
        return "event";
    if (!seek_token_check(claim->seek_token, strlen(claim->seek_token), &rejection))
        return "token";
    if (claim->completed_at_ms < 0)
        return "completed";
    return NULL;
}

/* What goes into the request. */
static bool fill(struct attempt *attempt, const struct claim *claim)
{
    if (!copy_text(attempt->event_id, sizeof attempt->event_id, claim->event_id))
        return false;
    attempt->traceparent[0] = '\0';
    (void)traceparent_read(claim->traceparent, attempt->traceparent);
    attempt_id(claim->event_id, claim->attempt, attempt->request_id);
    attempt->seek_token = strdup(claim->seek_token);
    return attempt->seek_token != NULL;
}

struct attempt *attempts_take(struct attempts *attempts, const struct claim *claim, int64_t now_ms)
{
    struct attempt *attempt = find_free(attempts);
    if (attempt == NULL ||
        !copy_text(attempt->application_id, sizeof attempt->application_id, claim->application_id))
        return NULL;
    assert(attempt == NULL || attempt->state == ATTEMPT_FREE);
    drop_seek_token(attempt);
    attempt->event_id[0] = '\0';
    attempt->damage = find_damage(claim);
    if (attempt->damage == NULL && !fill(attempt, claim))
        return NULL;
    attempt->owner = attempts->owner;
    attempt->generation = claim->generation;
    attempt->number = claim->attempt;
    attempt->repetitions = 0;
    attempt->completed_at_ms = claim->completed_at_ms;
    attempt->claimed_at_ms = now_ms;
    attempt->age_ms = claim->age_ms;
    attempt->was_auth_before = claim->was_auth_before;
    attempts_move(attempts, attempt, ATTEMPT_CLAIMED);
    return attempt;
}

/* Each attempt is in one state, and no more are sent than may be. */
static void assert_counts(const struct attempts *attempts)
{
    size_t sum = 0;
    for (size_t i = 0; i < ATTEMPT_STATE_COUNT; i++)
        sum += attempts->counts[i];
    assert(sum == attempts->size);
    assert(attempts->used_count <= attempts->size);
    assert(attempts->counts[ATTEMPT_SENDING] <= attempts->sending_max);
}

void attempts_move(struct attempts *attempts, struct attempt *attempt, enum attempt_state next)
{
    assert((allowed[attempt->state] & TO(next)) != 0);
    TAILQ_REMOVE(&attempts->lists[attempt->state], attempt, links);
    attempts->counts[attempt->state]--;
    attempts->returned_count += attempt->state == ATTEMPT_SENDING;
    attempts->counts[next]++;
    attempt->state = next;
    if (next == ATTEMPT_FREE)
        TAILQ_INSERT_HEAD(&attempts->lists[next], attempt, links);
    else
        TAILQ_INSERT_TAIL(&attempts->lists[next], attempt, links);
    if (next != ATTEMPT_CLAIMED && next != ATTEMPT_SENDING)
        drop_seek_token(attempt);
    assert_counts(attempts);
}
