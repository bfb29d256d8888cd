/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What the sandbox needs to know of a JSON value beyond lib/base/json.h: booleans, fractions, and
 * whether an object has members that nobody knows.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/json.h"

/* False when the value is not a boolean. */
bool json_boolean(const struct json_value *value, bool *out);
/* False when the value is not a finite number. */
bool json_fraction(const struct json_value *value, double *out);

enum { MEMBER_NAME_BYTES = 64 };

/* Copies the first member's name for which `is_known` is false; a long name is cut. False: all
 * members are known (or there was no memory to look). */
bool json_unknown_member(const struct json_value *object,
                         bool (*is_known)(const void *context, const char *name, size_t length),
                         const void *context, char name[MEMBER_NAME_BYTES]);
