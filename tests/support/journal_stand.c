/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "tests/support/journal_stand.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/journal_frame.h"

#include "tests/support/specification.h"

enum { SEGMENT_BYTES = 200 };

static char directory[64];

/* --- a directory of its own for each test --- */

void journal_stand_path(const char *name, char path[512])
{
    (void)snprintf(path, 512, "%s/%s", directory, name);
}

/* Runs `see` for each file of the journal; gives their number. */
size_t journal_stand_files(const char *prefix, void (*see)(const char *path))
{
    size_t count = 0;
    DIR *stream = opendir(directory);
    assert_non_null(stream);
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        char path[512];
        journal_stand_path(entry->d_name, path);
        if (entry->d_name[0] == '.' || strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
            continue;
        count++;
        if (see != NULL)
            see(path);
    }
    (void)closedir(stream);
    return count;
}

static void delete_file(const char *path)
{
    (void)remove(path);
}

void journal_stand_clear(void)
{
    (void)journal_stand_files("", delete_file);
}

const char *journal_stand_directory(void)
{
    return directory;
}

int journal_stand_make(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof directory, "/tmp/journal-test-XXXXXX");
    return mkdtemp(directory) != NULL ? 0 : -1;
}

int journal_stand_remove(void **state)
{
    (void)state;
    if (access(directory, F_OK) == 0)
        journal_stand_clear();
    (void)rmdir(directory);
    return 0;
}

/* --- a journal of numbered records --- */

struct journal_found_there found;

static void find_record(void *context, uint64_t segment, const char *payload, size_t length)
{
    (void)context;
    (void)segment;
    char text[32];
    assert_true(length < sizeof text && found.count < JOURNAL_RECORDS_MAX);
    memcpy(text, payload, length);
    text[length] = '\0';
    assert_int_equal(sscanf(text, "record-%u", &found.numbers[found.count++]), 1);
}

static void find_damage(void *context, enum journal_damage damage, uint64_t segment,
                        uint64_t offset, uint64_t bytes)
{
    (void)context;
    assert_true(segment < 100000 && offset < JOURNAL_BYTES_MAX);
    found.damages[damage]++;
    found.damage_bytes += bytes;
}

struct journal *try_to_open(uint64_t bytes_max, struct error *error)
{
    memset(&found, 0, sizeof found);
    return journal_open(&(struct journal_options){.directory = directory,
                                                  .bytes_max = bytes_max,
                                                  .segment_bytes = SEGMENT_BYTES,
                                                  .record = find_record,
                                                  .damage = find_damage},
                        error);
}

struct journal *must_open(void)
{
    struct error error;
    struct journal *journal = try_to_open(JOURNAL_BYTES_MAX, &error);
    if (journal == NULL)
        fail_msg("not opened: %s", error.message);
    return journal;
}

bool append(struct journal *journal, unsigned first, unsigned count, struct error *error)
{
    struct buffer records;
    buffer_init(&records, JOURNAL_BYTES_MAX);
    for (unsigned i = first; i < first + count; i++) {
        size_t start;
        assert_true(journal_frame_open(&records, &start, NULL));
        assert_true(buffer_append_format(&records, NULL, "record-%u", i));
        assert_true(journal_frame_close(&records, start, NULL));
    }
    bool is_done = journal_append(journal, &records, error);
    buffer_fini(&records);
    return is_done;
}

void must_write(struct journal *journal, unsigned first, unsigned count)
{
    struct error error;
    assert_true(append(journal, first, count, &error));
    assert_true(journal_commit(journal, &error));
}

/* Records `first`, `first + 1`, … and nothing else. */
void must_have_found(unsigned first, size_t count)
{
    assert_int_equal(found.count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(found.numbers[i], first + i);
}

void must_be_undamaged(void)
{
    for (size_t i = 0; i < JOURNAL_DAMAGE_COUNT; i++)
        assert_int_equal(found.damages[i], 0);
}

/* Reads and drops everything, into `found`. */
void drain(struct journal *journal)
{
    struct buffer bytes;
    struct error error;
    buffer_init(&bytes, JOURNAL_BYTES_MAX);
    memset(&found, 0, sizeof found);
    while (!journal_is_empty(journal)) {
        struct journal_piece piece;
        size_t offset = 0;
        enum journal_found seen;
        bool is_damaged = false;
        assert_true(journal_read(journal, journal_next(journal, 0), &bytes, &error));
        while ((seen = journal_frame_next(bytes.bytes, bytes.length, &offset, &piece)) !=
               JOURNAL_END) {
            if (seen == JOURNAL_RECORD)
                find_record(NULL, 0, piece.payload, piece.length);
            is_damaged |= seen != JOURNAL_RECORD;
        }
        assert_true(journal_drop(journal, journal_next(journal, 0), is_damaged, &error));
    }
    buffer_fini(&bytes);
}

size_t journal_stand_bytes(const char *name)
{
    char path[512];
    struct stat status;
    journal_stand_path(name, path);
    assert_int_equal(stat(path, &status), 0);
    return (size_t)status.st_size;
}
