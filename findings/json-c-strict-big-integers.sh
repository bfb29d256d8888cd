#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# json-c in strict mode: an integer too big for 64 bits is another number in one Debian, and a syntax error in the next.
#
# Seen 2026-11-29: json-c 0.16 (Debian 12) and 0.18 (Debian 13), the same program, JSON_TOKENER_STRICT.
# A good guess: JSON does not bound its numbers, so that any integer is read; where it does not fit it becomes a double,
#   as in most parsers, or stays as text.
# What happens: 0.16 makes 18446744073709551615 of it without a word. 0.18 refuses the whole document with "number
#   expected". Both take the same value with a decimal point.
# Why it matters: one big number in a member that nobody reads, such as an answer's `extensions`, hides a success; it is
#   then sent again. Who reads an answer has to skip what he does not need without interpreting it.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages libjson-c-dev=0.16 gcc=4:12 debootstrap=1
debian_13 libjson-c5=0.18

cat >read.c <<'END'
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

int main(int count, char **texts)
{
    for (int i = 1; i < count; i++) {
        struct json_tokener *tokener = json_tokener_new();
        json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
        struct json_object *value = json_tokener_parse_ex(tokener, texts[i], (int)strlen(texts[i]));
        enum json_tokener_error error = json_tokener_get_error(tokener);
        puts(error == json_tokener_success ? json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN)
                                           : json_tokener_error_desc(error));
        json_object_put(value);
        json_tokener_free(tokener);
    }
    return 0;
}
END
gcc read.c -ljson-c -o read_json
cp read_json trixie/read_json
texts=('[12345678901234567890]' '[99999999999999999999]' '[99999999999999999999.0]')

seen "0.16" "[12345678901234567890] [18446744073709551615] [99999999999999999999.0]" \
    "$(./read_json "${texts[@]}" | paste -sd ' ')"
seen "0.18" "[12345678901234567890] number expected [99999999999999999999.0]" \
    "$(chroot trixie /read_json "${texts[@]}" | paste -sd ' ')"
finish
