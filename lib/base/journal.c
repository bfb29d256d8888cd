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

#include "lib/base/array.h"
#include "lib/base/journal_directory.h"
#include "lib/base/journal_frame.h"

struct segment {
    uint64_t number;
    uint64_t bytes;
};

struct journal {
    struct journal_directory directory;
    int fd;                   /* the last segment, while it is appended to; -1: none is */
    struct segment *segments; /* owned; oldest first */
    size_t count, capacity;
    uint64_t next_number;
    uint64_t bytes; /* of all segments, and of what was set aside */
    uint64_t bytes_max, segment_bytes;
    uint64_t committed;   /* of the segment that is appended to */
    bool is_failed;       /* something since the last commit was not written … */
    struct error failure; /* … for this reason */
};

static bool add_segment(struct journal *journal, struct segment segment, struct error *error)
{
    struct segment *segments = array_reserve(journal->segments, &journal->capacity,
                                             journal->count + 1, sizeof segments[0]);
    if (segments == NULL)
        return error_out_of_memory(error);
    journal->segments = segments;
    journal->segments[journal->count++] = segment;
    assert(journal->count <= journal->capacity);
    return true;
}

static struct segment *last_segment(struct journal *journal)
{
    assert(journal->count > 0);
    return &journal->segments[journal->count - 1];
}

/* What is appended to is the newest segment, and what was confirmed of it was written. */
static bool is_sound(const struct journal *journal)
{
    if (journal->fd < 0)
        return journal->count <= journal->capacity;
    if (journal->count == 0 || journal->count > journal->capacity)
        return false;
    const struct segment *last = &journal->segments[journal->count - 1];
    return journal->committed <= last->bytes && last->bytes <= journal->bytes &&
           last->number < journal->next_number;
}

static struct segment take_segment(struct journal *journal, size_t index)
{
    assert(index < journal->count);
    struct segment segment = journal->segments[index];
    journal->count--;
    memmove(&journal->segments[index], &journal->segments[index + 1],
            (journal->count - index) * sizeof journal->segments[0]);
    return segment;
}

static bool delete_segment(struct journal *journal, size_t index, struct error *error)
{
    struct segment segment = take_segment(journal, index);
    assert(segment.bytes <= journal->bytes);
    journal->bytes -= segment.bytes;
    return journal_segment_delete(&journal->directory, segment.number, error);
}

/* Its bytes still count: they stay on the disk. */
static bool set_aside(struct journal *journal, size_t index, struct error *error)
{
    struct segment segment = take_segment(journal, index);
    return journal_segment_set_aside(&journal->directory, segment.number, error);
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
    return kind == JOURNAL_ASIDE || add_segment(journal, (struct segment){number, bytes}, error);
}

static int compare_segments(const void *a, const void *b)
{
    const struct segment *left = a, *right = b;
    return (left->number > right->number) - (left->number < right->number);
}

static bool list_segments(struct journal *journal, struct error *error)
{
    const struct journal_listing listing = {take_file, journal};
    if (!journal_directory_list(&journal->directory, &listing, error))
        return false;
    if (journal->count > 1)
        qsort(journal->segments, journal->count, sizeof journal->segments[0], compare_segments);
    return true;
}

/* If it cannot be cut, the next start finds the same tail. */
static void cut_tail(struct journal *journal, struct segment *segment, uint64_t bytes)
{
    assert(bytes <= segment->bytes);
    assert(segment->bytes - bytes <= journal->bytes);
    (void)!journal_segment_cut(&journal->directory, segment->number, bytes, NULL);
    journal->bytes -= segment->bytes - bytes;
    segment->bytes = bytes;
}

/* Only the segment written last can be torn; elsewhere a missing end is damage like any other. */
static void scan(struct journal *journal, struct segment *segment, const struct buffer *bytes,
                 const struct journal_options *options)
{
    struct journal_piece piece;
    size_t offset = 0;
    for (;;) {
        enum journal_found found = journal_frame_next(bytes->bytes, bytes->length, &offset, &piece);
        assert(offset <= bytes->length);
        if (found == JOURNAL_END)
            return;
        if (found == JOURNAL_RECORD) {
            options->record(options->context, piece.payload, piece.length);
            continue;
        }
        bool is_torn = found == JOURNAL_TORN && segment == last_segment(journal);
        options->damage(options->context, is_torn ? JOURNAL_WAS_TORN : JOURNAL_IS_DAMAGED,
                        segment->number, piece.start, piece.length);
        if (is_torn)
            cut_tail(journal, segment, piece.start);
    }
}

