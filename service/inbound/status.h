/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The answer of GET /v1/status: the whole service on one page, for people and for `seek-signal
 * status`.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include "lib/base/buffer.h"

#include "service/store/store.h"

struct service_view;

/* `store` is the calling thread's, for the nodes of a cluster. `census` is NULL when Redis could
 * not be asked; `now_ms` is monotonic. */
MUST_CHECK bool status_write(struct buffer *out, const struct service_view *view,
                             const struct store *store, const struct store_census *census,
                             int64_t now_ms, struct error *error);
