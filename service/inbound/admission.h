/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The decision whether a call may go on, and the answer if it may not.
 *
 * Owns: nothing. Threads: one, its loop's. Blocks: as secret_has_line does.
 */
#pragma once

#include <stdbool.h>

struct call;

/* False: it is answered. One with a wrong key may go on until its body is in: wrong_keys.h. */
bool admission_check(struct call *call);
void admission_refuse_wrong_key(struct call *call);
