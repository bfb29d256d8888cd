/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Nothing is ever appended to a segment of an earlier life, or to one after a failed write or sync:
 * the kernel may have dropped what it could not write and say so only once. So only bytes that an
 * fdatasync has confirmed count, and the next ones go to a new file.
 */
#include "lib/base/journal.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/journal_directory.h"
#include "lib/base/journal_frame.h"
#include "lib/base/journal_row.h"

struct journal {
    struct journal_directory directory;
    struct journal_row row;
    int fd; /* the last segment, while it is appended to; -1: none is */
    uint64_t next_number;
    uint64_t found_last; /* number of the newest segment that was there when it was opened */
    uint64_t bytes;      /* of all segments, and of what was set aside */
    struct journal_options options;
    uint64_t committed;   /* of the segment that is appended to */
    bool is_failed;       /* something since the last commit was not written … */
    struct error failure; /* … for this reason */
};

/* What is appended to is the newest segment, and what was confirmed of it was written. */
static bool is_sound(const struct journal *journal)
{
    if (journal->fd < 0)
        return journal->row.count <= journal->row.capacity;
    if (journal->row.count == 0 || journal->row.count > journal->row.capacity)
        return false;
    const struct journal_segment *last = journal_row_last(&journal->row);
    return journal->committed <= last->bytes && last->bytes <= journal->bytes &&
           last->number < journal->next_number;
}

static void uncount_bytes(struct journal *journal, uint64_t bytes)
{
    assert(bytes <= journal->bytes);
    journal->bytes -= bytes;
}

static bool delete_segment(struct journal *journal, size_t index, struct error *error)
{
    struct journal_segment segment = journal_row_take(&journal->row, index);
    uncount_bytes(journal, segment.bytes);
    return journal_segment_delete(&journal->directory, segment.number, error);
}

/* --- opening ------------------------------------------------------------------------------------
 */

static bool take_file(void *context, enum journal_file kind, uint64_t number, uint64_t bytes,
                      struct error *error)
{
    struct journal *journal = context;
    if (number >= journal->next_number)
        journal->next_number = number + 1;
    journal->bytes += bytes;
    return kind == JOURNAL_ASIDE ||
           journal_row_add(&journal->row, (struct journal_segment){number, bytes, false}, error);
}

static bool list_segments(struct journal *journal, struct error *error)
{
    const struct journal_listing listing = {take_file, journal};
    if (!journal_directory_list(&journal->directory, &listing, error))
        return false;
    journal_row_sort(&journal->row);
    if (journal->row.count > 0)
        journal->found_last = journal_row_last(&journal->row)->number;
    return true;
}

/* If it cannot be cut, the next start finds the same tail. */
static void cut_tail(struct journal *journal, struct journal_segment *segment, uint64_t bytes)
{
    assert(bytes <= segment->bytes);
    (void)!journal_segment_cut(&journal->directory, segment->number, bytes, NULL);
    uncount_bytes(journal, segment->bytes - bytes);
    segment->bytes = bytes;
}

static void tell_damage(const struct journal *journal, enum journal_damage damage,
                        struct journal_segment segment, uint64_t offset)
{
    assert(offset <= segment.bytes);
    journal->options.damage(journal->options.context, damage, segment.number, offset,
                            segment.bytes - offset);
}

/* Only the segment written last can be torn; elsewhere a missing end is damage like any other. */
static void scan(struct journal *journal, size_t index, struct buffer *bytes)
{
    struct journal_segment *segment = &journal->row.items[index];
    const struct journal_options *options = &journal->options;
    struct journal_piece piece;
    size_t offset = 0;
    journal_row_note_scanned(&journal->row, index);
    for (;;) {
        enum journal_found found = journal_frame_next(bytes->bytes, bytes->length, &offset, &piece);
        assert(offset <= bytes->length);
        if (found == JOURNAL_END)
            return;
        if (found == JOURNAL_RECORD) {
            options->record(options->context, segment->number, piece.payload, piece.length);
            continue;
        }
        bool is_torn = found == JOURNAL_TORN && segment->number == journal->found_last;
        options->damage(options->context, is_torn ? JOURNAL_WAS_TORN : JOURNAL_IS_DAMAGED,
                        segment->number, piece.start, piece.length);
        if (!is_torn)
            continue;
        cut_tail(journal, segment, piece.start);
        buffer_truncate(bytes, piece.start);
        return;
    }
}

