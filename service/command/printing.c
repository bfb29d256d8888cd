/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/command/printing.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/base/terminal.h"

#include "service/command/blocking_request.h"

enum { PRINTED_BYTES_MAX = 6 * BLOCKING_ANSWER_BYTES_MAX, PATH_WIDTH = 32 };

/* --- texts --- */

/* Without memory nothing is said rather than something raw. */
void print_text(FILE *stream, const char *text)
{
    struct buffer shown;
    buffer_init(&shown, PRINTED_BYTES_MAX);
    if (terminal_append(&shown, text, strlen(text), NULL))
        (void)fputs(shown.bytes, stream);
    buffer_fini(&shown);
}

void print_lines(FILE *stream, const char *text)
{
    char *copy = strdup(text);
    for (char *rest = copy, *line; (line = strsep(&rest, "\n")) != NULL;) {
        if (rest == NULL && *line == '\0')
            break; /* behind the last line's end */
        print_text(stream, line);
        (void)putc('\n', stream);
    }
    free(copy);
}

void print_format(FILE *stream, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    print_text(stream, text);
    (void)putc('\n', stream);
    free(text);
}

/* Characters, which is what most terminals show them as. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

/* A string as it may be shown, anything else as JSON, which is so already. */
static void append_scalar(struct buffer *out, const struct json_value *value)
{
    struct json_text text;
    if (json_text(value, &text))
        (void)!terminal_append(out, text.bytes, text.length, NULL);
    else
        (void)!json_write(out, value, NULL);
}

/* As in the text log: a text with blanks is quoted. */
static void append_member(struct buffer *out, const char *name, const struct json_value *value)
{
    struct json_text text;
    bool is_word = json_text(value, &text) && strcspn(text.bytes, " \"=") == text.length;
    (void)!buffer_append_texts(out, NULL, out->length > 0 ? " " : "", name, "=", NULL);
    if (is_word)
        append_scalar(out, value);
    else
        (void)!json_write(out, value, NULL);
}

static void append_value(struct buffer *out, const struct json_value *value)
{
    const char *name = NULL;
    const struct json_value *member = NULL;
    if (json_type(value) != JSON_OBJECT) {
        append_scalar(out, value);
        return;
    }
    for (size_t i = 0; json_member_at(value, i, &name, &member); i++)
        append_member(out, name, member);
}

void print_json(const struct json_value *value)
{
    struct buffer text;
    buffer_init(&text, BLOCKING_ANSWER_BYTES_MAX);
    if (json_write(&text, value, NULL))
        (void)puts(text.bytes);
    buffer_fini(&text);
}

/* --- the end of it --- */

static int lost_by; /* the errno of what was lost first; 0: nothing, or nobody knows */

bool print_flush(void)
{
    bool was_lost = ferror(stdout) != 0;
    bool is_flushed = fflush(stdout) == 0;
    if (is_flushed && !was_lost)
        return true;
    if (lost_by == 0)
        lost_by = errno; /* after ferror: of the write before, behind which nothing else failed */
    return false;
}

/* Some file systems tell only when a file is closed that it does not fit. */
int print_end(int status)
{
    if (print_flush() && (fclose(stdout) == 0 || errno == EBADF)) /* nothing printed, to nothing */
        return status;
    if (lost_by == 0)
        lost_by = errno;
    if (lost_by != EPIPE)
        print_format(stderr, "standard output: %s: the output is not complete", strerror(lost_by));
    return status == 0 ? 1 : status;
}

/* --- members --- */

static void print_value(const char *path, const struct json_value *value)
{
    struct buffer text;
    buffer_init(&text, BLOCKING_ANSWER_BYTES_MAX);
    append_value(&text, value);
    print_text(stdout, path);
    size_t width = width_of(path);
    (void)printf("%*s %s\n", width < PATH_WIDTH ? (int)(PATH_WIDTH - width) : 0, "", text.bytes);
    buffer_fini(&text);
}

/* One below the other: each can be selected and copied. */
static void print_items(const char *path, const struct json_value *array)
{
    for (size_t i = 0; i < json_array_length(array); i++)
        print_value(i == 0 ? path : "", json_array_item(array, i));
}

