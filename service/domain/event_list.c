/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"

#include "service/domain/event.h"

enum { ARRAY_CAPACITY_FIRST = 16 };

static const struct list_form {
    struct event *(*read)(const struct json_value *value, const char *text, size_t length,
                          struct rejection *rejection);
    bool takes_one, takes_array;
} forms[] = {
    /* NDJSON is no JSON document: see below */
    [EVENT_FORMAT_JSON] = {event_read, true, true},
    [EVENT_FORMAT_CLOUD_EVENT] = {event_read_cloud, true, false},
    [EVENT_FORMAT_CLOUD_EVENT_BATCH] = {event_read_cloud, false, true},
};

void event_list_destroy(struct event_list *list)
{
    if (list == NULL)
        return;
    for (size_t i = 0; i < list->count; i++)
        event_destroy(list->entries[i].event);
    free(list);
}

static struct event_list *create(size_t count, bool is_batch, struct rejection *rejection)
{
    struct event_list *list = calloc(1, sizeof *list + count * sizeof list->entries[0]);
    if (list == NULL) {
        (void)rejection_out_of_memory(rejection);
        return NULL;
    }
    list->count = count;
    list->is_batch = is_batch;
    return list;
}

static void reject_empty(struct rejection *rejection)
{
    (void)rejection_set(rejection, REJECTED_EMPTY_BATCH, "", "Send at least one event.",
                        "The batch is empty.");
}

static void reject_long(struct rejection *rejection, size_t batch_max)
{
    (void)rejection_set(rejection, REJECTED_BATCH_TOO_LONG, "", "Split the batch.",
                        "The batch has more than %zu events, which is the limit.", batch_max);
}

static struct event_list *create_batch(size_t count, size_t batch_max, struct rejection *rejection)
{
    if (count == 0)
        reject_empty(rejection);
    else if (count > batch_max)
        reject_long(rejection, batch_max);
    else
        return create(count, true, rejection);
    return NULL;
}

static const char remedy_of_json[] = "Send JSON as RFC 8259 defines it, in UTF-8.";

static void reject_text(struct rejection *rejection, const struct error *error, const char *remedy)
{
    if (error->kind == ERROR_MEMORY)
        (void)rejection_out_of_memory(rejection);
    else
        (void)rejection_set(rejection, REJECTED_NOT_JSON, "", remedy, "Not JSON: %s.",
                            error->message);
}

static struct json *parse(const char *text, size_t length, struct rejection *rejection)
{
    struct error error;
    struct json *json = json_parse(text, length, &error);
    if (json == NULL && length == 0) /* often a client without the body it was to send */
        (void)rejection_set(
            rejection, REJECTED_NOT_JSON, "",
            "Send the event as the body: {\"applicationId\": \"…\", \"token\": \"…\"}.",
            "The body is empty.");
    else if (json == NULL)
        reject_text(rejection, &error, remedy_of_json);
    return json;
}

/* Room for one more entry, which is zeroed. False: out of memory; the list is as it was. */
static bool grow(struct event_list **list, size_t *capacity)
{
    size_t count = (*list)->count;
    if (count == *capacity) {
        size_t doubled = *capacity * 2;
        struct event_list *bigger =
            realloc(*list, sizeof **list + doubled * sizeof(*list)->entries[0]);
        if (bigger == NULL)
            return false;
        *list = bigger;
        *capacity = doubled;
    }
    memset(&(*list)->entries[count], 0, sizeof(*list)->entries[0]);
    (*list)->count++;
    return true;
}

/* Each event's tree is gone before the next one's is made. */
static bool read_items(const struct list_form *form, struct json_scanner *items,
                       struct event_list **list, size_t batch_max, struct rejection *rejection)
{
    size_t capacity = ARRAY_CAPACITY_FIRST;
    for (;;) {
        struct error error;
        struct json *next;
        const char *text;
        size_t length;
        if (!json_items_next(items, &next, &text, &length, &error)) {
            reject_text(rejection, &error, remedy_of_json);
            return false;
        }
        AUTO(json) *item = next;
        if (item == NULL)
            return true;
        if ((*list)->count == batch_max) {
            reject_long(rejection, batch_max);
            return false;
        }
        if (!grow(list, &capacity)) {
            (void)rejection_out_of_memory(rejection);
            return false;
        }
        struct event_entry *entry = &(*list)->entries[(*list)->count - 1];
        entry->event = form->read(json_root(item), text, length, &entry->rejection);
    }
}

