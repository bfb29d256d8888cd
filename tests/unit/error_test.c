/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/error.h"
#include "lib/base/utf8.h"

#include "tests/support/specification.h"

static void holds_a_kind_and_a_formatted_sentence(void **state)
{
    (void)state;
    struct error error;
    assert_false(error_set(&error, ERROR_IO, "port %d is taken", 80));
    assert_int_equal(error.kind, ERROR_IO);
    assert_string_equal(error.message, "port 80 is taken");
}

static void context_goes_in_front_and_keeps_the_kind(void **state)
{
    (void)state;
    struct error error;
    (void)error_set(&error, ERROR_CONFIG, "empty");
    assert_false(error_wrap(&error, "reading %s", "key"));
    assert_false(error_wrap(&error, "start"));
    assert_int_equal(error.kind, ERROR_CONFIG);
    assert_string_equal(error.message, "start: reading key: empty");
}

static void must_be_cut(const struct error *error, const char *start, size_t bytes)
{
    assert_int_equal(strlen(error->message), bytes);
    assert_memory_equal(error->message, start, strlen(start));
    assert_string_equal(error->message + bytes - strlen("…"), "…");
    assert_true(utf8_is_valid(error->message, bytes));
}

static void a_message_too_long_is_cut(void **state)
{
    (void)state;
    char much[2 * ERROR_MESSAGE_BYTES] = "";
    memset(much, 'x', sizeof much - 1);
    struct error error;
    (void)error_set(&error, ERROR_IO, "%s", much);
    must_be_cut(&error, "xxx", ERROR_MESSAGE_BYTES - 1);
    (void)error_wrap(&error, "%s", "context");
    must_be_cut(&error, "context: xxx", ERROR_MESSAGE_BYTES - 1);
    (void)error_wrap(&error, "%s", much);
    must_be_cut(&error, "xxx", ERROR_MESSAGE_BYTES - 1);
}

static void a_message_that_just_fits_is_whole(void **state)
{
    (void)state;
    char fits[ERROR_MESSAGE_BYTES] = "";
    memset(fits, 'x', sizeof fits - 1);
    struct error error;
    (void)error_set(&error, ERROR_IO, "%s", fits);
    assert_string_equal(error.message, fits);
    (void)error_set(&error, ERROR_IO, "%s", fits + strlen("context: "));
    (void)error_wrap(&error, "context");
    assert_int_equal(strlen(error.message), ERROR_MESSAGE_BYTES - 1);
    assert_int_equal(error.message[ERROR_MESSAGE_BYTES - 2], 'x');
}

static void no_character_is_cut_in_two(void **state)
{
    (void)state;
    char much[2 * ERROR_MESSAGE_BYTES] = "";
    for (size_t i = 0; i + 2 < sizeof much; i += 2)
        memcpy(much + i, "ä", 2);
    struct error error;
    (void)error_set(&error, ERROR_IO, "%s", much);
    size_t even = strlen(error.message);
    must_be_cut(&error, "ää", even);
    (void)error_set(&error, ERROR_IO, "x%s", much);
    assert_int_not_equal(strlen(error.message), even);
    must_be_cut(&error, "xää", strlen(error.message));
}

static void a_caller_who_does_not_ask_is_not_told(void **state)
{
    (void)state;
    assert_false(error_set(NULL, ERROR_IO, "unheard"));
    assert_false(error_wrap(NULL, "unheard"));
    assert_false(error_out_of_memory(NULL));
}

static void out_of_memory_has_its_own_kind(void **state)
{
    (void)state;
    struct error error;
    assert_false(error_out_of_memory(&error));
    assert_int_equal(error.kind, ERROR_MEMORY);
    assert_string_equal(error.message, "out of memory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("holds a kind and a formatted sentence", holds_a_kind_and_a_formatted_sentence),
        IT("takes context in front and keeps its kind", context_goes_in_front_and_keeps_the_kind),
        IT("marks a message that is too long as cut", a_message_too_long_is_cut),
        IT("keeps a message that just fits", a_message_that_just_fits_is_whole),
        IT("cuts no character in two", no_character_is_cut_in_two),
        IT("may be NULL for a caller who does not ask", a_caller_who_does_not_ask_is_not_told),
        IT("has a kind of its own for memory", out_of_memory_has_its_own_kind),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
