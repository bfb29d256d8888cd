/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/spool/spool_record.h"

#include <string.h>

#include "lib/base/journal_frame.h"

/*
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

static bool write_texts(struct buffer *out, const struct drain_record *record, struct error *error)
{
    const char *const texts[TEXTS] = {record->application_id, record->seek_token, record->event_id,
                                      record->traceparent != NULL ? record->traceparent : ""};
    for (size_t i = 0; i < TEXTS; i++)
        if (!buffer_append(out, texts[i], strlen(texts[i]) + 1, error))
            return false;
    return true;
}

bool spool_record_write(struct buffer *out, const struct drain_record *record, struct error *error)
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

bool spool_record_read(const char *payload, size_t length, struct drain_record *out)
{
    if (length < HEAD_BYTES || payload[VERSION_AT] != VERSION ||
        (payload[KIND_AT] != DRAIN_EVENT && payload[KIND_AT] != DRAIN_DRAFT))
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
    *out = (struct drain_record){
        .kind = (enum drain_kind)payload[KIND_AT],
        .application_id = texts[0],
        .seek_token = texts[1],
        .event_id = texts[2],
        .completed_at_ms = get_number(payload + COMPLETED_AT),
        .traceparent = texts[3],
        .stamp_us = get_number(payload + STAMP_AT),
    };
    return at == end;
}
