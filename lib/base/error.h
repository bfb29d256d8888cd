/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The report of a failed call to its caller.
 *
 * Owns:    nothing; the message is held by value, so reporting never allocates.
 * Threads: a struct error belongs to one call at a time.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>

#define MUST_CHECK __attribute__((warn_unused_result))

enum error_kind {
    ERROR_NONE = 0, /* nothing has failed */
    ERROR_INVALID,  /* the caller's input is wrong */
    ERROR_CONFIG,   /* a setting is wrong; somebody has to change it */
    ERROR_MEMORY,   /* an allocation failed */
    ERROR_FULL,     /* a named limit is reached; later may work */
    ERROR_IO,       /* a peer, file or system call failed */
    ERROR_PROTOCOL, /* a peer answered something that it should not */
};

enum { ERROR_MESSAGE_BYTES = 256 };

struct error {
    enum error_kind kind;
    /* One sentence part, UTF-8, no newline, no secret. One that is too long ends in "…". */
    char message[ERROR_MESSAGE_BYTES];
};

/* Fills `error` (which may be NULL) and returns false, so that a caller can `return error_set(…)`.
 */
bool error_set(struct error *error, enum error_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "format: " in front of the message that is already there; returns false. */
bool error_wrap(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* error_set with ERROR_MEMORY and the one sentence for it; returns false. */
bool error_out_of_memory(struct error *error);