/* The file is shorter than what was confirmed. */
static void note_missing(struct journal *journal, struct journal_segment *segment, uint64_t bytes)
{
    if (bytes == segment->bytes)
        return;
    tell_damage(journal, JOURNAL_IS_DAMAGED, *segment, bytes);
    uncount_bytes(journal, segment->bytes - bytes);
    segment->bytes = bytes;
}

/* Its bytes still count: they stay on the disk. While it cannot be renamed it stays here too, and
 * is tried again. */
static void set_aside(struct journal *journal, size_t index, struct error *error)
{
    if (journal_segment_set_aside(&journal->directory, journal->row.items[index].number, error))
        tell_damage(journal, JOURNAL_IS_NO_FILE, journal_row_take(&journal->row, index), 0);
}

static void forget_gone(struct journal *journal, size_t index)
{
    struct journal_segment segment = journal_row_take(&journal->row, index);
    uncount_bytes(journal, segment.bytes);
    tell_damage(journal, JOURNAL_IS_GONE, segment, 0);
}

static bool read_segment(struct journal *journal, size_t index, struct buffer *out,
                         struct error *error)
{
    struct journal_segment *segment = &journal->row.items[index];
    switch (
        journal_segment_read(&journal->directory, segment->number, segment->bytes, out, error)) {
    case JOURNAL_READ:
        note_missing(journal, segment, out->length);
        if (!segment->is_scanned)
            scan(journal, index, out);
        return true;
    case JOURNAL_NO_FILE:
        set_aside(journal, index, error);
        break;
    case JOURNAL_GONE:
        forget_gone(journal, index);
        break;
    case JOURNAL_READ_LATER:
        break;
    }
    return false;
}

/* What cannot be read now is read later. False without memory. */
static bool scan_all(struct journal *journal, struct error *error)
{
    struct buffer bytes;
    struct error failure = {.kind = ERROR_NONE};
    buffer_init(&bytes, SIZE_MAX / 4);
    for (size_t index = 0; index < journal->row.count && failure.kind != ERROR_MEMORY;) {
        uint64_t number = journal->row.items[index].number;
        if (read_segment(journal, index, &bytes, &failure) && journal->row.items[index].bytes == 0)
            (void)!delete_segment(journal, index, NULL);
        index += journal_next(journal, number) == number;
    }
    buffer_fini(&bytes);
    return failure.kind != ERROR_MEMORY || error_out_of_memory(error);
}

