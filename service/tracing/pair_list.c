/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/tracing/pair_list.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const char white_space[] = " \t";

struct piece {
    const char *bytes;
    size_t length;
};

static struct piece trim(struct piece piece)
{
    while (piece.length > 0 && strchr(white_space, piece.bytes[0]) != NULL) {
        piece.bytes++;
        piece.length--;
    }
    while (piece.length > 0 && strchr(white_space, piece.bytes[piece.length - 1]) != NULL)
        piece.length--;
    return piece;
}

/* -1: broken, or a NUL. */
static int read_escape(const char *digits, size_t length)
{
    if (length < 2 || !isxdigit((unsigned char)digits[0]) || !isxdigit((unsigned char)digits[1]))
        return -1;
    const char text[] = {digits[0], digits[1], '\0'};
    int byte = (int)strtol(text, NULL, 16);
    return byte > 0 ? byte : -1;
}

static bool decode(struct piece piece, char *out, size_t size)
{
    size_t written = 0;
    for (size_t i = 0; i < piece.length; i++) {
        int byte = (unsigned char)piece.bytes[i];
        if (byte == '%') {
            byte = read_escape(piece.bytes + i + 1, piece.length - i - 1);
            i += 2;
        }
        if (byte < 0 || written + 1 >= size)
            return false;
        out[written++] = (char)byte;
    }
    out[written] = '\0';
    return true;
}

static enum pair_outcome read_pair(struct piece member, struct pair *out)
{
    const char *equals = memchr(member.bytes, '=', member.length);
    if (equals == NULL)
        return PAIR_MALFORMED;
    size_t key_length = (size_t)(equals - member.bytes);
    struct piece key = trim((struct piece){member.bytes, key_length});
    struct piece value = trim((struct piece){equals + 1, member.length - key_length - 1});
    bool is_read = key.length > 0 && decode(key, out->key, sizeof out->key) &&
                   decode(value, out->value, sizeof out->value);
    return is_read ? PAIR_READ : PAIR_MALFORMED;
}

enum pair_outcome pair_list_next(const char **rest, struct pair *out)
{
    while (**rest != '\0') {
        struct piece member = trim((struct piece){*rest, strcspn(*rest, ",")});
        *rest += strcspn(*rest, ",");
        *rest += **rest == ',';
        if (member.length > 0)
            return read_pair(member, out);
    }
    return PAIR_END;
}

enum pair_outcome pair_list_check(const char *list)
{
    struct pair pair;
    enum pair_outcome outcome;
    do {
        outcome = pair_list_next(&list, &pair);
    } while (outcome == PAIR_READ);
    return outcome;
}
