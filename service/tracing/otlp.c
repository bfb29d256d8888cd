/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/tracing/otlp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/random.h"
#include "lib/net/http_url.h"

#include "service/tracing/pair_list.h"

enum {
    KIND_SERVER = 2, /* Span.SpanKind */
    KIND_CLIENT = 3,
    STATUS_ERROR = 2, /* Status.StatusCode */
    HEAD_BYTES_MAX = 256 * 1024,
    FIXED_BYTES_MAX = 16 * 1024,
};

static const struct {
    const char *name;
    int kind;
} kinds[SPAN_KIND_COUNT] = {
    [SPAN_INTAKE] = {"POST /v1/events", KIND_SERVER},
    [SPAN_ATTEMPT] = {"POST sendSignal", KIND_CLIENT},
    [SPAN_ACCESS_TOKEN] = {"POST access token", KIND_CLIENT},
};

const char otlp_empty_request[] = "{\"resourceSpans\":[]}";

/* --- attributes: each begins with a comma, which the first of a list goes without ------ */

static bool add_text(struct buffer *out, const char *key, const char *value, size_t length,
                     struct error *error)
{
    return buffer_append_text(out, ",{\"key\":", error) &&
           json_append_string(out, key, strlen(key), error) &&
           buffer_append_text(out, ",\"value\":{\"stringValue\":", error) &&
           json_append_string(out, value, length, error) && buffer_append_text(out, "}}", error);
}

static bool add_text_unless_empty(struct buffer *out, const char *key, const char *value,
                                  struct error *error)
{
    return value[0] == '\0' || add_text(out, key, value, strlen(value), error);
}

/* 64-bit numbers are strings in protobuf's JSON. */
static bool add_number_unless_zero(struct buffer *out, const char *key, size_t value,
                                   struct error *error)
{
    return value == 0 ||
           buffer_append_format(out, error, ",{\"key\":\"%s\",\"value\":{\"intValue\":\"%zu\"}}",
                                key, value);
}

/* --- where SEEK is ------------------------------------------------------------------- */

/* url.full without its query, in which a gateway may want a key, and the server's name and port.
 * Settings take no URL with a user or password. */
static bool add_url(struct buffer *out, const char *text, struct error *error)
{
    struct http_url url;
    return http_url_parse(text, &url, error) &&
           add_text(out, "url.full", text, strcspn(text, "?#"), error) &&
           add_text(out, "server.address", url.host, strlen(url.host), error) &&
           add_number_unless_zero(out, "server.port", url.port, error);
}

static bool write_fixed(struct otlp *otlp, const struct otlp_source *source, struct error *error)
{
    static const char method[] = "{\"key\":\"http.request.method\",\"value\":{\"stringValue\":"
                                 "\"POST\"}}";
    static const char intake[] =
        ",{\"key\":\"http.route\",\"value\":{\"stringValue\":\"/v1/events\"}}"
        ",{\"key\":\"url.path\",\"value\":{\"stringValue\":\"/v1/events\"}}"
        ",{\"key\":\"url.scheme\",\"value\":{\"stringValue\":\"http\"}}";
    static const char mutation[] =
        ",{\"key\":\"graphql.operation.type\",\"value\":{\"stringValue\":\"mutation\"}}";
    for (size_t i = 0; i < SPAN_KIND_COUNT; i++) {
        if (!buffer_append_text(&otlp->fixed[i], method, error))
            return false;
    }
    return buffer_append_text(&otlp->fixed[SPAN_INTAKE], intake, error) &&
           buffer_append_text(&otlp->fixed[SPAN_ATTEMPT], mutation, error) &&
           add_url(&otlp->fixed[SPAN_ATTEMPT], source->graphql_url, error) &&
           add_url(&otlp->fixed[SPAN_ACCESS_TOKEN], source->token_url, error);
}

/* --- the resource -------------------------------------------------------------------- */

/* Of our own attributes, those that the variable names itself are left out. */
static bool names(const char *list, const char *key)
{
    struct pair pair;
    while (list != NULL && pair_list_next(&list, &pair) == PAIR_READ) {
        if (strcmp(pair.key, key) == 0)
            return true;
    }
    return false;
}

static bool add_default(struct buffer *out, const char *list, const char *key, const char *value,
                        struct error *error)
{
    return names(list, key) || add_text(out, key, value, strlen(value), error);
}

static bool add_given(struct buffer *out, const struct otlp_source *source, struct error *error)
{
    struct pair pair;
    const char *rest = source->resource_attributes;
    while (rest != NULL && pair_list_next(&rest, &pair) == PAIR_READ) {
        bool is_replaced = source->service_name != NULL && strcmp(pair.key, "service.name") == 0;
        if (!is_replaced && !add_text(out, pair.key, pair.value, strlen(pair.value), error))
            return false;
    }
    return true;
}

