/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/issuer_request.h"

#include <string.h>

#include "lib/base/json.h"

static bool append_member(struct buffer *body, const char *name, const char *value, size_t length,
                          struct error *error)
{
    return buffer_append_text(body, name, error) && json_append_string(body, value, length, error);
}

static bool append_secret(struct buffer *body, const char *name, struct secret *secret,
                          struct buffer *value, struct error *error)
{
    buffer_wipe(value);
    return secret_read(secret, value, error) &&
           append_member(body, name, value->bytes, value->length, error);
}

bool issuer_request_write(const struct issuer_credentials *credentials, struct buffer *body,
                          struct buffer *out_secret, struct error *error)
{
    const char *audience = credentials->audience;
    return append_member(body, "{\"audience\":", audience, strlen(audience), error) &&
           append_secret(body, ",\"client_id\":", credentials->client_id, out_secret, error) &&
           append_secret(body, ",\"client_secret\":", credentials->client_secret, out_secret,
                         error) &&
           buffer_append_text(body, ",\"grant_type\":\"client_credentials\"}", error);
}
