# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# Run by embed_file at build time.
if(SOURCE MATCHES "\\.lua$")
    # Lines of comment are for the source's readers; an empty line each keeps the numbers in error messages.
    file(READ ${SOURCE} text)
    string(REGEX REPLACE "\n *--[^\n]*" "\n" text "\n${text}")
    string(REGEX REPLACE "^\n" "" text "${text}")
    string(HEX "${text}" hex)
else()
    file(READ ${SOURCE} hex HEX)
endif()
string(REGEX REPLACE "(................)" "\\1\n" lines "${hex}")
# Character constants: an int over 127 would not fit into a char.
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${lines}")
file(MAKE_DIRECTORY ${DIRECTORY})
file(WRITE ${DIRECTORY}/${SYMBOL}.h
"/* Generated from a source file; see cmake/embed.cmake. */
#pragma once
#include <stddef.h>
extern const char ${SYMBOL}[];
extern const size_t ${SYMBOL}_length;
")
file(WRITE ${DIRECTORY}/${SYMBOL}.c
"#include \"embedded/${SYMBOL}.h\"
const char ${SYMBOL}[] = {
${bytes}0x00};
const size_t ${SYMBOL}_length = sizeof ${SYMBOL} - 1;
")
