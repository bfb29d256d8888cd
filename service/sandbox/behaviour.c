/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/sandbox/behaviour.h"

#include "service/sandbox/field.h"

enum { LATENCY_MS_MAX = 3600 * 1000, EXPIRES_IN_S_MAX = 365 * 86400 };

const struct behaviour behaviour_default = {.expires_in_s = 1800, .is_success_true = true};

#define AT(member) offsetof(struct behaviour, member)
/* clang-format off */
static const struct field fields[] = {
    {.name = "latencyMs",       .type = FIELD_INTEGER,      .offset = AT(latency_ms),        .max = LATENCY_MS_MAX},
    {.name = "latencyJitterMs", .type = FIELD_INTEGER,      .offset = AT(latency_jitter_ms), .max = LATENCY_MS_MAX},
    {.name = "expiresIn",       .type = FIELD_INTEGER,      .offset = AT(expires_in_s),      .max = EXPIRES_IN_S_MAX},
    {.name = "playground",      .type = FIELD_BOOLEAN,      .offset = AT(is_playground)},
    {.name = "success",         .type = FIELD_TRUE_OR_NULL, .offset = AT(is_success_true)},
    {.name = "keepBodies",      .type = FIELD_BOOLEAN,      .offset = AT(keeps_bodies)},
    {.name = "clientId",        .type = FIELD_TEXT,         .offset = AT(client_id),         .max = BEHAVIOUR_TEXT_BYTES_MAX},
    {.name = "clientSecret",    .type = FIELD_TEXT,         .offset = AT(client_secret),     .max = BEHAVIOUR_TEXT_BYTES_MAX, .is_secret = true},
    {.name = "expiredContains", .type = FIELD_TEXT,         .offset = AT(expired_contains),  .max = BEHAVIOUR_TEXT_BYTES_MAX},
};
/* clang-format on */
enum { FIELD_COUNT = sizeof fields / sizeof fields[0] };

bool behaviour_patch(struct behaviour *behaviour, const struct json_value *object,
                     struct error *error)
{
    struct behaviour patched = *behaviour;
    if (!fields_read(fields, FIELD_COUNT, object, &patched, error))
        return false;
    *behaviour = patched;
    return true;
}

bool behaviour_write(const struct behaviour *behaviour, struct buffer *buffer, struct error *error)
{
    return buffer_append_text(buffer, "{", error) &&
           fields_write(fields, FIELD_COUNT, behaviour, buffer, error) &&
           buffer_append_text(buffer, "}", error);
}
