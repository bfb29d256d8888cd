/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/log.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/log_sink.h"
#include "lib/base/rfc3339.h"
#include "lib/base/terminal.h"

/* A line is built on the stack, so that a process without memory can still say so. Event and
 * message always fit: a byte takes at most six when escaped. */
enum {
    HEAD_BYTES_MAX = 4096, /* event, message */
    VALUE_BYTES_MAX = 16384,
    LINE_BYTES_USUAL = 2048,
    LINE_BYTES_MAX = LOG_SINK_LINE_BYTES_MAX,
    LINE_END_BYTES = 16,
};

static _Atomic enum log_level least_level = LOG_INFO;
static _Atomic enum log_format line_format = LOG_FORMAT_JSON;

static _Atomic bool is_for_journal;

static const struct level_name {
    const char *json, *text;
    const char *journal; /* sd-daemon(3): syslog's numbers */
} level_names[] = {
    [LOG_DEBUG] = {"debug", "DEBUG", "<7>"},
    [LOG_INFO] = {"info", "INFO ", "<6>"},
    [LOG_WARN] = {"warn", "WARN ", "<4>"},
    [LOG_ERROR] = {"error", "ERROR", "<3>"},
};

/* systemd names the stream that it has made for the journal; somebody in between may have put
 * another one in its place. */
void log_name_journal(const char *stream)
{
    char own[64] = "";
    struct stat status;
    if (fstat(STDERR_FILENO, &status) == 0)
        (void)snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)status.st_dev,
                       (uintmax_t)status.st_ino);
    atomic_store(&is_for_journal, stream != NULL && strcmp(stream, own) == 0);
}

void log_configure(enum log_level level, enum log_format format)
{
    atomic_store(&least_level, level);
    atomic_store(&line_format, format);
}

enum log_format log_format(void)
{
    return atomic_load(&line_format);
}

static _Atomic(const struct log_tap *) the_tap;

void log_set_tap(const struct log_tap *tap)
{
    assert(tap == NULL || tap->take != NULL);
    atomic_store(&the_tap, tap);
}

static bool is_written(enum log_level level)
{
    return level >= atomic_load_explicit(&least_level, memory_order_relaxed);
}

bool log_is_enabled(enum log_level level)
{
    return is_written(level) ||
           (level >= LOG_INFO && atomic_load_explicit(&the_tap, memory_order_acquire) != NULL);
}

/* A text over `bytes_max` ends with its whole length; a character cut in two shows as U+FFFD. */
static bool append_quoted(struct buffer *line, const char *text, size_t bytes_max)
{
    size_t length = strlen(text);
    if (length <= bytes_max)
        return json_append_string(line, text, length, NULL);
    if (!json_append_string(line, text, bytes_max, NULL))
        return false;
    buffer_truncate(line, line->length - 1); /* goes on before the closing quote */
    return buffer_append_format(line, NULL, " [cut: %zu bytes in all]\"", length);
}

static bool json_begin(struct buffer *line, const char *time, enum log_level level,
                       const char *event, const char *message)
{
    return buffer_append_texts(line, NULL, "{\"time\":\"", time, "\",\"level\":\"",
                               level_names[level].json, "\",\"event\":", NULL) &&
           append_quoted(line, event, HEAD_BYTES_MAX) &&
           buffer_append_text(line, ",\"message\":", NULL) &&
           append_quoted(line, message, HEAD_BYTES_MAX);
}

static const char *text_of(const struct log_field *field)
{
    return field->text != NULL ? field->text : "";
}

static bool json_field(struct buffer *line, const struct log_field *field)
{
    if (!buffer_append_text(line, ",", NULL) || !append_quoted(line, field->key, VALUE_BYTES_MAX) ||
        !buffer_append_text(line, ":", NULL))
        return false;
    return field->is_text ? append_quoted(line, text_of(field), VALUE_BYTES_MAX)
                          : buffer_append_integer(line, field->number, NULL);
}

/* Whether the text can stand in a line as it is: in a message spaces may, in a value what separates
 * fields may not. */
