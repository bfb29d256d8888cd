/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/log_sink.h"

#include "tests/support/specification.h"
#include "tests/support/wait_until.h"

enum { THREADS = 4, LINES_EACH = 300, LONG_BYTES = 3000, SEEN_BYTES_MAX = 32 << 20 };

/* Standard error is a pipe; the test has both of its ends, and can read or not. */
static struct {
    int reader, stderr_before;
    char *seen; /* owned */
    size_t length;
} stand;

static int begin(void **state)
{
    int ends[2];
    (void)state;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    stand.reader = ends[0];
    stand.stderr_before = dup(STDERR_FILENO);
    stand.length = 0;
    stand.seen = malloc(SEEN_BYTES_MAX);
    bool is_redirected = dup2(ends[1], STDERR_FILENO) >= 0;
    (void)close(ends[1]);
    log_configure(LOG_INFO, LOG_FORMAT_TEXT);
    return is_redirected && stand.seen != NULL ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    (void)dup2(stand.stderr_before, STDERR_FILENO);
    (void)close(stand.stderr_before);
    if (stand.reader >= 0)
        (void)close(stand.reader);
    free(stand.seen);
    return 0;
}

static void must_start(void)
{
    struct error error;
    assert_true(log_start(&error));
}

static void read_some(size_t bytes_max)
{
    ssize_t got = read(stand.reader, stand.seen + stand.length, bytes_max);
    assert_true(got > 0 && stand.length + (size_t)got < SEEN_BYTES_MAX);
    stand.length += (size_t)got;
    stand.seen[stand.length] = '\0';
}

static void read_until(const char *word)
{
    do
        read_some(65536);
    while (strstr(stand.seen, word) == NULL);
}

static size_t lines_with(const char *word)
{
    size_t count = 0;
    for (const char *at = stand.seen; (at = strstr(at, word)) != NULL; at++)
        count++;
    return count;
}

/* More than the pipe holds, so that the log's thread stands still in its write. */
static void fill_pipe(void)
{
    static char large[LONG_BYTES];
    memset(large, 'x', sizeof large - 1);
    for (unsigned i = 0; i < 30; i++)
        log_info("filling", "m", LOG_TEXT("value", large));
    WAIT_UNTIL_WITHIN(5000, log_stuck_ms(clock_monotonic_ms()) > 50);
}

static void a_line_is_written_soon(void **state)
{
    (void)state;
    must_start();
    log_info("one", "m");
    read_until("one");
    log_info("two", "m");
    read_until("two");
    log_stop(1000);
    log_info("three", "after the end the caller writes");
    read_until("three");
    assert_true(strstr(stand.seen, "one") < strstr(stand.seen, "two"));
}

static void *log_much(void *context)
{
    static char large[LONG_BYTES]; /* with three of it a line is longer than PIPE_BUF */
    memset(large, 'y', sizeof large - 1);
    bool is_gathering = *(const unsigned *)context % 2 == 0;
    for (unsigned i = 0; i < LINES_EACH; i++) {
        if (is_gathering && i % 10 == 0)
            log_gather();
        if (i % 3 == 0)
            log_info("long", "m", LOG_TEXT("a", large), LOG_TEXT("b", large), LOG_INT("end", i));
        else
            log_info("short", "m", LOG_INT("end", i));
        if (is_gathering && i % 10 == 9)
            log_release();
    }
    log_release();
    return NULL;
}

static bool is_whole(const char *line, size_t length)
{
    static const char year[] = "2";
    const char *end = memrchr(line, ' ', length);
    return strncmp(line, year, 1) == 0 && line[4] == '-' && end != NULL &&
           strncmp(end, " end=", 5) == 0;
}

static void must_be_whole_lines(void)
{
    for (const char *line = stand.seen, *end; line < stand.seen + stand.length; line = end + 1) {
        end = strchr(line, '\n');
        assert_non_null(end);
        if (!is_whole(line, (size_t)(end - line)) && strstr(line, "log_lines_lost") == NULL)
            fail_msg("not whole: %.80s", line);
    }
}

static void lines_of_many_threads_come_out_whole(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    unsigned numbers[THREADS];
    uint64_t lost_before = log_lines_lost();
    must_start();
    for (unsigned i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, log_much, &numbers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL); /* they wait for nobody */
    struct pollfd pipe = {.fd = stand.reader, .events = POLLIN};
    while (!log_flush(0) || poll(&pipe, 1, 0) > 0)
        if (poll(&pipe, 1, 10) > 0)
            read_some(4096);
    log_info("last", "m", LOG_INT("end", 0));
    read_until("last");
    assert_true(log_lines_lost() > lost_before); /* the queue was full meanwhile */
    assert_int_equal(lines_with(" end="),
                     THREADS * LINES_EACH + 1 - (log_lines_lost() - lost_before));
    log_stop(1000);
    must_be_whole_lines();
}

