/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * GET /v1/tail: what happens to signals now, in this process. Who asks with `wait` is held until
 * there is something, among those who wait for a final state, and as many as they may be.
 */
#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"

#include "service/inbound/call.h"
#include "service/inbound/endpoints.h"
#include "service/inbound/inbound_metrics.h"
#include "service/inbound/service_view.h"
#include "service/inbound/tail_ring.h"
#include "service/inbound/wait.h"
#include "service/inbound/waiting_room.h"

/* Beside the call, until it is answered. */
struct tailing {
    struct call_work work;
    struct call *call; /* borrowed: owns us */
    struct waiter waiter;
    bool has_place;
    struct tail_place place;
    int64_t missed; /* so far, of what was passed over: -1 once that is unknown */
    /* Copies, since the request may be over. */
    char application[APPLICATION_ID_BYTES_MAX + 1], event[64], class[TAIL_CLASS_BYTES];
};

static struct tailing *tailing_of(struct waiter *waiter)
{
    return (struct tailing *)(void *)((char *)waiter - offsetof(struct tailing, waiter));
}

static void destroy(struct call_work *work)
{
    struct tailing *tailing = (struct tailing *)(void *)work;
    assert(tailing->call != NULL && !tailing->waiter.is_looking);
    waiter_leave(&tailing->waiter);
    free(tailing);
}

/* --- the answer --- */

static bool is_asked(const char *asked, const char *found)
{
    return asked[0] == '\0' || strcmp(asked, found) == 0;
}

static bool fits(const struct tailing *tailing, const struct tail_entry *entry)
{
    return is_asked(tailing->application, entry->application) &&
           is_asked(tailing->event, entry->event) && is_asked(tailing->class, entry->class);
}

static bool write_entries(struct buffer *out, const struct tailing *tailing,
                          const struct tail_page *page, size_t *out_count)
{
    assert(page->count <= TAIL_READ_MAX);
    *out_count = 0;
    if (!buffer_append_text(out, "{\"entries\":[", NULL))
        return false;
    for (size_t i = 0; i < page->count; i++) {
        const struct tail_entry *entry = page->entries[i];
        if (!fits(tailing, entry))
            continue;
        if ((*out_count > 0 && !buffer_append_text(out, ",", NULL)) ||
            !buffer_append(out, entry->json, entry->length, NULL))
            return false;
        ++*out_count;
    }
    return true;
}

static bool write_end(struct buffer *out, const struct tailing *tailing)
{
    if (!buffer_append_format(out, NULL, "],\"cursor\":\"%016" PRIx64 "-%" PRIu64 "\",",
                              tailing->place.epoch, tailing->place.number))
        return false;
    if (tailing->missed < 0)
        return buffer_append_text(out, "\"missed\":null}", NULL);
    return buffer_append_format(out, NULL, "\"missed\":%" PRId64 "}", tailing->missed);
}

/* Whether it was answered. Entries that do not fit are passed over. */
static bool look_on(struct tailing *tailing, bool has_place, bool is_last)
{
    struct tail_page page;
    size_t count;
    struct call *call = tailing->call;
    struct buffer *body = call_scratch(call);
    tail_ring_read(call->context->view->tail, has_place ? &tailing->place : NULL,
                   clock_monotonic_ms(), &page);
    bool is_written = write_entries(body, tailing, &page, &count);
    tailing->place = page.next;
    if (page.missed < 0 || tailing->missed < 0)
        tailing->missed = -1;
    else
        tailing->missed += page.missed;
    tail_page_fini(&page);
    bool is_due = count > 0 || tailing->missed != 0 || is_last;
    assert(count <= TAIL_READ_MAX);
    if (is_written && !is_due)
        return false;
    if (is_written && write_end(body, tailing))
        call_answer_json(call, 200, body);
    else
        call_answer_out_of_memory(call);
    return true;
}

