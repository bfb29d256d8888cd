/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * An append-only journal of records in a directory, bounded, checksummed and synced: what
 * journal_commit has confirmed is found again after any crash of the process or the machine, as far
 * as the disk keeps its word.
 *
 *     append ──► … ──► commit ──► … ──► read ──► drop
 *
 * It is a row of segments, journal-<number>.log. Each is read as a whole and deleted as a
 * whole; there is no other position, so a crash in between gives its records once more. A segment
 * with damage in it is not deleted but renamed to corrupt-<number>.log, for a person to look at.
 *
 * Owns:    its directory, locked against a second user, and its descriptors.
 * Threads: one at a time.
 * Blocks:  every call, as long as the disk does.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/base/ownership.h"

struct journal;

enum journal_damage {
    JOURNAL_WAS_TORN,   /* the last write was cut short and never confirmed: its rest is cut off */
    JOURNAL_IS_DAMAGED, /* a record is not what was written, or the end is missing; the rest is read
                         */
    JOURNAL_IS_NO_FILE, /* something else bears the name of a segment: set aside */
    JOURNAL_IS_GONE,    /* somebody has removed a segment */
    JOURNAL_DAMAGE_COUNT
};

struct journal_options {
    const char *directory;  /* created when it is not there; borrowed for the call */
    uint64_t bytes_max;     /* of all files together, those set aside included */
    uint64_t segment_bytes; /* a segment with more is followed by a new one */
    /* Called while the journal is opened: for each record that is there, in order, and for each
     * damage. Of a segment that cannot be read then, when it is read for the first time. Damage
     * that comes later is told when it is met. */
    void (*record)(void *context, uint64_t segment, const char *payload, size_t length);
    void (*damage)(void *context, enum journal_damage damage, uint64_t segment, uint64_t offset,
                   uint64_t bytes);
    void *context;
};

/* ERROR_CONFIG when somebody else could change what is in the directory, ERROR_IO when it cannot be
 * used or another process does; never because of what the files hold. */
MUST_CHECK struct journal *journal_open(const struct journal_options *options, struct error *error);
void journal_destroy(struct journal *journal); /* what is not committed may be lost; accepts NULL */
DEFINE_AUTO(journal);

/* Records made by journal_frame. ERROR_FULL when there is no room for them, and nothing changes;
 * after another error the next commit fails. */
MUST_CHECK bool journal_append(struct journal *journal, const struct buffer *records,
                               struct error *error);
/* Everything appended since the last commit is on the disk, or, on failure, is taken back. */
MUST_CHECK bool journal_commit(struct journal *journal, struct error *error);

uint64_t journal_bytes(const struct journal *journal);
bool journal_is_empty(const struct journal *journal);
/* Each record that is there was told. */
bool journal_is_known(const struct journal *journal);

/* The number of the first segment from this one on; JOURNAL_NONE. From 0 on: the oldest. */
#define JOURNAL_NONE UINT64_MAX
uint64_t journal_next(const struct journal *journal, uint64_t least);
/* The bytes of a segment that is there, for journal_frame_next; nothing is appended to it any more.
 * Without anything uncommitted. False: it is still there, for another try; or what bore its name
 * was told as damage, and journal_next does not give it any more. */
MUST_CHECK bool journal_read(struct journal *journal, uint64_t number, struct buffer *out,
                             struct error *error);
/* It has been read and is done with. `is_kept`: it holds damage and is set aside. On failure it is
 * forgotten all the same, and comes again after the next start. */
MUST_CHECK bool journal_drop(struct journal *journal, uint64_t number, bool is_kept,
                             struct error *error);
