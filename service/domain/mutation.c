/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/domain/mutation.h"

#include <string.h>

#include "lib/base/json.h"
#include "lib/base/rfc3339.h"

static const char before_token[] =
    "{\"query\":\"mutation ($input: SendSignalInput!) {\\n  sendSignal(input: $input)\\n}\","
    "\"variables\":{\"input\":{\"typeCode\":\"ApplicationComplete\",\"token\":";

const char mutation_version_query[] = "{\"query\":\"{ version }\"}";

bool mutation_write(struct buffer *body, const char *seek_token, int64_t timestamp_ms,
                    struct error *error)
{
    char timestamp[RFC3339_BYTES];
    rfc3339_format(timestamp_ms, timestamp);
    return buffer_append_text(body, before_token, error) &&
           json_append_string(body, seek_token, strlen(seek_token), error) &&
           buffer_append_format(body, error, ",\"timestamp\":\"%s\"}}}", timestamp);
}
