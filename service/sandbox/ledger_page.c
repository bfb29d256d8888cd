/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/sandbox/ledger_page.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/clock.h"

enum {
    PAGE_BYTES_ENOUGH = 32 << 20, /* then the page ends */
    DELIVERIES_LISTED_MAX = 1000, /* of one signal; its count tells the truth */
};

static const char *const kind_names[] = {[CALL_GRAPHQL] = "graphql", [CALL_TOKEN] = "token"};

static const char *const text_names[] = {
    [CALL_REQUEST_ID] = "requestId",
    [CALL_USER_AGENT] = "userAgent",
    [CALL_ACCEPT_LANGUAGE] = "acceptLanguage",
    [CALL_SESSION_ID] = "sessionId",
    [CALL_TRACEPARENT] = "traceparent",
    [CALL_SEEK_TOKEN] = "seekToken",
    [CALL_TIMESTAMP] = "timestamp",
    [CALL_TYPE_CODE] = "typeCode",
    [CALL_ACCESS_TOKEN] = "accessToken",
    [CALL_OUTCOME] = "outcome",
    [CALL_FAULT] = "fault",
    [CALL_BODY] = "body",
};

/* What SEEK asks for in its documents and does not enforce. */
static const struct advice {
    enum call_text text;
    unsigned kinds; /* bits of enum call_kind */
    const char *remark;
} advices[] = {
    {CALL_REQUEST_ID, 1 << CALL_GRAPHQL, "X-Request-Id is missing"},
    {CALL_USER_AGENT, 1 << CALL_GRAPHQL | 1 << CALL_TOKEN, "User-Agent is missing"},
    {CALL_ACCEPT_LANGUAGE, 1 << CALL_GRAPHQL, "Accept-Language is missing"},
};

static bool write_text(const struct sandbox_call *call, enum call_text which, struct buffer *buffer,
                       struct error *error)
{
    const struct json_text *text = &call->facts.texts[which];
    return buffer_append_format(buffer, error, ",\"%s\":", text_names[which]) &&
           (text->bytes == NULL ? buffer_append_text(buffer, "null", error)
                                : json_append_string(buffer, text->bytes, text->length, error));
}

static bool write_remarks(const struct sandbox_call *call, struct buffer *buffer,
                          struct error *error)
{
    const char *separator = "";
    if (!buffer_append_text(buffer, ",\"remarks\":[", error))
        return false;
    for (size_t i = 0; i < sizeof advices / sizeof advices[0]; i++) {
        const struct advice *advice = &advices[i];
        if ((advice->kinds & 1U << call->facts.kind) == 0 || call_text(call, advice->text) != NULL)
            continue;
        if (!buffer_append_format(buffer, error, "%s\"%s\"", separator, advice->remark))
            return false;
        separator = ",";
    }
    return buffer_append_text(buffer, "]", error);
}

static bool write_call(const struct sandbox_call *call, bool has_bodies, struct buffer *buffer,
                       struct error *error)
{
    char received[RFC3339_BYTES];
    rfc3339_format(call->facts.received_ms, received);
    if (!buffer_append_format(
            buffer, error,
            "{\"sequence\":%" PRIu64 ",\"receivedAt\":\"%s\",\"monotonicUs\":%" PRId64
            ",\"kind\":\"%s\",\"authorized\":%s,\"status\":%u",
            call->sequence, received, call->facts.monotonic_us, kind_names[call->facts.kind],
            call->facts.is_authorized ? "true" : "false", call->facts.status))
        return false;
    for (enum call_text i = 0; i < CALL_TEXT_COUNT; i++)
        if ((i != CALL_BODY || has_bodies) && !write_text(call, i, buffer, error))
            return false;
    return write_remarks(call, buffer, error) && buffer_append_text(buffer, "}", error);
}

static bool is_page_full(const struct buffer *buffer)
{
    return buffer->length >= PAGE_BYTES_ENOUGH;
}

bool ledger_write_calls(const struct ledger *ledger, const struct page *page, struct buffer *buffer,
                        struct error *error)
{
    uint64_t next =
        page->after >= ledger->sequence_first ? page->after + 1 : ledger->sequence_first;
    const uint64_t end = ledger->sequence_first + ledger->count;
    uint64_t left = page->limit;
    if (!buffer_append_text(buffer, "{\"calls\":[", error))
        return false;
    const char *separator = "";
    for (; next < end && left > 0 && !is_page_full(buffer); next++, left--) {
        const struct sandbox_call *call = ledger->calls[next - ledger->sequence_first];
        if (!buffer_append_text(buffer, separator, error) ||
            !write_call(call, page->has_bodies, buffer, error))
            return false;
        separator = ",";
    }
    return buffer_append_format(buffer, error, "],\"next\":%" PRIu64 "}", next - 1);
}