/* Whether the segment at `index` stays; false with ERROR_MEMORY: the journal cannot be opened. */
static bool scan_segment(struct journal *journal, size_t index, struct buffer *bytes,
                         const struct journal_options *options, struct error *error)
{
    assert(index < journal->count);
    struct segment *segment = &journal->segments[index];
    if (!journal_segment_read(&journal->directory, segment->number, segment->bytes, bytes, error)) {
        if (error->kind == ERROR_MEMORY)
            return false;
        options->damage(options->context, JOURNAL_UNREADABLE, segment->number, 0, segment->bytes);
        (void)!set_aside(journal, index, NULL); /* or it is found again at the next start */
        return false;
    }
    scan(journal, segment, bytes, options);
    if (segment->bytes > 0)
        return true;
    (void)!delete_segment(journal, index, NULL);
    return false;
}

static bool scan_all(struct journal *journal, const struct journal_options *options,
                     struct error *error)
{
    struct buffer bytes;
    buffer_init(&bytes, SIZE_MAX / 4);
    struct error failure = {.kind = ERROR_NONE};
    for (size_t index = 0; index < journal->count && failure.kind != ERROR_MEMORY;)
        index += scan_segment(journal, index, &bytes, options, &failure);
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
    journal->bytes_max = options->bytes_max;
    journal->segment_bytes = options->segment_bytes;
    if (!journal_directory_open(&journal->directory, options->directory, error) ||
        !list_segments(journal, error) || !scan_all(journal, options, error)) {
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
    free(journal->segments);
    free(journal);
}

static bool begin_segment(struct journal *journal, struct error *error)
{
    assert(journal->fd < 0);
    const struct segment segment = {.number = journal->next_number++};
    if (!add_segment(journal, segment, error))
        return false;
    journal->committed = 0;
    journal->fd = journal_segment_create(&journal->directory, segment.number, error);
    if (journal->fd < 0)
        (void)take_segment(journal, journal->count - 1);
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
        last_segment(journal)->bytes + records->length > journal->segment_bytes) {
        if (!journal_commit(journal, error))
            return false;
        seal(journal);
    }
    if ((journal->fd < 0 && !begin_segment(journal, error)) ||
        !write_bytes(journal->fd, records->bytes, records->length, error))
        return false;
    assert(journal->fd >= 0);
    last_segment(journal)->bytes += records->length;
    journal->bytes += records->length;
    return true;
}

bool journal_append(struct journal *journal, const struct buffer *records, struct error *error)
{
    assert(is_sound(journal));
    if (journal->bytes + records->length > journal->bytes_max)
        return error_set(error, ERROR_FULL, "the journal has reached its %" PRIu64 " bytes",
                         journal->bytes_max);
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
    cut_tail(journal, last_segment(journal), journal->committed);
    if (journal->committed == 0)
        (void)!delete_segment(journal, journal->count - 1, NULL);
    assert(is_sound(journal));
}

static bool sync_segment(struct journal *journal, struct error *error)
{
    if (journal->fd < 0 || last_segment(journal)->bytes == journal->committed)
        return true;
    if (fdatasync(journal->fd) != 0)
        return error_set(error, ERROR_IO, "syncing the journal: %s", strerrordesc_np(errno));
    assert(journal->committed < last_segment(journal)->bytes);
    journal->committed = last_segment(journal)->bytes;
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
    return journal->count == 0;
}

/* --- reading ------------------------------------------------------------------------------------
 */

/* Its place in the row, or that of the next one. */
static size_t find_segment(const struct journal *journal, uint64_t number)
{
    size_t first = 0, end = journal->count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (journal->segments[middle].number < number)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

uint64_t journal_next(const struct journal *journal, uint64_t least)
{
    size_t index = find_segment(journal, least);
    return index < journal->count ? journal->segments[index].number : JOURNAL_NONE;
}

bool journal_read(struct journal *journal, uint64_t number, struct buffer *out, struct error *error)
{
    size_t index = find_segment(journal, number);
    assert(index < journal->count && journal->segments[index].number == number);
    if (index == journal->count - 1)
        seal(journal);
    const struct segment *segment = &journal->segments[index];
    if (journal_segment_read(&journal->directory, segment->number, segment->bytes, out, error))
        return true;
    if (error->kind != ERROR_MEMORY)
        (void)!set_aside(journal, index, NULL);
    return false;
}

bool journal_drop(struct journal *journal, uint64_t number, bool is_kept, struct error *error)
{
    size_t index = find_segment(journal, number);
    assert(index < journal->count && journal->segments[index].number == number);
    assert(index < journal->count - (journal->fd >= 0)); /* nothing is appended to it */
    return is_kept ? set_aside(journal, index, error) : delete_segment(journal, index, error);
}
