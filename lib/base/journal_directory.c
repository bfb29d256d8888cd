/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/journal_directory.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/private_directory.h"

enum { CHUNK_BYTES = 64 * 1024 };

static const char *const prefixes[] = {[JOURNAL_LIVE] = "journal", [JOURNAL_ASIDE] = "corrupt"};

static bool fail(struct error *error, const char *what, const char *name)
{
    return error_set(error, ERROR_IO, "%s %s: %s", what, name, strerrordesc_np(errno));
}

void journal_file_name(enum journal_file kind, uint64_t number, char name[JOURNAL_NAME_BYTES])
{
    assert((size_t)kind < sizeof prefixes / sizeof prefixes[0]);
    (void)snprintf(name, JOURNAL_NAME_BYTES, "%s-%016" PRIx64 ".log", prefixes[kind], number);
}

/* --- the directory --- */

bool journal_directory_open(struct journal_directory *directory, const char *path,
                            struct error *error)
{
    *directory = (struct journal_directory){private_directory_open(path, error), -1};
    if (directory->fd < 0)
        return false;
    directory->lock_fd = private_file_open(directory->fd, "lock", O_RDWR | O_CREAT);
    if (directory->lock_fd < 0)
        return error_set(error, ERROR_IO, "%s/lock: %s", path, private_file_reason(errno));
    if (flock(directory->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno == EWOULDBLOCK)
        return error_set(error, ERROR_IO, "another process uses the directory %s", path);
    return fail(error, "locking the directory", path);
}

void journal_directory_close(struct journal_directory *directory)
{
    if (directory->fd >= 0)
        (void)close(directory->fd);
    if (directory->lock_fd >= 0)
        (void)close(directory->lock_fd);
    *directory = (struct journal_directory){-1, -1};
}

static bool is_file_of(enum journal_file kind, const char *name, uint64_t *out_number)
{
    size_t length = strlen(prefixes[kind]);
    char expected[JOURNAL_NAME_BYTES];
    if (strncmp(name, prefixes[kind], length) != 0 || name[length] != '-')
        return false;
    *out_number = strtoull(name + length + 1, NULL, 16);
    journal_file_name(kind, *out_number, expected);
    return strcmp(name, expected) == 0;
}

static bool take_entry(const struct journal_directory *directory, const char *name,
                       const struct journal_listing *listing, struct error *error)
{
    uint64_t number;
    struct stat status;
    enum journal_file kind = JOURNAL_LIVE;
    if (!is_file_of(JOURNAL_LIVE, name, &number)) {
        if (!is_file_of(JOURNAL_ASIDE, name, &number))
            return true;
        kind = JOURNAL_ASIDE;
    }
    if (fstatat(directory->fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT || fail(error, "looking at", name); /* it is just being deleted */
    return listing->take(listing->context, kind, number, (uint64_t)status.st_size, error);
}

bool journal_directory_list(const struct journal_directory *directory,
                            const struct journal_listing *listing, struct error *error)
{
    assert(directory->fd >= 0);
    int fd = openat(directory->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
    if (stream == NULL) {
        (void)fail(error, "listing", "the directory");
        if (fd >= 0)
            (void)close(fd);
        return false;
    }
    bool is_done = true;
    const struct dirent *entry;
    while (errno = 0, is_done && (entry = readdir(stream)) != NULL)
        is_done = take_entry(directory, entry->d_name, listing, error);
    if (is_done && errno != 0)
        is_done = fail(error, "listing", "the directory");
    (void)closedir(stream);
    return is_done;
}

/* A new, vanished or renamed file is so for good only after this. */
static bool sync_names(const struct journal_directory *directory, const char *name,
                       struct error *error)
{
    assert(directory->fd >= 0);
    return fsync(directory->fd) == 0 || fail(error, "syncing the directory of", name);
}

/* --- segments --- */

int journal_segment_create(const struct journal_directory *directory, uint64_t number,
                           struct error *error)
{
    char name[JOURNAL_NAME_BYTES];
    journal_file_name(JOURNAL_LIVE, number, name);
    int fd = openat(directory->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        (void)fail(error, "creating", name);
    } else if (!sync_names(directory, name, error)) {
        (void)close(fd);
        (void)unlinkat(directory->fd, name, 0);
        fd = -1;
    }
    return fd;
}

static bool read_bytes(int fd, const char *name, uint64_t bytes, struct buffer *out,
                       struct error *error)
{
    char chunk[CHUNK_BYTES];
    while (out->length < bytes) {
        uint64_t left = bytes - out->length;
        ssize_t count = read(fd, chunk, left < sizeof chunk ? (size_t)left : sizeof chunk);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return fail(error, "reading", name);
        if (count == 0)
            return true;
        if (!buffer_append(out, chunk, (size_t)count, error))
            return false;
    }
    return true;
}

/* Only what no second try can change ends a segment: descriptors, memory, rights and disks come
 * back. */
enum journal_reading journal_segment_read(const struct journal_directory *directory,
                                          uint64_t number, uint64_t bytes, struct buffer *out,
                                          struct error *error)
{
    char name[JOURNAL_NAME_BYTES];
    journal_file_name(JOURNAL_LIVE, number, name);
    int fd = private_file_open(directory->fd, name, O_RDONLY);
    if (fd < 0) {
        int code = errno;
        (void)error_set(error, ERROR_IO, "opening %s: %s", name, private_file_reason(code));
        if (code == ENOENT)
            return JOURNAL_GONE;
        return private_file_is_none(code) ? JOURNAL_NO_FILE : JOURNAL_READ_LATER;
    }
    buffer_clear(out);
    bool is_read = read_bytes(fd, name, bytes, out, error);
    (void)close(fd);
    return is_read ? JOURNAL_READ : JOURNAL_READ_LATER;
}

bool journal_segment_cut(const struct journal_directory *directory, uint64_t number, uint64_t bytes,
                         struct error *error)
{
    char name[JOURNAL_NAME_BYTES];
    journal_file_name(JOURNAL_LIVE, number, name);
    int fd = private_file_open(directory->fd, name, O_WRONLY);
    bool is_cut = (fd >= 0 && ftruncate(fd, (off_t)bytes) == 0) || fail(error, "cutting", name);
    if (fd >= 0)
        (void)close(fd);
    return is_cut;
}

bool journal_segment_delete(const struct journal_directory *directory, uint64_t number,
                            struct error *error)
{
    char name[JOURNAL_NAME_BYTES];
    journal_file_name(JOURNAL_LIVE, number, name);
    if (unlinkat(directory->fd, name, 0) != 0)
        return fail(error, "deleting", name);
    return sync_names(directory, name, error);
}

bool journal_segment_set_aside(const struct journal_directory *directory, uint64_t number,
                               struct error *error)
{
    char from[JOURNAL_NAME_BYTES], to[JOURNAL_NAME_BYTES];
    journal_file_name(JOURNAL_LIVE, number, from);
    journal_file_name(JOURNAL_ASIDE, number, to);
    if (renameat(directory->fd, from, directory->fd, to) != 0)
        return fail(error, "setting aside", from);
    return sync_names(directory, from, error);
}
