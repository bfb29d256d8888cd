/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Spans as OTLP/JSON: protobuf's JSON mapping of ExportTraceServiceRequest, with identifiers in
 * hexadecimal and enums as numbers. Attributes are named by OpenTelemetry's semantic conventions,
 * those of our own begin with "seek_signal.".
 *
 * Owns:    what is the same in every request: the resource, and where SEEK is.
 * Threads: init and fini from one; writing from any.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"

#include "service/tracing/span.h"

struct otlp_source {                 /* borrowed for the call */
    const char *service_name;        /* NULL: as in the attributes, else "seek-signal" */
    const char *resource_attributes; /* a pair_list that can be read, or NULL */
    const char *version;
    const char *graphql_url, *token_url; /* shown without a query */
};

struct otlp {
    struct buffer head;                   /* everything in front of the first span */
    struct buffer fixed[SPAN_KIND_COUNT]; /* the attributes that all spans of a kind have */
};

MUST_CHECK bool otlp_init(struct otlp *otlp, const struct otlp_source *source, struct error *error);
void otlp_fini(struct otlp *otlp);

/* Appends a whole request body. */
MUST_CHECK bool otlp_write(const struct otlp *otlp, struct span *const spans[], size_t count,
                           struct buffer *out, struct error *error);
/* A request without a span: a collector answers it as any other. */
extern const char otlp_empty_request[];
