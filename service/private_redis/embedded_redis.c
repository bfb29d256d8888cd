/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/private_redis/embedded_redis.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/private_directory.h"

#include "service/private_redis/redis_process.h"

enum {
    END_PATIENCE_MS = 10000, /* under appendfsync always there is nothing left to save */
    LISTEN_PATIENCE_MS = 2000,
    RESTART_MIN_MS = 100,
    RESTART_MAX_MS = 10000,
    STABLE_AFTER_MS = 5000, /* a life that long was no failed start */
    ROOM_BYTES_MIN = 1 << 20,
    ROOM_LOOK_MS = 1000,
};

struct embedded_redis {
    char *directory; /* owned; absolute */
    char socket_path[REDIS_PROCESS_PATH_BYTES];
    int directory_fd;
    int lock_fd; /* locked while this service uses the directory; -1: not */
    struct redis_process process;
    int64_t started_at_ms;
    int64_t restart_at_ms; /* while it is dead */
    /* It is dead and has to wait for room on its disk. Written by main, read by any thread. */
    _Atomic bool is_without_room;
    int64_t pause_ms;                   /* the last one; 0: none since the last stable life */
    char reported[ERROR_MESSAGE_BYTES]; /* the cause logged last; "" while all is well */
};

static bool use_directory(struct embedded_redis *redis, const char *data_dir, struct error *error)
{
    redis->directory_fd = private_directory_open(data_dir, error);
    if (redis->directory_fd < 0)
        return error_wrap(error, "SEEK_SIGNAL_DATA_DIR");
    redis->directory = realpath(data_dir, NULL);
    if (redis->directory == NULL)
        return error_set(error, ERROR_IO, "the data directory %s cannot be used: %s", data_dir,
                         strerrordesc_np(errno));
    if (!redis_process_socket(redis->directory, redis->socket_path))
        return error_set(error, ERROR_CONFIG,
                         "the data directory's path has more than %zu bytes, too long for a unix "
                         "socket in it: choose a shorter one",
                         sizeof redis->socket_path - sizeof "/redis.sock");
    return true;
}

