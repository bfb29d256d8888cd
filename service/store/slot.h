/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The slot of a Redis Cluster that a key lies in.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

enum { SLOT_COUNT = 16384 };

/* CRC-16 (XMODEM) of what stands between the first { and the } behind it, or of the whole key where
 * nothing does. */
unsigned slot_of(const char *key);