static void look(struct waiter *waiter)
{
    struct tailing *tailing = tailing_of(waiter);
    waiter_looked(waiter, clock_monotonic_ms());
    assert(!waiter->is_looking);
    if (look_on(tailing, true, false))
        waiter_leave(waiter);
}

static void expire(struct waiter *waiter)
{
    (void)look_on(tailing_of(waiter), true, true);
}

/* --- the question --- */

static bool refuse(struct call *call, const char *field, const char *detail, const char *remedy)
{
    call_refuse(call, &(struct problem){.code = PROBLEM_QUERY_INVALID,
                                        .detail = detail,
                                        .field = field,
                                        .remedy = remedy});
    return false;
}

static bool read_place(struct call *call, struct tailing *tailing)
{
    const char *text = http_request_query(call->request, "cursor");
    tailing->has_place = text != NULL && text[0] != '\0';
    if (!tailing->has_place)
        return true;
    char *end;
    tailing->place.epoch = strtoull(text, &end, 16);
    bool is_read = end - text == 16 && *end == '-' && end[1] >= '0' && end[1] <= '9';
    if (is_read)
        tailing->place.number = strtoull(end + 1, &end, 10);
    return (is_read && *end == '\0') ||
           refuse(call, "cursor", "This cursor is not one of /v1/tail.",
                  "Send it exactly as the answer before gave it, or leave it out.");
}

static bool read_text(struct call *call, const char *name, char *out, size_t size)
{
    const char *text = http_request_query(call->request, name);
    if (text == NULL)
        return true;
    if (strlen(text) >= size)
        return refuse(call, name, "This value is too long.", NULL);
    (void)snprintf(out, size, "%s", text);
    return true;
}

/* Who mistypes it would wait for ever. */
static bool read_event(struct call *call, struct tailing *tailing)
{
    return read_text(call, "event", tailing->event, sizeof tailing->event) &&
           (tailing->event[0] == '\0' || tail_ring_shows(tailing->event) ||
            refuse(call, "event", "No entry has this event.",
                   "Ask for event_accepted, event_refused, request_refused, signal_delivered, "
                   "signal_retry, signal_dead or another event about signals, or leave it out."));
}

static bool read_question(struct call *call, struct tailing *tailing, int64_t *out_wait_ms)
{
    const char *wait = http_request_query(call->request, "wait");
    *out_wait_ms = 0;
    if (wait != NULL && !wait_parse(wait, out_wait_ms))
        return refuse(call, "wait", "wait is not a duration of at most 30 seconds.",
                      "Send a time from 0 to 30s, such as 20s or 500ms.");
    return read_place(call, tailing) &&
           read_text(call, "id", tailing->application, sizeof tailing->application) &&
           read_event(call, tailing) &&
           read_text(call, "class", tailing->class, sizeof tailing->class);
}

static void start(struct call *call, struct tailing *tailing, int64_t wait_ms)
{
    struct inbound_context *context = call->context;
    assert(context->view->tail != NULL && wait_ms >= 0 && wait_ms <= WAIT_MAX_MS);
    bool may_wait = wait_ms > 0 && waiting_room_has_place(context->waits);
    if (wait_ms > 0 && !may_wait)
        metric_add(&context->metrics[INBOUND_WAITS_CUT], 1);
    /* The first answer comes at once: from then on there is a place to go on from. */
    if (!look_on(tailing, tailing->has_place, !may_wait || !tailing->has_place))
        waiting_room_enter(context->waits, &tailing->waiter, clock_monotonic_ms(), wait_ms);
}

void tail_get(struct call *call)
{
    assert(call->work == NULL);
    int64_t wait_ms;
    struct tailing *tailing = calloc(1, sizeof *tailing);
    if (tailing == NULL) {
        call_answer_out_of_memory(call);
        return;
    }
    *tailing = (struct tailing){
        .work = {.destroy = destroy}, .call = call, .waiter = {.look = look, .expire = expire}};
    call->work = &tailing->work;
    if (read_question(call, tailing, &wait_ms))
        start(call, tailing, wait_ms);
}
