/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Records as they stand in a journal:
 *
 *     length of the payload (4 bytes, little-endian) · CRC-32C of length and payload (4) · payload
 *
 * Where a record is damaged, the next one that is whole is found again, so that one flipped bit
 * costs one record.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"

enum { JOURNAL_PAYLOAD_BYTES_MAX = 64 * 1024 };

/* Opens a record at the end of `out`; the payload is appended behind it, then the record is closed.
 * `out_start` names it. Whoever gives up in between truncates to it. */
MUST_CHECK bool journal_frame_open(struct buffer *out, size_t *out_start, struct error *error);
/* ERROR_FULL when the payload has more than JOURNAL_PAYLOAD_BYTES_MAX. */
MUST_CHECK bool journal_frame_close(struct buffer *out, size_t start, struct error *error);

enum journal_found {
    JOURNAL_RECORD,
    JOURNAL_TORN,   /* the bytes end in the middle of a record, and nothing follows */
    JOURNAL_DAMAGE, /* no record: up to the next whole one, or to the end */
    JOURNAL_END,
};
struct journal_piece {
    size_t start;        /* of the record with its head, or of the damage */
    const char *payload; /* borrowed from `bytes` */
    size_t length;       /* of the payload, or of the damage */
};
/* What stands at `*offset`, which then moves behind it. */
enum journal_found journal_frame_next(const char *bytes, size_t length, size_t *offset,
                                      struct journal_piece *out);
