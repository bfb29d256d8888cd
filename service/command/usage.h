/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What the binary says of itself: --help, its manual page, and what is wrong with a command's name.
 *
 * Owns: nothing. Threads: the only one. Blocks: as its output does.
 */
#pragma once

#include <stdio.h>

/* `count` arguments come before the word or flag that asks for help. `dead --help` and `help dead`
 * are about `dead`, everything else about the whole. `of_what` comes behind; may be NULL. */
void usage_print(int count, char *arguments[], const char *of_what);
/* To standard error. `second` may be NULL. Of two words the second is the wrong one, if any command
 * begins with the first. */
void usage_refuse(const char *first, const char *second);
