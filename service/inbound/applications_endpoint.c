/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * GET /v1/applications: what is due, or dead, in the order of time or against it, page by page; as
 * JSON, or as rows to be stored: NDJSON and CSV. Of those the next page is named in a header, so
 * that pages put one behind the other are the whole.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/ascii.h"
#include "lib/base/clock.h"

#include "service/domain/moment.h"
#include "service/inbound/application_document.h"
#include "service/inbound/application_table.h"
#include "service/inbound/call.h"
#include "service/inbound/cursor.h"
#include "service/inbound/endpoints.h"

enum { LIMIT_DEFAULT = 50, CURSOR_NUMBERS = 1 };

/* All that is read from the query, so that the link to the next page leaves nothing out. */
enum parameter {
    PARAMETER_STATE,
    PARAMETER_ORDER,
    PARAMETER_CODE,
    PARAMETER_CLASS,
    PARAMETER_MESSAGE,
    PARAMETER_PREFIX,
    PARAMETER_SINCE,
    PARAMETER_UNTIL,
    PARAMETER_LIMIT,
    PARAMETER_FORMAT,
    PARAMETER_CURSOR,
    PARAMETER_COUNT
};
static const char *const parameters[PARAMETER_COUNT] = {
    [PARAMETER_STATE] = "state",   [PARAMETER_ORDER] = "order",     [PARAMETER_CODE] = "code",
    [PARAMETER_CLASS] = "class",   [PARAMETER_MESSAGE] = "message", [PARAMETER_PREFIX] = "prefix",
    [PARAMETER_SINCE] = "since",   [PARAMETER_UNTIL] = "until",     [PARAMETER_LIMIT] = "limit",
    [PARAMETER_FORMAT] = "format", [PARAMETER_CURSOR] = "cursor",
};

static const char *query_value(const struct call *call, enum parameter parameter)
{
    return http_request_query(call->request, parameters[parameter]);
}

static bool refuse_query(struct call *call, const char *field, const char *detail,
                         const char *remedy)
{
    call_refuse(call, &(struct problem){.code = PROBLEM_QUERY_INVALID,
                                        .detail = detail,
                                        .field = field,
                                        .remedy = remedy});
    return false;
}

static bool read_state(struct call *call, struct store_list_query *query)
{
    const char *state = query_value(call, PARAMETER_STATE);
    if (state != NULL && store_listing_parse(state, &query->listing))
        return true;
    return refuse_query(call, "state",
                        state == NULL ? "The listing needs a state."
                                      : "Applications in this state cannot be listed.",
                        "Ask for state=pending, sending, due (both of these) or dead. Look up "
                        "drafts and delivered applications by their id.");
}

static bool read_limit(struct call *call, struct store_list_query *query)
{
    const char *text = query_value(call, PARAMETER_LIMIT);
    query->limit = LIMIT_DEFAULT;
    if (text == NULL)
        return true;
    char *end;
    long limit = ascii_is_digit(text[0]) ? strtol(text, &end, 10) : 0;
    if (limit < 1 || limit > STORE_LIST_MAX || *end != '\0')
        return refuse_query(call, "limit", "limit is not a number from 1 to 200.", NULL);
    query->limit = (size_t)limit;
    return true;
}

static bool read_order(struct call *call, struct store_list_query *query)
{
    const char *order = query_value(call, PARAMETER_ORDER);
    query->is_latest_first = order != NULL && strcmp(order, "desc") == 0;
    return order == NULL || query->is_latest_first || strcmp(order, "asc") == 0 ||
           refuse_query(call, "order", "This order is not known.",
                        "Ask for order=asc, the earliest first, or order=desc.");
}

static bool read_time(struct call *call, enum parameter parameter, int64_t *out_ms)
{
    const char *text = query_value(call, parameter);
    if (text == NULL || moment_parse(text, clock_wall_ms(), out_ms))
        return true;
    return refuse_query(call, parameters[parameter], "This is not a time.",
                        "Send RFC 3339, such as 2026-01-02T03:04:05Z (a + in it as %2B), or how "
                        "long ago, such as 2h or 7d.");
}