/* Recursive, as deep as lib/base/json reads. NOLINTNEXTLINE(misc-no-recursion) */
static void print_under(const char *prefix, const struct json_value *object)
{
    const char *name = NULL;
    const struct json_value *value = NULL;
    for (size_t i = 0; json_member_at(object, i, &name, &value); i++) {
        char path[256];
        (void)snprintf(path, sizeof path, "%s%s%s", prefix, *prefix != '\0' ? "." : "", name);
        if (json_type(value) == JSON_OBJECT)
            print_under(path, value);
        else if (json_type(value) == JSON_ARRAY && json_array_length(value) > 0)
            print_items(path, value);
        else
            print_value(path, value);
    }
}

void print_members(const struct json_value *object)
{
    print_under("", object);
}

/* --- tables --- */

static void append_cell(struct buffer *out, const struct json_value *row, const char *member)
{
    char inner[64];
    const char *dot = strchr(member, '.');
    if (dot != NULL) {
        (void)snprintf(inner, sizeof inner, "%.*s", (int)(dot - member), member);
        row = json_member(row, inner);
        member = dot + 1;
    }
    if (json_has_member(row, member))
        append_value(out, json_member(row, member));
    else
        (void)!buffer_append_text(out, "-", NULL);
}

static size_t widest(const struct json_value *array, const struct print_column *column)
{
    struct buffer cell;
    buffer_init(&cell, BLOCKING_ANSWER_BYTES_MAX);
    size_t width = width_of(column->title);
    for (size_t i = 0; i < json_array_length(array); i++) {
        buffer_clear(&cell);
        append_cell(&cell, json_array_item(array, i), column->member);
        size_t cell_width = width_of(cell.bytes);
        width = cell_width > width ? cell_width : width;
    }
    buffer_fini(&cell);
    return width;
}

/* The last column is not padded. */
static void print_cell(const char *text, size_t width, bool is_last)
{
    size_t padding = is_last ? 0 : width - width_of(text) + 2;
    (void)printf("%s%*s%s", text, (int)padding, "", is_last ? "\n" : "");
}

void print_table(const struct json_value *array, const struct print_column *columns, size_t count,
                 bool has_titles)
{
    size_t widths[PRINT_COLUMNS_MAX];
    struct buffer cell;
    assert(count <= PRINT_COLUMNS_MAX);
    for (size_t i = 0; i < count; i++)
        widths[i] = widest(array, &columns[i]);
    for (size_t i = 0; has_titles && i < count; i++)
        print_cell(columns[i].title, widths[i], i + 1 == count);
    buffer_init(&cell, BLOCKING_ANSWER_BYTES_MAX);
    for (size_t row = 0; row < json_array_length(array); row++) {
        for (size_t i = 0; i < count; i++) {
            buffer_clear(&cell);
            append_cell(&cell, json_array_item(array, row), columns[i].member);
            print_cell(cell.bytes, widths[i], i + 1 == count);
        }
    }
    buffer_fini(&cell);
}

/* --- a question --- */

bool print_can_ask(void)
{
    return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

bool print_ask(const char *format, ...)
{
    char answer[16], *question = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&question, format, arguments);
    va_end(arguments);
    if (length < 0)
        return false;
    print_text(stderr, question);
    free(question);
    (void)fputs(" [y/N] ", stderr);
    (void)fflush(stderr);
    bool is_yes = fgets(answer, sizeof answer, stdin) != NULL &&
                  (strcasecmp(answer, "y\n") == 0 || strcasecmp(answer, "yes\n") == 0);
    if (!is_yes)
        (void)fputs("nothing was changed\n", stderr);
    return is_yes;
}

/* --- progress --- */

void print_progress(int64_t done, int64_t total)
{
    static const char full[] = "########################################";
    enum { WIDTH = sizeof full - 1 };
    if (total <= 0 || !isatty(STDERR_FILENO))
        return;
    if (done > total) /* more died meanwhile */
        done = total;
    (void)fprintf(stderr, "\r[%-*.*s] %" PRId64 " of %" PRId64, WIDTH, (int)(done * WIDTH / total),
                  full, done, total);
    (void)fflush(stderr);
}

void print_progress_end(void)
{
    if (isatty(STDERR_FILENO))
        (void)fprintf(stderr, "\r%79s\r", "");
}
