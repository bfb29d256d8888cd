/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * "key=value,key2=value2" as OpenTelemetry's variables have it: W3C Baggage without metadata. Keys
 * and values are percent-encoded, white space around them does not count.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

enum { PAIR_KEY_BYTES = 256, PAIR_VALUE_BYTES = 4096 };

struct pair { /* decoded */
    char key[PAIR_KEY_BYTES];
    char value[PAIR_VALUE_BYTES];
};

enum pair_outcome {
    PAIR_READ,
    PAIR_END,
    PAIR_MALFORMED, /* no '=', no key, a broken or NUL escape, too long */
};

/* Takes the next pair off `rest`; members without anything in them are skipped. */
enum pair_outcome pair_list_next(const char **rest, struct pair *out);
/* Whether all of it can be read. */
enum pair_outcome pair_list_check(const char *list); /* PAIR_END or PAIR_MALFORMED */
