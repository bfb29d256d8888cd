/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/buffer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_FIRST = 256, WIPED_BYTES_MAX = 128 * 1024 };

/* Shared by all empty buffers; nobody writes through it, since capacity 0 forces an allocation. */
static char empty_text[1] = "";

void buffer_init(struct buffer *buffer, size_t length_max)
{
    assert(length_max <= SIZE_MAX / 4); /* so that no sum or doubling below overflows */
    *buffer = (struct buffer){.bytes = empty_text, .length_max = length_max};
}

void buffer_init_fixed(struct buffer *buffer, char *storage, size_t size)
{
    assert(size > 0);
    storage[0] = '\0';
    *buffer = (struct buffer){
        .bytes = storage, .capacity = size, .length_max = size - 1, .is_fixed = true};
}

/* The text and its terminator lie in the room, and within the bound. */
static bool is_sound(const struct buffer *buffer)
{
    bool has_room = buffer->capacity > 0 ? buffer->length < buffer->capacity : buffer->length == 0;
    return has_room && buffer->length <= buffer->length_max;
}

void buffer_fini(struct buffer *buffer)
{
    assert(is_sound(buffer));
    if (buffer->is_fixed) {
        buffer_clear(buffer);
        return;
    }
    if (buffer->capacity > 0)
        free(buffer->bytes);
    buffer_init(buffer, buffer->length_max);
}

void buffer_clear(struct buffer *buffer)
{
    buffer_truncate(buffer, 0);
}

void buffer_truncate(struct buffer *buffer, size_t length)
{
    assert(length <= buffer->length);
    buffer->length = length;
    if (buffer->capacity > 0)
        buffer->bytes[length] = '\0';
    assert(is_sound(buffer));
}

/* realloc may leave what was there where it was. No buffer with credentials is larger than the
 * first kind, which is wiped. NULL: no memory, and nothing has changed. */
static char *move(struct buffer *buffer, size_t capacity)
{
    if (buffer->capacity > WIPED_BYTES_MAX)
        return realloc(buffer->bytes, capacity);
    char *bytes = malloc(capacity);
    if (bytes == NULL || buffer->capacity == 0)
        return bytes;
    memcpy(bytes, buffer->bytes, buffer->length + 1);
    explicit_bzero(buffer->bytes, buffer->length);
    free(buffer->bytes);
    return bytes;
}

/* Most additions find their room: they do not come here. */
static bool grow(struct buffer *buffer, size_t more, struct error *error)
{
    if (more > buffer->length_max - buffer->length)
        return error_set(error, ERROR_FULL, "more than %zu bytes", buffer->length_max);
    assert(!buffer->is_fixed); /* its bound is its storage's size */
    size_t needed = buffer->length + more + 1;
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : CAPACITY_FIRST;
    while (capacity < needed)
        capacity *= 2;
    if (capacity > buffer->length_max + 1)
        capacity = buffer->length_max + 1;
    char *bytes = move(buffer, capacity);
    if (bytes == NULL)
        return error_out_of_memory(error);
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    assert(more < buffer->capacity - buffer->length);
    return true;
}

static bool reserve(struct buffer *buffer, size_t more, struct error *error)
{
    bool has_room =
        more < buffer->capacity - buffer->length && more <= buffer->length_max - buffer->length;
    return has_room || grow(buffer, more, error);
}

bool buffer_append(struct buffer *buffer, const void *bytes, size_t length, struct error *error)
{
    if (!reserve(buffer, length, error))
        return false;
    if (length > 0)
        memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length += length;
    assert(buffer->length < buffer->capacity);
    buffer->bytes[buffer->length] = '\0';
    return true;
}

bool buffer_append_text(struct buffer *buffer, const char *text, struct error *error)
{
    return buffer_append(buffer, text, strlen(text), error);
}

bool buffer_append_texts(struct buffer *buffer, struct error *error, ...)
{
    const size_t before = buffer->length;
    va_list texts;
    va_start(texts, error);
    bool is_done = true;
    for (const char *text; is_done && (text = va_arg(texts, const char *)) != NULL;)
        is_done = buffer_append_text(buffer, text, error);
    va_end(texts);
    if (!is_done)
        buffer_truncate(buffer, before);
    return is_done;
}

bool buffer_append_integer(struct buffer *buffer, int64_t number, struct error *error)
{
    char text[sizeof "-9223372036854775808"];
    char *const end = text + sizeof text;
    char *start = end;
    /* The magnitude of the least number does not fit into its own type. */
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        *--start = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0)
        *--start = '-';
    assert(start >= text);
    return buffer_append(buffer, start, (size_t)(end - start), error);
}

/* Printed into the room that is there; only what does not fit is printed again. */
bool buffer_append_format(struct buffer *buffer, struct error *error, const char *format, ...)
{
    size_t room = buffer->capacity > 0 ? buffer->capacity - buffer->length : 0;
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(buffer->bytes + buffer->length, room, format, arguments);
    va_end(arguments);
    bool is_done = false;
    if (length < 0) {
        is_done = error_set(error, ERROR_INVALID, "a format that cannot be printed");
    } else if (reserve(buffer, (size_t)length, error)) {
        if ((size_t)length >= room)
            (void)vsnprintf(buffer->bytes + buffer->length, (size_t)length + 1, format, again);
        buffer->length += (size_t)length;
        assert(buffer->length < buffer->capacity);
        is_done = true;
    }
    va_end(again);
    if (!is_done && room > 0)
        buffer->bytes[buffer->length] = '\0';
    return is_done;
}

void buffer_consume(struct buffer *buffer, size_t length)
{
    assert(length <= buffer->length);
    if (length == 0)
        return;
    buffer->length -= length;
    memmove(buffer->bytes, buffer->bytes + length, buffer->length);
    buffer->bytes[buffer->length] = '\0';
    assert(is_sound(buffer));
}

void buffer_wipe(struct buffer *buffer)
{
    assert(is_sound(buffer));
    if (buffer->capacity > 0)
        explicit_bzero(buffer->bytes, buffer->capacity);
    buffer->length = 0;
}
