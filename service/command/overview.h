/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What `status` says to a person: first the state in a sentence, then what to do if something is
 * wrong, then the figures. The documents come from the service: openapi.yaml has them.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/json.h"

/* GET /v1/status: overview.c. */
void overview_write(struct buffer *out, const struct json_value *status, int64_t now_ms);

/* Why nothing is sent now: "… will be sent `until`, because `why`". NULL: it is sent. */
struct overview_hold {
    const char *until, *why;
};
const struct overview_hold *overview_hold(const struct json_value *status);
/* For who has just resumed: a warning where everything was moved to another Redis, otherwise
 * nothing. What is shown of the pause may be older. */
void overview_write_resumed(struct buffer *out, const struct json_value *status);

/* GET /v1/applications/{id}: overview_application.c. */
void overview_write_application(struct buffer *out, const struct json_value *application,
                                int64_t now_ms);
