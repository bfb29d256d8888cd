/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The faults still to come, in the order in which they were given. The first one that matches a
 * call spoils it.
 *
 * Owns:    at most FAULTS_MAX faults.
 * Threads: one at a time.
 * Blocks:  never.
 */
#pragma once

#include <stdint.h>

#include "lib/base/ownership.h"

#include "service/sandbox/fault.h"

struct fault_script;

enum { FAULTS_MAX = 1000 };

/* The same seed, faults and calls give the same run. */
MUST_CHECK struct fault_script *fault_script_create(uint64_t seed, struct error *error);
void fault_script_destroy(struct fault_script *script); /* accepts NULL */
DEFINE_AUTO(fault_script);

/* `value`: one fault, or an array of them; all are added or, with an error, none. */
MUST_CHECK bool fault_script_add(struct fault_script *script, const struct json_value *value,
                                 struct error *error);
void fault_script_clear(struct fault_script *script);
/* Counts the fault down. False: the call is not spoiled. `seek_token` may be NULL. */
bool fault_script_take(struct fault_script *script, enum fault_target target,
                       const char *seek_token, struct fault *out);
/* A number from 0 to `max` of the script's own generator. */
int64_t fault_script_random(struct fault_script *script, int64_t max);
/* Appends {"faults":[…]}, each with the calls it spoiled so far as "used". */
MUST_CHECK bool fault_script_write(const struct fault_script *script, struct buffer *buffer,
                                   struct error *error);
