/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* What a secret must be, as far as that can be seen from here. */
#include <string.h>

#include "lib/base/ascii.h"

#include "service/config/config_reading.h"
#include "service/config/guessable_key.h"

enum { API_KEY_BYTES_MIN = 8 };

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static bool has_outer_blanks(const char *line, size_t length)
{
    return length > 0 && (is_blank(line[0]) || is_blank(line[length - 1]));
}

static const char *mistake_of_line(const char *line, size_t length)
{
    if (has_outer_blanks(line, length))
        return "it begins or ends with a blank: remove it";
    for (size_t i = 0; i < length; i++)
        if (ascii_is_control(line[i]))
            return "it has a control character: remove it";
    return NULL;
}

/* What no client sends, so that everybody's key would be wrong: HTTP takes the blanks around a
 * header's value off, and a mark is seen by no editor. SEEK gives nobody such a secret either. */
static void check_bytes(struct reading *reading, const char *name, const struct buffer *value)
{
    static const char mark[] = "\xef\xbb\xbf";
    const char *mistake = NULL;
    if (strncmp(value->bytes, mark, sizeof mark - 1) == 0)
        mistake = "it begins with a byte order mark: save it as UTF-8 without one";
    for (const char *line = value->bytes; mistake == NULL && *line != '\0';) {
        size_t length = strcspn(line, "\r\n");
        mistake = mistake_of_line(line, length);
        line += length + strspn(line + length, "\r\n");
    }
    if (mistake != NULL)
        config_note(reading->problems, SETTING_PREFIX "%s: %s", name, mistake);
}

/* A file that is not there yet is a mistake at the start; one that vanishes later is lived with. */
void config_secret_check(struct reading *reading, const char *name, struct secret *secret,
                         enum secret_shape shape)
{
    if (secret == NULL)
        return;
    struct buffer value;
    buffer_init(&value, SECRET_BYTES_MAX);
    struct error error;
    if (!secret_read(secret, &value, &error))
        config_note(reading->problems, SETTING_PREFIX "%s_FILE: %s", name, error.message);
    else if (shape == SECRET_ONE_LINE && strcspn(value.bytes, "\r\n") != value.length)
        config_note(reading->problems, SETTING_PREFIX "%s: expected one line that is not empty",
                    name);
    else if (strcspn(value.bytes, "\r\n") == 0)
        config_note(reading->problems, SETTING_PREFIX "%s: the first line is empty", name);
    else
        check_bytes(reading, name, &value);
    buffer_wipe(&value);
    buffer_fini(&value);
}

/* A key is all that stands before everything: one that can be guessed is refused. */
void config_secret_check_keys(struct reading *reading, const char *name, struct secret *secret)
{
    static const char remedy[] = "make one with `openssl rand -hex 32`";
    struct buffer keys;
    buffer_init(&keys, SECRET_BYTES_MAX);
    struct error error; /* config_secret_check has told it */
    if (secret == NULL || !secret_read(secret, &keys, &error)) {
        buffer_fini(&keys);
        return;
    }
    char *rest = NULL;
    for (char *key = strtok_r(keys.bytes, "\r\n", &rest); key != NULL;
         key = strtok_r(NULL, "\r\n", &rest)) {
        if (strlen(key) < API_KEY_BYTES_MIN)
            config_note(reading->problems, SETTING_PREFIX "%s: it has less than %d characters: %s",
                        name, API_KEY_BYTES_MIN, remedy);
        else if (guessable_key_is_placeholder(key))
            config_note(reading->problems, SETTING_PREFIX "%s: it is an example's placeholder: %s",
                        name, remedy);
    }
    buffer_wipe(&keys);
    buffer_fini(&keys);
}
