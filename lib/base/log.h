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
 * Threads: any; lines come out whole. log_start, log_stop: main.
 * Blocks:  from log_start on never: what finds no room is lost, counted and told. Before it, in
 * programs that end by themselves, as long as standard error does.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

/* LOG_OFF is no level of a line: log_configure takes it, and no line is written then. */
enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_OFF };
enum log_format { LOG_FORMAT_JSON, LOG_FORMAT_TEXT };

struct log_field {
    const char *key;
    bool is_text;
    const char *text;
    int64_t number;
};

#define LOG_TEXT(key_, text_) ((struct log_field){.key = (key_), .is_text = true, .text = (text_)})
/* Times one: a pointer does not compile. */
#define LOG_INT(key_, number_)                                                                     \
    ((struct log_field){.key = (key_), .number = (int64_t)(1 * (number_))})

/* `stream`: $JOURNAL_STREAM, or NULL. When it names standard error, each line begins with its level
 * as sd-daemon(3) has it, "<3>" for an error, which the journal takes off. */
void log_name_journal(const char *stream);
void log_configure(enum log_level level, enum log_format format);
enum log_format log_format(void); /* as configured */
bool log_is_enabled(enum log_level level);

/* Is given each line of LOG_INFO and above too, whatever the least level is, by whoever logs it. */
struct log_tap {
    void (*take)(void *context, const char *event, const char *message,
                 const struct log_field fields[], size_t count); /* any thread; must not log */
    void *context;
};
/* The one tap, borrowed; NULL: none. Whoever may be logging through one outlives nothing of it. */
void log_set_tap(const struct log_tap *tap);

/* For a program that runs on: a thread writes the lines (log_sink.h), so that nothing waits for
 * whoever reads them. */
MUST_CHECK bool log_start(struct error *error);
/* Text for people, as it is: whole lines. */
void log_plain(const char *text);
/* Waits until all lines are written, at most `patience_ms`; whether they are. Any thread may, also
 * one that is about to abort. */
bool log_flush(int64_t patience_ms);
/* The same, and ends the thread. */
void log_stop(int64_t patience_ms);
/* Since the process began: lines that found no room or could not be written. */
uint64_t log_lines_lost(void);
/* How long whoever reads the log has taken nothing of what waits; 0: it takes, or nothing waits. */
int64_t log_stuck_ms(int64_t now_ms /* monotonic */);

/* What the macros below call, which count the fields. A text that is NULL or "" is left out.
 * Control characters and invalid UTF-8 are escaped. A value over 16384 bytes is cut, as are an
 * event and a message over 4096, and ends with its whole length. */
void log_write(enum log_level level, const char *event, const char *message,
               const struct log_field fields[], size_t count);

/* A thread that logs much in one go: its lines leave together, in a few writes, none later than
 * log_release or the first warning. What kills the process in between takes them along. */
void log_gather(void);
void log_release(void);

/* Each takes the event, the message, and any number of LOG_TEXT and LOG_INT; anything else does not
 * compile. C17 has no empty list, so that one field of nothing ends it, which is not counted. */
#define log_at(level, ...) LOG_WRITE(level, __VA_ARGS__, (struct log_field){.key = NULL})
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_at(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)
#define LOG_WRITE(level, event, message, ...)                                                      \
    log_write(level, event, message, (const struct log_field[]){__VA_ARGS__},                      \
              sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field) - 1)
