/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/sandbox/http2_session.h"

#include <assert.h>
#include <nghttp2/nghttp2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "lib/base/buffer.h"
#include "lib/base/ownership.h"

#include "service/sandbox/exchange.h"
#include "service/sandbox/header_list.h"

enum { STREAMS_MAX = 100, FILLER_BYTES = 4096, LENGTH_BYTES = 24 };

struct http2_stream {
    TAILQ_ENTRY(http2_stream) links;
    struct http2_session *session;
    int32_t id;
    struct header_list headers;
    struct buffer body;
    struct exchange *exchange;           /* owned; NULL: none has begun */
    const struct sandbox_answer *answer; /* the exchange's; NULL: none as yet */
    size_t sent;                         /* of the answer's body */
};

struct http2_session {
    struct state *state;     /* borrowed */
    nghttp2_session *handle; /* owned */
    TAILQ_HEAD(, http2_stream) streams;
    int32_t processed; /* the highest stream that an exchange has, or had and did not refuse */
    int32_t last;      /* the highest stream that no GOAWAY excludes */
    bool closes_when_idle;
    bool is_broken; /* nghttp2 gave up */
    enum http2_end end;
};

/* --- what an exchange asks and does --------------------------------------------------- */

static const char *method(const void *request)
{
    const struct http2_stream *stream = request;
    const char *name = header_list_find(&stream->headers, ":method");
    return name == NULL ? "" : name;
}

static const char *header(const void *request, const char *name)
{
    const struct http2_stream *stream = request;
    return header_list_find(&stream->headers, name);
}

static const char *body(const void *request, size_t *out_length)
{
    const struct http2_stream *stream = request;
    *out_length = stream->body.length;
    return stream->body.bytes;
}

static void attach(void *request, struct exchange *exchange)
{
    struct http2_stream *stream = request;
    stream->exchange = exchange;
}

/* Of what nghttp2 is told, only a lack of memory fails; the connection ends then. */
static void note_result(struct http2_session *session, int result)
{
    session->is_broken = session->is_broken || result != 0;
}

static ssize_t read_answer(nghttp2_session *handle, int32_t id, uint8_t *bytes, size_t space,
                           uint32_t *flags, nghttp2_data_source *source, void *context)
{
    struct http2_stream *stream = source->ptr;
    const struct sandbox_answer *answer = stream->answer;
    (void)handle;
    (void)id;
    (void)context;
    bool is_cut = answer->ending == ANSWER_CUT;
    size_t end = is_cut ? answer->body.length / 2 : answer->body.length;
    size_t left = end - stream->sent;
    if (is_cut && left == 0)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* becomes RST_STREAM */
    size_t length = left < space ? left : space;
    memcpy(bytes, answer->body.bytes + stream->sent, length);
    stream->sent += length;
    if (!is_cut && stream->sent == end)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)length;
}

/* Copied by nghttp2, which also makes the name lower-case. */
static nghttp2_nv line_of(const char *name, const char *value, size_t value_length)
{
    return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
                        .namelen = strlen(name),
                        .value = (uint8_t *)(uintptr_t)value,
                        .valuelen = value_length,
                        .flags = NGHTTP2_NV_FLAG_NONE};
}

static void send_answer(struct http2_stream *stream, const struct sandbox_answer *answer)
{
    enum { OWN_LINES_MAX = 4 };
    char status[LENGTH_BYTES], length[LENGTH_BYTES], filler[FILLER_BYTES];
    memset(filler, '.', sizeof filler);
    (void)snprintf(status, sizeof status, "%u", answer->status);
    (void)snprintf(length, sizeof length, "%zu", answer->body.length);
    size_t fillers = answer->head_bytes / FILLER_BYTES, count = 0;
    nghttp2_nv *lines = calloc(OWN_LINES_MAX + fillers, sizeof *lines);
    if (lines == NULL) {
        stream->session->is_broken = true;
        return;
    }
    lines[count++] = line_of(":status", status, strlen(status));
    lines[count++] = line_of("content-length", length, strlen(length));
    if (answer->content_type != NULL && answer->body.length > 0)
        lines[count++] =
            line_of("content-type", answer->content_type, strlen(answer->content_type));
    if (answer->header_name != NULL)
        lines[count++] =
            line_of(answer->header_name, answer->header_value, strlen(answer->header_value));
    assert(count <= OWN_LINES_MAX);
    for (size_t i = 0; i < fillers; i++) {
        lines[count] = line_of("x-filler", filler, FILLER_BYTES);
        lines[count++].flags = NGHTTP2_NV_FLAG_NO_INDEX;
    }
    nghttp2_data_provider source = {.source.ptr = stream, .read_callback = read_answer};
    note_result(stream->session,
                nghttp2_submit_response(stream->session->handle, stream->id, lines, count,
                                        answer->body.length > 0 ? &source : NULL));
    free(lines);
}

