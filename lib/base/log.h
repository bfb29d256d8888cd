/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One line per event on standard error: JSON for machines, text for terminals.
 *
 *     log_warn("redis_lost", "Redis is away; intake answers 503 until it is back",
 *              LOG_TEXT("address", address), LOG_INT("retry_in_ms", delay_ms));
 *
 * The event is a stable snake_case name to search by, the message a sentence for the reader.
 * Never a seek-token, access token, secret or body.
 *
 * Owns:    the process's one log sink and its level, set before the first thread starts.
 * Threads: any; a line is in one write(2), so lines do not mix.
 * Blocks:  as long as standard error does.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_FORMAT_JSON, LOG_FORMAT_TEXT };

struct log_field {
    const char *key; /* NULL ends a list */
    bool is_text;
    const char *text;
    int64_t number;
};

#define LOG_TEXT(key_, text_) ((struct log_field){.key = (key_), .is_text = true, .text = (text_)})
#define LOG_INT(key_, number_) ((struct log_field){.key = (key_), .number = (int64_t)(number_)})

void log_configure(enum log_level level, enum log_format format);
bool log_is_enabled(enum log_level level);

/* The fields follow as struct log_field, closed by LOG_END; use the macros below, which add it. A
 * NULL text is printed as "". Control characters and invalid UTF-8 are escaped, a value longer than
 * 4096 bytes is cut. */
void log_write(enum log_level level, const char *event, const char *message, ...);

/* A thread that logs much in one go: its lines leave together, in a few writes, none later than
 * log_release or the first warning. What kills the process in between takes them along. */
void log_gather(void);
void log_release(void);

#define LOG_END ((struct log_field){.key = NULL})
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__, LOG_END)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__, LOG_END)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__, LOG_END)
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__, LOG_END)
