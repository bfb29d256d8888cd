/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * API keys that anybody would try first.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>

/* Words of examples and of forms that nobody filled in, and what is typed in their place. */
bool guessable_key_is_placeholder(const char *key);