static void refuse_stream(struct http2_stream *stream)
{
    note_result(stream->session,
                nghttp2_submit_rst_stream(stream->session->handle, NGHTTP2_FLAG_NONE, stream->id,
                                          NGHTTP2_REFUSED_STREAM));
}

/* `last` is not above the one of an earlier GOAWAY, since the peer may have repeated what is above
 * it (RFC 9113 section 6.8). */
static void go_away(struct http2_session *session, int32_t last)
{
    assert(last <= session->last);
    session->last = last;
    note_result(session, nghttp2_submit_goaway(session->handle, NGHTTP2_FLAG_NONE, last,
                                               NGHTTP2_NO_ERROR, NULL, 0));
}

/* GOAWAY must not deny a later stream that was processed. An earlier one whose body is still on its
 * way is included. */
static void go_away_without(struct http2_stream *stream)
{
    enum { STEP = 2 }; /* from one stream of a client to the next */
    if (stream->id > stream->session->processed)
        go_away(stream->session, stream->id > STEP ? stream->id - STEP : 0);
    else
        refuse_stream(stream);
}

static void note_processed(const struct http2_stream *stream)
{
    if (stream->id > stream->session->processed)
        stream->session->processed = stream->id;
}

static bool is_processed(enum answer_ending ending)
{
    return ending != ANSWER_GOAWAY && ending != ANSWER_REFUSED_STREAM;
}

static void answer(void *request, const struct sandbox_answer *answer)
{
    struct http2_stream *stream = request;
    struct http2_session *session = stream->session;
    stream->answer = answer;
    if (is_processed(answer->ending))
        note_processed(stream);
    switch (answer->ending) {
    case ANSWER_THEN_CLOSED:
        session->closes_when_idle = true;
        send_answer(stream, answer);
        return;
    case ANSWER_GOAWAY_AFTER:
        go_away(session, session->processed);
        send_answer(stream, answer);
        return;
    case ANSWER_SENT:
    case ANSWER_CUT:
    case ANSWER_LARGE_HEAD:
        send_answer(stream, answer);
        return;
    case ANSWER_GOAWAY:
        go_away_without(stream);
        return;
    case ANSWER_REFUSED_STREAM:
        refuse_stream(stream);
        return;
    case ANSWER_RESET:
        session->end = HTTP2_RESET;
        return;
    case ANSWER_CLOSED:
    case ANSWER_WITHHELD: /* it was released */
        session->end = HTTP2_CLOSED;
        return;
    }
}

static void drop(void *request)
{
    struct http2_stream *stream = request;
    stream->session->end = HTTP2_CLOSED;
}

/* --- what nghttp2 reports --------------------------------------------------------------- */

static struct http2_stream *stream_of(nghttp2_session *handle, int32_t id)
{
    return nghttp2_session_get_stream_user_data(handle, id);
}

static void stream_destroy(struct http2_session *session, struct http2_stream *stream)
{
    TAILQ_REMOVE(&session->streams, stream, links);
    exchange_end(stream->exchange);
    header_list_fini(&stream->headers);
    buffer_fini(&stream->body);
    free(stream);
}

static int begin_headers(nghttp2_session *handle, const nghttp2_frame *frame, void *context)
{
    struct http2_session *session = context;
    struct http2_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    stream->session = session;
    stream->id = frame->hd.stream_id;
    header_list_init(&stream->headers, HTTP2_HEADERS_BYTES_MAX);
    buffer_init(&stream->body, HTTP2_BODY_BYTES_MAX);
    TAILQ_INSERT_TAIL(&session->streams, stream, links);
    return nghttp2_session_set_stream_user_data(handle, stream->id, stream);
}

/* nghttp2 has seen to it that there is no NUL in either, and the parameters are its own.
 * NOLINTNEXTLINE(readability-function-size) */
