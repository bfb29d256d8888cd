/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One life of the private redis-server: started, watched, ended.
 *
 * The kernel keeps two promises here. A lock in the directory is held by the server process itself
 * for exactly as long as it lives, so two never write to the same append-only file, whoever started
 * them. And the server gets SIGTERM when the thread that started it ends, however that ends. It
 * leaves no core, and knows nothing of our environment but where to find programs and the like.
 *
 * Owns:    the child process and its pidfd.
 * Threads: one, which lives as long as the process (main).
 * Blocks:  start until the program is executed, milliseconds; the ends up to the patience given.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/error.h"

struct redis_process {
    pid_t pid; /* 0: not running */
    int pidfd; /* readable once it is dead; -1: not running */
};

enum { REDIS_PROCESS_CAUSE_BYTES = 64, REDIS_PROCESS_PATH_BYTES = 108 /* sun_path */ };

/* Where the server in `directory` listens; false when the path is too long for a unix socket. */
MUST_CHECK bool redis_process_socket(const char *directory, char path[REDIS_PROCESS_PATH_BYTES]);

/* ERROR_CONFIG when there is no redis-server, ERROR_IO. Does not wait for loading. */
MUST_CHECK bool redis_process_start(struct redis_process *process, const char *directory,
                                    struct error *error);
/* Waits until the server listens, so that nobody finds it missing at a clean start; a loading one
 * listens already. Returns when it does, or is dead, or after `patience_ms`: whoever connects sees
 * which. */
void redis_process_await(const struct redis_process *process, const char *directory,
                         int64_t patience_ms);
/* True once it is dead, with how it died; forgets it then. Never blocks. */
bool redis_process_is_dead(struct redis_process *process, char cause[REDIS_PROCESS_CAUSE_BYTES]);
/* SIGTERM, and after `patience_ms` SIGKILL: both keep what was acknowledged. */
void redis_process_end(struct redis_process *process, int64_t patience_ms);
/* Ends the server that somebody else's life left in `directory`, if there is one. */
MUST_CHECK bool redis_process_end_earlier(const char *directory, int64_t patience_ms,
                                          struct error *error);
