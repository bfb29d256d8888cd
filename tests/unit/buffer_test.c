/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buffer.h"

#include "tests/support/failing_malloc.h"
#include "tests/support/specification.h"

static void is_empty_text_before_anything_is_added(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 10);
    assert_int_equal(buffer.length, 0);
    assert_int_equal(buffer.capacity, 0);
    assert_string_equal(buffer.bytes, "");
    buffer_clear(&buffer);
    buffer_wipe(&buffer);
    buffer_consume(&buffer, 0);
    assert_string_equal(buffer.bytes, "");
    buffer_fini(&buffer);
}

static void adds_bytes_text_and_formats(void **state)
{
    (void)state;
    struct buffer buffer;
    struct error error;
    buffer_init(&buffer, 100);
    assert_true(buffer_append(&buffer, "a\0b", 3, &error));
    assert_true(buffer_append_text(&buffer, "-text-", &error));
    assert_true(buffer_append_format(&buffer, &error, "%d%s", 42, "!"));
    assert_true(buffer_append(&buffer, NULL, 0, &error));
    assert_int_equal(buffer.length, 12);
    assert_memory_equal(buffer.bytes, "a\0b-text-42!", 13);
    buffer_fini(&buffer);
}

static void grows_to_its_maximum_and_not_further(void **state)
{
    (void)state;
    enum { MAXIMUM = 1000 };
    struct buffer buffer;
    struct error error;
    buffer_init(&buffer, MAXIMUM);
    for (int i = 0; i < MAXIMUM; i++)
        assert_true(buffer_append(&buffer, "x", 1, &error));

    assert_false(buffer_append(&buffer, "y", 1, &error));
    assert_int_equal(error.kind, ERROR_FULL);
    assert_string_equal(error.message, "more than 1000 bytes");
    assert_false(buffer_append_text(&buffer, "y", &error));
    assert_false(buffer_append_format(&buffer, &error, "%c", 'y'));
    assert_false(buffer_append(&buffer, "y", SIZE_MAX, &error));

    assert_int_equal(buffer.length, MAXIMUM);
    assert_int_equal(strspn(buffer.bytes, "x"), MAXIMUM);
    assert_true(buffer_append(&buffer, "", 0, &error));
    buffer_fini(&buffer);
}

static void takes_from_the_front(void **state)
{
    (void)state;
    struct buffer buffer;
    struct error error;
    buffer_init(&buffer, 100);
    assert_true(buffer_append_text(&buffer, "onetwo", &error));
    buffer_consume(&buffer, 3);
    assert_string_equal(buffer.bytes, "two");
    buffer_consume(&buffer, 3);
    assert_string_equal(buffer.bytes, "");
    assert_int_equal(buffer.length, 0);
    buffer_fini(&buffer);
}

static void is_cut_back_and_cleared_without_giving_up_its_memory(void **state)
{
    (void)state;
    struct buffer buffer;
    struct error error;
    buffer_init(&buffer, 100);
    assert_true(buffer_append_text(&buffer, "onetwo", &error));
    const char *bytes = buffer.bytes;
    buffer_truncate(&buffer, 3);
    assert_string_equal(buffer.bytes, "one");
    buffer_clear(&buffer);
    assert_string_equal(buffer.bytes, "");
    assert_ptr_equal(buffer.bytes, bytes);
    buffer_fini(&buffer);
}

static void is_usable_again_after_fini(void **state)
{
    (void)state;
    struct buffer buffer;
    struct error error;
    buffer_init(&buffer, 3);
    assert_true(buffer_append_text(&buffer, "one", &error));
    buffer_fini(&buffer);
    assert_int_equal(buffer.length, 0);
    assert_true(buffer_append_text(&buffer, "two", &error));
    assert_false(buffer_append_text(&buffer, "!", &error));
    buffer_fini(&buffer);
}

static void wiping_leaves_no_trace(void **state)
{
    (void)state;
    static const char zeros[64];
    struct buffer buffer;
    struct error error;
    buffer_init(&buffer, 63);
    assert_true(buffer_append_text(&buffer, "a secret that must not stay here", &error));
    buffer_wipe(&buffer);
    assert_int_equal(buffer.length, 0);
    assert_memory_equal(buffer.bytes, zeros, 33);
    buffer_fini(&buffer);
}