static bool write_deliveries(const struct taken_signal *signal, enum call_text which,
                             struct buffer *buffer, struct error *error)
{
    size_t left = DELIVERIES_LISTED_MAX;
    for (const struct sandbox_call *call = signal->first; call != NULL && left > 0;
         call = call->next_delivery, left--) {
        const struct json_text *text = &call->facts.texts[which];
        if (!buffer_append_text(buffer, call == signal->first ? "" : ",", error) ||
            !(text->bytes == NULL ? buffer_append_text(buffer, "null", error)
                                  : json_append_string(buffer, text->bytes, text->length, error)))
            return false;
    }
    return true;
}

static bool write_signal(const struct taken_signal *signal, struct buffer *buffer,
                         struct error *error)
{
    const struct json_text *seek_token = &signal->first->facts.texts[CALL_SEEK_TOKEN];
    return buffer_append_text(buffer, "{\"seekToken\":", error) &&
           json_append_string(buffer, seek_token->bytes, seek_token->length, error) &&
           buffer_append_format(buffer, error,
                                ",\"count\":%" PRIu64 ",\"firstSequence\":%" PRIu64
                                ",\"lastSequence\":%" PRIu64 ",\"timestamps\":[",
                                signal->count, signal->first->sequence, signal->last->sequence) &&
           write_deliveries(signal, CALL_TIMESTAMP, buffer, error) &&
           buffer_append_text(buffer, "],\"requestIds\":[", error) &&
           write_deliveries(signal, CALL_REQUEST_ID, buffer, error) &&
           buffer_append_text(buffer, "]}", error);
}

bool ledger_write_signals(const struct ledger *ledger, const struct page *page,
                          struct buffer *buffer, struct error *error)
{
    const struct signal_index *index = &ledger->signals;
    uint64_t next = page->after;
    uint64_t left = page->limit;
    if (!buffer_append_text(buffer, "{\"signals\":[", error))
        return false;
    for (; next < index->count && left > 0 && !is_page_full(buffer); next++, left--)
        if (!buffer_append_text(buffer, next == page->after ? "" : ",", error) ||
            !write_signal(&index->signals[next], buffer, error))
            return false;
    return buffer_append_format(buffer, error, "],\"next\":%" PRIu64 ",\"total\":%zu}", next,
                                index->count);
}

bool ledger_write_signal(const struct ledger *ledger, const char *seek_token, struct buffer *buffer,
                         struct error *error)
{
    const struct taken_signal *signal = signal_index_find(&ledger->signals, seek_token);
    return buffer_append_text(buffer, "{\"signals\":[", error) &&
           (signal == NULL || write_signal(signal, buffer, error)) &&
           buffer_append_format(buffer, error, "],\"total\":%d}", signal != NULL);
}

static bool write_tallies(const struct ledger *ledger, enum call_kind kind, struct buffer *buffer,
                          struct error *error)
{
    if (!buffer_append_format(buffer, error, "\"%s\":{\"total\":%" PRIu64 ",\"outcomes\":{",
                              kind_names[kind], ledger->totals[kind]))
        return false;
    const struct tally *tallies = ledger->tallies[kind];
    const char *separator = "";
    for (size_t i = 0; i < TALLIES_MAX; i++) {
        if (tallies[i].count == 0)
            continue;
        if (!buffer_append_text(buffer, separator, error) ||
            !json_append_string(buffer, tallies[i].outcome, strlen(tallies[i].outcome), error) ||
            !buffer_append_format(buffer, error, ":%" PRIu64, tallies[i].count))
            return false;
        separator = ",";
    }
    return buffer_append_text(buffer, "}},", error);
}

bool ledger_write_counts(const struct ledger *ledger, struct buffer *buffer, struct error *error)
{
    uint64_t duplicates = 0;
    for (size_t i = 0; i < ledger->signals.count; i++)
        duplicates += ledger->signals.signals[i].count - 1;
    return buffer_append_text(buffer, "{", error) &&
           write_tallies(ledger, CALL_GRAPHQL, buffer, error) &&
           write_tallies(ledger, CALL_TOKEN, buffer, error) &&
           buffer_append_format(
               buffer, error,
               "\"signals\":{\"taken\":%" PRIu64 ",\"distinct\":%zu,\"duplicates\":%" PRIu64
               ",\"expired\":%" PRIu64 "},\"ledger\":{\"calls\":%zu,\"max\":%zu,\"full\":%s}}",
               ledger->delivered, ledger->signals.count, duplicates, ledger->expired, ledger->count,
               ledger->calls_max, ledger->is_full ? "true" : "false");
}
