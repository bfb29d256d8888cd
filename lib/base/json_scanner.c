/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/json_scanner.h"

#include <assert.h>
#include <string.h>

#include "lib/base/ascii.h"
#include "lib/base/json.h"
#include "lib/base/json_string.h"

static_assert(JSON_DEPTH_MAX <= 32, "object_bits has a bit per level");

void json_scanner_init(struct json_scanner *scanner, const char *text, size_t length)
{
    *scanner = (struct json_scanner){.text = text, .length = length};
}

static bool refuse(const struct json_scanner *scanner, const char *why, struct error *error)
{
    return error_set(error, ERROR_INVALID, "at byte %zu: %s", scanner->position, why);
}

/* The byte at the position; -1 at the end, which equals no character. */
static int peek(const struct json_scanner *scanner)
{
    if (scanner->position == scanner->length)
        return -1;
    return (unsigned char)scanner->text[scanner->position];
}

static bool take(struct json_scanner *scanner, char byte)
{
    if (peek(scanner) != byte)
        return false;
    scanner->position++;
    return true;
}

static void skip_space(struct json_scanner *scanner)
{
    while (take(scanner, ' ') || take(scanner, '\t') || take(scanner, '\n') || take(scanner, '\r'))
        continue;
}

static bool next_is_digit(const struct json_scanner *scanner)
{
    return ascii_is_digit((char)peek(scanner)); /* the end, as a char, is none */
}

static bool take_digits(struct json_scanner *scanner)
{
    if (!next_is_digit(scanner))
        return false;
    while (next_is_digit(scanner))
        scanner->position++;
    return true;
}

static bool scan_number(struct json_scanner *scanner, struct error *error)
{
    (void)take(scanner, '-');
    bool is_zero = take(scanner, '0');
    if (is_zero && next_is_digit(scanner))
        return refuse(scanner, "a number with a leading zero", error);
    if (!is_zero && !take_digits(scanner))
        return refuse(scanner, "a number without digits", error);
    if (take(scanner, '.') && !take_digits(scanner))
        return refuse(scanner, "a fraction without digits", error);
    if (!take(scanner, 'e') && !take(scanner, 'E'))
        return true;
    if (!take(scanner, '+'))
        (void)take(scanner, '-');
    return take_digits(scanner) || refuse(scanner, "an exponent without digits", error);
}

/* Moves over the text up to the closing quote; the opening one is behind the position. */
static bool skip_characters(struct json_scanner *scanner, struct error *error)
{
    while (peek(scanner) != '"') {
        const char *text = scanner->text + scanner->position;
        size_t left = scanner->length - scanner->position;
        if (left == 0)
            return refuse(scanner, "a string without its end", error);
        size_t step = json_string_plain_length(text, left);
        struct json_character ignored;
        const char *why = NULL;
        if (step == 0)
            step = json_string_read(text, left, &ignored, &why);
        if (step == 0)
            return refuse(scanner, why, error);
        scanner->position += step;
        assert(scanner->position <= scanner->length);
    }
    return true;
}

static bool scan_string(struct json_scanner *scanner, struct json_token *out, struct error *error)
{
    if (!take(scanner, '"'))
        return refuse(scanner, "a string is missing", error);
    size_t start = scanner->position;
    if (!skip_characters(scanner, error))
        return false;
    out->text = scanner->text + start;
    out->length = scanner->position - start;
    assert(peek(scanner) == '"');
    scanner->position++;
    return true;
}

static bool scan_word(struct json_scanner *scanner, const char *word, struct error *error)
{
    size_t length = strlen(word);
    if (scanner->length - scanner->position < length ||
        memcmp(scanner->text + scanner->position, word, length) != 0)
        return refuse(scanner, "not a value", error);
    scanner->position += length;
    assert(scanner->position <= scanner->length);
    return true;
}

static bool open_container(struct json_scanner *scanner, bool is_object, struct error *error)
{
    if (scanner->depth == JSON_DEPTH_MAX)
        return refuse(scanner, "nested too deeply", error);
    scanner->position++;
    uint32_t bit = UINT32_C(1) << scanner->depth;
    scanner->object_bits &= ~bit;
    if (is_object)
        scanner->object_bits |= bit;
    scanner->depth++;
    assert(scanner->depth <= JSON_DEPTH_MAX);
    scanner->expected = is_object ? JSON_EXPECT_FIRST_MEMBER : JSON_EXPECT_FIRST_ITEM;
    return true;
}

static bool is_in_object(const struct json_scanner *scanner)
{
    assert(scanner->depth > 0);
    return (scanner->object_bits >> (scanner->depth - 1)) & 1;
}