static bool read_filter(struct call *call, struct store_filter *filter)
{
    filter->code = query_value(call, PARAMETER_CODE);
    filter->class = query_value(call, PARAMETER_CLASS);
    filter->message = query_value(call, PARAMETER_MESSAGE);
    filter->id_prefix = query_value(call, PARAMETER_PREFIX);
    return read_time(call, PARAMETER_SINCE, &filter->since_ms) &&
           read_time(call, PARAMETER_UNTIL, &filter->until_ms);
}

static bool read_cursor(struct call *call, struct store_list_query *query, struct cursor *cursor)
{
    const char *text = query_value(call, PARAMETER_CURSOR);
    if (text == NULL || text[0] == '\0')
        return true;
    if (!cursor_parse(text, CURSOR_NUMBERS, cursor))
        return refuse_query(call, "cursor", "This cursor does not belong to this listing.",
                            "Send it exactly as the page before gave it, or leave it out.");
    query->after = (struct store_place){.at_ms = cursor->numbers[0], .id = cursor->id};
    return true;
}

/* --- the answer --- */

static bool write_next(struct buffer *out, const struct store_place *next, struct error *error)
{
    if (next->id == NULL)
        return buffer_append_text(out, "],\"cursor\":null}", error);
    return buffer_append_text(out, "],\"cursor\":\"", error) &&
           cursor_write(out, &next->at_ms, CURSOR_NUMBERS, next->id, error) &&
           buffer_append_text(out, "\"}", error);
}

static bool write_json(struct buffer *out, const struct store_list *list, bool is_first,
                       struct error *error)
{
    assert(list->count <= STORE_LIST_MAX);
    (void)is_first;
    if (!buffer_append_text(out, "{\"applications\":[", error))
        return false;
    for (size_t i = 0; i < list->count; i++) {
        if ((i > 0 && !buffer_append_text(out, ",", error)) ||
            !application_write(out, &list->items[i].application, error))
            return false;
    }
    return write_next(out, &list->next, error);
}

static bool write_ndjson(struct buffer *out, const struct store_list *list, bool is_first,
                         struct error *error)
{
    (void)is_first;
    for (size_t i = 0; i < list->count; i++) {
        if (!application_write(out, &list->items[i].application, error) ||
            !buffer_append_text(out, "\n", error))
            return false;
    }
    return true;
}

static bool write_csv(struct buffer *out, const struct store_list *list, bool is_first,
                      struct error *error)
{
    if (is_first && !application_write_titles(out, error))
        return false;
    for (size_t i = 0; i < list->count; i++) {
        if (!application_write_row(out, &list->items[i].application, error))
            return false;
    }
    return true;
}

static const struct format {
    const char *name, *media_type, *content_type;
    bool (*write)(struct buffer *out, const struct store_list *list, bool is_first,
                  struct error *error);
    bool has_link; /* to the next page: it is not in the body */
} formats[] = {
    {"json", "application/json", "application/json", write_json, false},
    {"ndjson", "application/x-ndjson", "application/x-ndjson", write_ndjson, true},
    {"csv", "text/csv", "text/csv; charset=utf-8", write_csv, true},
};
enum { FORMATS_COUNT = sizeof formats / sizeof formats[0] };

/* `format`, or else what is accepted before all else, or else JSON. */
static const struct format *find_format(struct call *call)
{
    const char *name = query_value(call, PARAMETER_FORMAT);
    const char *accept = http_request_header(call->request, "Accept");
    for (size_t i = 0; i < FORMATS_COUNT; i++) {
        const char *media_type = formats[i].media_type;
        bool is_accepted =
            accept != NULL && strncasecmp(accept, media_type, strlen(media_type)) == 0;
        if (name != NULL ? strcmp(name, formats[i].name) == 0 : is_accepted)
            return &formats[i];
    }
    if (name == NULL)
        return &formats[0];
    (void)refuse_query(call, "format", "This format is not supported.",
                       "Ask for format=json, ndjson or csv.");
    return NULL;
}

