/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/terminal.h"

#include <assert.h>

#include "lib/base/utf8.h"

static const struct {
    uint32_t first, last;
} hidden[] = {
    {0x00, 0x1f},       {0x7f, 0x9f},     /* C0, DEL and C1 */
    {0xad, 0xad},                         /* soft hyphen */
    {0x61c, 0x61c},                       /* Arabic letter mark */
    {0x180e, 0x180e},                     /* Mongolian vowel separator */
    {0x200b, 0x200f},                     /* zero width, and marks of direction */
    {0x2028, 0x202e},                     /* ends of line and paragraph, embeddings, overrides */
    {0x2060, 0x206f},                     /* invisible operators, isolates, shaping */
    {0xfeff, 0xfeff},   {0xfff9, 0xfffb}, /* byte order mark, annotations */
    {0xe0000, 0xe007f},                   /* tags */
};

bool terminal_shows(uint32_t character)
{
    if (character >= 0x20 && character < 0x7f) /* nearly all of them */
        return true;
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++) {
        if (character >= hidden[i].first && character <= hidden[i].last)
            return false;
    }
    return true;
}

/* Bytes of the character at the start of `text` if it may be shown, else 0. */
static size_t shown_length(const char *text, size_t length)
{
    size_t step = utf8_character_length(text, length);
    return step > 0 && terminal_shows(utf8_decode(text, step)) ? step : 0;
}

static size_t shown_run(const char *text, size_t length)
{
    size_t run = 0, step;
    while ((step = shown_length(text + run, length - run)) > 0)
        run += step;
    assert(run <= length);
    return run;
}

bool terminal_shows_all(const char *text, size_t length)
{
    return shown_run(text, length) == length;
}

bool terminal_append_escape(struct buffer *out, uint32_t character, struct error *error)
{
    assert(character <= 0x10ffff);
    if (character < 0x10000)
        return buffer_append_format(out, error, "\\u%04x", (unsigned)character);
    uint32_t rest = character - 0x10000;
    return buffer_append_format(out, error, "\\u%04x\\u%04x", 0xd800U + (unsigned)(rest >> 10),
                                0xdc00U + (unsigned)(rest & 0x3ff));
}

bool terminal_append(struct buffer *out, const char *text, size_t length, struct error *error)
{
    static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
    for (size_t before = out->length;;) {
        size_t run = shown_run(text, length);
        size_t step = utf8_character_length(text + run, length - run);
        bool is_end = run == length;
        bool is_appended =
            buffer_append(out, text, run, error) &&
            (is_end || (step > 0 ? terminal_append_escape(out, utf8_decode(text + run, step), error)
                                 : buffer_append_text(out, replacement, error)));
        if (!is_appended)
            buffer_truncate(out, before);
        if (is_end || !is_appended)
            return is_appended;
        run += step > 0 ? step : 1;
        text += run;
        length -= run;
    }
}