struct journal *journal_open(const struct journal_options *options, struct error *error)
{
    struct journal *journal = calloc(1, sizeof *journal);
    if (journal == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    journal->fd = -1;
    journal->options = *options;
    journal->options.directory = NULL;
    if (!journal_directory_open(&journal->directory, options->directory, error) ||
        !list_segments(journal, error) || !scan_all(journal, error)) {
        journal_destroy(journal);
        return NULL;
    }
    assert(is_sound(journal));
    return journal;
}

/* --- writing ------------------------------------------------------------------------------------
 */

static void seal(struct journal *journal)
{
    if (journal->fd >= 0)
        (void)close(journal->fd);
    journal->fd = -1;
}

void journal_destroy(struct journal *journal)
{
    if (journal == NULL)
        return;
    seal(journal);
    journal_directory_close(&journal->directory);
    free(journal->row.items);
    free(journal);
}

static bool begin_segment(struct journal *journal, struct error *error)
{
    assert(journal->fd < 0);
    const struct journal_segment segment = {journal->next_number++, 0, true};
    if (!journal_row_add(&journal->row, segment, error))
        return false;
    journal->committed = 0;
    journal->fd = journal_segment_create(&journal->directory, segment.number, error);
    if (journal->fd < 0)
        (void)journal_row_take(&journal->row, journal->row.count - 1);
    return journal->fd >= 0;
}

static bool write_bytes(int fd, const char *bytes, size_t length, struct error *error)
{
    while (length > 0) {
        ssize_t count = write(fd, bytes, length);
        if (count < 0 && errno != EINTR)
            return error_set(error, ERROR_IO, "writing the journal: %s", strerrordesc_np(errno));
        if (count > 0) {
            bytes += count;
            length -= (size_t)count;
        }
    }
    return true;
}

static bool write_records(struct journal *journal, const struct buffer *records,
                          struct error *error)
{
    if (journal->fd >= 0 &&
        journal_row_last(&journal->row)->bytes + records->length > journal->options.segment_bytes) {
        if (!journal_commit(journal, error))
            return false;
        seal(journal);
    }
    if ((journal->fd < 0 && !begin_segment(journal, error)) ||
        !write_bytes(journal->fd, records->bytes, records->length, error))
        return false;
    assert(journal->fd >= 0);
    journal_row_last(&journal->row)->bytes += records->length;
    journal->bytes += records->length;
    return true;
}

bool journal_append(struct journal *journal, const struct buffer *records, struct error *error)
{
    assert(is_sound(journal));
    if (journal->bytes + records->length > journal->options.bytes_max)
        return error_set(error, ERROR_FULL, "the journal has reached its %" PRIu64 " bytes",
                         journal->options.bytes_max);
    if (!journal->is_failed)
        journal->is_failed = !write_records(journal, records, &journal->failure);
    if (journal->is_failed)
        *error = journal->failure;
    return !journal->is_failed;
}

/* Back to what the last commit confirmed. If the rest cannot be cut off, the next start finds
 * records that nobody was promised: no harm. */
static void take_back(struct journal *journal)
{
    if (journal->fd < 0)
        return;
    seal(journal);
    cut_tail(journal, journal_row_last(&journal->row), journal->committed);
    if (journal->committed == 0)
        (void)!delete_segment(journal, journal->row.count - 1, NULL);
    assert(is_sound(journal));
}

static bool sync_segment(struct journal *journal, struct error *error)
{
    if (journal->fd < 0 || journal_row_last(&journal->row)->bytes == journal->committed)
        return true;
    if (fdatasync(journal->fd) != 0)
        return error_set(error, ERROR_IO, "syncing the journal: %s", strerrordesc_np(errno));
    assert(journal->committed < journal_row_last(&journal->row)->bytes);
    journal->committed = journal_row_last(&journal->row)->bytes;
    return true;
}

bool journal_commit(struct journal *journal, struct error *error)
{
    assert(is_sound(journal));
    if (!journal->is_failed && sync_segment(journal, &journal->failure))
        return true;
    take_back(journal);
    journal->is_failed = false;
    *error = journal->failure;
    return false;
}

uint64_t journal_bytes(const struct journal *journal)
{
    return journal->bytes;
}

bool journal_is_empty(const struct journal *journal)
{
    return journal->row.count == 0;
}

bool journal_is_known(const struct journal *journal)
{
    return journal->row.unscanned == 0;
}

/* --- reading ------------------------------------------------------------------------------------
 */

uint64_t journal_next(const struct journal *journal, uint64_t least)
{
    size_t index = journal_row_find(&journal->row, least);
    return index < journal->row.count ? journal->row.items[index].number : JOURNAL_NONE;
}

bool journal_read(struct journal *journal, uint64_t number, struct buffer *out, struct error *error)
{
    size_t index = journal_row_find(&journal->row, number);
    assert(index < journal->row.count && journal->row.items[index].number == number);
    if (index == journal->row.count - 1)
        seal(journal);
    return read_segment(journal, index, out, error);
}

bool journal_drop(struct journal *journal, uint64_t number, bool is_kept, struct error *error)
{
    size_t index = journal_row_find(&journal->row, number);
    assert(index < journal->row.count && journal->row.items[index].number == number);
    assert(index < journal->row.count - (journal->fd >= 0)); /* nothing is appended to it */
    if (!is_kept)
        return delete_segment(journal, index, error);
    (void)journal_row_take(&journal->row, index);
    return journal_segment_set_aside(&journal->directory, number, error);
}
