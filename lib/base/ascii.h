/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The classes of a byte in ASCII. Unlike <ctype.h> it takes a `char` as it is, knows no locale, and
 * a byte of a longer UTF-8 character is nothing but itself.
 *
 * Owns: nothing. Threads: any. Blocks: never. Errors: none.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline bool ascii_is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static inline bool ascii_is_capital(char byte)
{
    return byte >= 'A' && byte <= 'Z';
}

static inline char ascii_lower(char byte)
{
    if (ascii_is_capital(byte))
        return (char)(byte - 'A' + 'a');
    return byte;
}

static inline char ascii_upper(char byte)
{
    if (byte >= 'a' && byte <= 'z')
        return (char)(byte - 'a' + 'A');
    return byte;
}

static inline bool ascii_is_letter(char byte)
{
    return ascii_is_capital(ascii_upper(byte));
}

static inline bool ascii_is_alphanumeric(char byte)
{
    return ascii_is_letter(byte) || ascii_is_digit(byte);
}

/* 0 to 15; -1 for what is no hexadecimal digit. */
static inline int ascii_hex_value(char byte)
{
    char folded = ascii_lower(byte);
    if (ascii_is_digit(folded))
        return folded - '0';
    return folded >= 'a' && folded <= 'f' ? folded - 'a' + 10 : -1;
}

static inline bool ascii_is_hex(char byte)
{
    return ascii_hex_value(byte) >= 0;
}

/* C0 and DEL: tabs and ends of lines are among them, the space is not. */
static inline bool ascii_is_control(char byte)
{
    return (unsigned char)byte < 0x20 || byte == 0x7f;
}

/* The space, or a control character. */
static inline bool ascii_is_space_or_control(char byte)
{
    return byte == ' ' || ascii_is_control(byte);
}

/* The space to the tilde. */
static inline bool ascii_is_printable(char byte)
{
    return byte >= ' ' && byte <= '~';
}

/* Printable, and no space. */
static inline bool ascii_is_visible(char byte)
{
    return byte > ' ' && byte <= '~';
}

/* All of the eight. Subtracting 0x21 sets the top bit of each byte below it, taking 1 from what is
 * 0; a borrow can accuse the byte behind a guilty one, but nothing in an innocent eight. */
static inline bool ascii_are_eight_visible(const char *text)
{
    const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
    uint64_t eight;
    memcpy(&eight, text, sizeof eight);
    uint64_t guilty = eight | (eight - ones * 0x21) | ((eight ^ ones * 0x7f) - ones);
    return (guilty & tops) == 0;
}

/* '%' and two hexadecimal digits, in text that a NUL ends. */
static inline bool ascii_is_percent_escape(const char *text)
{
    return text[0] == '%' && ascii_is_hex(text[1]) && ascii_is_hex(text[2]);
}
