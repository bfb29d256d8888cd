/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/private_redis/redis_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/core_dump.h"
#include "lib/base/private_directory.h"

enum { LOG_BYTES_MAX = 1 << 20, LOCK_POLL_MS = 20, LISTEN_POLL_MS = 2 };

static const char PROGRAM[] = "redis-server";
static const char SOCKET_NAME[] = "redis.sock";
static const char LOCK_NAME[] = "redis.lock";
static const char LOG_NAME[] = "redis.log";
static const char OLD_LOG_NAME[] = "redis.log.1";

/* The child runs in the data directory, so all names are relative to it: nothing here depends on
 * its path. */
/* clang-format off */
static const char *const command[] = {
    PROGRAM,
    "--port", "0", /* the unix socket only */
    "--unixsocket", SOCKET_NAME,
    "--unixsocketperm", "700",
    "--daemonize", "no",
    "--databases", "1",
    /* An answer to an event means: on disk. */
    "--appendonly", "yes",
    "--appendfsync", "always",
    "--no-appendfsync-on-rewrite", "no",
    "--aof-load-truncated", "yes", /* a torn last write was not acknowledged */
    "--save", "",
    "--maxmemory-policy", "noeviction",
    "--loglevel", "warning",
    "--logfile", "", /* standard output, which is redis.log */
    NULL,
};
/* clang-format on */

/* Ours holds secrets: the child gets what a program is found, speaks and reckons time by, and what
 * an administrator loads into programs. */
static const char *const kept_variables[] = {
    "PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "LD_PRELOAD",
};
enum { KEPT_VARIABLES = sizeof kept_variables / sizeof kept_variables[0] };

/* What the child could not do, told through a pipe that closes when the program is executed. */
enum child_failure_kind {
    CHILD_DIRECTORY,
    CHILD_LOG,
    CHILD_LOCK_FILE,
    CHILD_LOCK,
    CHILD_CORES,
    CHILD_PROGRAM
};
struct child_failure {
    enum child_failure_kind kind;
    int code;
};

bool redis_process_socket(const char *directory, char path[REDIS_PROCESS_PATH_BYTES])
{
    int length = snprintf(path, REDIS_PROCESS_PATH_BYTES, "%s/%s", directory, SOCKET_NAME);
    return length > 0 && length < REDIS_PROCESS_PATH_BYTES;
}

/* --- in the child: only what is safe between fork and exec --- */

static void reset_signals(void)
{
    const struct sigaction by_default = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++)
        (void)sigaction(number, &by_default, NULL); /* refused for SIGKILL and SIGSTOP */
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Standard input is nothing, output and error go to the log. It is bounded by starting over at each
 * start; in between, the level "warning" writes next to nothing. */
static bool redirect(void)
{
    struct stat status;
    if (lstat(LOG_NAME, &status) == 0 && status.st_size > LOG_BYTES_MAX)
        (void)rename(LOG_NAME, OLD_LOG_NAME);
    int nothing = open("/dev/null", O_RDONLY);
    int log = private_file_open(AT_FDCWD, LOG_NAME, O_WRONLY | O_CREAT | O_APPEND);
    return nothing >= 0 && log >= 0 && dup2(nothing, STDIN_FILENO) >= 0 &&
           dup2(log, STDOUT_FILENO) >= 0 && dup2(log, STDERR_FILENO) >= 0;
}

/* The descriptor stays open on purpose, also when the program is executed: the lock lives as long
 * as the server and its helpers. */
static bool hold_lock(int lock)
{
    return fcntl(lock, F_SETFD, 0) == 0 && flock(lock, LOCK_EX | LOCK_NB) == 0;
}

static bool is_kept(const char *variable)
{
    for (size_t i = 0; i < KEPT_VARIABLES; i++) {
        size_t length = strlen(kept_variables[i]);
        if (strncmp(variable, kept_variables[i], length) == 0 && variable[length] == '=')
            return true;
    }
    return false;
}

static void choose_environment(char *chosen[KEPT_VARIABLES + 1])
{
    size_t count = 0;
    for (char **each = environ; *each != NULL && count < KEPT_VARIABLES; each++)
        if (is_kept(*each))
            chosen[count++] = *each;
    chosen[count] = NULL;
}

