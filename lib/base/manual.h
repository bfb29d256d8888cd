/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A manual page in man(7)'s language, so that a program can print its own from its tables.
 *
 * Owns: nothing. Threads: any, one per stream. Blocks: as the stream does.
 */
#pragma once

#include <stdio.h>

/* `program` in lower case, `summary` for whatis(1). The date is written by the build (@DATE@). */
void manual_begin(FILE *stream, const char *program, const char *version, const char *summary);
void manual_section(FILE *stream, const char *heading);
void manual_paragraph(FILE *stream, const char *text);
/* A term in bold with its explanation indented below. `value` follows the term. "": none of the
 * two. */
void manual_entry(FILE *stream, const char *term, const char *value, const char *text);
