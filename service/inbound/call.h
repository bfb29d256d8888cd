/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One HTTP request on its way through the service, and its one answer.
 *
 * A call outlives its request when the client leaves while Redis works for it: each step that comes
 * back later holds the call, and the last one to let go frees it. An answer to nobody is dropped.
 *
 * Owns:    its work and its span.
 * Threads: one, its loop's.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buffer.h"
#include "lib/net/deadline_queue.h"
#include "lib/net/http_server.h"

#include "service/domain/delivery.h"
#include "service/domain/event.h"
#include "service/inbound/inbound_context.h"
#include "service/inbound/problem.h"
#include "service/inbound/routes.h"
#include "service/store/store.h"

struct span;

enum { REQUEST_ID_BYTES = 129, ANSWER_HEADERS_MAX = 4 };

/* What a call remembers when its answer takes several steps. Whoever does that work has a struct of
 * its own, which begins with this. */
struct call_work {
    void (*describe)(const struct call_work *work, struct span *span); /* NULL: nothing to tell */
    void (*destroy)(struct call_work *work);                           /* the request is over */
};

struct call {
    struct inbound_context *context; /* borrowed: outlives us */
    struct http_request *request;    /* borrowed; NULL once it is over */
    const struct route *route;       /* NULL: none was found */
    size_t holds;                    /* steps that will come back */
    bool is_answered;
    bool is_key_wrong;
    bool is_last;          /* its answer ends the connection */
    struct deadline delay; /* of the answer to a wrong key: wrong_keys.h */
    bool is_delayed;       /* it has a place among those */
    char request_id[REQUEST_ID_BYTES];
    const char *key_name; /* by what it may come in: access.h; NULL: nothing was asked for */
    char peer[HTTP_ADDRESS_TEXT_BYTES];                /* see call_note_who */
    char application_id[APPLICATION_ID_BYTES_MAX + 1]; /* "" when the path has none */
    size_t application_id_length;
    struct call_work *work; /* owned; NULL: none */
    struct span *span;      /* owned until it is answered; NULL: not traced */
};

/* NULL: out of memory. */
struct call *call_create(struct inbound_context *context, struct http_request *request);
/* Makes a span of the call, from the first byte of its request to its answer. */
void call_trace(struct call *call);
/* The request is over; frees the call unless it is held. */
void call_end(struct call *call);
void call_hold(struct call *call);
/* Frees the call when its request is over and nobody else holds it. */
void call_release(struct call *call);

/* Holds the call when the store took what it was asked (`is_taken`): whoever takes the store's
 * answer releases it. Otherwise answers 503 at once. */
void call_start(struct call *call, bool is_taken, const struct error *error);

/* Keeps who asks, for the line of log that every change by an operator leaves. */
void call_note_who(struct call *call);
#define CALL_LOG_WHO(call_)                                                                        \
    LOG_TEXT("key", (call_)->key_name != NULL ? (call_)->key_name : "none"),                       \
        LOG_TEXT("address", (call_)->peer), LOG_TEXT("request_id", (call_)->request_id)

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
/* With one `header` on top; a NULL name: none. */
void call_refuse_with(struct call *call, const struct problem *problem, struct http_header header);
/* With a document that has more members than `problem`. */
void call_refuse_written(struct call *call, const struct problem *problem,
                         const struct buffer *document);
/* The 503 of a store that did not do it. */
void call_refuse_store(struct call *call, const struct store_failure *failure);
/* The same for a call that the store did not take. */
void call_refuse_untaken(struct call *call, const struct error *error);
/* Whether it answered 503: what is forgotten now, NULL: any, could come back out of the spool. */
bool call_is_awaiting_spool(struct call *call, const char *application_id);
/* The 503 of a body for which there is no room. */
void call_refuse_bodies_full(struct call *call);
/* The body without a byte order mark, which RFC 8259 section 8.1 lets a reader ignore. */
const char *call_body(const struct call *call, size_t *out_length);
/* The 415 of a Content-Type that is missing or not read here. `header` as above. */
void call_refuse_content_type(struct call *call, struct http_header header);
/* Answers 415 and gives false when the body is not JSON, which no page of another site can send. */
bool call_is_json(struct call *call);
/* The same for what needs no body: a program may leave out both. A browser may not. */
bool call_is_json_or_bare(struct call *call);
enum problem_code problem_code_of_store(enum store_status status);

void call_make_event_id(char text[ATTEMPT_ID_BYTES]); /* a fresh one */