static int take_header(nghttp2_session *handle, const nghttp2_frame *frame, const uint8_t *name,
                       size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags,
                       void *context)
{
    struct http2_stream *stream = stream_of(handle, frame->hd.stream_id);
    (void)flags;
    (void)context;
    bool is_kept =
        stream != NULL && header_list_add(&stream->headers, name, name_length, value, value_length);
    return is_kept ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int take_body(nghttp2_session *handle, uint8_t flags, int32_t id, const uint8_t *bytes,
                     size_t length, void *context)
{
    struct http2_stream *stream = stream_of(handle, id);
    (void)flags;
    (void)context;
    if (stream != NULL && !buffer_append(&stream->body, bytes, length, NULL))
        note_result(stream->session, nghttp2_submit_rst_stream(handle, NGHTTP2_FLAG_NONE, id,
                                                               NGHTTP2_ENHANCE_YOUR_CALM));
    return 0;
}

/* Until a GOAWAY is sent, nghttp2 still reports the streams that it excludes: those that came in
 * the same bytes. The end of a connection excludes the rest of them as well. */
static bool is_excluded(const struct http2_stream *stream)
{
    return stream->id > stream->session->last || stream->session->end != HTTP2_OPEN;
}

static void begin_exchange(struct http2_stream *stream)
{
    static const struct caller_calls calls = {method, header, body, attach, answer, drop};
    static const struct {
        const char *path;
        enum call_kind kind;
    } endpoints[] = {{"/graphql", CALL_GRAPHQL}, {"/oauth/token", CALL_TOKEN}};
    const char *path = header_list_find(&stream->headers, ":path");
    for (size_t i = 0; path != NULL && i < sizeof endpoints / sizeof endpoints[0]; i++)
        if (strcmp(path, endpoints[i].path) == 0) {
            const struct caller caller = {&calls, stream};
            exchange_begin(stream->session->state, &caller, endpoints[i].kind);
            if (stream->answer == NULL) /* its answer waits, and it may be in the ledger already */
                note_processed(stream);
            return;
        }
    const nghttp2_nv status = line_of(":status", "404", 3);
    note_result(stream->session,
                nghttp2_submit_response(stream->session->handle, stream->id, &status, 1, NULL));
}

static int take_frame(nghttp2_session *handle, const nghttp2_frame *frame, void *context)
{
    (void)context;
    bool is_last = (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
                   (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    struct http2_stream *stream = is_last ? stream_of(handle, frame->hd.stream_id) : NULL;
    if (stream != NULL && !is_excluded(stream))
        begin_exchange(stream);
    return 0;
}

static int end_stream(nghttp2_session *handle, int32_t id, uint32_t code, void *context)
{
    struct http2_session *session = context;
    struct http2_stream *stream = stream_of(handle, id);
    (void)code;
    if (stream != NULL)
        stream_destroy(session, stream);
    if (session->closes_when_idle && TAILQ_EMPTY(&session->streams))
        session->end = HTTP2_CLOSED;
    return 0;
}

/* --- the session -------------------------------------------------------------------------- */

static bool make_handle(struct http2_session *session, nghttp2_session_callbacks *callbacks,
                        nghttp2_option *option)
{
    enum { HEAD_BYTES_MAX = 16 << 20 };
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, take_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, take_body);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, take_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, end_stream);
    nghttp2_option_set_max_send_header_block_length(option, HEAD_BYTES_MAX);
    const nghttp2_settings_entry settings = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, STREAMS_MAX};
    return nghttp2_session_server_new2(&session->handle, callbacks, session, option) == 0 &&
           nghttp2_submit_settings(session->handle, NGHTTP2_FLAG_NONE, &settings, 1) == 0;
}

struct http2_session *http2_session_create(struct state *state)
{
    struct http2_session *session = calloc(1, sizeof *session);
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    if (session == NULL)
        return NULL;
    session->state = state;
    session->last = INT32_MAX;
    TAILQ_INIT(&session->streams);
    bool is_made = nghttp2_session_callbacks_new(&callbacks) == 0 &&
                   nghttp2_option_new(&option) == 0 && make_handle(session, callbacks, option);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
    if (is_made)
        return session;
    http2_session_destroy(session);
    return NULL;
}

void http2_session_destroy(struct http2_session *session)
{
    if (session == NULL)
        return;
    struct http2_stream *stream;
    while ((stream = TAILQ_FIRST(&session->streams)) != NULL)
        stream_destroy(session, stream); /* NOLINT(clang-analyzer-unix.Malloc): it left the list */
    nghttp2_session_del(session->handle);
    free(session);
}

bool http2_session_take(struct http2_session *session, const char *bytes, size_t length)
{
    ssize_t taken = nghttp2_session_mem_recv(session->handle, (const uint8_t *)bytes, length);
    return taken >= 0 && (size_t)taken == length && !session->is_broken;
}

size_t http2_session_give(struct http2_session *session, const char **out_bytes)
{
    const uint8_t *bytes = NULL;
    ssize_t length = nghttp2_session_mem_send(session->handle, &bytes);
    session->is_broken = session->is_broken || length < 0;
    *out_bytes = (const char *)bytes;
    return length > 0 ? (size_t)length : 0;
}

enum http2_end http2_session_end(const struct http2_session *session)
{
    bool is_over = session->is_broken || (nghttp2_session_want_read(session->handle) == 0 &&
                                          nghttp2_session_want_write(session->handle) == 0);
    return session->end == HTTP2_OPEN && is_over ? HTTP2_CLOSED : session->end;
}
