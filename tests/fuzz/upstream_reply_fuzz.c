/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* "0429 120\nbody": how far the exchange came, the status, Retry-After if there is anything, the
 * body. */
#include <assert.h>
#include <string.h>

#include "lib/base/json_repair.h"

#include "service/domain/upstream_reply.h"

#include "tests/fuzz/fuzz_target.h"

enum { PREFIX_BYTES = 4, HEADER_BYTES_MAX = 100 };
static const int64_t wall_ms = 1767323045678;
static const int64_t day_ms = 24 * 60 * 60 * 1000;

static unsigned digit(uint8_t byte)
{
    return (byte - (unsigned)'0') % 10;
}

static void check_delivered(const struct upstream_reply *reply)
{
    assert(reply->transport == UPSTREAM_ANSWERED);
    assert(reply->status >= 200 && reply->status < 300);
    AUTO(json) *body =
        json_parse_repaired(reply->body, reply->body_length, UPSTREAM_DEPTH_MAX, NULL);
    assert(body != NULL);
    const struct json_value *errors = json_member(json_root(body), "errors");
    assert(json_array_length(errors) == 0);
    assert(json_has_member(json_member(json_root(body), "data"), "sendSignal"));
}

static void check_verdict(const struct upstream_reply *reply, const struct verdict *verdict)
{
    assert((unsigned)verdict->class < VERDICT_CLASS_COUNT);
    assert(verdict->retry_after_ms >= -1 && verdict->retry_after_ms <= day_ms);
    assert(memchr(verdict->code, '\0', sizeof verdict->code) != NULL);
    assert(memchr(verdict->message, '\0', sizeof verdict->message) != NULL);
    assert(utf8_is_valid(verdict->code, strlen(verdict->code)));
    assert(utf8_is_valid(verdict->message, strlen(verdict->message)));
    if (verdict->class == VERDICT_DELIVERED)
        check_delivered(reply);
    else
        assert(verdict->code[0] != '\0' || verdict->message[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *newline = size > 0 ? memchr(data, '\n', size) : NULL;
    if (newline == NULL || newline - data < PREFIX_BYTES)
        return 0;
    size_t header_length = (size_t)(newline - data) - PREFIX_BYTES;
    if (header_length > HEADER_BYTES_MAX)
        return 0;
    char header[HEADER_BYTES_MAX + 1];
    memcpy(header, data + PREFIX_BYTES, header_length);
    header[header_length] = '\0';

    const struct upstream_reply reply = {
        .transport = (enum upstream_transport)(digit(data[0]) % UPSTREAM_TRANSPORT_COUNT),
        .status = 100 * digit(data[1]) + 10 * digit(data[2]) + digit(data[3]),
        .body = (const char *)newline + 1,
        .body_length = size - (size_t)(newline + 1 - data),
        .retry_after = header_length > 0 ? header : NULL,
        .transport_detail = "the client's words",
    };
    struct verdict verdict;
    upstream_reply_classify(&reply, wall_ms, &verdict);
    check_verdict(&reply, &verdict);
    return 0;
}
