/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * GET /v1/applications: what is due, or dead, in the order of time, page by page.
 */
#include <stdlib.h>
#include <string.h>

#include "service/inbound/application_document.h"
#include "service/inbound/call.h"
#include "service/inbound/cursor.h"
#include "service/inbound/endpoints.h"

enum { LIMIT_DEFAULT = 50, CURSOR_NUMBERS = 1 };

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
    const char *state = http_request_query(call->request, "state");
    if (state != NULL && store_listing_parse(state, &query->listing))
        return true;
    return refuse_query(call, "state",
                        state == NULL ? "The listing needs a state." : "This state is not listed.",
                        "Ask for state=pending, sending, due (both of these) or dead. Drafts and "
                        "delivered ones are found by their id alone.");
}

static bool read_limit(struct call *call, struct store_list_query *query)
{
    const char *text = http_request_query(call->request, "limit");
    query->limit = LIMIT_DEFAULT;
    if (text == NULL)
        return true;
    char *end;
    long limit = text[0] >= '0' && text[0] <= '9' ? strtol(text, &end, 10) : 0;
    if (limit < 1 || limit > STORE_LIST_MAX || *end != '\0')
        return refuse_query(call, "limit", "limit is not a number from 1 to 200.", NULL);
    query->limit = (size_t)limit;
    return true;
}

static bool read_cursor(struct call *call, struct store_list_query *query, struct cursor *cursor)
{
    const char *text = http_request_query(call->request, "cursor");
    if (text == NULL || text[0] == '\0')
        return true;
    if (!cursor_parse(text, CURSOR_NUMBERS, cursor))
        return refuse_query(call, "cursor", "This cursor is not one of this listing.",
                            "Send it exactly as the page before gave it, or leave it out.");
    query->after = (struct store_place){.at_ms = cursor->numbers[0], .id = cursor->id};
    return true;
}

static bool write_next(struct buffer *out, const struct store_place *next, struct error *error)
{
    if (next->id == NULL)
        return buffer_append_text(out, "],\"cursor\":null}", error);
    return buffer_append_text(out, "],\"cursor\":\"", error) &&
           cursor_write(out, &next->at_ms, CURSOR_NUMBERS, next->id, error) &&
           buffer_append_text(out, "\"}", error);
}

static bool write_list(struct buffer *out, const struct store_list *list, struct error *error)
{
    if (!buffer_append_text(out, "{\"applications\":[", error))
        return false;
    for (size_t i = 0; i < list->count; i++) {
        if ((i > 0 && !buffer_append_text(out, ",", error)) ||
            !application_write(out, &list->items[i].application, error))
            return false;
    }
    return write_next(out, &list->next, error);
}

static void take_list(void *context, const struct store_failure *failure,
                      const struct store_list *list)
{
    struct call *call = context;
    struct buffer *body = call_scratch(call);
    if (failure->status != STORE_OK)
        call_refuse_store(call, failure);
    else if (write_list(body, list, NULL))
        call_answer_json(call, 200, body);
    else
        call_answer_out_of_memory(call);
    call_release(call);
}

void applications_get(struct call *call)
{
    struct store_list_query query = {.code = http_request_query(call->request, "code")};
    struct cursor cursor;
    struct error error;
    if (!read_state(call, &query) || !read_limit(call, &query) ||
        !read_cursor(call, &query, &cursor))
        return;
    call_hold(call);
    if (store_list(call->front->store, &query, take_list, call, &error))
        return;
    call_refuse_untaken(call, &error);
    call_release(call);
}
