/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "service/domain/seek_token.h"

#include "tests/fuzz/fuzz_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char before[] = "before:";
    struct buffer out;
    struct error error;
    buffer_init(&out, 1 << 20);
    bool is_prepared = buffer_append_text(&out, before, &error);
    assert(is_prepared);

    struct rejection rejection = {.detail = ""};
    bool is_found = seek_token_from_uri((const char *)data, size, &out, &rejection);
    assert(memcmp(out.bytes, before, strlen(before)) == 0);
    const char *token = out.bytes + strlen(before);
    size_t token_length = out.length - strlen(before);
    if (is_found) {
        assert(rejection.detail[0] == '\0');
        assert(seek_token_check(token, token_length, &rejection));
        assert(token_length <= size);
    } else {
        assert(rejection.detail[0] != '\0');
        assert((unsigned)rejection.code < REJECTION_CODE_COUNT);
        assert(token_length == 0);
    }
    buffer_fini(&out);
    return 0;
}
