/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Segments of a journal that cannot be opened or read for a while.
 *
 * The target is linked with replace_calls(target private_file_open).
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

enum { FAILING_OPEN_FINE = 0, FAILING_OPEN_READ = -1 /* it can be opened, and reading fails */ };

extern _Atomic int failing_open_code; /* errno of opening, or one of the above */
extern _Atomic unsigned failing_open_count;
