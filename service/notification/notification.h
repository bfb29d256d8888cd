/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What a receiver is sent: CloudEvents 1.0, structured, in JSON. Members of `data` are named as in
 * the API. There is no seek-token in it.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"

#include "service/store/application.h"
#include "service/store/calls/notify.h"

enum { NOTIFICATION_ID_BYTES = 72, NOTIFICATION_BYTES_MAX = 256 * 1024 };

/* `source`: REDIS_PREFIX, which names the queue. `out_id`: the event's id, the same whenever this
 * is written; of visible ASCII without a full stop. ERROR_MEMORY, ERROR_FULL. */
MUST_CHECK bool notification_write_dead(struct buffer *out, const char *source,
                                        const struct application *dead, int64_t died_at_ms,
                                        char out_id[NOTIFICATION_ID_BYTES], struct error *error);
MUST_CHECK bool notification_write_change(struct buffer *out, const char *source,
                                          const struct store_change *change,
                                          char out_id[NOTIFICATION_ID_BYTES], struct error *error);
/* Of a type that says that nothing has happened: a person wants to know whether it arrives. `uuid`
 * becomes its id. */
MUST_CHECK bool notification_write_test(struct buffer *out, const char *source, const char *uuid,
                                        int64_t now_ms, char out_id[NOTIFICATION_ID_BYTES],
                                        struct error *error);
