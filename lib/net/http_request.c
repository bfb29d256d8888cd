/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/http_request.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"

enum { BAD_REQUEST = 400, CONTENT_TOO_LARGE = 413, HEADER_FIELDS_TOO_LARGE = 431 };

struct http_request *http_request_create(const char *target, size_t body_bytes_max)
{
    const char *path = http_target_path(target);
    size_t length = strcspn(path, "?");
    struct http_request *request = calloc(1, sizeof *request + length + 1);
    if (request == NULL)
        return NULL;
    request->refusal = http_target_is_valid(target) ? 0 : BAD_REQUEST;
    request->started_us = clock_monotonic_us();
    buffer_init(&request->body, body_bytes_max);
    memcpy(request->path, path, length);
    return request;
}

void http_request_destroy(struct http_request *request)
{
    assert(request->response == NULL);
    buffer_fini(&request->body);
    free(request);
}

void http_request_move(struct http_request *request, enum http_request_state next)
{
    assert(next > request->state); /* forward only; answering may skip the handler */
    request->state = next;
}

unsigned http_request_judge_head(const struct http_request *request, const struct http_head *head,
                                 const char *version, size_t head_bytes,
                                 const struct http_server_options *options)
{
    if (head_bytes > options->header_bytes_max)
        return HEADER_FIELDS_TOO_LARGE;
    if (request->refusal != 0 || !http_head_is_sound(head, version))
        return BAD_REQUEST;
    if (http_head_body_length(head) > options->body_bytes_max)
        return CONTENT_TOO_LARGE;
    return 0;
}

bool http_request_take_body(struct http_request *request, const char *bytes, size_t length)
{
    if (request->refusal != 0)
        return true;
    struct error error;
    if (buffer_append(&request->body, bytes, length, &error))
        return true;
    buffer_fini(&request->body);
    request->refusal = CONTENT_TOO_LARGE;
    return error.kind == ERROR_FULL;
}

const char *http_request_method(const struct http_request *request)
{
    return request->method;
}

const char *http_request_path(const struct http_request *request)
{
    return request->path;
}

const char *http_request_body(const struct http_request *request, size_t *out_length)
{
    *out_length = request->body.length;
    return request->body.bytes;
}

int64_t http_request_started_us(const struct http_request *request)
{
    return request->started_us;
}

void http_request_set_user_data(struct http_request *request, void *user_data)
{
    request->user_data = user_data;
}

void *http_request_user_data(const struct http_request *request)
{
    return request->user_data;
}
