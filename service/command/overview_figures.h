/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The figures under the state (overview.h): a row for each part, and none for what is 0 or not
 * known.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/json.h"

void overview_write_figures(struct buffer *out, const struct json_value *status, int64_t now_ms);
