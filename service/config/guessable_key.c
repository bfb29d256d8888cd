/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/config/guessable_key.h"

#include <string.h>
#include <strings.h>

/* "12345678", "hgfedcba", "xxxxxxxx": each character differs from the one before by the same step.
 * After 9 comes 0. */
static bool is_sequence(const char *key)
{
    for (int step = -1; step <= 1; step++) {
        size_t i = 1;
        while (key[0] != '\0' && key[i] != '\0' &&
               (key[i] == key[i - 1] + step || (step == 1 && key[i - 1] == '9' && key[i] == '0')))
            i++;
        if (key[0] != '\0' && key[i] == '\0')
            return true;
    }
    return false;
}

bool guessable_key_is_placeholder(const char *key)
{
    static const char *const parts[] = {
        "change-me",   "change_me",    "changeme",     "replace-me",   "replace_me", "replaceme",
        "placeholder", "your-api-key", "your_api_key", "your api key", "your-key",   "your key"};
    static const char *const wholes[] = {"password",  "password1", "passw0rd",   "passwort",
                                         "secretkey", "my-secret", "qwertyuiop", "test-key"};
    size_t length = strlen(key);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strcasestr(key, parts[i]) != NULL)
            return true;
    for (size_t i = 0; i < sizeof wholes / sizeof wholes[0]; i++)
        if (strcasecmp(key, wholes[i]) == 0)
            return true;
    return (length > 1 && key[0] == '<' && key[length - 1] == '>') || is_sequence(key);
}