static struct event_list *parse_array(const struct list_form *form, struct json_scanner *items,
                                      size_t batch_max, struct rejection *rejection)
{
    struct event_list *list = create(ARRAY_CAPACITY_FIRST, true, rejection);
    if (list == NULL)
        return NULL;
    list->count = 0;
    bool is_read = read_items(form, items, &list, batch_max, rejection);
    if (is_read && list->count > 0)
        return list;
    if (is_read)
        reject_empty(rejection);
    event_list_destroy(list);
    return NULL;
}

static struct event_list *parse_one(const struct list_form *form, const struct json_value *value,
                                    const char *body, size_t length, struct rejection *rejection)
{
    struct event *event = form->read(value, body, length, rejection);
    if (event == NULL)
        return NULL;
    struct event_list *list = create(1, false, rejection);
    if (list == NULL)
        event_destroy(event);
    else
        list->entries[0].event = event;
    return list;
}

static struct event_list *parse_document(const struct list_form *form, const char *body,
                                         size_t length, size_t batch_max,
                                         struct rejection *rejection)
{
    struct json_scanner items;
    bool is_array = json_items_open(&items, body, length);
    if (is_array && form->takes_array)
        return parse_array(form, &items, batch_max, rejection);
    AUTO(json) *json = parse(body, length, rejection);
    if (json == NULL)
        return NULL;
    if (!is_array && form->takes_one)
        return parse_one(form, json_root(json), body, length, rejection);
    (void)rejection_set(rejection, REJECTED_NOT_AN_OBJECT, "",
                        "Send application/cloudevents+json for one event and "
                        "application/cloudevents-batch+json for an array.",
                        "The body is %s.", is_array ? "an array" : "not an array");
    return NULL;
}

/* --- NDJSON ---------------------------------------------------------------------------------- */

static bool is_blank(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
            return false;
    return true;
}

/* The next line that is not blank. */
static bool next_line(const char *body, size_t length, size_t *cursor, const char **out_line,
                      size_t *out_length)
{
    while (*cursor < length) {
        const char *line = body + *cursor;
        const char *end = memchr(line, '\n', length - *cursor);
        size_t line_length = end != NULL ? (size_t)(end - line) : length - *cursor;
        *cursor += line_length + (end != NULL);
        if (!is_blank(line, line_length)) {
            *out_line = line;
            *out_length = line_length;
            return true;
        }
    }
    return false;
}

static struct event *parse_line(const char *line, size_t length, struct rejection *rejection)
{
    struct error error;
    AUTO(json) *json = json_parse(line, length, &error);
    if (json != NULL)
        return event_read(json_root(json), line, length, rejection);
    reject_text(rejection, &error,
                "Send JSON in UTF-8, one event per line (with curl: --data-binary).");
    return NULL;
}

static struct event_list *parse_lines(const char *body, size_t length, size_t batch_max,
                                      struct rejection *rejection)
{
    const char *line = NULL;
    size_t line_length = 0;
    size_t count = 0;
    for (size_t cursor = 0; next_line(body, length, &cursor, &line, &line_length);)
        count++;
    struct event_list *list = create_batch(count, batch_max, rejection);
    if (list == NULL)
        return NULL;
    size_t cursor = 0;
    for (size_t i = 0; i < count && next_line(body, length, &cursor, &line, &line_length); i++) {
        struct event_entry *entry = &list->entries[i];
        entry->event = parse_line(line, line_length, &entry->rejection);
    }
    return list;
}

struct event_list *event_list_parse(const char *body, size_t length, enum event_format format,
                                    size_t batch_max, struct rejection *rejection)
{
    if (format == EVENT_FORMAT_NDJSON)
        return parse_lines(body, length, batch_max, rejection);
    return parse_document(&forms[format], body, length, batch_max, rejection);
}