static bool is_plain(const char *text, size_t bytes_max, const char *forbidden)
{
    size_t length = strlen(text);
    return length <= bytes_max && strcspn(text, forbidden) == length &&
           terminal_shows_all(text, length);
}

static bool append_plain_or_quoted(struct buffer *line, const char *text, size_t bytes_max,
                                   const char *forbidden)
{
    return is_plain(text, bytes_max, forbidden) ? buffer_append_text(line, text, NULL)
                                                : append_quoted(line, text, bytes_max);
}

static bool text_begin(struct buffer *line, const char *time, enum log_level level,
                       const char *event, const char *message)
{
    return buffer_append_format(line, NULL, "%s %s ", time, level_names[level].text) &&
           append_plain_or_quoted(line, event, HEAD_BYTES_MAX, "") &&
           buffer_append_text(line, "  ", NULL) &&
           append_plain_or_quoted(line, message, HEAD_BYTES_MAX, "");
}

static bool text_field(struct buffer *line, const struct log_field *field)
{
    if (!buffer_append_format(line, NULL, " %s=", field->key))
        return false;
    if (!field->is_text)
        return buffer_append_integer(line, field->number, NULL);
    const char *text = text_of(field);
    return text[0] == '\0' ? buffer_append_text(line, "\"\"", NULL)
                           : append_plain_or_quoted(line, text, VALUE_BYTES_MAX, " \"=");
}

static const struct writer {
    bool (*begin)(struct buffer *line, const char *time, enum log_level level, const char *event,
                  const char *message);
    bool (*field)(struct buffer *line, const struct log_field *field);
    const char *end;
    const char *end_of_cut; /* when not all fields fit */
} writers[] = {
    [LOG_FORMAT_JSON] = {json_begin, json_field, "}\n", ",\"cut\":true}\n"},
    [LOG_FORMAT_TEXT] = {text_begin, text_field, "\n", " cut=true\n"},
};

/* What one line says. */
struct entry {
    enum log_level level;
    const char *event, *message;
    const struct log_field *fields;
    size_t count;
};

/* Fields that do not fit are left out whole. */
static bool is_empty(const struct log_field *field)
{
    return field->is_text && (field->text == NULL || field->text[0] == '\0');
}

static const char *append_fields(struct buffer *line, const struct writer *writer,
                                 const struct entry *entry)
{
    const char *end = writer->end;
    for (size_t i = 0; i < entry->count; i++) {
        size_t before = line->length;
        if (is_empty(&entry->fields[i]) || writer->field(line, &entry->fields[i]))
            continue;
        buffer_truncate(line, before);
        end = writer->end_of_cut;
    }
    return end;
}

/* PIPE_BUF: what a pipe takes in one piece, so that a gathered piece is written in one go. */
static _Thread_local struct {
    char bytes[PIPE_BUF];
    size_t length;
    bool is_on;
} gathered;

static void write_gathered(void)
{
    if (gathered.length > 0)
        log_sink_give(gathered.bytes, gathered.length);
    gathered.length = 0;
}

void log_gather(void)
{
    gathered.is_on = true;
}

void log_release(void)
{
    write_gathered();
    gathered.is_on = false;
}

static void give_line(const char *bytes, size_t length, bool is_urgent)
{
    assert(length > 0 && bytes[length - 1] == '\n');
    if (gathered.length + length > sizeof gathered.bytes)
        write_gathered();
    if (!gathered.is_on || length > sizeof gathered.bytes) {
        log_sink_give(bytes, length);
        return;
    }
    assert(gathered.length + length <= sizeof gathered.bytes);
    memcpy(gathered.bytes + gathered.length, bytes, length);
    gathered.length += length;
    if (is_urgent)
        write_gathered();
}

