/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Each secret becomes a filter: a bit for the hash of every piece. Going over a text then costs one
 * look per byte, and a comparison only where the bit is set.
 */
#include "lib/base/redaction.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/ascii.h"
#include "lib/base/utf8.h"

enum {
    DECODINGS_MAX = 3,     /* one inside the other */
    FILTER_BITS = 1 << 15, /* four for each piece of the longest access token */
    RUN_MIN = 6,           /* digits; a shorter run holds no piece */
};

static const char hidden[] = "[hidden: it repeats a secret]";

struct pieces {
    const char *secret;           /* borrowed */
    size_t secret_length, length; /* `length`: of a piece */
    unsigned char filter[FILTER_BITS / 8];
};

/* Capitals are no other spelling; in a form a space is a plus. */
static unsigned char fold(char byte)
{
    return byte == '+' ? ' ' : (unsigned char)ascii_lower(byte);
}

static unsigned hash_of(const char *bytes, size_t length)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ fold(bytes[i])) * 16777619U;
    return (hash ^ hash >> 15) % FILTER_BITS;
}

static bool are_equal(const char *a, const char *b, size_t length)
{
    size_t i = 0;
    while (i < length && fold(a[i]) == fold(b[i]))
        i++;
    return i == length;
}

/* False: there is nothing to look for. */
static bool pieces_init(struct pieces *pieces, const char *secret)
{
    size_t length = secret != NULL ? strlen(secret) : 0;
    *pieces = (struct pieces){.secret = secret, .secret_length = length};
    if (length < REDACTION_SECRET_BYTES_MIN)
        return false;
    pieces->length = length < REDACTION_PIECE_BYTES ? length : REDACTION_PIECE_BYTES;
    for (size_t i = 0; i + pieces->length <= length; i++) {
        unsigned bit = hash_of(secret + i, pieces->length);
        pieces->filter[bit / 8] |= (unsigned char)(1U << bit % 8);
    }
    return true;
}

/* Whether one of the pieces begins the text. */
static bool begins_with_piece(const struct pieces *pieces, const char *text, size_t length)
{
    if (length < pieces->length)
        return false;
    unsigned bit = hash_of(text, pieces->length);
    if ((pieces->filter[bit / 8] >> bit % 8 & 1) == 0)
        return false;
    for (size_t i = 0; i + pieces->length <= pieces->secret_length; i++) {
        if (are_equal(text, pieces->secret + i, pieces->length))
            return true;
    }
    return false;
}

/* --- other spellings ----------------------------------------------------------------- */

/* Each reads what stands at the start of `text`, appends what it stands for to `out`, and returns
 * how many bytes that were; 0: it stands for itself. What is written is never longer than what is
 * read. */
typedef size_t read_spelling(const char *text, size_t length, char *out, size_t *out_length);

/* A number of exactly `count` digits; -1: there is none. */
static int32_t hex_number(const char *text, size_t length, size_t count)
{
    int32_t number = 0;
    for (size_t i = 0; i < count; i++) {
        int digit = i < length ? ascii_hex_value(text[i]) : -1;
        if (digit < 0)
            return -1;
        number = number * 16 + digit;
    }
    return number;
}

static size_t put(char *out, size_t *out_length, int32_t byte, size_t read)
{
    if (byte < 0)
        return 0;
    out[(*out_length)++] = (char)byte;
    return read;
}

static size_t put_character(char *out, size_t *out_length, int32_t character, size_t read)
{
    char bytes[4];
    if (character < 0 || character > 0x10ffff)
        return 0;
    size_t length = utf8_encode((uint32_t)character, bytes);
    if (length > read)
        return 0;
    memcpy(out + *out_length, bytes, length);
    *out_length += length;
    return read;
}

static size_t read_percent(const char *text, size_t length, char *out, size_t *out_length)
{
    return text[0] == '%' ? put(out, out_length, hex_number(text + 1, length - 1, 2), 3) : 0;
}

/* 48 bits hold more than any character has. */
static size_t read_numeric_reference(const char *text, size_t length, char *out, size_t *out_length)
{
    enum { DIGITS_MAX = 12 };
    bool is_hex = length > 2 && fold(text[2]) == 'x';
    size_t at = is_hex ? 3 : 2, first = at;
    int64_t number = 0;
    for (; at < length && at - first < DIGITS_MAX; at++) {
        int digit = ascii_hex_value(text[at]);
        if (digit < 0 || (!is_hex && digit > 9))
            break;
        number = number * (is_hex ? 16 : 10) + digit;
    }
    if (at == first || at == length || text[at] != ';' || number > 0x10ffff)
        return 0;
    return put_character(out, out_length, (int32_t)number, at + 1);
}

static size_t read_reference(const char *text, size_t length, char *out, size_t *out_length)
{
    static const struct {
        const char *name;
        char character;
    } names[] = {{"&amp;", '&'},    {"&lt;", '<'},  {"&gt;", '>'},    {"&quot;", '"'},
                 {"&apos;", '\''},  {"&sol;", '/'}, {"&bsol;", '\\'}, {"&plus;", '+'},
                 {"&equals;", '='}, {"&nbsp;", ' '}};
    if (text[0] != '&')
        return 0;
    if (length > 1 && text[1] == '#')
        return read_numeric_reference(text, length, out, out_length);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t name_length = strlen(names[i].name);
        if (length >= name_length && are_equal(text, names[i].name, name_length))
            return put(out, out_length, names[i].character, name_length);
    }
    return 0;
}

