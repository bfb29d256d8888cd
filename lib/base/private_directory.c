/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/private_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_trusted(uid_t owner)
{
    return owner == geteuid() || owner == 0;
}

/* What an open directory is like; the group may write: who is in it is an administrator's
 * decision, and Kubernetes's fsGroup works by that. */
static bool check_open(int fd, const char *path, struct error *error)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return error_set(error, ERROR_IO, "%s: %s", path, strerrordesc_np(errno));
    if (!is_trusted(status.st_uid))
        return error_set(error, ERROR_CONFIG,
                         "it belongs to user %u, and the service runs as %u: chown it, or name "
                         "another directory: %s",
                         (unsigned)status.st_uid, (unsigned)geteuid(), path);
    if ((status.st_mode & S_IWOTH) != 0)
        return error_set(error, ERROR_CONFIG,
                         "everybody may write to it (mode %04o): chmod 700, or name a directory "
                         "in it, which is created: %s",
                         (unsigned)status.st_mode & 07777, path);
    return true;
}

/* A link of somebody else leads where he wants. */
static bool check_link(const char *path, struct error *error)
{
    struct stat status;
    if (lstat(path, &status) != 0 || !S_ISLNK(status.st_mode) || is_trusted(status.st_uid))
        return true;
    return error_set(error, ERROR_CONFIG,
                     "it is a symbolic link of user %u, and the service runs as %u: name the "
                     "directory itself: %s",
                     (unsigned)status.st_uid, (unsigned)geteuid(), path);
}

int private_directory_open(const char *path, struct error *error)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        (void)error_set(error, ERROR_IO, "%s cannot be created: %s", path, strerrordesc_np(errno));
        return -1;
    }
    if (!check_link(path, error))
        return -1;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        (void)error_set(error, ERROR_IO, "%s cannot be used: %s", path, strerrordesc_np(errno));
    } else if (!check_open(fd, path, error)) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

int private_file_open(int directory_fd, const char *name, int flags)
{
    struct stat status;
    int fd =
        openat(directory_fd, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    int code = fstat(fd, &status) == 0 ? 0 : errno;
    if (code == 0 && S_ISREG(status.st_mode) && is_trusted(status.st_uid))
        return fd;
    (void)close(fd);
    errno = code;
    return -1;
}

bool private_file_is_none(int code)
{
    return code == 0 || code == ENXIO || code == ENODEV || code == ELOOP;
}

const char *private_file_reason(int code)
{
    switch (code) {
    case 0:
    case ENXIO:  /* a FIFO that nobody reads, or a socket */
    case ENODEV: /* a device without a driver */
        return "it is not a regular file of this user: remove it";
    case ELOOP:
        return "it is a symbolic link: remove it";
    default:
        return strerrordesc_np(code);
    }
}
