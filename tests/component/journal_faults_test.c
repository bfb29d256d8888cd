/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* The journal when the disk is full or fails, memory is out, or its writer is killed. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/random.h"

#include "tests/support/failing_malloc.h"
#include "tests/support/journal_stand.h"
#include "tests/support/signal_process.h"
#include "tests/support/specification.h"

static bool is_sync_failing;

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
    if (!is_sync_failing)
        return __real_fdatasync(fd);
    errno = EIO;
    return -1;
}

/* --- a disk that fails --- */

static void takes_back_what_finds_no_room(void **state)
{
    (void)state;
    struct error error;
    struct rlimit full = {150, RLIM_INFINITY}, usual;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &usual), 0);
    struct journal *journal = must_open();
    must_write(journal, 0, 3);
    uint64_t before = journal_bytes(journal);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
    bool is_taken = append(journal, 100, 7, &error); /* a part of it can be written */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &usual), 0);
    assert_false(is_taken);
    assert_int_equal(error.kind, ERROR_IO);
    assert_non_null(strstr(error.message, "File too large"));
    assert_false(append(journal, 200, 1, &error)); /* the commit would be for both */
    assert_false(journal_commit(journal, &error));
    assert_int_equal(journal_bytes(journal), before);
    must_write(journal, 3, 2);
    journal_destroy(journal);
    journal_destroy(must_open());
    must_have_found(0, 5);
    must_be_undamaged();
}

static void takes_back_what_is_not_synced(void **state)
{
    (void)state;
    struct error error;
    struct journal *journal = must_open();
    must_write(journal, 0, 3);
    is_sync_failing = true;
    assert_true(append(journal, 100, 2, &error));
    assert_false(journal_commit(journal, &error));
    assert_int_equal(error.kind, ERROR_IO);
    is_sync_failing = false;
    must_write(journal, 3, 2);
    assert_int_equal(journal_stand_files("journal-", NULL),
                     2); /* nothing more is trusted to that file */
    is_sync_failing = true;
    assert_true(append(journal, 100, 20, &error)); /* in a segment of its own */
    assert_false(journal_commit(journal, &error));
    assert_int_equal(journal_stand_files("journal-", NULL), 2);
    is_sync_failing = false;
    journal_destroy(journal);
    journal_destroy(must_open());
    must_have_found(0, 5);
    must_be_undamaged();
}

static void says_when_its_directory_is_gone(void **state)
{
    (void)state;
    struct error error;
    struct journal *journal = must_open();
    journal_stand_clear();
    assert_int_equal(rmdir(journal_stand_directory()), 0);
    for (int i = 0; i < 2; i++) {
        assert_false(append(journal, 0, 1, &error));
        assert_non_null(strstr(error.message, "No such file or directory"));
        assert_false(journal_commit(journal, &error));
    }
    assert_true(journal_is_empty(journal));
    journal_destroy(journal);
}

static void survives_every_allocation_that_fails(void **state)
{
    (void)state;
    struct error error;
    struct journal *journal = must_open();
    for (unsigned i = 0; i < 40; i++)
        must_write(journal, 10 * i, 10);
    journal_destroy(journal);
    for (unsigned n = 0;; n++) {
        failing_malloc_arm(n);
        journal = try_to_open(JOURNAL_BYTES_MAX, &error);
        bool has_failed = failing_malloc_disarm();
        assert_int_equal(journal == NULL, has_failed);
        journal_destroy(journal);
        if (!has_failed)
            break;
        assert_int_equal(error.kind, ERROR_MEMORY);
    }
    must_have_found(0, 400);
    assert_int_equal(journal_stand_files("corrupt-", NULL), 0);
}

static void can_wait_for_memory_to_read(void **state)
{
    (void)state;
    struct error error;
    struct buffer bytes;
    buffer_init(&bytes, JOURNAL_BYTES_MAX);
    struct journal *journal = must_open();
    must_write(journal, 0, 3);
    failing_malloc_arm(0);
    assert_false(journal_read(journal, journal_next(journal, 0), &bytes, &error));
    assert_true(failing_malloc_disarm());
    assert_int_equal(error.kind, ERROR_MEMORY);
    drain(journal);
    must_have_found(0, 3);
    buffer_fini(&bytes);
    journal_destroy(journal);
}

/* --- a writer that is killed --- */

static void write_until_killed(int acknowledgements)
{
    struct error error;
    struct journal *journal = must_open();
    for (unsigned next = 0; next < JOURNAL_RECORDS_MAX - 20;) {
        unsigned count = 1 + (unsigned)random_u64() % 20;
        if (!append(journal, next, count, &error) || !journal_commit(journal, &error))
            _exit(1);
        next += count;
        if (write(acknowledgements, &next, sizeof next) != (ssize_t)sizeof next)
            _exit(1);
    }
    _exit(0);
}

static unsigned last_acknowledged(int acknowledgements)
{
    unsigned last = 0, next;
    while (read(acknowledgements, &next, sizeof next) == (ssize_t)sizeof next)
        last = next;
    return last;
}

static void keeps_what_a_killed_writer_acknowledged(void **state)
{
    (void)state;
    for (int round = 0; round < 30; round++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t writer = fork();
        assert_true(writer >= 0);
        if (writer == 0)
            write_until_killed(ends[1]);
        (void)close(ends[1]);
        unsigned first;
        assert_int_equal(read(ends[0], &first, sizeof first), sizeof first); /* it has begun */
        const struct timespec moment = {.tv_nsec = (long)(random_u64() % 20000000)};
        (void)nanosleep(&moment, NULL);
        assert_int_equal(signal_process(writer, SIGKILL), 0);
        assert_int_equal(waitpid(writer, NULL, 0), writer);
        unsigned acknowledged = last_acknowledged(ends[0]);
        (void)close(ends[0]);
        struct journal *journal = must_open();
        acknowledged = acknowledged > first ? acknowledged : first;
        assert_true(found.count >= acknowledged);
        must_have_found(0, found.count);
        assert_int_equal(found.damages[JOURNAL_IS_DAMAGED], 0);
        journal_destroy(journal);
        journal_stand_clear();
    }
}

#define IN_DIRECTORY(sentence, function)                                                           \
    IT_WITH(sentence, function, journal_stand_make, journal_stand_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY("takes back what finds no room", takes_back_what_finds_no_room),
        IN_DIRECTORY("takes back what is not synced", takes_back_what_is_not_synced),
        IN_DIRECTORY("says when its directory is gone", says_when_its_directory_is_gone),
        IN_DIRECTORY("survives every allocation that fails", survives_every_allocation_that_fails),
        IN_DIRECTORY("can wait for memory to read", can_wait_for_memory_to_read),
        IN_DIRECTORY("keeps what a killed writer acknowledged",
                     keeps_what_a_killed_writer_acknowledged),
    };
    return cmocka_run_group_tests_name("journal_faults", tests, NULL, NULL);
}
