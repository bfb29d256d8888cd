/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The ledger as JSON, page by page.
 *
 * Owns: nothing. Threads: one at a time. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buffer.h"

#include "service/sandbox/ledger.h"

enum { PAGE_ITEMS_DEFAULT = 1000, PAGE_ITEMS_MAX = 10000, PAGE_BYTES_MAX = 256 << 20 };

struct page {
    uint64_t after; /* what the previous page gave as "next"; 0: from the start */
    uint64_t limit; /* 1 to PAGE_ITEMS_MAX */
    bool has_bodies;
};

/* Each appends one JSON object. A page may end early when it gets large. */
MUST_CHECK bool ledger_write_calls(const struct ledger *ledger, const struct page *page,
                                   struct buffer *buffer, struct error *error);
MUST_CHECK bool ledger_write_signals(const struct ledger *ledger, const struct page *page,
                                     struct buffer *buffer, struct error *error);
/* One seek-token alone: no or one signal. */
MUST_CHECK bool ledger_write_signal(const struct ledger *ledger, const char *seek_token,
                                    struct buffer *buffer, struct error *error);
MUST_CHECK bool ledger_write_counts(const struct ledger *ledger, struct buffer *buffer,
                                    struct error *error);