/* Beside the call, until the store has answered. */
struct listing {
    struct call_work work;
    struct call *call; /* borrowed: owns us */
    const struct format *format;
    bool is_first; /* page */
};

static void destroy(struct call_work *work)
{
    free(work);
}

static bool append_parameter(struct buffer *out, const struct call *call, enum parameter parameter)
{
    static const char unreserved[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    const char *value = query_value(call, parameter);
    if (value == NULL)
        return true;
    if (!buffer_append_format(out, NULL, "%s=", parameters[parameter]))
        return false;
    for (const unsigned char *c = (const unsigned char *)value; *c != '\0'; c++) {
        bool is_plain = strchr(unreserved, *c) != NULL;
        if (!buffer_append_format(out, NULL, is_plain ? "%c" : "%%%02X", *c))
            return false;
    }
    return buffer_append_text(out, "&", NULL);
}

/* As it was asked, and the cursor last. Who asked by Accept gets the format by its name. */
static bool write_link(struct buffer *out, const struct listing *listing,
                       const struct store_place *next)
{
    if (!buffer_append_text(out, "</v1/applications?", NULL))
        return false;
    for (enum parameter i = 0; i < PARAMETER_COUNT; i++) {
        bool is_kept = i != PARAMETER_FORMAT && i != PARAMETER_CURSOR;
        if (is_kept && !append_parameter(out, listing->call, i))
            return false;
    }
    return buffer_append_format(out, NULL, "format=%s&cursor=", listing->format->name) &&
           cursor_write(out, &next->at_ms, CURSOR_NUMBERS, next->id, NULL) &&
           buffer_append_text(out, ">; rel=\"next\"", NULL);
}

static bool answer(const struct listing *listing, const struct store_list *list)
{
    enum { LINK_BYTES_MAX = 64 * 1024 };
    struct call *call = listing->call;
    struct buffer *body = call_scratch(call);
    struct buffer link;
    if (call->request == NULL)
        return true;
    assert(!call->is_answered);
    buffer_init(&link, LINK_BYTES_MAX);
    bool is_linked = listing->format->has_link && list->next.id != NULL;
    bool is_written = listing->format->write(body, list, listing->is_first, NULL) &&
                      (!is_linked || write_link(&link, listing, &list->next));
    if (is_written)
        call_answer(call, &(struct answer){.status = 200,
                                           .content_type = listing->format->content_type,
                                           .body = body->bytes,
                                           .body_length = body->length,
                                           .headers = {{is_linked ? "Link" : NULL, link.bytes}}});
    buffer_fini(&link);
    return is_written;
}

static void take_list(void *context, const struct store_failure *failure,
                      const struct store_list *list)
{
    const struct listing *listing = context;
    struct call *call = listing->call;
    assert(call->work == &listing->work && call->holds > 0);
    if (failure->status != STORE_OK)
        call_refuse_store(call, failure);
    else if (!answer(listing, list))
        call_answer_out_of_memory(call);
    call_release(call);
}

static void start(struct call *call, const struct store_list_query *query,
                  const struct format *format)
{
    assert(call->work == NULL);
    struct error error;
    struct listing *listing = calloc(1, sizeof *listing);
    if (listing == NULL) {
        call_answer_out_of_memory(call);
        return;
    }
    *listing = (struct listing){.work = {.destroy = destroy},
                                .call = call,
                                .format = format,
                                .is_first = query->after.id == NULL};
    call->work = &listing->work;
    call_start(call, store_list(call->context->store, query, take_list, listing, &error), &error);
}

void applications_get(struct call *call)
{
    struct store_list_query query = {0};
    struct cursor cursor;
    if (!read_state(call, &query) || !read_limit(call, &query) || !read_order(call, &query) ||
        !read_filter(call, &query.filter) || !read_cursor(call, &query, &cursor))
        return;
    assert(query.limit >= 1 && query.limit <= STORE_LIST_MAX);
    const struct format *format = find_format(call);
    if (format != NULL)
        start(call, &query, format);
}
