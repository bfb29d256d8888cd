/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/sandbox/control.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"

#include "service/sandbox/ledger_page.h"

enum { REFUSAL_BYTES_MAX = 4 * ERROR_MESSAGE_BYTES };

/* What a handler works with. It appends its answer, or returns false with an error. */
struct control {
    struct state *state;
    struct http_request *request;
    struct buffer answer;
    struct error error;
};

void control_refuse(struct http_request *request, unsigned status, const char *message)
{
    struct buffer body;
    buffer_init(&body, REFUSAL_BYTES_MAX);
    /* An answer without its text is still an answer. */
    if (!buffer_append_text(&body, "{\"error\":", NULL) ||
        !json_append_string(&body, message, strlen(message), NULL) ||
        !buffer_append_text(&body, "}\n", NULL))
        buffer_clear(&body);
    http_request_reply(request, &(struct http_reply){.status = status,
                                                     .content_type = content_type_json,
                                                     .body = body.bytes,
                                                     .body_length = body.length});
    buffer_fini(&body);
}

static struct json *read_body(struct control *control)
{
    size_t length = 0;
    const char *body = http_request_body(control->request, &length);
    return json_parse(body, length, &control->error);
}

static bool read_number(struct control *control, const char *name, uint64_t preset, uint64_t max,
                        uint64_t *out)
{
    const char *text = http_request_query(control->request, name);
    *out = preset;
    if (text == NULL)
        return true;
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || number > max)
        return error_set(&control->error, ERROR_INVALID, "%s: expected a number from 0 to %" PRIu64,
                         name, max);
    *out = number;
    return true;
}

static bool read_page(struct control *control, struct page *out)
{
    const char *bodies = http_request_query(control->request, "bodies");
    out->has_bodies = bodies != NULL && strcmp(bodies, "1") == 0;
    return read_number(control, "after", 0, INT64_MAX, &out->after) &&
           read_number(control, "limit", PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX, &out->limit);
}

static bool list_faults(struct control *control)
{
    return fault_script_write(control->state->script, &control->answer, &control->error);
}

static bool add_faults(struct control *control)
{
    AUTO(json) *json = read_body(control);
    return json != NULL &&
           fault_script_add(control->state->script, json_root(json), &control->error) &&
           list_faults(control);
}

static bool clear_faults(struct control *control)
{
    fault_script_clear(control->state->script);
    waiting_release(&control->state->waiting);
    return true;
}

static bool show_settings(struct control *control)
{
    return behaviour_write(&control->state->behaviour, &control->answer, &control->error);
}

static bool change_settings(struct control *control)
{
    AUTO(json) *json = read_body(control);
    return json != NULL &&
           behaviour_patch(&control->state->behaviour, json_root(json), &control->error) &&
           show_settings(control);
}

static bool revoke(struct control *control)
{
    oauth_revoke_all(control->state->oauth);
    return true;
}

static bool show_ledger(struct control *control)
{
    struct page page;
    return read_page(control, &page) &&
           ledger_write_calls(control->state->ledger, &page, &control->answer, &control->error);
}

static bool clear_ledger(struct control *control)
{
    ledger_clear(control->state->ledger);
    return true;
}

static bool show_signals(struct control *control)
{
    const struct ledger *ledger = control->state->ledger;
    const char *seek_token = http_request_query(control->request, "seekToken");
    if (seek_token != NULL)
        return ledger_write_signal(ledger, seek_token, &control->answer, &control->error);
    struct page page;
    return read_page(control, &page) &&
           ledger_write_signals(ledger, &page, &control->answer, &control->error);
}

static bool show_counts(struct control *control)
{
    return ledger_write_counts(control->state->ledger, &control->answer, &control->error);
}

static const struct sandbox_route {
    const char *path, *method;
    unsigned status;
    bool (*handle)(struct control *control);
} routes[] = {
    {"/sandbox/faults", "GET", 200, list_faults},
    {"/sandbox/faults", "POST", 201, add_faults},
    {"/sandbox/faults", "PUT", 201, add_faults},
    {"/sandbox/faults", "DELETE", 204, clear_faults},
    {"/sandbox/settings", "GET", 200, show_settings},
    {"/sandbox/settings", "PATCH", 200, change_settings},
    {"/sandbox/revoke", "POST", 204, revoke},
    {"/sandbox/ledger", "GET", 200, show_ledger},
    {"/sandbox/ledger", "DELETE", 204, clear_ledger},
    {"/sandbox/signals", "GET", 200, show_signals},
    {"/sandbox/counts", "GET", 200, show_counts},
};

static const struct sandbox_route *find_route(const struct http_request *request,
                                              bool *out_is_path_known)
{
    const char *path = http_request_path(request);
    const char *method = http_request_method(request);
    *out_is_path_known = false;
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (strcmp(routes[i].path, path) != 0)
            continue;
        *out_is_path_known = true;
        if (strcmp(routes[i].method, method) == 0)
            return &routes[i];
    }
    return NULL;
}

static unsigned status_of(enum error_kind kind)
{
    static const unsigned statuses[] = {
        [ERROR_INVALID] = 400, [ERROR_CONFIG] = 400, [ERROR_MEMORY] = 503,
        [ERROR_FULL] = 409,    [ERROR_IO] = 500,     [ERROR_PROTOCOL] = 500,
    };
    return statuses[kind];
}

void control_answer(struct state *state, struct http_request *request)
{
    bool is_path_known = false;
    const struct sandbox_route *route = find_route(request, &is_path_known);
    if (route == NULL) {
        control_refuse(request, is_path_known ? 405 : 404,
                       is_path_known ? "this path knows other methods" : "there is no such path");
        return;
    }
    struct control control = {.state = state, .request = request};
    buffer_init(&control.answer, PAGE_BYTES_MAX);
    if (!route->handle(&control))
        control_refuse(request, status_of(control.error.kind), control.error.message);
    else
        http_request_reply(request,
                           &(struct http_reply){
                               .status = route->status,
                               .content_type = control.answer.length > 0 ? content_type_json : NULL,
                               .body = control.answer.bytes,
                               .body_length = control.answer.length,
                           });
    buffer_fini(&control.answer);
}