__attribute__((noreturn)) static void report_failure(int report, enum child_failure_kind kind)
{
    const struct child_failure failure = {.kind = kind, .code = errno};
    (void)!write(report, &failure, sizeof failure); /* nobody left to tell when this fails */
    _exit(1);
}

__attribute__((noreturn)) static void become_redis(const char *directory, int report, pid_t parent)
{
    /* A process group of its own: Ctrl-C at a terminal is for the service, which drains first. */
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(1); /* it died before the line above */
    reset_signals();
    (void)umask(077);
    (void)close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    if (chdir(directory) != 0)
        report_failure(report, CHILD_DIRECTORY);
    if (!redirect())
        report_failure(report, CHILD_LOG);
    int lock = private_file_open(AT_FDCWD, LOCK_NAME, O_RDWR | O_CREAT);
    if (lock < 0)
        report_failure(report, CHILD_LOCK_FILE);
    if (!hold_lock(lock))
        report_failure(report, CHILD_LOCK);
    if (!core_dump_forbid_by_limit()) /* its memory is full of seek-tokens */
        report_failure(report, CHILD_CORES);
    char *environment[KEPT_VARIABLES + 1];
    choose_environment(environment);
    char *const *arguments = (char *const *)(const void *)command; /* exec does not write to them */
    (void)execvpe(PROGRAM, arguments, environment);
    report_failure(report, CHILD_PROGRAM);
}

/* --- in the service --- */

static bool explain(const struct child_failure *failure, const char *directory, struct error *error)
{
    const char *reason = strerrordesc_np(failure->code);
    switch (failure->kind) {
    case CHILD_DIRECTORY:
        return error_set(error, ERROR_IO, "%s cannot be entered: %s", directory, reason);
    case CHILD_LOG:
        return error_set(error, ERROR_IO, "%s/%s cannot be written: %s", directory, LOG_NAME,
                         private_file_reason(failure->code));
    case CHILD_LOCK_FILE:
        return error_set(error, ERROR_IO, "%s/%s cannot be written: %s", directory, LOCK_NAME,
                         private_file_reason(failure->code));
    case CHILD_LOCK:
        return error_set(error, ERROR_IO, "an earlier redis-server still uses %s: %s", directory,
                         reason);
    case CHILD_CORES:
        return error_set(error, ERROR_IO, "core dumps of redis-server cannot be switched off: %s",
                         reason);
    case CHILD_PROGRAM:
        break;
    }
    if (failure->code == ENOENT)
        return error_set(error, ERROR_CONFIG,
                         "redis-server was not found: install the package redis-server, or set "
                         "SEEK_SIGNAL_REDIS_URL");
    return error_set(error, ERROR_IO, "redis-server cannot be executed: %s", reason);
}

static void forget(struct redis_process *process)
{
    if (process->pidfd >= 0)
        (void)close(process->pidfd);
    *process = (struct redis_process){.pidfd = -1};
}

/* Waits until the pipe closes (the program runs) or tells what is in the way. */
static bool await_program(struct redis_process *process, int report, const char *directory,
                          struct error *error)
{
    struct child_failure failure;
    ssize_t got;
    do {
        got = read(report, &failure, sizeof failure);
    } while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof failure)
        return true;
    (void)waitpid(process->pid, NULL, 0);
    forget(process);
    return explain(&failure, directory, error);
}

/* Takes the new child over; a child that cannot be watched is ended. */
static bool adopt(struct redis_process *process, pid_t pid, struct error *error)
{
    int pidfd = pidfd_open(pid, 0);
    if (pidfd < 0) {
        (void)error_set(error, ERROR_IO, "pidfd_open: %s", strerrordesc_np(errno));
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
        return false;
    }
    *process = (struct redis_process){.pid = pid, .pidfd = pidfd};
    return true;
}

bool redis_process_start(struct redis_process *process, const char *directory, struct error *error)
{
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0)
        return error_set(error, ERROR_IO, "pipe: %s", strerrordesc_np(errno));
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid == 0)
        become_redis(directory, report[1], parent);
    if (pid < 0)
        (void)error_set(error, ERROR_IO, "fork: %s", strerrordesc_np(errno));
    (void)close(report[1]);
    bool is_started = pid > 0 && adopt(process, pid, error) &&
                      await_program(process, report[0], directory, error);
    (void)close(report[0]);
    return is_started;
}

