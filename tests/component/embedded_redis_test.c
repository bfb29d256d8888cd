/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* embedded_redis with a real redis-server. */
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"

#include "service/private_redis/embedded_redis.h"

#include "tests/support/redis_server.h"
#include "tests/support/scratch.h"
#include "tests/support/signal_process.h"
#include "tests/support/specification.h"

enum { PATIENCE_MS = 20000 };

/* --- a directory for each test --- */

static char directory[64];

static int make_directory(void **state)
{
    (void)state;
    return scratch_make(directory, sizeof directory, "seek-embedded") ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

static int remove_directory(void **state)
{
    (void)state;
    return nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *path_of(const char *name)
{
    static char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static struct embedded_redis *must_start(void)
{
    struct error error = {.message = ""};
    struct embedded_redis *redis = embedded_redis_start(directory, &error);
    if (redis == NULL)
        fail_msg("%s", error.message);
    return redis;
}

static void must_not_start(const char *data_dir, enum error_kind kind, const char *because)
{
    struct error error = {.message = ""};
    assert_null(embedded_redis_start(data_dir, &error));
    if (strstr(error.message, because) == NULL)
        fail_msg("not about \"%s\": %s", because, error.message);
    assert_int_equal(error.kind, kind);
}

static const char *socket_of(const struct embedded_redis *redis)
{
    static struct redis_url url;
    struct error error;
    assert_true(embedded_redis_url(redis, &url, &error));
    assert_int_equal(url.scheme, REDIS_UNIX);
    return url.host;
}

static void turn(struct embedded_redis *redis)
{
    int64_t now_ms = clock_monotonic_ms();
    int64_t timeout_ms = embedded_redis_timeout_ms(redis, now_ms);
    struct pollfd death = {.fd = embedded_redis_fd(redis), .events = POLLIN};
    (void)poll(&death, 1, timeout_ms < 0 || timeout_ms > 10 ? 10 : (int)timeout_ms);
    embedded_redis_turn(redis, clock_monotonic_ms());
}

static void await_answer(struct embedded_redis *redis)
{
    int64_t deadline_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (strcmp(redis_cli(socket_of(redis), "PING 2>/dev/null"), "PONG") != 0) {
        assert_true(clock_monotonic_ms() < deadline_ms);
        turn(redis);
    }
}

static void must_say(const struct embedded_redis *redis, const char *command, const char *expected)
{
    assert_string_equal(redis_cli(socket_of(redis), "%s", command), expected);
}

static pid_t pid_of(const struct embedded_redis *redis)
{
    const char *info =
        redis_cli(socket_of(redis), "INFO server | tr -d '\\r' | sed -n s/^process_id://p");
    return (pid_t)atoi(info);
}

/* An orphan is ours to reap: main made this process its subreaper. */
static void await_end_of(pid_t pid)
{
    (void)alarm(PATIENCE_MS / 1000);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    (void)alarm(0);
}

/* --- a good life --- */

static void keeps_what_it_was_told(void **state)
{
    (void)state;
    struct embedded_redis *redis = must_start();
    await_answer(redis);
    must_say(redis, "SET kept yes", "OK");
    pid_t pid = pid_of(redis);
    embedded_redis_destroy(redis);
    assert_int_not_equal(signal_process(pid, 0), 0);
    assert_int_not_equal(access(path_of("redis.sock"), F_OK), 0);

    redis = must_start();
    await_answer(redis);
    must_say(redis, "GET kept", "yes");
    embedded_redis_destroy(redis);
}

static void promises_the_disk(void **state)
{
    (void)state;
    struct embedded_redis *redis = must_start();
    await_answer(redis);
    must_say(redis, "CONFIG GET appendonly | tail -1", "yes");
    must_say(redis, "CONFIG GET appendfsync | tail -1", "always");
    must_say(redis, "CONFIG GET maxmemory-policy | tail -1", "noeviction");
    must_say(redis, "CONFIG GET save | tail -1", "");
    must_say(redis, "CONFIG GET port | tail -1", "0");
    embedded_redis_destroy(redis);
}

/* The directory holds seek-tokens. */
static void is_private(void **state)
{
    (void)state;
    (void)rmdir(directory);
    struct embedded_redis *redis = must_start();
    await_answer(redis);
    must_say(redis, "SET kept yes", "OK");
    static const char *const names[] = {"", "redis.sock", "redis.log", "appendonlydir"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct stat status;
        assert_int_equal(stat(path_of(names[i]), &status), 0);
        assert_int_equal(status.st_mode & 077, 0);
    }
    embedded_redis_destroy(redis);
}

static void is_out_of_the_terminals_reach(void **state)
{
    (void)state;
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, &before);
    (void)signal(SIGPIPE, SIG_IGN);
    struct embedded_redis *redis = must_start();
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    await_answer(redis);
    assert_int_not_equal(getpgid(pid_of(redis)), getpgrp());
    /* Nothing of main's signal mask is inherited: it would ignore SIGTERM. */
    char line[128];
    (void)snprintf(line, sizeof line, "PING >/dev/null; grep SigBlk /proc/%d/status | cut -f2",
                   (int)pid_of(redis));
    must_say(redis, line, "0000000000000000");
    embedded_redis_destroy(redis);
}

/* --- deaths --- */

static void starts_again_when_it_dies(void **state)
{
    (void)state;
    struct embedded_redis *redis = must_start();
    await_answer(redis);
    for (unsigned i = 0; i < 3; i++) {
        char command[64], expected[16];
        (void)snprintf(command, sizeof command, "RPUSH list %u", i);
        (void)snprintf(expected, sizeof expected, "%u", i + 1);
        must_say(redis, command, expected);
        struct pollfd death = {.fd = embedded_redis_fd(redis), .events = POLLIN};
        assert_int_equal(poll(&death, 1, 0), 0);
        pid_t pid = pid_of(redis);
        assert_int_equal(signal_process(pid, SIGKILL), 0);
        assert_int_equal(poll(&death, 1, PATIENCE_MS), 1);
        embedded_redis_turn(redis, clock_monotonic_ms());
        assert_int_equal(embedded_redis_fd(redis), -1);
        assert_true(embedded_redis_timeout_ms(redis, clock_monotonic_ms()) >= 0);
        await_answer(redis);
        assert_int_not_equal(pid_of(redis), pid);
    }
    must_say(redis, "LLEN list", "3");
    embedded_redis_destroy(redis);
}

/* A child process that runs the service until it is killed. Gives its pid; `*redis_pid` is its
 * Redis's. */
static pid_t start_other_service(pid_t *redis_pid)
{
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t service = fork();
    if (service == 0) {
        struct embedded_redis *redis = must_start();
        await_answer(redis);
        must_say(redis, "SET kept yes", "OK");
        pid_t pid = pid_of(redis);
        (void)!write(pipes[1], &pid, sizeof pid);
        for (;;)
            (void)pause();
    }
    assert_int_equal(read(pipes[0], redis_pid, sizeof *redis_pid), sizeof *redis_pid);
    (void)close(pipes[0]);
    (void)close(pipes[1]);
    return service;
}

static void kill_service(pid_t service)
{
    assert_int_equal(signal_process(service, SIGKILL), 0);
    assert_int_equal(waitpid(service, NULL, 0), service);
}

static void leaves_no_redis_behind(void **state)
{
    (void)state;
    pid_t redis_pid = 0;
    kill_service(start_other_service(&redis_pid));
    await_end_of(redis_pid);
}

static void follows_a_killed_service(void **state)
{
    (void)state;
    pid_t redis_pid = 0;
    kill_service(start_other_service(&redis_pid));
    struct embedded_redis *redis = must_start();
    await_end_of(redis_pid);
    await_answer(redis);
    must_say(redis, "GET kept", "yes");
    embedded_redis_destroy(redis);
}

/* The service is gone, its Redis hangs on: two must never write to the same file. */
static void ends_an_earlier_redis_first(void **state)
{
    (void)state;
    pid_t redis_pid = 0;
    pid_t service = start_other_service(&redis_pid);
    assert_int_equal(signal_process(redis_pid, SIGSTOP), 0);
    kill_service(service);
    assert_int_equal(signal_process(redis_pid, 0), 0);
    struct embedded_redis *redis = must_start();
    await_end_of(redis_pid);
    await_answer(redis);
    must_say(redis, "GET kept", "yes");
    embedded_redis_destroy(redis);
}

static unsigned count_in_file(const char *path, const char *text)
{
    char line[4096];
    unsigned count = 0;
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL)
        count += strstr(line, text) != NULL;
    (void)fclose(file);
    return count;
}

static void logs_a_repeated_death_once(void **state)
{
    (void)state;
    (void)mkdir(path_of("appendonlydir"), 0700);
    FILE *manifest = fopen(path_of("appendonlydir/appendonly.aof.manifest"), "we");
    (void)fputs("nonsense\n", manifest);
    (void)fclose(manifest);

    int error_output = dup(STDERR_FILENO);
    int log = open(path_of("service.log"), O_WRONLY | O_CREAT | O_APPEND, 0600);
    assert_int_equal(dup2(log, STDERR_FILENO), STDERR_FILENO);
    struct embedded_redis *redis = must_start();
    unsigned deaths = 0;
    for (bool was_alive = true; deaths < 4; turn(redis)) {
        bool is_alive = embedded_redis_fd(redis) >= 0;
        deaths += was_alive && !is_alive;
        was_alive = is_alive;
    }
    /* Each pause is twice the one before it: 100, 200, 400, 800 ms. */
    assert_true(embedded_redis_timeout_ms(redis, clock_monotonic_ms()) > 400);
    embedded_redis_destroy(redis);
    assert_int_equal(dup2(error_output, STDERR_FILENO), STDERR_FILENO);
    (void)close(error_output);
    (void)close(log);
    assert_int_equal(count_in_file(path_of("service.log"), "embedded_redis_died"), 1);
    assert_int_equal(count_in_file(path_of("service.log"), "exit status 1"), 1);
}

/* A file may not grow over 64 KiB: like a full disk, the write fails, and Redis ends rather than
 * answer. */
static void keeps_what_was_answered_when_the_disk_is_full(void **state)
{
    (void)state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit small = {.rlim_cur = 65536, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct embedded_redis *redis = must_start();
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    await_answer(redis);
    const char *counted = redis_cli(
        socket_of(redis),
        "EVAL \"return 1\" 0 >/dev/null; i=0; while redis-cli -s %s RPUSH list "
        "$(printf %%02000d 7) 2>/dev/null | grep -q '^[0-9]'; do i=$((i+1)); done; echo $i",
        socket_of(redis));
    char answered[32];
    (void)snprintf(answered, sizeof answered, "%s", counted);
    assert_true(atoi(answered) > 10);
    await_answer(redis);
    assert_true(atoi(redis_cli(socket_of(redis), "LLEN list")) >= atoi(answered));
    embedded_redis_destroy(redis);
}

static void bounds_its_log(void **state)
{
    (void)state;
    FILE *log = fopen(path_of("redis.log"), "we");
    assert_int_equal(ftruncate(fileno(log), 2 << 20), 0);
    (void)fclose(log);
    struct embedded_redis *redis = must_start();
    await_answer(redis);
    struct stat status;
    assert_int_equal(stat(path_of("redis.log"), &status), 0);
    assert_true(status.st_size < 65536);
    assert_int_equal(stat(path_of("redis.log.1"), &status), 0);
    embedded_redis_destroy(redis);
}

static void ends_one_that_does_not_listen(void **state)
{
    (void)state;
    struct embedded_redis *redis = must_start();
    await_answer(redis);
    pid_t pid = pid_of(redis);
    assert_int_equal(signal_process(pid, SIGSTOP), 0);
    int64_t begun_at_ms = clock_monotonic_ms();
    embedded_redis_destroy(redis);
    assert_int_not_equal(signal_process(pid, 0), 0);
    assert_true(clock_monotonic_ms() - begun_at_ms < 8000); /* it was asked, not killed */
}

static void tidies_up_after_one_that_was_killed(void **state)
{
    (void)state;
    struct embedded_redis *redis = must_start();
    await_answer(redis);
    assert_int_equal(signal_process(pid_of(redis), SIGKILL), 0);
    embedded_redis_destroy(redis);
    assert_int_not_equal(access(path_of("redis.sock"), F_OK), 0);
}

/* --- what keeps it from starting --- */

static void names_the_package_that_is_missing(void **state)
{
    (void)state;
    char path[4096];
    (void)snprintf(path, sizeof path, "%s", getenv("PATH"));
    (void)setenv("PATH", directory, 1);
    must_not_start(directory, ERROR_CONFIG,
                   "redis-server was not found: install the package redis-server, or set "
                   "SEEK_SIGNAL_REDIS_URL");
    (void)setenv("PATH", path, 1);
}

static void refuses_a_directory_in_use(void **state)
{
    (void)state;
    struct embedded_redis *redis = must_start();
    await_answer(redis);
    must_not_start(directory, ERROR_IO, "another seek-signal uses the data directory");
    must_say(redis, "PING", "PONG");
    embedded_redis_destroy(redis);
    embedded_redis_destroy(must_start());
}

static void refuses_a_path_too_long_for_a_socket(void **state)
{
    (void)state;
    char path[256];
    int length = snprintf(path, sizeof path, "%s/", directory);
    memset(path + length, 'd', 107 - sizeof "/redis.sock" + 1 - (size_t)length);
    path[107 - sizeof "/redis.sock" + 1] = '\0';
    struct error error;
    struct embedded_redis *redis = embedded_redis_start(path, &error);
    assert_non_null(redis);
    await_answer(redis);
    embedded_redis_destroy(redis);
    path[107 - sizeof "/redis.sock" + 1] = 'd';
    path[107 - sizeof "/redis.sock" + 2] = '\0';
    must_not_start(path, ERROR_CONFIG, "too long for a unix socket");
}

static void refuses_a_directory_that_cannot_be(void **state)
{
    (void)state;
    (void)close(open(path_of("file"), O_WRONLY | O_CREAT, 0600));
    must_not_start(path_of("file"), ERROR_IO, "cannot be used: Not a directory");
    must_not_start(path_of("missing/data"), ERROR_IO, "cannot be created: No such file");
    /* Root may write everywhere, so somebody else tries. */
    pid_t other = fork();
    if (other == 0) {
        struct error error = {.message = ""};
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(2);
        if (embedded_redis_start(geteuid() == 65534 ? directory : "/root", &error) != NULL)
            _exit(3);
        _exit(strstr(error.message, "Permission denied") != NULL ? 0 : 4);
    }
    int status = 0;
    assert_int_equal(waitpid(other, &status, 0), other);
    assert_int_equal(status, 0);
}

static void refuses_a_directory_that_others_can_change(void **state)
{
    (void)state;
    assert_int_equal(chmod(directory, 0777), 0);
    must_not_start(directory, ERROR_CONFIG, "SEEK_SIGNAL_DATA_DIR: everybody may write to it");
}

static void a_failed_start_leaves_the_directory_free(void **state)
{
    (void)state;
    (void)mkdir(path_of("redis.log"), 0700);
    must_not_start(directory, ERROR_IO, "redis.log cannot be written");
    (void)rmdir(path_of("redis.log"));
    struct embedded_redis *redis = must_start();
    await_answer(redis);
    embedded_redis_destroy(redis);
    embedded_redis_destroy(NULL);
}

#define HERE(sentence, function) IT_WITH(sentence, function, make_directory, remove_directory)

int main(void)
{
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    const struct CMUnitTest tests[] = {
        HERE("keeps what it was told over a stop and a start", keeps_what_it_was_told),
        HERE("promises the disk: appendfsync always, no eviction", promises_the_disk),
        HERE("lets nobody else into the directory", is_private),
        HERE("is out of the terminal's reach", is_out_of_the_terminals_reach),
        HERE("starts again when it dies, with everything", starts_again_when_it_dies),
        HERE("ends with a service that is killed", leaves_no_redis_behind),
        HERE("follows a service that was killed", follows_a_killed_service),
        HERE("ends an earlier Redis before it starts its own", ends_an_earlier_redis_first),
        HERE("logs a repeated death once, with growing pauses", logs_a_repeated_death_once),
        HERE("keeps what was answered when the disk is full",
             keeps_what_was_answered_when_the_disk_is_full),
        HERE("bounds its log", bounds_its_log),
        HERE("ends one that is stopped", ends_one_that_does_not_listen),
        HERE("tidies up after one that was killed", tidies_up_after_one_that_was_killed),
        HERE("names the package that is missing", names_the_package_that_is_missing),
        HERE("refuses a directory in use", refuses_a_directory_in_use),
        HERE("refuses a path too long for a socket", refuses_a_path_too_long_for_a_socket),
        HERE("refuses a directory that cannot be", refuses_a_directory_that_cannot_be),
        HERE("refuses a directory that others can change",
             refuses_a_directory_that_others_can_change),
        HERE("leaves the directory free after a failed start",
             a_failed_start_leaves_the_directory_free),
    };
    return cmocka_run_group_tests_name("embedded_redis", tests, NULL, NULL);
}
