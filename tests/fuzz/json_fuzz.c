/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "lib/base/json.h"

#include "tests/fuzz/fuzz_target.h"

enum { WRITTEN_BYTES_MAX = 1 << 22 };

static void must_write(const struct json *json, struct buffer *out)
{
    struct error error;
    buffer_init(out, WRITTEN_BYTES_MAX);
    bool is_written = json_write(out, json_root(json), &error);
    assert(is_written);
}

/* What is written is read again, and then written the same. */
static void check_round_trip(const struct json *json)
{
    struct buffer written, again;
    struct error error;
    must_write(json, &written);
    AUTO(json) *copy = json_parse(written.bytes, written.length, &error);
    assert(copy != NULL);
    must_write(copy, &again);
    assert(written.length == again.length);
    assert(memcmp(written.bytes, again.bytes, written.length) == 0);
    buffer_fini(&written);
    buffer_fini(&again);
}

/* Item by item it is what it is as a whole. */
static void check_items(const struct json *json, const char *text, size_t length)
{
    struct json_scanner items;
    bool is_array = json_items_open(&items, text, length);
    assert(is_array == (json_type(json_root(json)) == JSON_ARRAY));
    for (size_t count = 0; is_array; count++) {
        struct json *next;
        const char *item;
        size_t item_length;
        bool is_read = json_items_next(&items, &next, &item, &item_length, NULL);
        assert(is_read);
        AUTO(json) *one = next;
        if (one == NULL) {
            assert(count == json_array_length(json_root(json)));
            return;
        }
        assert(item >= text && item + item_length <= text + length);
        AUTO(json) *alone = json_parse(item, item_length, NULL);
        assert(alone != NULL);
        assert(json_type(json_root(alone)) == json_type(json_root(one)));
        assert(json_type(json_root(one)) == json_type(json_array_item(json_root(json), count)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct error error = {.message = ""};
    AUTO(json) *json = json_parse(text, size, &error);
    assert((json == NULL) == (error.message[0] != '\0'));
    if (json == NULL) {
        assert(error.kind == ERROR_INVALID);
        return 0;
    }
    assert(utf8_is_valid(text, size));
    assert(memchr(text, '\0', size) == NULL);
    (void)json_repeats_member(text, size, "a");
    check_round_trip(json);
    check_items(json, text, size);
    return 0;
}
