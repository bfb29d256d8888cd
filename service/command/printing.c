/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/command/printing.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "service/command/blocking_request.h"

/* --- texts --- */

/* U+0080 to U+009F are control characters too; in UTF-8 they begin with C2. */
static size_t control_bytes(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    if (c[0] < ' ' || c[0] == 0x7f)
        return 1;
    return c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0 ? 2 : 0;
}

static void print_text(const char *text)
{
    while (*text != '\0') {
        size_t skipped = control_bytes(text);
        (void)putchar(skipped > 0 ? '?' : *text);
        text += skipped > 0 ? skipped : 1;
    }
}

/* Characters, which is what most terminals show them as. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

/* A string as it is, anything else as JSON. */
static void append_value(struct buffer *out, const struct json_value *value)
{
    struct json_text text;
    if (json_text(value, &text))
        (void)!buffer_append(out, text.bytes, text.length, NULL);
    else
        (void)!json_write(out, value, NULL);
}

void print_json(const struct json_value *value)
{
    struct buffer text;
    buffer_init(&text, BLOCKING_ANSWER_BYTES_MAX);
    if (json_write(&text, value, NULL))
        (void)puts(text.bytes);
    buffer_fini(&text);
}

/* --- members --- */

static void print_value(const char *path, const struct json_value *value)
{
    struct buffer text;
    buffer_init(&text, BLOCKING_ANSWER_BYTES_MAX);
    append_value(&text, value);
    (void)printf("%-32s ", path);
    print_text(text.bytes);
    (void)putchar('\n');
    buffer_fini(&text);
}

/* One below the other: each can be selected and copied. */
static void print_items(const char *path, const struct json_value *array)
{
    for (size_t i = 0; i < json_array_length(array); i++)
        print_value(i == 0 ? path : "", json_array_item(array, i));
}

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
    print_text(text);
    size_t padding = is_last ? 0 : width - width_of(text) + 2;
    (void)printf("%*s%s", (int)padding, "", is_last ? "\n" : "");
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