/* Of one second's lines only the milliseconds differ. */
static const char *time_of_line(int64_t wall_ms)
{
    enum { MS_PER_SECOND = 1000, FRACTION = sizeof "2026-01-02T03:04:05." - 1 };
    static _Thread_local char text[RFC3339_BYTES];
    static _Thread_local int64_t text_second = -1;
    int64_t second = wall_ms / MS_PER_SECOND;
    int ms = (int)(wall_ms % MS_PER_SECOND);
    if (second != text_second || ms < 0) {
        rfc3339_format(wall_ms, text);
        text_second = second;
        return text;
    }
    text[FRACTION] = (char)('0' + ms / 100);
    text[FRACTION + 1] = (char)('0' + ms / 10 % 10);
    text[FRACTION + 2] = (char)('0' + ms % 10);
    return text;
}

/* False: something does not fit. */
static bool build_line(const struct entry *entry, char *storage, size_t size, size_t *out_length)
{
    assert((size_t)entry->level < sizeof level_names / sizeof level_names[0]);
    const struct writer *writer = &writers[atomic_load(&line_format)];
    const char *time = time_of_line(clock_wall_ms());
    struct buffer line;
    buffer_init_fixed(&line, storage, size - LINE_END_BYTES);
    *out_length = 0;
    if (atomic_load(&is_for_journal) &&
        !buffer_append_text(&line, level_names[entry->level].journal, NULL))
        return false;
    if (!writer->begin(&line, time, entry->level, entry->event, entry->message))
        return false;
    const char *end = append_fields(&line, writer, entry);
    assert(strlen(end) < LINE_END_BYTES);
    *out_length = (size_t)(stpcpy(storage + line.length, end) - storage);
    assert(*out_length <= size);
    return end == writer->end;
}

/* A function of its own: the pages of a stack that a thread has used once stay with it. */
static __attribute__((noinline)) void write_large(const struct entry *entry)
{
    char storage[LINE_BYTES_MAX];
    size_t length;
    (void)build_line(entry, storage, sizeof storage, &length); /* what does not fit is left out */
    assert(length > 0);
    give_line(storage, length, entry->level >= LOG_WARN);
}

void log_write(enum log_level level, const char *event, const char *message,
               const struct log_field fields[], size_t count)
{
    if (!log_is_enabled(level))
        return;
    int errno_before = errno;
    const struct log_tap *tap = atomic_load_explicit(&the_tap, memory_order_acquire);
    if (tap != NULL && level >= LOG_INFO)
        tap->take(tap->context, event, message, fields, count);
    if (!is_written(level)) {
        errno = errno_before;
        return;
    }
    const struct entry entry = {level, event, message, fields, count};
    char storage[LINE_BYTES_USUAL];
    size_t length;
    if (build_line(&entry, storage, sizeof storage, &length))
        give_line(storage, length, level >= LOG_WARN);
    else
        write_large(&entry);
    errno = errno_before;
}

/* --- the process's one sink ---------------------------------------------------------- */

static size_t report_gap(uint64_t lost, char line[LOG_SINK_LINE_BYTES_MAX])
{
    assert(lost > 0);
    const struct entry entry = {
        .level = LOG_WARN,
        .event = "log_lines_lost",
        .message = "Lines are missing here, because the reader of the log was too slow or its disk "
                   "was full. Nothing else waited for it",
        .fields = &LOG_INT("lines", lost),
        .count = 1,
    };
    size_t length;
    (void)build_line(&entry, line, LOG_SINK_LINE_BYTES_MAX, &length); /* it is short */
    return length;
}

bool log_start(struct error *error)
{
    return log_sink_start(report_gap, error);
}

void log_plain(const char *text)
{
    for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1)
        if (end - text < LOG_SINK_LINE_BYTES_MAX)
            log_sink_give(text, (size_t)(end + 1 - text));
}

bool log_flush(int64_t patience_ms)
{
    return log_sink_flush(patience_ms);
}

void log_stop(int64_t patience_ms)
{
    log_sink_stop(patience_ms);
}

uint64_t log_lines_lost(void)
{
    return log_sink_lines_lost();
}

int64_t log_stuck_ms(int64_t now_ms)
{
    return log_sink_stuck_ms(now_ms);
}