/* The end of the innermost container, if it comes next. */
static bool take_close(struct json_scanner *scanner, struct json_token *out)
{
    bool is_object = is_in_object(scanner);
    if (!take(scanner, is_object ? '}' : ']'))
        return false;
    out->kind = is_object ? JSON_TOKEN_OBJECT_CLOSE : JSON_TOKEN_ARRAY_CLOSE;
    scanner->depth--;
    scanner->expected = JSON_EXPECT_MORE;
    return true;
}

static bool scan_name(struct json_scanner *scanner, struct json_token *out, struct error *error)
{
    out->kind = JSON_TOKEN_NAME;
    if (!scan_string(scanner, out, error))
        return false;
    skip_space(scanner);
    if (!take(scanner, ':'))
        return refuse(scanner, "a colon is missing", error);
    scanner->expected = JSON_EXPECT_VALUE;
    return true;
}

static bool scan_literal(struct json_scanner *scanner, struct json_token *out, struct error *error)
{
    size_t start = scanner->position;
    bool is_valid = false;
    switch (peek(scanner)) {
    case 'n':
        out->kind = JSON_TOKEN_NULL;
        is_valid = scan_word(scanner, "null", error);
        break;
    case 'f':
        out->kind = JSON_TOKEN_FALSE;
        is_valid = scan_word(scanner, "false", error);
        break;
    case 't':
        out->kind = JSON_TOKEN_TRUE;
        is_valid = scan_word(scanner, "true", error);
        break;
    default:
        out->kind = JSON_TOKEN_NUMBER;
        is_valid = scan_number(scanner, error);
        break;
    }
    out->text = scanner->text + start;
    out->length = scanner->position - start;
    return is_valid;
}

static bool scan_value(struct json_scanner *scanner, struct json_token *out, struct error *error)
{
    scanner->expected = JSON_EXPECT_MORE;
    int first = peek(scanner);
    if (first == '{' || first == '[') {
        out->kind = first == '{' ? JSON_TOKEN_OBJECT_OPEN : JSON_TOKEN_ARRAY_OPEN;
        return open_container(scanner, first == '{', error);
    }
    if (first == '"') {
        out->kind = JSON_TOKEN_STRING;
        return scan_string(scanner, out, error);
    }
    if (first == '-' || next_is_digit(scanner) || first == 'n' || first == 'f' || first == 't')
        return scan_literal(scanner, out, error);
    return refuse(scanner, first < 0 ? "a value is missing" : "not a value", error);
}

static bool scan_end(const struct json_scanner *scanner, struct json_token *out,
                     struct error *error)
{
    if (peek(scanner) >= 0)
        return refuse(scanner, "something follows the document", error);
    out->kind = JSON_TOKEN_END;
    return true;
}

/* After a value: the end of what it is in, or a comma and the next. */
static bool scan_more(struct json_scanner *scanner, struct json_token *out, struct error *error)
{
    if (scanner->depth == 0)
        return scan_end(scanner, out, error);
    if (take_close(scanner, out))
        return true;
    if (!take(scanner, ','))
        return refuse(scanner, "a comma or the end of an array or object is missing", error);
    skip_space(scanner);
    return is_in_object(scanner) ? scan_name(scanner, out, error) : scan_value(scanner, out, error);
}

bool json_scanner_next(struct json_scanner *scanner, struct json_token *out, struct error *error)
{
    assert(scanner->position <= scanner->length && scanner->depth <= JSON_DEPTH_MAX);
    *out = (struct json_token){.text = "", .length = 0};
    skip_space(scanner);
    switch (scanner->expected) {
    case JSON_EXPECT_VALUE:
        return scan_value(scanner, out, error);
    case JSON_EXPECT_FIRST_ITEM:
        return take_close(scanner, out) || scan_value(scanner, out, error);
    case JSON_EXPECT_FIRST_MEMBER:
        return take_close(scanner, out) || scan_name(scanner, out, error);
    case JSON_EXPECT_MORE:
        return scan_more(scanner, out, error);
    }
    return refuse(scanner, "an unknown state", error);
}

bool json_repeats_member(const char *text, size_t length, const char *name)
{
    struct json_scanner scanner;
    struct json_token token;
    json_scanner_init(&scanner, text, length);
    uint32_t seen = 0; /* bit n: the object open at depth n has the member */
    while (json_scanner_next(&scanner, &token, NULL) && token.kind != JSON_TOKEN_END) {
        assert(scanner.depth <= JSON_DEPTH_MAX);
        uint32_t bit = scanner.depth > 0 ? UINT32_C(1) << (scanner.depth - 1) : 0;
        if (token.kind == JSON_TOKEN_OBJECT_OPEN)
            seen &= ~bit;
        if (token.kind != JSON_TOKEN_NAME || !json_string_equals(token.text, token.length, name))
            continue;
        if (seen & bit)
            return true;
        seen |= bit;
    }
    return false;
}
