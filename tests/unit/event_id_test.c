/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "service/store/event_id.h"

#include "tests/support/specification.h"

static const char whole[] = "0a1b2c3d-4e5f-4678-9abc-def000000000";
static const unsigned char stored[] = {0x0a, 0x1b, 0x2c, 0x3d, 0x4e, 0x5f,
                                       0x46, 0x78, 0x9a, 0xbc, 0xde, 0xf0};

static void keeps_an_id_in_twelve_bytes(void **state)
{
    (void)state;
    unsigned char short_id[EVENT_ID_SHORT_BYTES];
    char text[ATTEMPT_ID_BYTES];
    assert_int_equal(event_id_shorten(whole, short_id), sizeof stored);
    assert_memory_equal(short_id, stored, sizeof stored);
    event_id_read((const char *)short_id, sizeof short_id, text);
    assert_string_equal(text, whole);
}

static void leaves_every_other_text(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "e1",
        "0a1b2c3d-4e5f-4678-9abc-def000000001",
        "0a1b2c3d-4e5f-4678-9abc-def0",
        "0A1b2c3d-4e5f-4678-9abc-def000000000",
        "0a1b2c3d04e5f-4678-9abc-def000000000",
        "0a1b2c3d-4e5f-4678-9abc-dexy00000000",
        "0a1b2c3d-4e5f-4678-9abc-def0000000000",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        unsigned char short_id[EVENT_ID_SHORT_BYTES];
        assert_int_equal(event_id_shorten(texts[i], short_id), 0);
    }
}

static void reads_what_was_stored_as_text(void **state)
{
    (void)state;
    static const struct {
        const char *stored, *text;
    } cases[] = {
        {"", ""},
        {"e1", "e1"},
        {"0a1b2c3d-4e5f-4678-9abc-def0", whole},
        {"0a1b2c3d-4e5f-4678-9abc-def000000001", "0a1b2c3d-4e5f-4678-9abc-def000000001"},
        {"0a1b2c3d-4e5f-4678-9abc-def000000001+", "0a1b2c3d-4e5f-4678-9abc-def000000001"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[ATTEMPT_ID_BYTES];
        event_id_read(cases[i].stored, strlen(cases[i].stored), text);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("keeps a UUID that ends in eight zeros in twelve bytes", keeps_an_id_in_twelve_bytes),
        IT("leaves every other text as it is", leaves_every_other_text),
        IT("reads what was stored as text", reads_what_was_stored_as_text),
    };
    return cmocka_run_group_tests_name("event_id", tests, NULL, NULL);
}
