/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What GET /v1/status says: the whole service on one page, for people and for `seek-signal status`.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include "lib/base/buffer.h"

#include "service/store/store.h"

struct service_view;

/* `census` is NULL when Redis could not be asked; `now_ms` is monotonic. */
MUST_CHECK bool status_write(struct buffer *out, const struct service_view *view,
                             const struct store_census *census, int64_t now_ms,
                             struct error *error);
