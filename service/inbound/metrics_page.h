/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * /metrics: what is known of the process as a whole, then the tables of its parts.
 *
 * Owns: nothing. Threads: any. Blocks: reads /proc/self.
 */
#pragma once

#include "lib/base/buffer.h"

struct service_view;

MUST_CHECK bool metrics_page_write(struct buffer *out, const struct service_view *view,
                                   struct error *error);
