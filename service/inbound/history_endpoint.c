/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * GET /v1/history: the counts of the last day, of all processes on this Redis.
 */
#include <inttypes.h>

#include "lib/base/rfc3339.h"

#include "service/inbound/call.h"
#include "service/inbound/endpoints.h"

static bool write_bucket(struct buffer *out, const struct store_history *history, size_t number,
                         struct error *error)
{
    const struct history_counts *counts = &history->buckets[number];
    char from[RFC3339_BYTES];
    rfc3339_format(history->begins_at_ms + (int64_t)number * HISTORY_BUCKET_MS, from);
    return buffer_append_format(out, error,
                                "%s{\"from\":\"%s\",\"accepted\":%" PRId64 ",\"delivered\":%" PRId64
                                ",\"retried\":%" PRId64 ",\"dead\":%" PRId64 "}",
                                number > 0 ? "," : "", from, counts->accepted, counts->delivered,
                                counts->retried, counts->dead);
}

static bool write_history(struct buffer *out, const struct store_history *history)
{
    struct error error;
    bool is_written = buffer_append_format(out, &error, "{\"bucketSeconds\":%d,\"buckets\":[",
                                           HISTORY_BUCKET_MS / 1000);
    for (size_t i = 0; is_written && i < HISTORY_BUCKETS; i++)
        is_written = write_bucket(out, history, i, &error);
    return is_written && buffer_append_text(out, "]}", &error);
}

static void take(void *context, const struct store_failure *failure,
                 const struct store_history *history)
{
    struct call *call = context;
    struct buffer *body = call_scratch(call);
    if (failure->status != STORE_OK)
        call_refuse_store(call, failure);
    else if (write_history(body, history))
        call_answer_json(call, 200, body);
    else
        call_answer_out_of_memory(call);
    call_release(call);
}

void history_get(struct call *call)
{
    struct error error;
    call_start(call, store_history_read(call->context->store, take, call, &error), &error);
}