/* The sum of what the lines about gaps say. */
static uint64_t lost_as_told(void)
{
    uint64_t sum = 0;
    for (const char *at = stand.seen; (at = strstr(at, "log_lines_lost")) != NULL; at++)
        sum += strtoull(strstr(at, " lines=") + strlen(" lines="), NULL, 10);
    return sum;
}

static void what_finds_no_room_is_dropped_counted_and_told_where_it_is_missing(void **state)
{
    (void)state;
    static char large[LONG_BYTES];
    memset(large, 'z', sizeof large - 1);
    uint64_t lost_before = log_lines_lost();
    must_start();
    fill_pipe();
    unsigned given = 0;
    while (log_lines_lost() == lost_before && given < 10000)
        log_info("taken", "m", LOG_TEXT("value", large), LOG_INT("number", given++));
    for (unsigned i = 0; i < 4; i++)
        log_info("dropped", "m", LOG_TEXT("value", large));
    assert_int_equal(log_lines_lost() - lost_before, 5);
    read_until("log_lines_lost");
    log_info("later", "m");
    read_until("later");
    assert_int_equal(lost_as_told(), 5);
    assert_int_equal(lines_with("log_lines_lost"), 1);
    assert_int_equal(lines_with("dropped"), 0);
    assert_int_equal(lines_with("taken"), given - 1);
    char last[64];
    (void)snprintf(last, sizeof last, "number=%u\n", given - 2);
    assert_true(strstr(stand.seen, last) < strstr(stand.seen, "log_lines_lost"));
    assert_true(strstr(stand.seen, "log_lines_lost") < strstr(stand.seen, "later"));
    log_stop(1000);
}

static void a_reader_that_went_away_costs_lines_alone(void **state)
{
    (void)state;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    (void)sigaction(SIGPIPE, &ignore, &before);
    uint64_t lost_before = log_lines_lost();
    must_start();
    (void)close(stand.reader);
    stand.reader = -1;
    for (unsigned i = 0; i < 3; i++)
        log_info("nobody", "m");
    assert_true(log_flush(5000));
    assert_int_equal(log_lines_lost() - lost_before, 3);
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    stand.reader = ends[0];
    (void)dup2(ends[1], STDERR_FILENO);
    (void)close(ends[1]);
    log_info("somebody", "m");
    read_until("log_lines_lost");
    assert_true(strstr(stand.seen, "somebody") < strstr(stand.seen, "log_lines_lost"));
    assert_int_equal(lost_as_told(), 3);
    log_stop(1000);
    (void)sigaction(SIGPIPE, &before, NULL);
}

static int must_end(pid_t child)
{
    int status = 0;
    WAIT_UNTIL_WITHIN(20000, waitpid(child, &status, WNOHANG) == child);
    return status;
}

/* Exit status 0: everything took as long as it may. */
static void end_without_a_reader(void)
{
    must_start();
    fill_pipe();
    int64_t began_ms = clock_monotonic_ms();
    bool is_flushed = log_flush(100);
    log_stop(100);
    for (unsigned i = 0; i < 100; i++)
        log_info("after", "nobody waits for this either");
    _exit(is_flushed || clock_monotonic_ms() - began_ms > 5000 || log_lines_lost() < 100);
}

static void the_end_waits_for_a_reader_no_longer_than_it_is_told_to(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0)
        end_without_a_reader();
    assert_int_equal(must_end(child), 0);
}

static void fail_an_assertion(bool is_full)
{
    must_start();
    if (is_full)
        fill_pipe();
    else
        log_info("before", "m");
    volatile bool is_true = false;
    (void)signal(SIGABRT, SIG_DFL);
    assert(is_true);
    _exit(0);
}

static void a_failed_assertion_is_the_end_with_and_without_a_reader(void **state)
{
    (void)state;
    for (unsigned is_full = 0; is_full < 2; is_full++) {
        pid_t child = fork();
        if (child == 0)
            fail_an_assertion(is_full == 1);
        int status = must_end(child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
        if (is_full == 1)
            continue;
        read_until("failed.\n");
        assert_true(strstr(stand.seen, "before") <
                    strstr(stand.seen, "Assertion `is_true' failed"));
    }
}

int main(void)
{
#define LOGS(sentence, function) IT_WITH(sentence, function, begin, end)
    const struct CMUnitTest tests[] = {
        LOGS("writes a line soon after it was given", a_line_is_written_soon),
        LOGS("lets lines of many threads come out whole", lines_of_many_threads_come_out_whole),
        LOGS("drops and counts what finds no room, and tells so where it is missing",
             what_finds_no_room_is_dropped_counted_and_told_where_it_is_missing),
        LOGS("loses lines alone when its reader goes away",
             a_reader_that_went_away_costs_lines_alone),
        LOGS("waits for a reader at the end no longer than it is told to",
             the_end_waits_for_a_reader_no_longer_than_it_is_told_to),
        LOGS("lets a failed assertion be the end with and without a reader",
             a_failed_assertion_is_the_end_with_and_without_a_reader),
    };
    return cmocka_run_group_tests_name("log_sink", tests, NULL, NULL);
}
