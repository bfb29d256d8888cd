/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * No core of this process: it would hold credentials and seek-tokens.
 *
 * Owns: nothing. Threads: any; meant for the first lines of main. Blocks: never.
 */
#pragma once

#include <stdbool.h>

/* For the process and what it forks; after exec the limit alone still holds. False: it may dump. */
bool core_dump_forbid(void);
/* The limit alone, which survives exec and is all that may be called between fork and exec. */
bool core_dump_forbid_by_limit(void);