static void describe_death(int status, char cause[REDIS_PROCESS_CAUSE_BYTES])
{
    if (WIFSIGNALED(status))
        (void)snprintf(cause, REDIS_PROCESS_CAUSE_BYTES, "signal %d (%s)", WTERMSIG(status),
                       sigdescr_np(WTERMSIG(status)));
    else
        (void)snprintf(cause, REDIS_PROCESS_CAUSE_BYTES, "exit status %d", WEXITSTATUS(status));
}

bool redis_process_is_dead(struct redis_process *process, char cause[REDIS_PROCESS_CAUSE_BYTES])
{
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
        info.si_pid == 0)
        return false;
    /* Before it is reaped, so that the number is still its: a rewrite of the log that it was
     * running holds the lock. */
    (void)kill(-process->pid, SIGKILL);
    int status = 0;
    (void)waitpid(process->pid, &status, 0);
    describe_death(status, cause);
    forget(process);
    return true;
}

static bool is_dead_within(int pidfd, int64_t patience_ms)
{
    struct pollfd death = {.fd = pidfd, .events = POLLIN};
    int64_t deadline_ms = clock_monotonic_ms() + patience_ms;
    int ready;
    do {
        int64_t left_ms = deadline_ms - clock_monotonic_ms();
        ready = poll(&death, 1, left_ms > 0 ? (int)left_ms : 0);
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

static void end_by_pidfd(int pidfd, int64_t patience_ms)
{
    (void)pidfd_send_signal(pidfd, SIGTERM, NULL, 0);
    (void)pidfd_send_signal(pidfd, SIGCONT, NULL, 0); /* a stopped one would not notice */
    if (is_dead_within(pidfd, patience_ms))
        return;
    (void)pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
    (void)is_dead_within(pidfd, patience_ms);
}

void redis_process_end(struct redis_process *process, int64_t patience_ms)
{
    char cause[REDIS_PROCESS_CAUSE_BYTES];
    if (process->pid == 0)
        return;
    end_by_pidfd(process->pidfd, patience_ms);
    (void)redis_process_is_dead(process, cause);
}

/* The process that listens on the socket, as a pidfd; -1 when nobody does. */
static int open_listener(const char *directory)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!redis_process_socket(directory, address.sun_path))
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct ucred peer = {.pid = 0};
    socklen_t length = sizeof peer;
    bool is_known = connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
                    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.pid > 0;
    int pidfd = is_known ? pidfd_open(peer.pid, 0) : -1;
    if (fd >= 0)
        (void)close(fd);
    return pidfd;
}

void redis_process_await(const struct redis_process *process, const char *directory,
                         int64_t patience_ms)
{
    int64_t deadline_ms = clock_monotonic_ms() + patience_ms;
    do {
        int listener = open_listener(directory);
        if (listener >= 0) {
            (void)close(listener);
            return;
        }
    } while (!is_dead_within(process->pidfd, LISTEN_POLL_MS) && clock_monotonic_ms() < deadline_ms);
}

static bool is_lock_free(const char *directory)
{
    char path[REDIS_PROCESS_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s", directory, LOCK_NAME);
    int fd = private_file_open(AT_FDCWD, path, O_RDWR);
    if (fd < 0)
        return true; /* never made, or not ours to open: the start will tell */
    bool is_free = flock(fd, LOCK_EX | LOCK_NB) == 0;
    (void)close(fd);
    return is_free;
}

bool redis_process_end_earlier(const char *directory, int64_t patience_ms, struct error *error)
{
    const struct timespec pause = {.tv_nsec = LOCK_POLL_MS * 1000000L};
    if (is_lock_free(directory))
        return true;
    int pidfd = open_listener(directory);
    if (pidfd >= 0) {
        end_by_pidfd(pidfd, patience_ms);
        (void)close(pidfd);
    }
    int64_t deadline_ms = clock_monotonic_ms() + patience_ms;
    while (!is_lock_free(directory)) {
        if (clock_monotonic_ms() > deadline_ms)
            return error_set(error, ERROR_IO,
                             "a redis-server of an earlier run still uses %s: stop it", directory);
        (void)nanosleep(&pause, NULL);
    }
    return true;
}
