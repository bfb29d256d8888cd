/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, up to U+10FFFF.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool utf8_is_valid(const char *text, size_t length);

/* Bytes of the character at the start of `text`, 1 to 4; 0 when there is no valid one. */
size_t utf8_character_length(const char *text, size_t length);
/* The character that utf8_character_length found. */
uint32_t utf8_decode(const char *character, size_t length);

/* Writes a character (not a surrogate, at most U+10FFFF) and returns its length. */
size_t utf8_encode(uint32_t character, char bytes[4]);
