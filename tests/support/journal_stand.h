/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A directory for a journal of numbered records, "record-0" and so on, and what was found in it.
 *
 * Owns:    the directory, one at a time.
 * Threads: one.
 * Blocks:  as the disk does.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/journal.h"

enum { JOURNAL_BYTES_MAX = 1 << 20, JOURNAL_RECORDS_MAX = 100000 };

/* Setup and teardown of each test. */
int journal_stand_make(void **state);
int journal_stand_remove(void **state);
const char *journal_stand_directory(void);
void journal_stand_path(const char *name, char path[512]);
/* Runs `see`, unless it is NULL, for each file of that prefix; gives their number. */
size_t journal_stand_files(const char *prefix, void (*see)(const char *path));
void journal_stand_clear(void);
size_t journal_stand_bytes(const char *name);

/* Of the last opening, or of the last drain. */
extern struct journal_found_there {
    unsigned numbers[JOURNAL_RECORDS_MAX];
    size_t count;
    size_t damages[JOURNAL_DAMAGE_COUNT];
    uint64_t damage_bytes;
} found;

struct journal *try_to_open(uint64_t bytes_max, struct error *error);
struct journal *must_open(void);
bool append(struct journal *journal, unsigned first, unsigned count, struct error *error);
void must_write(struct journal *journal, unsigned first, unsigned count);
/* Records `first`, `first + 1`, … and nothing else. */
void must_have_found(unsigned first, size_t count);
void must_be_undamaged(void);
/* Reads and drops everything. */
void drain(struct journal *journal);
