/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The setting, or another word, that a mistyped name probably means.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "service/config/settings.h"

/* `name` is what stands in the environment behind the prefix, or a flag behind its dashes. Writes
 * the name of the setting that is meant in the same form, with _FILE where that was given. False:
 * none is like it. */
bool setting_guess(const char *name, size_t length, bool is_flag, char out[SETTING_FLAG_BYTES]);
/* The typist's mistakes that lead from one word to the other; SIZE_MAX: too many to be meant. */
size_t setting_guess_mistakes(const char *given, const char *meant);
