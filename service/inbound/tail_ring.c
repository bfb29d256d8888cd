/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Whoever logs writes an entry into memory of its own, and under the lock only changes pointers;
 * so does whoever reads, who holds what it reads.
 */
#include "service/inbound/tail_ring.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/random.h"

/* Those are shown, and nothing else: no other line's fields were looked through for that. */
static const char *const shown[] = {
    "event_accepted",        "event_refused",  "request_refused",
    "signal_delivered",      "signal_retry",   "signal_dead",
    "settlement_fenced",     "signal_damaged", "application_replayed",
    "application_forgotten", "dead_replayed",  "dead_forgotten",
    "pause_asked",           "resume_asked",   "breaker_opened",
    "breaker_closed",        "throttled",      "intake_unavailable",
    "intake_available",
};

bool tail_ring_shows(const char *event)
{
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        if (strcmp(shown[i], event) == 0)
            return true;
    }
    return false;
}

static void let_go(struct tail_entry *entry)
{
    if (entry == NULL)
        return;
    unsigned holders = atomic_fetch_sub(&entry->holders, 1);
    assert(holders > 0);
    if (holders == 1)
        free(entry);
}

/* --- who logs --- */

static bool write_text(struct buffer *out, const char *name, const char *text, struct error *error)
{
    return json_append_string(out, name, strlen(name), error) &&
           buffer_append_text(out, ":", error) &&
           json_append_string(out, text, strlen(text), error);
}

static bool write_field(struct buffer *out, const struct log_field *field)
{
    size_t before = out->length;
    bool is_written =
        buffer_append_text(out, ",", NULL) &&
        (field->is_text ? write_text(out, field->key, field->text != NULL ? field->text : "", NULL)
                        : json_append_string(out, field->key, strlen(field->key), NULL) &&
                              buffer_append_text(out, ":", NULL) &&
                              buffer_append_integer(out, field->number, NULL));
    if (!is_written)
        buffer_truncate(out, before); /* what does not fit is left out */
    return is_written;
}

static void keep_field(struct tail_entry *entry, const struct log_field *field)
{
    const char *text = field->is_text && field->text != NULL ? field->text : "";
    if (strcmp(field->key, "application") == 0)
        (void)snprintf(entry->application, sizeof entry->application, "%s", text);
    else if (strcmp(field->key, "class") == 0)
        (void)snprintf(entry->class, sizeof entry->class, "%s", text);
}

/* NULL: no memory. */
static struct tail_entry *make_entry(const char *event, const char *message,
                                     const struct log_field fields[], size_t count)
{
    char storage[TAIL_ENTRY_BYTES_MAX], time[RFC3339_BYTES];
    struct buffer json;
    buffer_init_fixed(&json, storage, sizeof storage - 1); /* and the brace at the end */
    rfc3339_format(clock_wall_ms(), time);
    if (!buffer_append_texts(&json, NULL, "{\"time\":\"", time, "\",", NULL) ||
        !write_text(&json, "event", event, NULL) || !buffer_append_text(&json, ",", NULL) ||
        !write_text(&json, "message", message, NULL))
        return NULL; /* a message of ours fits */
    for (size_t i = 0; i < count; i++)
        (void)write_field(&json, &fields[i]);
    struct tail_entry *entry = calloc(1, sizeof *entry + json.length + 2);
    if (entry == NULL)
        return NULL;
    atomic_init(&entry->holders, 1);
    entry->event = event;
    for (size_t i = 0; i < count; i++)
        keep_field(entry, &fields[i]);
    memcpy(entry->json, json.bytes, json.length);
    entry->json[json.length] = '}';
    entry->length = json.length + 1;
    return entry;
}

/* Else each line of LOG_INFO is made up for nobody, whatever the least level is. */
static void fall_asleep(struct tail_ring *ring, int64_t now_ms)
{
    mutex_lock(&ring->shared.lock);
    if (now_ms >= atomic_load(&ring->listened_until_ms)) /* somebody may have come meanwhile */
        log_set_tap(NULL);
    mutex_unlock(&ring->shared.lock);
}

static void take(void *context, const char *event, const char *message,
                 const struct log_field fields[], size_t count)
{
    struct tail_ring *ring = context;
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms >= atomic_load(&ring->listened_until_ms)) {
        fall_asleep(ring, now_ms);
        return;
    }
    if (!tail_ring_shows(event))
        return;
    struct tail_entry *entry = make_entry(event, message, fields, count);
    mutex_lock(&ring->shared.lock);
    struct tail_entry **slot = &ring->shared.entries[++ring->shared.last % TAIL_ENTRIES_MAX];
    struct tail_entry *before = *slot;
    *slot = entry;
    mutex_unlock(&ring->shared.lock);
    let_go(before);
}

/* --- who reads --- */

/* Begins anew where nobody has listened for a while: what came meanwhile was not kept. */
static void begin(struct tail_ring *ring, uint64_t epoch, int64_t now_ms)
    REQUIRES(ring->shared.lock)
{
    int64_t until_ms = atomic_exchange(&ring->listened_until_ms, now_ms + TAIL_LISTENED_MS);
    log_set_tap(&ring->tap);
    if (now_ms >= until_ms)
        ring->shared.epoch = epoch;
}

static void read_behind(struct tail_ring *ring, uint64_t number, struct tail_page *out)
    REQUIRES(ring->shared.lock)
{
    uint64_t last = ring->shared.last;
    uint64_t first = last >= TAIL_ENTRIES_MAX ? last - TAIL_ENTRIES_MAX + 1 : 1;
    if (number + 1 < first) {
        out->missed = (int64_t)(first - number - 1);
        number = first - 1;
    }
    while (number < last && out->count < TAIL_READ_MAX) {
        struct tail_entry *entry = ring->shared.entries[++number % TAIL_ENTRIES_MAX];
        if (entry == NULL) {
            out->missed++;
            continue;
        }
        atomic_fetch_add(&entry->holders, 1);
        out->entries[out->count++] = entry;
    }
    out->next.number = number;
}

void tail_ring_read(struct tail_ring *ring, const struct tail_place *place, int64_t now_ms,
                    struct tail_page *out)
{
    out->count = 0;
    out->missed = 0;
    uint64_t epoch = random_u64();
    mutex_lock(&ring->shared.lock);
    begin(ring, epoch, now_ms);
    out->next = (struct tail_place){ring->shared.epoch, ring->shared.last};
    bool is_known =
        place != NULL && place->epoch == ring->shared.epoch && place->number <= ring->shared.last;
    if (is_known)
        read_behind(ring, place->number, out);
    else if (place != NULL)
        out->missed = -1;
    mutex_unlock(&ring->shared.lock);
    assert(out->count <= TAIL_READ_MAX);
}

void tail_page_fini(struct tail_page *page)
{
    for (size_t i = 0; i < page->count; i++)
        let_go(page->entries[i]);
    page->count = 0;
}

/* --- life --- */

void tail_ring_init(struct tail_ring *ring)
{
    assert(ring->shared.last == 0);
    ring->tap = (struct log_tap){.take = take, .context = ring};
    mutex_init(&ring->shared.lock);
}

void tail_ring_fini(struct tail_ring *ring)
{
    log_set_tap(NULL);
    for (size_t i = 0; i < TAIL_ENTRIES_MAX; i++)
        let_go(ring->shared.entries[i]);
    mutex_fini(&ring->shared.lock);
}
