/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * UUIDs of RFC 9562 version 4, in lower case.
 *
 * Owns: nothing; the random bytes are an argument. Threads: any. Blocks: never.
 */
#pragma once

enum { UUID_BYTES = 37 }; /* 36 characters and the terminator */

/* 122 of the 128 bits are kept; version and variant take the others. */
void uuid_write(const unsigned char random[16], char text[UUID_BYTES]);