static void over_fixed_storage_it_never_allocates(void **state)
{
    (void)state;
    char storage[8] = "garbage";
    struct buffer buffer;
    struct error error;
    buffer_init_fixed(&buffer, storage, sizeof storage);
    assert_string_equal(buffer.bytes, "");
    failing_malloc_arm(0);
    assert_true(buffer_append_text(&buffer, "1234567", &error));
    assert_false(buffer_append_text(&buffer, "8", &error));
    assert_false(failing_malloc_disarm());
    assert_int_equal(error.kind, ERROR_FULL);
    assert_string_equal(storage, "1234567");
    buffer_fini(&buffer);
    assert_string_equal(storage, "");
    assert_true(buffer_append_text(&buffer, "again", &error));
    assert_string_equal(storage, "again");
}

static void is_unchanged_when_memory_is_out(void **state)
{
    (void)state;
    char much[1000] = "";
    memset(much, 'x', sizeof much - 1);
    struct buffer buffer;
    struct error error;
    buffer_init(&buffer, 10000);
    assert_true(buffer_append_text(&buffer, "kept", &error));
    failing_malloc_arm(0);
    assert_false(buffer_append_text(&buffer, much, &error));
    assert_true(failing_malloc_disarm());
    assert_int_equal(error.kind, ERROR_MEMORY);
    failing_malloc_arm(0);
    assert_false(buffer_append_format(&buffer, &error, "%s", much));
    assert_true(failing_malloc_disarm());
    assert_string_equal(buffer.bytes, "kept");
    assert_int_equal(buffer.length, 4);
    assert_true(buffer_append_text(&buffer, much, &error));
    buffer_fini(&buffer);
}

static void adds_texts_and_integers(void **state)
{
    (void)state;
    struct error error;
    struct buffer buffer;
    buffer_init(&buffer, 64);
    assert_true(buffer_append_texts(&buffer, &error, "a", "", "bc", NULL));
    assert_string_equal(buffer.bytes, "abc");
    static const int64_t numbers[] = {0, 7, -10, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char expected[32];
        (void)snprintf(expected, sizeof expected, "%" PRId64, numbers[i]);
        buffer_clear(&buffer);
        assert_true(buffer_append_integer(&buffer, numbers[i], &error));
        assert_string_equal(buffer.bytes, expected);
    }
    buffer_fini(&buffer);
}

/* Also where the format was printed into the room that there was. */
static void a_text_or_format_that_does_not_fit_leaves_nothing(void **state)
{
    (void)state;
    struct error error;
    struct buffer buffer;
    buffer_init(&buffer, 8);
    assert_true(buffer_append_text(&buffer, "kept", &error));
    assert_false(buffer_append_texts(&buffer, &error, "12", "345", NULL));
    assert_int_equal(error.kind, ERROR_FULL);
    assert_string_equal(buffer.bytes, "kept");
    assert_false(buffer_append_format(&buffer, &error, "%d", 12345));
    assert_string_equal(buffer.bytes, "kept");
    assert_true(buffer_append_format(&buffer, &error, "%d", 1234));
    assert_string_equal(buffer.bytes, "kept1234");
    buffer_fini(&buffer);
}

/* Around the first allocation, whose size is nobody's business. */
static void formats_of_every_length_are_whole(void **state)
{
    (void)state;
    static const char much[] = "0123456789";
    struct error error;
    for (int length = 0; length < 600; length++) {
        struct buffer buffer;
        buffer_init(&buffer, 2000);
        assert_true(buffer_append_text(&buffer, "x", &error));
        assert_true(buffer_append_format(&buffer, &error, "%*s", length, ""));
        assert_true(buffer_append_format(&buffer, &error, "%s", much));
        assert_int_equal(buffer.length, 1 + (size_t)length + 10);
        assert_string_equal(buffer.bytes + 1 + length, much);
        buffer_fini(&buffer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("is an empty text before anything is added", is_empty_text_before_anything_is_added),
        IT("adds bytes, text and formats", adds_bytes_text_and_formats),
        IT("adds texts and integers", adds_texts_and_integers),
        IT("leaves nothing of a text or format that does not fit",
           a_text_or_format_that_does_not_fit_leaves_nothing),
        IT("adds formats of every length whole", formats_of_every_length_are_whole),
        IT("grows to its maximum and not further", grows_to_its_maximum_and_not_further),
        IT("takes from the front", takes_from_the_front),
        IT("is cut back and cleared without giving up its memory",
           is_cut_back_and_cleared_without_giving_up_its_memory),
        IT("is usable again after fini", is_usable_again_after_fini),
        IT("leaves no trace when wiped", wiping_leaves_no_trace),
        IT("never allocates over fixed storage", over_fixed_storage_it_never_allocates),
        IT("is unchanged when memory is out", is_unchanged_when_memory_is_out),
    };
    return cmocka_run_group_tests_name("buffer", tests, NULL, NULL);
}
