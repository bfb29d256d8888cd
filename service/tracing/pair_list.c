/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/tracing/pair_list.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "lib/base/percent.h"

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

static bool decode(struct piece piece, char *out, size_t size)
{
    size_t length;
    return percent_decode(piece.bytes, piece.length, out, size, &length) == PERCENT_DECODED &&
           strlen(out) == length;
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
