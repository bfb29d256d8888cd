/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Alike is what two mistakes of a typist lead to: a character too many, too few, another one, or
 * two that changed places (the distance of Damerau and Levenshtein). Short names allow only one,
 * since everything is alike there.
 */
#include "service/config/setting_guess.h"

#include <stdint.h>
#include <string.h>

#include "lib/base/ascii.h"

enum { MISTAKES_MAX = 2, SHORT_NAME = 8, NAME_BYTES_MAX = SETTING_FLAG_BYTES - 1 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Of names in one form. Each row of the table is for one more character of `a`; three are kept. */
static size_t mistakes_between(const char *a, const char *b)
{
    const size_t a_length = strlen(a), b_length = strlen(b);
    size_t rows[3][NAME_BYTES_MAX + 1];
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3], *before = rows[(i - 1) % 3], *earlier = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            row[j] = least(before[j], row[j - 1]) + 1;
            row[j] = least(row[j], before[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], earlier[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

/* The setting's name as it would stand there: for the environment, or for a flag. */
static bool write_name(const struct setting *setting, bool is_file, bool is_flag,
                       char out[SETTING_FLAG_BYTES])
{
    const char *suffix = !is_file ? "" : is_flag ? "-file" : "_FILE";
    if ((is_file && setting->type != SETTING_SECRET) ||
        strlen(setting->name) + strlen(suffix) > NAME_BYTES_MAX)
        return false;
    if (is_flag)
        setting_flag(setting, out);
    else
        memcpy(out, setting->name, strlen(setting->name) + 1);
    memcpy(out + strlen(out), suffix, strlen(suffix) + 1);
    return true;
}

/* One form for both sides: capitals and hyphens in the wrong place are no mistakes to count. */
static void take_form(char *name, bool is_flag)
{
    for (; *name != '\0'; name++) {
        if (*name == '-' || *name == '_')
            *name = is_flag ? '-' : '_';
        else if (is_flag)
            *name = ascii_lower(*name);
        else
            *name = ascii_upper(*name);
    }
}

static size_t mistakes_allowed(size_t length)
{
    return length < SHORT_NAME ? 1 : MISTAKES_MAX;
}

size_t setting_guess_mistakes(const char *given, const char *meant)
{
    if (strlen(given) > NAME_BYTES_MAX || strlen(meant) > NAME_BYTES_MAX)
        return SIZE_MAX;
    size_t mistakes = mistakes_between(given, meant);
    return mistakes <= mistakes_allowed(strlen(given)) ? mistakes : SIZE_MAX;
}

bool setting_guess(const char *name, size_t length, bool is_flag, char out[SETTING_FLAG_BYTES])
{
    char given[SETTING_FLAG_BYTES], candidate[SETTING_FLAG_BYTES];
    if (length == 0 || length > NAME_BYTES_MAX)
        return false;
    memcpy(given, name, length);
    given[length] = '\0';
    take_form(given, is_flag);
    const size_t too_many = mistakes_allowed(length) + 1;
    size_t fewest = too_many;
    for (size_t i = 0; i < 2 * setting_count; i++) {
        if (!write_name(&settings[i / 2], i % 2 == 1, is_flag, candidate))
            continue;
        size_t mistakes = mistakes_between(given, candidate);
        if (mistakes >= fewest)
            continue;
        fewest = mistakes;
        memcpy(out, candidate, strlen(candidate) + 1);
    }
    return fewest < too_many;
}
