/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Keeps secrets out of what a peer said before it is shown: in a log, a status, a command's output
 * or the dead set. A peer that repeats a secret seldom repeats it as it was: it stands in a URL, in
 * HTML, in JSON inside of JSON, in base64, in capitals, or is cut.
 *
 * A text shows a secret when any REDACTION_PIECE_BYTES bytes of it in a row (a shorter secret as a
 * whole) are in the text, upper and lower case alike, or in what it becomes by decoding up to three
 * times: percent-encoding, HTML's character references, the escapes of JSON and C, hexadecimal,
 * base64 and base64url from any byte on. A secret of less than REDACTION_SECRET_BYTES_MIN bytes is
 * in every text, so that nothing looks for it.
 *
 * Only what is shown goes through here, never what is still to be understood: an answer whose
 * structure contains what the secret is would be another answer.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { REDACTION_PIECE_BYTES = 8, REDACTION_SECRET_BYTES_MIN = 4 };

struct redaction { /* borrowed for the call */
    const char *const *secrets;
    size_t count; /* of them; each may be NULL or "": none */
};

/* Whether the text shows one of the secrets. True, too, when there is no memory to find out. */
bool redaction_is_needed(const struct redaction *redaction, const char *text, size_t length);
/* Makes the text showable: stars in the place of what is there as it is; where a secret is there in
 * another spelling, which could be anywhere, the whole text gives way to "[hidden: …]". `size` is
 * the text's room. */
void redaction_apply(const struct redaction *redaction, char *text, size_t size);
