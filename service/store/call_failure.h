/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * How a call of the store ends, and how it can fail.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>

enum store_status {
    STORE_OK,
    STORE_UNAVAILABLE, /* connection lost or time-out: nobody knows whether it was done */
    STORE_REFUSED,     /* Redis answered an error (OOM, READONLY, LOADING, …): nothing was done */
    STORE_DAMAGED,     /* this application's key holds something else: nothing was done */
};
struct store_failure {
    enum store_status status;
    bool is_forbidden; /* STORE_REFUSED: the Redis user lacks a right, and trying again is no use */
    char detail[160];  /* for the log and the problem's detail */
};
typedef void (*store_done)(void *context, const struct store_failure *failure);