static bool write_head(struct buffer *out, const struct otlp_source *source, struct error *error)
{
    static const char opening[] = "{\"resourceSpans\":[{\"resource\":{\"attributes\":[";
    const char *name = source->service_name != NULL ? source->service_name : "seek-signal";
    const char *list = source->resource_attributes;
    const char *naming_list = source->service_name != NULL ? NULL : list;
    char instance[UUID_BYTES];
    uuid_v4(instance);
    if (!buffer_append_text(out, opening, error) ||
        !add_default(out, naming_list, "service.name", name, error) ||
        !add_default(out, list, "service.version", source->version, error) ||
        !add_default(out, list, "service.instance.id", instance, error) ||
        !add_given(out, source, error))
        return false;
    if (out->bytes[sizeof opening - 1] == ',')
        out->bytes[sizeof opening - 1] = ' ';
    return buffer_append_format(out, error,
                                "]},\"scopeSpans\":[{\"scope\":{\"name\":\"seek-signal\","
                                "\"version\":\"%s\"},\"spans\":[",
                                source->version);
}

bool otlp_init(struct otlp *otlp, const struct otlp_source *source, struct error *error)
{
    buffer_init(&otlp->head, HEAD_BYTES_MAX);
    for (size_t i = 0; i < SPAN_KIND_COUNT; i++)
        buffer_init(&otlp->fixed[i], FIXED_BYTES_MAX);
    return write_head(&otlp->head, source, error) && write_fixed(otlp, source, error);
}

void otlp_fini(struct otlp *otlp)
{
    buffer_fini(&otlp->head);
    for (size_t i = 0; i < SPAN_KIND_COUNT; i++)
        buffer_fini(&otlp->fixed[i]);
}

/* --- spans --------------------------------------------------------------------------- */

static bool write_parent(struct buffer *out, const struct span *span, struct error *error)
{
    return span->parent_id[0] == '\0' ||
           buffer_append_format(out, error, ",\"parentSpanId\":\"%s\"", span->parent_id);
}

static bool write_attributes(struct buffer *out, const struct span *span, struct error *error)
{
    return add_number_unless_zero(out, "http.response.status_code", span->http_status, error) &&
           add_number_unless_zero(out, "http.request.resend_count",
                                  span->attempt > 0 ? span->attempt - 1 : 0, error) &&
           add_number_unless_zero(out, "seek_signal.attempt", span->attempt, error) &&
           add_number_unless_zero(out, "seek_signal.event_count", span->event_count, error) &&
           add_text_unless_empty(out, "seek_signal.event_id", span->event_id, error) &&
           add_text_unless_empty(out, "seek_signal.class", span->class != NULL ? span->class : "",
                                 error) &&
           add_text_unless_empty(out, "error.type", span->error_type, error);
}

static bool write_span(const struct otlp *otlp, const struct span *span, struct buffer *out,
                       struct error *error)
{
    return buffer_append_format(out, error, "{\"traceId\":\"%.*s\",\"spanId\":\"%.*s\"",
                                TRACE_ID_DIGITS, span->traceparent + TRACE_ID_AT, SPAN_ID_DIGITS,
                                span->traceparent + SPAN_ID_AT) &&
           write_parent(out, span, error) &&
           buffer_append_format(out, error,
                                ",\"name\":\"%s\",\"kind\":%d,\"startTimeUnixNano\":\"%" PRId64
                                "000\",\"endTimeUnixNano\":\"%" PRId64 "000\",\"attributes\":[%s",
                                kinds[span->kind].name, kinds[span->kind].kind, span->start_us,
                                span->end_us, otlp->fixed[span->kind].bytes) &&
           write_attributes(out, span, error) && buffer_append_text(out, "]", error) &&
           (span->error_type[0] == '\0' ||
            buffer_append_format(out, error, ",\"status\":{\"code\":%d}", STATUS_ERROR)) &&
           buffer_append_text(out, "}", error);
}

bool otlp_write(const struct otlp *otlp, struct span *const spans[], size_t count,
                struct buffer *out, struct error *error)
{
    if (!buffer_append(out, otlp->head.bytes, otlp->head.length, error))
        return false;
    for (size_t i = 0; i < count; i++) {
        if ((i > 0 && !buffer_append_text(out, ",", error)) ||
            !write_span(otlp, spans[i], out, error))
            return false;
    }
    return buffer_append_text(out, "]}]}]}", error);
}
