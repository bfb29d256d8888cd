/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One pass that only tells strings from what is between them; the grammar is json_parse's.
 */
#include "lib/base/json_repair.h"

#include <string.h>

#include "lib/base/ascii.h"
#include "lib/base/json_string.h"

struct repair {
    const char *rest, *end;
    unsigned depth, depth_max;
    struct buffer *out;
    struct error *error;
};

static bool append(struct repair *repair, const char *bytes, size_t length)
{
    return repair->depth > repair->depth_max ||
           buffer_append(repair->out, bytes, length, repair->error);
}

/* How much of the text at the start makes one unit that no string may hold: a byte, an escape. */
static size_t bad_length(const char *text, size_t length)
{
    bool is_escape = length >= 6 && text[0] == '\\' && text[1] == 'u';
    for (size_t i = 2; is_escape && i < 6; i++)
        is_escape = ascii_is_hex(text[i]);
    return is_escape ? 6 : 1;
}

/* One character of a string, as it is or as U+FFFD. False: there is no room. */
static bool take_character(struct repair *repair)
{
    struct json_character ignored;
    const char *why;
    size_t left = (size_t)(repair->end - repair->rest);
    size_t step = json_string_plain_length(repair->rest, left);
    if (step == 0)
        step = json_string_read(repair->rest, left, &ignored, &why);
    bool is_good = step > 0;
    if (!is_good)
        step = bad_length(repair->rest, left);
    /* An escape that JSON does not have is a mistake of grammar. */
    bool is_grammar = !is_good && step == 1 && repair->rest[0] == '\\';
    bool is_appended = is_good || is_grammar ? append(repair, repair->rest, step)
                                             : append(repair, "\xef\xbf\xbd", 3);
    repair->rest += step;
    return is_appended;
}

/* Behind the opening quote, up to and with the closing one. */
static bool take_string(struct repair *repair)
{
    while (repair->rest < repair->end && *repair->rest != '"') {
        if (!take_character(repair))
            return false;
    }
    bool is_closed = repair->rest < repair->end;
    return !is_closed || append(repair, repair->rest++, 1);
}

/* What a container leaves when it is too deep: null, in its parent. */
static bool take_bracket(struct repair *repair, char byte)
{
    bool is_opening = byte == '[' || byte == '{';
    if (is_opening && ++repair->depth == repair->depth_max + 1)
        return buffer_append_text(repair->out, "null", repair->error);
    bool is_appended = append(repair, &byte, 1);
    if (!is_opening && repair->depth > 0)
        repair->depth--;
    return is_appended;
}

bool json_repair(const char *text, size_t length, unsigned depth_max, struct buffer *out,
                 struct error *error)
{
    static const char mark[] = "\xef\xbb\xbf";
    struct repair repair = {text, text + length, 0, depth_max, out, error};
    size_t before = out->length;
    bool is_done = true;
    if (length >= sizeof mark - 1 && memcmp(text, mark, sizeof mark - 1) == 0)
        repair.rest += sizeof mark - 1;
    while (is_done && repair.rest < repair.end) {
        char byte = *repair.rest++;
        if (strchr("[]{}", byte) != NULL && byte != '\0')
            is_done = take_bracket(&repair, byte);
        else
            is_done = append(&repair, &byte, 1) && (byte != '"' || take_string(&repair));
    }
    if (!is_done)
        buffer_truncate(out, before);
    return is_done;
}

/* Nearly everything is good JSON, which costs nothing more. */
struct json *json_parse_repaired(const char *text, size_t length, unsigned depth_max,
                                 struct error *error)
{
    struct error reason;
    struct json *json = json_parse(text, length, &reason);
    if (json == NULL && reason.kind != ERROR_MEMORY) {
        struct buffer repaired;
        buffer_init(&repaired, 3 * length + 1);
        if (json_repair(text, length, depth_max, &repaired, &reason))
            json = json_parse(repaired.bytes, repaired.length, &reason);
        buffer_fini(&repaired);
    }
    if (json == NULL)
        (void)error_set(error, reason.kind, "%s", reason.message);
    return json;
}
