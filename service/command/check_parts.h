/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What `check` (check.c) is made of.
 *
 * Owns: nothing. Threads: one. Blocks: until Redis, or the receiver, was tried, for some seconds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct config;

/* Whether each line is an object of JSON, for programs: check_report.c. Once, before any line. */
void check_report_begin(bool is_json);
/* A line; gives `is_fine` back: check_report.c. */
bool check_report(bool is_fine, const char *what, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A line about what is neither right nor wrong: check_report.c. */
void check_note(const char *what, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Whether root asks about the directory of a service that runs as somebody else: with the package
 * that is usual, and right. Root leaves nothing in it, and does not make it where it is missing
 * and is to lie in a directory of that user's. A line says so: check_report.c. */
bool check_is_of_another(const char *directory, const char *what, const char *setting);

/* Whether LISTEN and OPS_LISTEN name places of this machine: check_listeners.c. */
bool check_listeners(const struct config *config);
/* Lines about clocks that differ, if they do; "": no Date is known: check_clock.c. */
void check_redis_clock(int64_t ahead_ms);
void check_seek_clock(const char *date);
/* Whether this Redis, or each node of this cluster, will do: check_redis.c. */
bool check_redis(const struct config *config);
/* Whether NOTIFY_URL, if there is one, takes an event of a type for this: check_receiver.c. */
bool check_receiver(const struct config *config);
