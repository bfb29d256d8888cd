/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A directory that nobody but this user, and root, can change, and the files in it. Another
 * user who could write to it would replace our files by his own.
 *
 * Owns:    the caller owns the descriptors.
 * Threads: any.
 * Blocks:  as long as the disk does; never on a file that is none: a FIFO, a device.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/error.h"

/* Creates it (0700) when it is not there. ERROR_CONFIG, with what to do: it, or the symbolic link
 * that leads to it, belongs to somebody else, or everybody may write to it; ERROR_IO. -1 then. */
MUST_CHECK int private_directory_open(const char *path, struct error *error);
/* A regular file in it, which is no symbolic link and belongs to this user or to root. `flags` as
 * for open; 0600 with O_CREAT. -1 and errno otherwise: 0 when it is something else. Only system
 * calls, so that it may be used between fork and exec. */
MUST_CHECK int private_file_open(int directory_fd, const char *name, int flags);
/* errno of the above says that something else lies there than a file of this user's, so that it is
 * no use to try again. */
bool private_file_is_none(int code);
/* errno of the above in words. */
const char *private_file_reason(int code);
