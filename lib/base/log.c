/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/log.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/rfc3339.h"
#include "lib/base/utf8.h"

/* A line is built on the stack, so that a process without memory can still say so. Event and
 * message always fit: a byte takes at most six when escaped. */
enum {
    VALUE_BYTES_MAX = 4096,
    LINE_BYTES_USUAL = 2048,
    LINE_BYTES_MAX = 16 * VALUE_BYTES_MAX,
    LINE_END_BYTES = 16,
};

static _Atomic enum log_level least_level = LOG_INFO;
static _Atomic enum log_format line_format = LOG_FORMAT_JSON;

static const struct level_name {
    const char *json, *text;
} level_names[] = {
    [LOG_DEBUG] = {"debug", "DEBUG"},
    [LOG_INFO] = {"info", "INFO "},
    [LOG_WARN] = {"warn", "WARN "},
    [LOG_ERROR] = {"error", "ERROR"},
};

void log_configure(enum log_level level, enum log_format format)
{
    atomic_store(&least_level, level);
    atomic_store(&line_format, format);
}

bool log_is_enabled(enum log_level level)
{
    return level >= atomic_load_explicit(&least_level, memory_order_relaxed);
}

/* The part of a value that is printed; a character cut in two shows as U+FFFD. */
static size_t printed_length(const char *text)
{
    return strnlen(text, VALUE_BYTES_MAX);
}

static bool append_quoted(struct buffer *line, const char *text)
{
    return json_append_string(line, text, printed_length(text), NULL);
}

static bool json_begin(struct buffer *line, const char *time, enum log_level level,
                       const char *event, const char *message)
{
    return buffer_append_texts(line, NULL, "{\"time\":\"", time, "\",\"level\":\"",
                               level_names[level].json, "\",\"event\":", NULL) &&
           append_quoted(line, event) && buffer_append_text(line, ",\"message\":", NULL) &&
           append_quoted(line, message);
}

static bool json_field(struct buffer *line, const struct log_field *field)
{
    if (!buffer_append_text(line, ",", NULL) || !append_quoted(line, field->key) ||
        !buffer_append_text(line, ":", NULL))
        return false;
    return field->is_text ? append_quoted(line, field->text)
                          : buffer_append_integer(line, field->number, NULL);
}

/* Whether the text can stand in a line as it is: in a message spaces may, in a value what separates
 * fields may not. */
static bool is_plain(const char *text, const char *forbidden)
{
    size_t length = printed_length(text);
    if (text[length] != '\0' || !utf8_is_valid(text, length))
        return false;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        bool is_c1 = byte == 0xc2 && (unsigned char)text[i + 1] < 0xa0;
        if (byte < 0x20 || byte == 0x7f || is_c1 || strchr(forbidden, text[i]) != NULL)
            return false;
    }
    return true;
}

static bool append_plain_or_quoted(struct buffer *line, const char *text, const char *forbidden)
{
    return is_plain(text, forbidden) ? buffer_append_text(line, text, NULL)
                                     : append_quoted(line, text);
}

static bool text_begin(struct buffer *line, const char *time, enum log_level level,
                       const char *event, const char *message)
{
    return buffer_append_format(line, NULL, "%s %s ", time, level_names[level].text) &&
           append_plain_or_quoted(line, event, "") && buffer_append_text(line, "  ", NULL) &&
           append_plain_or_quoted(line, message, "");
}

static bool text_field(struct buffer *line, const struct log_field *field)
{
    if (!buffer_append_format(line, NULL, " %s=", field->key))
        return false;
    if (!field->is_text)
        return buffer_append_integer(line, field->number, NULL);
    return field->text[0] == '\0' ? buffer_append_text(line, "\"\"", NULL)
                                  : append_plain_or_quoted(line, field->text, " \"=");
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

/* Fields that do not fit are left out whole. */
static const char *append_fields(struct buffer *line, const struct writer *writer,
                                 va_list *arguments)
{
    const char *end = writer->end;
    for (;;) {
        struct log_field field = va_arg(*arguments, struct log_field);
        if (field.key == NULL)
            return end;
        if (field.text == NULL)
            field.text = "";
        size_t before = line->length;
        if (writer->field(line, &field))
            continue;
        buffer_truncate(line, before);
        end = writer->end_of_cut;
    }
}

/* One write(2) unless the sink takes only a part of it. There is nobody to tell about a failure. */
static void write_line(const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(STDERR_FILENO, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return;
        bytes += written;
        length -= (size_t)written;
    }
}

/* PIPE_BUF: a pipe takes that much in one piece, so that lines of other threads stay whole. */
static _Thread_local struct {
    char bytes[PIPE_BUF];
    size_t length;
    bool is_on;
} gathered;

static void write_gathered(void)
{
    write_line(gathered.bytes, gathered.length);
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
    if (gathered.length + length > sizeof gathered.bytes)
        write_gathered();
    if (!gathered.is_on || length > sizeof gathered.bytes) {
        write_line(bytes, length);
        return;
    }
    memcpy(gathered.bytes + gathered.length, bytes, length);
    gathered.length += length;
    if (is_urgent)
        write_gathered();
}

/* What one line says. */
struct entry {
    enum log_level level;
    const char *event, *message;
    va_list *fields;
};

/* False: something does not fit. */
static bool build_line(const struct entry *entry, char *storage, size_t size, size_t *out_length)
{
    const struct writer *writer = &writers[atomic_load(&line_format)];
    char time[RFC3339_BYTES];
    rfc3339_format(clock_wall_ms(), time);
    struct buffer line;
    buffer_init_fixed(&line, storage, size - LINE_END_BYTES);
    *out_length = 0;
    if (!writer->begin(&line, time, entry->level, entry->event, entry->message))
        return false;
    const char *end = append_fields(&line, writer, entry->fields);
    assert(strlen(end) < LINE_END_BYTES);
    *out_length = (size_t)(stpcpy(storage + line.length, end) - storage);
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

void log_write(enum log_level level, const char *event, const char *message, ...)
{
    if (!log_is_enabled(level))
        return;
    int errno_before = errno;
    char storage[LINE_BYTES_USUAL];
    size_t length;
    va_list fields, again;
    va_start(fields, message);
    va_copy(again, fields);
    if (build_line(&(struct entry){level, event, message, &fields}, storage, sizeof storage,
                   &length))
        give_line(storage, length, level >= LOG_WARN);
    else
        write_large(&(struct entry){level, event, message, &again});
    va_end(again);
    va_end(fields);
    errno = errno_before;
}
