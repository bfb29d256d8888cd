/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The files of a journal: segments by number, locked against a second user.
 *
 * Owns:    the directory's descriptor and its lock.
 * Threads: one at a time.
 * Blocks:  every call, as long as the disk does.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"

struct journal_directory {
    int fd, lock_fd; /* -1: not open */
};

enum journal_file {
    JOURNAL_LIVE, /* journal-<number>.log */
    JOURNAL_ASIDE /* corrupt-<number>.log: for a person */
};
enum { JOURNAL_NAME_BYTES = 32 };
void journal_file_name(enum journal_file kind, uint64_t number, char name[JOURNAL_NAME_BYTES]);

/* Creates it (0700) when it is not there. ERROR_CONFIG: somebody else could change what is in it.
 */
MUST_CHECK bool journal_directory_open(struct journal_directory *directory, const char *path,
                                       struct error *error);
void journal_directory_close(struct journal_directory *directory); /* half-open too */

/* Each file that is one of the journal's, in no order. A `take` that returns false ends it. */
struct journal_listing {
    bool (*take)(void *context, enum journal_file kind, uint64_t number, uint64_t bytes,
                 struct error *error);
    void *context;
};
MUST_CHECK bool journal_directory_list(const struct journal_directory *directory,
                                       const struct journal_listing *listing, struct error *error);

/* The descriptor to write to; its name survives a crash. -1 and `error`. */
MUST_CHECK int journal_segment_create(const struct journal_directory *directory, uint64_t number,
                                      struct error *error);
enum journal_reading {
    JOURNAL_READ,       /* the first `bytes`, or fewer when the file is shorter */
    JOURNAL_READ_LATER, /* this time it failed: ERROR_IO, ERROR_MEMORY */
    JOURNAL_NO_FILE,    /* something else bears its name */
    JOURNAL_GONE,
};
MUST_CHECK enum journal_reading journal_segment_read(const struct journal_directory *directory,
                                                     uint64_t number, uint64_t bytes,
                                                     struct buffer *out, struct error *error);
MUST_CHECK bool journal_segment_cut(const struct journal_directory *directory, uint64_t number,
                                    uint64_t bytes, struct error *error);
MUST_CHECK bool journal_segment_delete(const struct journal_directory *directory, uint64_t number,
                                       struct error *error);
/* From JOURNAL_LIVE to JOURNAL_ASIDE. */
MUST_CHECK bool journal_segment_set_aside(const struct journal_directory *directory,
                                          uint64_t number, struct error *error);
