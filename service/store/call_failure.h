/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * How a call of the store ends, and how it can fail.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

enum store_status {
    STORE_OK,
    STORE_UNAVAILABLE, /* connection lost or time-out: nobody knows whether it was done */
    STORE_REFUSED,     /* Redis answered an error (OOM, READONLY, LOADING, …): nothing was done */
    STORE_DAMAGED,     /* this application's key holds something else: nothing was done */
};
struct store_failure {
    enum store_status status;
    char detail[160]; /* for the log and the problem's detail */
};
typedef void (*store_done)(void *context, const struct store_failure *failure);