static size_t read_escape(const char *text, size_t length, char *out, size_t *out_length)
{
    static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    if (text[0] != '\\' || length < 2)
        return 0;
    char letter = (char)fold(text[1]);
    if (letter == 'u')
        return put_character(out, out_length, hex_number(text + 2, length - 2, 4), 6);
    if (letter == 'x')
        return put(out, out_length, hex_number(text + 2, length - 2, 2), 4);
    const char *found = letter != '\0' ? strchr(letters, letter) : NULL;
    return put(out, out_length,
               (unsigned char)(found != NULL ? meanings[found - letters] : text[1]), 2);
}

static size_t spell_out(read_spelling *read, const char *text, size_t length, char *out)
{
    size_t out_length = 0;
    for (size_t at = 0; at < length;) {
        size_t step = read(text + at, length - at, out, &out_length);
        if (step == 0)
            out[out_length++] = text[at++];
        at += step;
    }
    return out_length;
}

static int base64_digit(char byte)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    if (byte == '+' || byte == '-')
        return 62;
    if (byte == '/' || byte == '_')
        return 63;
    const char *found = byte != '\0' ? strchr(digits, byte) : NULL;
    return found != NULL ? (int)(found - digits) : -1;
}

static const struct numeral {
    int (*digit)(char byte);
    unsigned bits; /* of a digit */
    size_t skips;  /* a run may begin with digits that are not the secret's */
} base64 = {base64_digit, 6, 4}, hexadecimal = {ascii_hex_value, 4, 2};

/* Appends what the run of digits at the start of `text` holds from the digit `skipped` on, and
 * returns its length. Mail breaks long runs into lines. */
static size_t read_run(const struct numeral *numeral, size_t skipped, const char *text,
                       size_t length, char *out, size_t *out_length)
{
    uint32_t bits = 0;
    unsigned held = 0;
    size_t at = 0, digits = 0, start = *out_length;
    for (; at < length; at++) {
        int digit = numeral->digit(text[at]);
        if (digit < 0 && text[at] != '\r' && text[at] != '\n')
            break;
        if (digit < 0 || digits++ < skipped)
            continue;
        bits = bits << numeral->bits | (uint32_t)digit;
        held += numeral->bits;
        if (held >= 8) {
            held -= 8;
            out[(*out_length)++] = (char)(bits >> held);
        }
    }
    if (digits < RUN_MIN)
        *out_length = start;
    return at;
}

static size_t spell_out_runs(const struct numeral *numeral, size_t skipped, const char *text,
                             size_t length, char *out)
{
    size_t out_length = 0;
    for (size_t at = 0; at < length; at++) { /* over what ended the run */
        at += read_run(numeral, skipped, text + at, length - at, out, &out_length);
        if (out_length > 0 && at < length)
            out[out_length++] = ' ';
    }
    return out_length;
}

/* --- looking ------------------------------------------------------------------------- */

enum { READERS = 3, SPELLINGS = READERS + 2 + 4 };

/* `out` has room for `length` bytes. */
static size_t respell(unsigned spelling, const char *text, size_t length, char *out)
{
    static read_spelling *const readers[READERS] = {read_percent, read_reference, read_escape};
    if (spelling < READERS)
        return spell_out(readers[spelling], text, length, out);
    spelling -= READERS;
    return spelling < hexadecimal.skips
               ? spell_out_runs(&hexadecimal, spelling, text, length, out)
               : spell_out_runs(&base64, spelling - hexadecimal.skips, text, length, out);
}

static bool holds_piece(const struct pieces *pieces, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (begins_with_piece(pieces, text + i, length - i))
            return true;
    }
    return false;
}

/* NOLINTNEXTLINE(misc-no-recursion): at most DECODINGS_MAX deep */
static bool shows(const struct pieces *pieces, const char *text, size_t length, unsigned decodings)
{
    if (length < pieces->length)
        return false;
    if (holds_piece(pieces, text, length))
        return true;
    if (decodings == DECODINGS_MAX)
        return false;
    char *other = malloc(length);
    bool does = other == NULL;
    for (unsigned i = 0; i < SPELLINGS && !does; i++) {
        size_t other_length = respell(i, text, length, other);
        if (other_length != length) /* equal: nothing was spelt so */
            does = shows(pieces, other, other_length, decodings + 1);
    }
    if (other != NULL)
        explicit_bzero(other, length);
    free(other);
    return does;
}

bool redaction_is_needed(const struct redaction *redaction, const char *text, size_t length)
{
    struct pieces pieces;
    bool is_needed = false;
    for (size_t i = 0; i < redaction->count && !is_needed; i++)
        is_needed = pieces_init(&pieces, redaction->secrets[i]) && shows(&pieces, text, length, 0);
    return is_needed;
}

/* A byte gets its star once everything that begins with it was looked at. */
static void cover(const struct pieces *pieces, char *text, size_t length)
{
    size_t covered = 0;
    for (size_t i = 0; i < length; i++) {
        if (begins_with_piece(pieces, text + i, length - i))
            covered = i + pieces->length;
        if (i < covered)
            text[i] = '*';
    }
}

void redaction_apply(const struct redaction *redaction, char *text, size_t size)
{
    /* Most answers have no words to show, and decoding makes none longer. */
    if (strlen(text) < REDACTION_SECRET_BYTES_MIN)
        return;
    struct pieces pieces;
    for (size_t i = 0; i < redaction->count; i++) {
        if (pieces_init(&pieces, redaction->secrets[i]))
            cover(&pieces, text, strlen(text));
    }
    if (redaction_is_needed(redaction, text, strlen(text)))
        (void)snprintf(text, size, "%s", hidden);
}
