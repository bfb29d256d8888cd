/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/journal_frame.h"

#include "service/spool/spool_record.h"

#include "tests/support/specification.h"

static const struct drain_record event = {
    .kind = DRAIN_EVENT,
    .application_id = "Größe/1",
    .seek_token = "seek-token",
    .event_id = "1d3a9a54-2f0e-4c1b-9d7e-8a5100000000",
    .completed_at_ms = 1700000000123,
    .traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    .stamp_us = 1700000000456789,
};

static void must_be_equal(const struct drain_record *a, const struct drain_record *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_string_equal(a->application_id, b->application_id);
    assert_string_equal(a->seek_token, b->seek_token);
    assert_string_equal(a->event_id, b->event_id);
    assert_true(a->completed_at_ms == b->completed_at_ms);
    assert_string_equal(a->traceparent, b->traceparent != NULL ? b->traceparent : "");
    assert_true(a->stamp_us == b->stamp_us);
}

static const char *payload_of(const struct buffer *bytes, size_t *out_length)
{
    struct journal_piece piece;
    size_t offset = 0;
    assert_int_equal(journal_frame_next(bytes->bytes, bytes->length, &offset, &piece),
                     JOURNAL_RECORD);
    assert_int_equal(offset, bytes->length);
    *out_length = piece.length;
    return piece.payload;
}

static void comes_back_as_it_was(void **state)
{
    (void)state;
    const struct drain_record draft = {.kind = DRAIN_DRAFT,
                                       .application_id = "A",
                                       .seek_token = "t",
                                       .event_id = "e",
                                       .completed_at_ms = -1,
                                       .stamp_us = INT64_MAX};
    const struct drain_record *const records[] = {&event, &draft};
    for (size_t i = 0; i < 2; i++) {
        struct buffer bytes;
        struct drain_record back;
        size_t length;
        buffer_init(&bytes, 4096);
        assert_true(spool_record_write(&bytes, records[i], NULL));
        const char *payload = payload_of(&bytes, &length);
        assert_true(spool_record_read(payload, length, &back));
        must_be_equal(&back, records[i]);
        buffer_fini(&bytes);
    }
}

static void refuses_what_is_cut_or_longer_or_of_another_version(void **state)
{
    (void)state;
    struct buffer bytes;
    struct drain_record back;
    size_t length;
    char copy[512];
    buffer_init(&bytes, 4096);
    assert_true(spool_record_write(&bytes, &event, NULL));
    const char *payload = payload_of(&bytes, &length);
    for (size_t cut = 0; cut < length; cut++)
        assert_false(spool_record_read(payload, cut, &back));
    memcpy(copy, payload, length);
    copy[length] = '\0';
    assert_true(spool_record_read(copy, length, &back));
    assert_false(spool_record_read(copy, length + 1, &back));
    copy[0]++;
    assert_false(spool_record_read(copy, length, &back));
    copy[0]--;
    copy[1] = 2;
    assert_false(spool_record_read(copy, length, &back));
    buffer_fini(&bytes);
}

static void leaves_a_full_buffer_as_it_was(void **state)
{
    (void)state;
    struct buffer bytes;
    struct error error;
    buffer_init(&bytes, 250);
    assert_true(spool_record_write(&bytes, &event, NULL));
    size_t before = bytes.length;
    assert_false(spool_record_write(&bytes, &event, &error));
    assert_int_equal(error.kind, ERROR_FULL);
    assert_int_equal(bytes.length, before);
    buffer_fini(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("comes back as it was", comes_back_as_it_was),
        IT("refuses what is cut, or longer, or of another version",
           refuses_what_is_cut_or_longer_or_of_another_version),
        IT("leaves a full buffer as it was", leaves_a_full_buffer_as_it_was),
    };
    return cmocka_run_group_tests_name("spool_record", tests, NULL, NULL);
}
