/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "tests/support/failing_malloc.h"

#include <errno.h>
#include <stddef.h>

/* The names that `ld --wrap` gives. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *pointer, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *pointer, size_t size);
char *__wrap_strdup(const char *text);

static _Thread_local struct {
    bool is_armed;
    bool has_struck;
    unsigned successes_left;
} countdown;

void failing_malloc_arm(unsigned successes)
{
    countdown.is_armed = true;
    countdown.has_struck = false;
    countdown.successes_left = successes;
}

bool failing_malloc_disarm(void)
{
    countdown.is_armed = false;
    return countdown.has_struck;
}

bool failing_malloc_strikes(void)
{
    if (!countdown.is_armed || countdown.has_struck)
        return false;
    if (countdown.successes_left-- > 0)
        return false;
    countdown.has_struck = true;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return failing_malloc_strikes() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return failing_malloc_strikes() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *pointer, size_t size)
{
    return failing_malloc_strikes() ? NULL : __real_realloc(pointer, size);
}

char *__wrap_strdup(const char *text)
{
    return failing_malloc_strikes() ? NULL : __real_strdup(text);
}
