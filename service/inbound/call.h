/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One HTTP request on its way through the service, and its one answer.
 *
 * A call outlives its request when the client leaves while Redis works for it: each step that comes
 * back later holds the call, and the last one to let go frees it. An answer to nobody is dropped.
 *
 * Owns:    its submission and its span.
 * Threads: one, its loop's.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buffer.h"
#include "lib/net/http_server.h"

#include "service/domain/delivery.h"
#include "service/domain/event.h"
#include "service/inbound/front.h"
#include "service/inbound/problem.h"
#include "service/inbound/routes.h"
#include "service/store/store.h"

struct span;
struct submission;

enum { REQUEST_ID_BYTES = 129, ANSWER_HEADERS_MAX = 4 };

struct call {
    struct front *front;          /* borrowed: outlives us */
    struct http_request *request; /* borrowed; NULL once it is over */
    const struct route *route;    /* NULL: none was found */
    size_t holds;                 /* steps that will come back */
    bool is_answered;
    char request_id[REQUEST_ID_BYTES];
    char application_id[APPLICATION_ID_BYTES_MAX + 1]; /* "" when the path has none */
    size_t application_id_length;
    struct submission *submission; /* owned; POST /v1/events */
    struct span *span;             /* owned until it is answered; NULL: not traced */
};

/* NULL: out of memory. */
struct call *call_create(struct front *front, struct http_request *request);
/* Makes a span of the call, from the first byte of its request to its answer. */
void call_trace(struct call *call);
/* The request is over; frees the call unless it is held. */
void call_end(struct call *call);
void call_hold(struct call *call);
/* Frees the call when its request is over and nobody else holds it. */
void call_release(struct call *call);

/* The scratch buffer, empty. Valid until the next answer of any call. */
struct buffer *call_scratch(struct call *call);

struct answer {
    unsigned status;
    const char *content_type; /* NULL without a body */
    const char *body;
    size_t body_length;
    bool is_body_static;
    struct http_header headers[ANSWER_HEADERS_MAX]; /* ends with a NULL name or full */
};
/* Each answers the request, unless it is over or answered. */
void call_answer(struct call *call, const struct answer *answer);
void call_answer_empty(struct call *call, unsigned status);
void call_answer_json(struct call *call, unsigned status, const struct buffer *body);
void call_answer_out_of_memory(struct call *call);
void call_refuse(struct call *call, const struct problem *problem);
/* With one header on top; a NULL name: none. */
void call_refuse_with(struct call *call, const struct problem *problem, struct http_header header);
/* With a document that has more members than `problem`. */
void call_refuse_written(struct call *call, const struct problem *problem,
                         const struct buffer *document);
/* The 503 of a store that did not do it. */
void call_refuse_store(struct call *call, const struct store_failure *failure);
/* The same for a call that the store did not take. */
void call_refuse_untaken(struct call *call, const struct error *error);
/* Whether the body may be read as JSON; answers 415 when its Content-Type is another. What changes
 * something for many is asked for in JSON: a browser does not let another site's page send that. */
bool call_is_json(struct call *call);
/* Events are stored again, after there was a 503. */
void call_note_available(struct call *call);

enum problem_code problem_code_of_store(enum store_status status);

/* A fresh event id. */
void call_make_event_id(char text[ATTEMPT_ID_BYTES]);
