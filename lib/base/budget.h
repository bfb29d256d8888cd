/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A number of bytes, shared by all callers that take some of them and give them back.
 *
 * Owns:    nothing but the count.
 * Threads: any. Blocks: never.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"

struct budget {
    size_t max;
    _Atomic size_t used;
};

void budget_init(struct budget *budget, size_t max);
/* False: that many are not left, and none is taken. */
MUST_CHECK bool budget_take(struct budget *budget, size_t bytes);
void budget_give(struct budget *budget, size_t bytes);
size_t budget_used(struct budget *budget);
