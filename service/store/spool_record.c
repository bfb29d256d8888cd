/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/spool_record.h"

#include <string.h>

#include "lib/base/journal_frame.h"

#include "service/store/script_call.h"

/* --- the record ---------------------------------------------------------------------------------
 *
 *     version (1 byte) · kind (1) · stamp (8) · completed at (8), little-endian · four texts, each
 *     with the NUL that ends it: none of them can hold one
 */

enum { VERSION = 1, VERSION_AT = 0, KIND_AT = 1, STAMP_AT = 2, COMPLETED_AT = 10, HEAD_BYTES = 18 };
enum { TEXTS = 4 };

static void put_number(char *at, int64_t number)
{
    for (unsigned i = 0; i < 8; i++)
        at[i] = (char)(unsigned char)((uint64_t)number >> 8 * i);
}

static int64_t get_number(const char *at)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < 8; i++)
        number |= (uint64_t)(unsigned char)at[i] << 8 * i;
    return (int64_t)number;
}

static bool write_texts(struct buffer *out, const struct spool_record *record, struct error *error)
{
    const char *const texts[TEXTS] = {record->application_id, record->seek_token, record->event_id,
                                      record->traceparent != NULL ? record->traceparent : ""};
    for (size_t i = 0; i < TEXTS; i++)
        if (!buffer_append(out, texts[i], strlen(texts[i]) + 1, error))
            return false;
    return true;
}

bool spool_record_write(struct buffer *out, const struct spool_record *record, struct error *error)
{
    char head[HEAD_BYTES] = {[VERSION_AT] = VERSION, [KIND_AT] = (char)record->kind};
    put_number(head + STAMP_AT, record->stamp_us);
    put_number(head + COMPLETED_AT, record->completed_at_ms);
    size_t before = out->length;
    size_t start;
    if (journal_frame_open(out, &start, error) && buffer_append(out, head, sizeof head, error) &&
        write_texts(out, record, error) && journal_frame_close(out, start, error))
        return true;
    buffer_truncate(out, before);
    return false;
}

bool spool_record_read(const char *payload, size_t length, struct spool_record *out)
{
    if (length < HEAD_BYTES || payload[VERSION_AT] != VERSION ||
        (payload[KIND_AT] != SPOOL_EVENT && payload[KIND_AT] != SPOOL_DRAFT))
        return false;
    const char *texts[TEXTS];
    const char *at = payload + HEAD_BYTES, *end = payload + length;
    for (size_t i = 0; i < TEXTS; i++) {
        const char *nul = memchr(at, '\0', (size_t)(end - at));
        if (nul == NULL)
            return false;
        texts[i] = at;
        at = nul + 1;
    }
    *out = (struct spool_record){
        .kind = (enum spool_kind)payload[KIND_AT],
        .application_id = texts[0],
        .seek_token = texts[1],
        .event_id = texts[2],
        .completed_at_ms = get_number(payload + COMPLETED_AT),
        .traceparent = texts[3],
        .stamp_us = get_number(payload + STAMP_AT),
    };
    return at == end;
}

/* --- drain --- */

enum { DRAIN_ARGUMENTS = 7 };

static bool drain_read(struct script_call *call, const struct redis_reply *reply)
{
    enum drain_outcome *outcomes = call->results;
    if (!reply_is_array_of(reply, call->count))
        return false;
    for (size_t i = 0; i < call->count; i++) {
        int64_t outcome = reply_number_at(reply, i);
        if (outcome < DRAIN_APPLIED || outcome > DRAIN_SUPERSEDED)
            return false;
        outcomes[i] = (enum drain_outcome)outcome;
    }
    return true;
}

static void drain_finish(struct script_call *call, const struct store_failure *failure)
{
    bool is_done = failure->status == STORE_OK;
    call->done.drain(call->context, failure, is_done ? call->results : NULL,
                     is_done ? call->count : 0);
}

static const struct script_call_kind drain_kind = {SCRIPT_DRAIN, drain_read, drain_finish};

static void add_record(struct script_call *call, const struct spool_record *record)
{
    bool is_event = record->kind == SPOOL_EVENT;
    script_call_add_text(call, is_event ? "event" : "draft");
    script_call_add_text(call, record->application_id);
    script_call_add_text(call, record->seek_token);
    script_call_add_event_id(call, record->event_id);
    if (is_event)
        script_call_add_number(call, record->completed_at_ms);
    else
        script_call_add_text(call, NULL);
    script_call_add_text(call, record->traceparent);
    script_call_add_number(call, record->stamp_us);
}

/* Callback, context and error are three of the parameters of each call. */
/* NOLINTNEXTLINE(readability-function-size) */
bool store_drain(struct store *store, const struct spool_record *records, size_t count,
                 store_drain_done done, void *context, struct error *error)
{
    AUTO(script_call) *call = script_call_create(store, &drain_kind, 1 + count * DRAIN_ARGUMENTS,
                                                 count * sizeof(enum drain_outcome), error);
    if (call == NULL)
        return false;
    call->done.drain = done;
    call->context = context;
    call->count = count;
    script_call_add_number(call, store->options.ttl_ms);
    for (size_t i = 0; i < count; i++)
        add_record(call, &records[i]);
    return script_call_send(STEAL(call), error);
}
