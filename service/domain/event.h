/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * An event, as an ATS posts it: an application was completed. Reading the four accepted forms, and
 * their rules.
 *
 *     event.c        one event: its members and their rules
 *     cloud_event.c  the envelope around one
 *     event_list.c   a body: one event or a batch
 *     traceparent.c  the trace that it belongs to
 *
 * Owns:    an event_list owns its events and their texts.
 * Threads: one at a time. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/ownership.h"

#include "service/domain/rejection.h"

#define EVENT_TYPE "application.completed" /* the only one */

enum { APPLICATION_ID_BYTES_MAX = 256, TRACEPARENT_BYTES = 55, EVENT_COMPLETED_AT_UNKNOWN = -1 };

struct event {
    char *application_id;    /* owned */
    char *seek_token;        /* owned; NULL: the stored draft's is used */
    char *traceparent;       /* owned; NULL: none came inside the event (CloudEvents extension) */
    bool has_other_members;  /* with names that mean nothing here: perhaps mistyped */
    int64_t completed_at_ms; /* EVENT_COMPLETED_AT_UNKNOWN: the moment of acceptance */
};

struct event_entry {
    struct event *event; /* owned; NULL: see rejection */
    struct rejection rejection;
};

struct event_list {
    size_t count;
    bool is_batch; /* an array, NDJSON or a CloudEvents batch: the answer is a list too */
    struct event_entry entries[];
};

enum event_format {
    EVENT_FORMAT_JSON,              /* object or array */
    EVENT_FORMAT_NDJSON,            /* one object per line; blank lines are skipped */
    EVENT_FORMAT_CLOUD_EVENT,       /* structured mode: application/cloudevents+json */
    EVENT_FORMAT_CLOUD_EVENT_BATCH, /* application/cloudevents-batch+json */
};

/* NULL and `rejection` when the body as a whole cannot be read (for a batch: not JSON, empty,
 * longer than `batch_max`). A bad event inside a batch is an entry with its own rejection. A single
 * event that is bad makes the whole body bad. CloudEvents binary mode is EVENT_FORMAT_JSON after
 * the caller checked the ce- headers with event_cloud_attributes_check. */
struct event_list *event_list_parse(const char *body, size_t length, enum event_format format,
                                    size_t batch_max, struct rejection *rejection);
void event_list_destroy(struct event_list *list); /* accepts NULL */
DEFINE_AUTO(event_list);

struct json_value;
/* One event from the object `value`. `text` is the JSON around it, searched for repeated members:
 * its own or its envelope's. NULL and `rejection` when it is bad. */
struct event *event_read(const struct json_value *value, const char *text, size_t length,
                         struct rejection *rejection);
/* The same from a CloudEvent in structured mode, whose `data` or `data_base64` is the event. */
struct event *event_read_cloud(const struct json_value *value, const char *text, size_t length,
                               struct rejection *rejection);
/* Copies a traceparent; NULL and an invalid one count as absent, as W3C Trace Context has it. False
 * and `rejection` when there is no memory. */
bool event_keep_traceparent(struct event *event, const char *traceparent,
                            struct rejection *rejection);
void event_destroy(struct event *event); /* accepts NULL */
DEFINE_AUTO(event);

/* CloudEvents 1.0 section 3.1: attributes, as text; NULL for one that is absent. */
struct cloud_attributes {
    const char *id, *source, *specversion, *type; /* required */
    const char *time;                             /* when it happened */
};
/* `*out_time_ms` is EVENT_COMPLETED_AT_UNKNOWN without a time. */
bool event_cloud_attributes_check(const struct cloud_attributes *attributes, int64_t *out_time_ms,
                                  struct rejection *rejection);
/* The time of the envelope counts for an event that names none itself. */
void event_default_completed_at(struct event *event, int64_t time_ms);

/* 1 to APPLICATION_ID_BYTES_MAX bytes of UTF-8, no control characters (C0, DEL, C1). */
bool application_id_is_sound(const char *id, size_t length);
/* And it can stand in the path of a URL: it is neither "." nor "..". */
bool application_id_check(const char *id, size_t length, struct rejection *rejection);

/* W3C Trace Context: the traceparent as one of version 00. False, and `out` is unchanged, when it
 * is to be ignored. */
bool traceparent_read(const char *text, char out[TRACEPARENT_BYTES + 1]);
