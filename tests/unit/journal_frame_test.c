/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "lib/base/journal_frame.h"

#include "tests/support/failing_malloc.h"
#include "tests/support/specification.h"

enum { HEAD_BYTES = 8 };

static void must_add(struct buffer *out, const char *payload)
{
    size_t start;
    assert_true(journal_frame_open(out, &start, NULL));
    assert_true(buffer_append_text(out, payload, NULL));
    assert_true(journal_frame_close(out, start, NULL));
}

/* "r(one) t(5)": records with their payloads, torn and damaged bytes with their number. */
static const char *describe(const char *bytes, size_t length)
{
    static char text[1024];
    struct journal_piece piece;
    size_t offset = 0, at = 0;
    text[0] = '\0';
    for (;;) {
        enum journal_found found = journal_frame_next(bytes, length, &offset, &piece);
        const char *space = at > 0 ? " " : "";
        if (found == JOURNAL_END)
            return text;
        if (found == JOURNAL_RECORD)
            at += (size_t)snprintf(text + at, sizeof text - at, "%sr(%.*s)", space,
                                   (int)piece.length, piece.payload);
        else
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%c(%zu)", space,
                                   found == JOURNAL_TORN ? 't' : 'd', piece.length);
        assert_true(at < sizeof text);
    }
}

static void write_three(struct buffer *out)
{
    buffer_init(out, 4096);
    must_add(out, "one");
    must_add(out, "two");
    must_add(out, "three");
}

static void gives_back_what_was_written(void **state)
{
    (void)state;
    struct buffer bytes;
    write_three(&bytes);
    assert_string_equal(describe(bytes.bytes, bytes.length), "r(one) r(two) r(three)");
    must_add(&bytes, "");
    assert_string_equal(describe(bytes.bytes, bytes.length), "r(one) r(two) r(three) r()");
    assert_string_equal(describe("", 0), "");
    buffer_fini(&bytes);
}

static void knows_a_torn_end_at_every_byte(void **state)
{
    (void)state;
    struct buffer bytes;
    write_three(&bytes);
    size_t last = bytes.length - HEAD_BYTES - strlen("three");
    for (size_t length = last + 1; length < bytes.length; length++) {
        char expected[64];
        (void)snprintf(expected, sizeof expected, "r(one) r(two) t(%zu)", length - last);
        assert_string_equal(describe(bytes.bytes, length), expected);
    }
    buffer_fini(&bytes);
}

/* Whichever bit it is, the records around it are found; only a longer length at the very end looks
 * like a torn one. */
static void loses_one_record_to_a_flipped_bit(void **state)
{
    (void)state;
    struct buffer bytes;
    write_three(&bytes);
    size_t second = HEAD_BYTES + strlen("one"), third = second + HEAD_BYTES + strlen("two");
    for (size_t bit = 0; bit < 8 * bytes.length; bit++) {
        bytes.bytes[bit / 8] ^= (char)(1 << bit % 8);
        const char *seen = describe(bytes.bytes, bytes.length);
        if (bit / 8 < second)
            assert_string_equal(seen, "d(11) r(two) r(three)");
        else if (bit / 8 < third)
            assert_string_equal(seen, "r(one) d(11) r(three)");
        else
            assert_true(strcmp(seen, "r(one) r(two) d(13)") == 0 ||
                        (bit / 8 < third + 4 && strcmp(seen, "r(one) r(two) t(13)") == 0));
        bytes.bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
    buffer_fini(&bytes);
}

/* What a file system leaves behind a crash at times. */
static void takes_zeroes_for_damage(void **state)
{
    (void)state;
    struct buffer bytes;
    static const char zeroes[100] = {0};
    write_three(&bytes);
    assert_true(buffer_append(&bytes, zeroes, sizeof zeroes, NULL));
    assert_string_equal(describe(bytes.bytes, bytes.length), "r(one) r(two) r(three) d(100)");
    must_add(&bytes, "four");
    assert_string_equal(describe(bytes.bytes, bytes.length),
                        "r(one) r(two) r(three) d(100) r(four)");
    buffer_fini(&bytes);
}

static void bounds_a_record(void **state)
{
    (void)state;
    static char large[JOURNAL_PAYLOAD_BYTES_MAX + 1];
    struct buffer bytes;
    struct error error;
    size_t start;
    buffer_init(&bytes, 1024 * 1024);
    assert_true(journal_frame_open(&bytes, &start, NULL));
    assert_true(buffer_append(&bytes, large, sizeof large, NULL));
    assert_false(journal_frame_close(&bytes, start, &error));
    assert_int_equal(error.kind, ERROR_FULL);
    buffer_truncate(&bytes, bytes.length - 1);
    assert_true(journal_frame_close(&bytes, start, &error));
    size_t offset = 0;
    struct journal_piece piece;
    assert_int_equal(journal_frame_next(bytes.bytes, bytes.length, &offset, &piece),
                     JOURNAL_RECORD);
    assert_int_equal(piece.length, JOURNAL_PAYLOAD_BYTES_MAX);
    buffer_fini(&bytes);
}

static void is_not_begun_without_memory(void **state)
{
    (void)state;
    struct buffer bytes;
    struct error error;
    size_t start;
    buffer_init(&bytes, 4096);
    failing_malloc_arm(0);
    assert_false(journal_frame_open(&bytes, &start, &error));
    assert_true(failing_malloc_disarm());
    assert_int_equal(error.kind, ERROR_MEMORY);
    assert_int_equal(bytes.length, 0);
    buffer_fini(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("gives back what was written", gives_back_what_was_written),
        IT("knows a torn end at every byte", knows_a_torn_end_at_every_byte),
        IT("loses one record to a flipped bit", loses_one_record_to_a_flipped_bit),
        IT("takes zeroes for damage", takes_zeroes_for_damage),
        IT("bounds a record", bounds_a_record),
        IT("is not begun without memory", is_not_begun_without_memory),
    };
    return cmocka_run_group_tests_name("journal_frame", tests, NULL, NULL);
}
