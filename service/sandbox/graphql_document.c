/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/sandbox/graphql_document.h"

#include <string.h>

#include "lib/base/ascii.h"

/*
 *   document  = selection | ("query" | "mutation") [name] [variables] selection
 *   variables = "(" "$" name ":" name ["!"] ")"
 *   selection = "{" [name ":"] name [argument] "}"
 *   argument  = "(" name ":" "$" name ")"
 *
 * Everything else that GraphQL knows is refused with a sentence that says so.
 */
enum lexeme_kind { LEXEME_END, LEXEME_NAME, LEXEME_SIGN, LEXEME_OTHER };

struct reader {
    const char *next, *end;
    enum lexeme_kind kind; /* the lexeme to be looked at now */
    struct json_text text;
    const char *reason;
};

static bool is_name_start(char c)
{
    return ascii_is_letter(c) || c == '_';
}

static bool is_name_part(char c)
{
    return ascii_is_alphanumeric(c) || c == '_';
}

static void skip_ignored(struct reader *reader)
{
    while (reader->next < reader->end) {
        if (strchr(" \t\r\n,", *reader->next) != NULL) {
            reader->next++;
        } else if (*reader->next == '#') {
            while (reader->next < reader->end && *reader->next != '\n' && *reader->next != '\r')
                reader->next++;
        } else {
            return;
        }
    }
}

static void advance(struct reader *reader)
{
    skip_ignored(reader);
    const char *start = reader->next;
    if (start == reader->end) {
        reader->kind = LEXEME_END;
    } else if (is_name_start(*start)) {
        reader->kind = LEXEME_NAME;
        while (reader->next < reader->end && is_name_part(*reader->next))
            reader->next++;
    } else {
        reader->kind = strchr("{}():$!", *start) != NULL ? LEXEME_SIGN : LEXEME_OTHER;
        reader->next++;
    }
    reader->text = (struct json_text){start, (size_t)(reader->next - start)};
}

static bool fail_with(struct reader *reader, const char *reason)
{
    reader->reason = reason;
    return false;
}

static bool is_sign(const struct reader *reader, char sign)
{
    return reader->kind == LEXEME_SIGN && reader->text.bytes[0] == sign;
}

static bool take_sign(struct reader *reader, char sign, const char *reason)
{
    if (!is_sign(reader, sign))
        return fail_with(reader, reason);
    advance(reader);
    return true;
}

static bool take_name(struct reader *reader, struct json_text *out, const char *reason)
{
    if (reader->kind != LEXEME_NAME)
        return fail_with(reader, reason);
    *out = reader->text;
    advance(reader);
    return true;
}

static bool read_variable(struct reader *reader, struct graphql_document *out)
{
    static const char shape[] = "Syntax Error: expected one variable, ($name: Type!)";
    if (!is_sign(reader, '('))
        return true;
    advance(reader);
    if (!take_sign(reader, '$', shape) || !take_name(reader, &out->variable, shape) ||
        !take_sign(reader, ':', shape) || !take_name(reader, &out->variable_type, shape))
        return false;
    out->is_variable_required = is_sign(reader, '!');
    if (out->is_variable_required)
        advance(reader);
    return take_sign(reader, ')', shape);
}

static bool read_operation(struct reader *reader, struct graphql_document *out)
{
    if (is_sign(reader, '{'))
        return true;
    struct json_text word;
    if (!take_name(reader, &word, "Syntax Error: expected an operation"))
        return false;
    out->is_mutation = graphql_name_is(word, "mutation");
    if (!out->is_mutation && !graphql_name_is(word, "query"))
        return fail_with(reader, "Syntax Error: expected query, mutation or {");
    if (reader->kind == LEXEME_NAME)
        advance(reader);
    return read_variable(reader, out);
}

static bool read_argument(struct reader *reader, struct graphql_document *out)
{
    static const char shape[] =
        "arguments must be passed as one variable, never written into the query";
    if (!is_sign(reader, '('))
        return true;
    advance(reader);
    return take_name(reader, &out->argument, shape) && take_sign(reader, ':', shape) &&
           take_sign(reader, '$', shape) && take_name(reader, &out->argument_variable, shape) &&
           take_sign(reader, ')', shape);
}

static bool read_selection(struct reader *reader, struct graphql_document *out)
{
    static const char field[] = "Syntax Error: expected the name of a field";
    if (!take_sign(reader, '{', "Syntax Error: expected {") ||
        !take_name(reader, &out->response_key, field))
        return false;
    out->field = out->response_key;
    if (is_sign(reader, ':')) {
        advance(reader);
        if (!take_name(reader, &out->field, field))
            return false;
    }
    if (!read_argument(reader, out))
        return false;
    if (is_sign(reader, '{'))
        return fail_with(reader, "the field must not have a selection since it has no subfields");
    return take_sign(reader, '}', "this stand-in answers one field per request: expected }");
}

bool graphql_document_parse(const char *text, size_t length, struct graphql_document *out,
                            const char **reason)
{
    struct reader reader = {.next = text, .end = text + length};
    *out = (struct graphql_document){.is_mutation = false};
    advance(&reader);
    bool is_read = read_operation(&reader, out) && read_selection(&reader, out) &&
                   (reader.kind == LEXEME_END ||
                    fail_with(&reader, "this stand-in answers one operation per request"));
    if (!is_read)
        *reason = reader.reason;
    return is_read;
}

bool graphql_name_is(struct json_text name, const char *expected)
{
    return name.length == strlen(expected) && memcmp(name.bytes, expected, name.length) == 0;
}
