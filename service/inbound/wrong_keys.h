/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Answers to wrong keys come late, so that guessing is slow. Only who was wrong waits: so many at a
 * time; more are answered at once, and their connections end.
 *
 * Owns:    the order of those who wait; the calls are their owners'.
 * Threads: one, its loop's.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/net/deadline_queue.h"

struct call;

struct wrong_keys {
    struct deadline_queue waiting;
    size_t count, max;
    uint64_t since_told; /* wrong keys */
    int64_t last_ms;     /* the last one */
    bool is_told;        /* that there are some */
};

void wrong_keys_init(struct wrong_keys *keys, size_t max);
/* A call has come with one. True: it is to wait for its answer once its body is in. */
bool wrong_keys_note(struct wrong_keys *keys, struct call *call, int64_t now_ms);
/* It begins to wait. */
void wrong_keys_delay(struct wrong_keys *keys, struct call *call, int64_t now_ms);
/* It waits no longer, however that ended. */
void wrong_keys_forget(struct wrong_keys *keys, struct call *call);
/* One whose time has come, forgotten; NULL: none. Tells when there are no more wrong keys. */
struct call *wrong_keys_take_due(struct wrong_keys *keys, int64_t now_ms);
int64_t wrong_keys_timeout_ms(const struct wrong_keys *keys, int64_t now_ms); /* -1: none */
