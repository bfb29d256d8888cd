/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Where the log goes: standard error. A program that runs on has a thread that writes, so that
 * nobody waits for whoever reads:
 *
 *     any thread ──line──► queue, LOG_SINK_BYTES ──► log thread ──write(2)──► standard error
 *                              └ full: dropped and counted
 *
 * Lines come out whole and in the order in which they were given. Where some are missing, a
 * line says how many, as soon as the sink takes one again. Before log_sink_start and
 * after log_sink_stop the caller writes by itself.
 *
 * Owns:    the queue and the thread. Never changes standard error itself: other processes use the
 *          same open file, a terminal for example.
 * Threads: start and stop main; everything else any.
 * Blocks:  give never while the thread runs, else as long as standard error does; flush and stop as
 * long as they are told to.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

enum { LOG_SINK_BYTES = 1 << 20, LOG_SINK_LINE_BYTES_MAX = 1 << 16 };

/* Writes the line that says how many are missing; its length. */
typedef size_t log_sink_gap_line(uint64_t lost, char line[LOG_SINK_LINE_BYTES_MAX]);

MUST_CHECK bool log_sink_start(log_sink_gap_line *gap_line, struct error *error);
/* Whole lines, each with its newline; all of them are taken, or none is. */
void log_sink_give(const char *lines, size_t length);
/* Waits until everything that was given is written, at most `patience_ms`. Whether it is. */
bool log_sink_flush(int64_t patience_ms);
/* Flushes and ends the thread. One that is held up by standard error is left behind: the end of the
 * process ends it. */
void log_sink_stop(int64_t patience_ms);

/* Lines that nobody will read, since the process began. */
uint64_t log_sink_lines_lost(void);
/* How long the sink has been taking nothing of what waits; 0: it takes, or nothing waits. */
int64_t log_sink_stuck_ms(int64_t now_ms /* monotonic */);