static bool lock_directory(struct embedded_redis *redis, struct error *error)
{
    redis->lock_fd = private_file_open(redis->directory_fd, "lock", O_RDWR | O_CREAT);
    if (redis->lock_fd < 0)
        return error_set(error, ERROR_IO,
                         "the data directory %s cannot be written: lock: %s; it must belong to the "
                         "service's user",
                         redis->directory, private_file_reason(errno));
    if (flock(redis->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    int code = errno;
    (void)close(redis->lock_fd);
    redis->lock_fd = -1; /* whoever holds the lock owns the socket too */
    if (code == EWOULDBLOCK)
        return error_set(
            error, ERROR_IO,
            "another seek-signal uses the data directory %s: stop it, or give each its "
            "own SEEK_SIGNAL_DATA_DIR",
            redis->directory);
    return error_set(error, ERROR_IO, "the data directory %s cannot be locked: %s",
                     redis->directory, strerrordesc_np(code));
}

struct embedded_redis *embedded_redis_start(const char *data_dir, struct error *error)
{
    struct embedded_redis *redis = calloc(1, sizeof *redis);
    if (redis == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    redis->directory_fd = -1;
    redis->lock_fd = -1;
    redis->process.pidfd = -1;
    redis->started_at_ms = clock_monotonic_ms();
    if (!use_directory(redis, data_dir, error) || !lock_directory(redis, error) ||
        !redis_process_end_earlier(redis->directory, END_PATIENCE_MS, error) ||
        !redis_process_start(&redis->process, redis->directory, error))
        goto fail;
    redis_process_await(&redis->process, redis->directory, LISTEN_PATIENCE_MS);
    return redis;
fail:
    embedded_redis_destroy(redis);
    return NULL;
}

void embedded_redis_destroy(struct embedded_redis *redis)
{
    if (redis == NULL)
        return;
    if (redis->process.pid != 0)
        redis_process_end(&redis->process, END_PATIENCE_MS);
    if (redis->lock_fd >= 0) {
        (void)unlink(redis->socket_path); /* while the directory is still ours */
        (void)close(redis->lock_fd);
    }
    if (redis->directory_fd >= 0)
        (void)close(redis->directory_fd);
    free(redis->directory);
    free(redis);
}

static bool set_no_room(const struct embedded_redis *redis, struct error *error)
{
    return error_set(error, ERROR_IO, "its disk is full: make room in %s", redis->directory);
}

bool embedded_redis_url(const struct embedded_redis *redis, struct redis_url *out,
                        struct error *error)
{
    if (atomic_load(&redis->is_without_room))
        return set_no_room(redis, error);
    *out = (struct redis_url){.scheme = REDIS_UNIX};
    (void)snprintf(out->host, sizeof out->host, "%s", redis->socket_path);
    return true;
}

int embedded_redis_fd(const struct embedded_redis *redis)
{
    return redis->process.pidfd;
}

/* A cause that repeats is logged once. */
static void report(struct embedded_redis *redis, const char *event, const char *cause)
{
    if (strcmp(redis->reported, cause) == 0)
        return;
    (void)snprintf(redis->reported, sizeof redis->reported, "%s", cause);
    log_error(event,
              "The private Redis is down; it is started again, and no event is accepted until then",
              LOG_TEXT("cause", cause), LOG_TEXT("directory", redis->directory),
              LOG_TEXT("see", "redis.log"), LOG_INT("retry_in_ms", redis->pause_ms));
}

/* A Redis that syncs each write ends when it cannot write. Started again without room it would look
 * fit and end at the next event, again and again. */
static bool look_for_room(struct embedded_redis *redis)
{
    struct statvfs disk;
    bool is_full = statvfs(redis->directory, &disk) == 0 &&
                   (uint64_t)disk.f_bavail * disk.f_frsize < ROOM_BYTES_MIN;
    atomic_store(&redis->is_without_room, is_full);
    return !is_full;
}

static void schedule_restart(struct embedded_redis *redis, int64_t now_ms)
{
    redis->pause_ms = redis->pause_ms > 0 ? 2 * redis->pause_ms : RESTART_MIN_MS;
    if (redis->pause_ms > RESTART_MAX_MS)
        redis->pause_ms = RESTART_MAX_MS;
    if (atomic_load(&redis->is_without_room))
        redis->pause_ms = ROOM_LOOK_MS;
    redis->restart_at_ms = now_ms + redis->pause_ms;
}

static void restart(struct embedded_redis *redis, int64_t now_ms)
{
    struct error error;
    redis->started_at_ms = now_ms;
    if (!look_for_room(redis))
        (void)set_no_room(redis, &error);
    else if (redis_process_start(&redis->process, redis->directory, &error))
        return;
    schedule_restart(redis, now_ms);
    report(redis, "embedded_redis_not_started", error.message);
}

static void notice_death(struct embedded_redis *redis, int64_t now_ms)
{
    char cause[REDIS_PROCESS_CAUSE_BYTES];
    if (!redis_process_is_dead(&redis->process, cause))
        return;
    struct error error;
    (void)set_no_room(redis, &error);
    bool has_room = look_for_room(redis);
    schedule_restart(redis, now_ms);
    report(redis, "embedded_redis_died", has_room ? cause : error.message);
}

static bool is_failing(const struct embedded_redis *redis)
{
    return redis->reported[0] != '\0';
}

static void notice_stability(struct embedded_redis *redis, int64_t now_ms)
{
    if (!is_failing(redis) || now_ms < redis->started_at_ms + STABLE_AFTER_MS)
        return;
    redis->reported[0] = '\0';
    redis->pause_ms = 0;
    log_info("embedded_redis_back", "The private Redis runs again",
             LOG_TEXT("directory", redis->directory));
}

int64_t embedded_redis_timeout_ms(const struct embedded_redis *redis, int64_t now_ms)
{
    bool is_running = redis->process.pid != 0;
    if (is_running && !is_failing(redis))
        return -1;
    int64_t due_ms = is_running ? redis->started_at_ms + STABLE_AFTER_MS : redis->restart_at_ms;
    return due_ms > now_ms ? due_ms - now_ms : 0;
}

void embedded_redis_turn(struct embedded_redis *redis, int64_t now_ms)
{
    if (redis->process.pid != 0)
        notice_death(redis, now_ms);
    if (redis->process.pid != 0)
        notice_stability(redis, now_ms);
    else if (now_ms >= redis->restart_at_ms)
        restart(redis, now_ms);
}
