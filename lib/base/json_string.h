/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The inside of JSON strings: what stands between the quotes, and the characters it stands for.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"

/* Bytes from the start that stand for themselves in ASCII: no quote, backslash or control. */
size_t json_string_plain_length(const char *text, size_t length);

struct json_character {
    char bytes[4]; /* UTF-8 */
    size_t length;
};

/* Reads the character at the start of `text`, escaped or not, and returns the length of its written
 * form. 0 when there is no valid one; `why` is then the rule that it breaks. */
size_t json_string_read(const char *text, size_t length, struct json_character *out,
                        const char **why);

/* For text that was read once already and found valid. */
MUST_CHECK bool json_string_unescape(const char *text, size_t length, struct buffer *out,
                                     struct error *error);
/* The same comparison without allocating. */
bool json_string_equals(const char *text, size_t length, const char *plain);
