/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Preloaded into a process, it shifts that process's wall clock by the seconds that the file
 * $STEPPED_CLOCK holds, which may change while it runs. Clocks that nobody can set are as they are.
 *
 * libfaketime does more, and a Redis with jemalloc does not start under it. Here nothing allocates,
 * and nothing but the kernel is called, so that it works from a process's first instruction on,
 * with a sanitizer too.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long offset_s(void)
{
    const char *path = getenv("STEPPED_CLOCK");
    char text[32] = "";
    long file = path != NULL ? syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return 0;
    (void)syscall(SYS_read, file, text, sizeof text - 1);
    (void)syscall(SYS_close, file);
    return strtol(text, NULL, 10);
}

int clock_gettime(clockid_t id, struct timespec *out)
{
    int status = (int)syscall(SYS_clock_gettime, id, out);
    if (status == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        out->tv_sec += offset_s();
    return status;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    *out = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL)
        *out = now.tv_sec;
    return now.tv_sec;
}
