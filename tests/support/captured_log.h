/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What the program writes to standard error, kept for the test to read.
 *
 * Owns:    a file without a name, and the standard error of before.
 * Threads: one owner; any thread may write meanwhile.
 * Blocks:  never.
 */
#pragma once

struct captured_log;

struct captured_log *captured_log_start(void);
/* How often `word` has been written so far. */
unsigned captured_log_count(const struct captured_log *log, const char *word);
/* Standard error is what it was before, and with TEST_LOG in the environment sees everything. What
 * was captured can still be counted. */
void captured_log_stop(struct captured_log *log);
void captured_log_destroy(struct captured_log *log); /* stop first */
