/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* The journal when its files cannot be read: for a while, or for good. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/failing_open.h"
#include "tests/support/journal_stand.h"
#include "tests/support/specification.h"

static const char first_name[] = "journal-0000000000000000.log";
static struct buffer bytes;

static int make(void **state)
{
    atomic_store(&failing_open_code, FAILING_OPEN_FINE);
    buffer_init(&bytes, JOURNAL_BYTES_MAX);
    return journal_stand_make(state);
}

static int clear(void **state)
{
    atomic_store(&failing_open_code, FAILING_OPEN_FINE);
    buffer_fini(&bytes);
    return journal_stand_remove(state);
}

static bool try_to_read(struct journal *journal, struct error *error)
{
    memset(&found, 0, sizeof found);
    return journal_read(journal, journal_next(journal, 0), &bytes, error);
}

static void must_be_kept(const struct journal *journal)
{
    assert_false(journal_is_empty(journal));
    assert_int_equal(journal_stand_files("journal-", NULL), 1);
    assert_int_equal(journal_stand_files("corrupt-", NULL), 0);
    must_be_undamaged();
}

/* --- for a while --- */

static const int transient[] = {EMFILE, ENFILE, ENOMEM,    EIO,    EACCES,
                                EPERM,  EINTR,  EOVERFLOW, ESTALE, FAILING_OPEN_READ};
enum { TRANSIENT_COUNT = sizeof transient / sizeof transient[0] };

static void keeps_what_cannot_be_read_for_now(void **state)
{
    (void)state;
    for (size_t i = 0; i < TRANSIENT_COUNT; i++) {
        struct error error;
        struct journal *journal = must_open();
        must_write(journal, 0, 3);
        atomic_store(&failing_open_code, transient[i]);
        for (int tries = 0; tries < 2; tries++) {
            assert_false(try_to_read(journal, &error));
            assert_int_equal(error.kind, ERROR_IO);
            must_be_kept(journal);
        }
        atomic_store(&failing_open_code, FAILING_OPEN_FINE);
        drain(journal);
        must_have_found(0, 3);
        journal_destroy(journal);
    }
}

static void waits_for_a_descriptor(void **state)
{
    (void)state;
    struct error error;
    struct rlimit usual, none = {0};
    struct journal *journal = must_open();
    must_write(journal, 0, 3);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
    none.rlim_max = usual.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    bool is_read = try_to_read(journal, &error);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
    assert_false(is_read);
    assert_non_null(strstr(error.message, "opening journal-0000000000000000.log: Too many open"));
    must_be_kept(journal);
    drain(journal);
    must_have_found(0, 3);
    journal_destroy(journal);
}

static void tells_later_what_it_cannot_read_when_it_is_opened(void **state)
{
    (void)state;
    for (size_t i = 0; i < TRANSIENT_COUNT; i++) {
        struct error error;
        struct journal *journal = must_open();
        must_write(journal, 0, 3);
        journal_destroy(journal);
        atomic_store(&failing_open_code, transient[i]);
        journal = must_open();
        assert_int_equal(found.count, 0);
        assert_false(journal_is_known(journal));
        must_be_kept(journal);
        assert_false(try_to_read(journal, &error));
        must_be_kept(journal);
        atomic_store(&failing_open_code, FAILING_OPEN_FINE);
        must_write(journal, 3, 1); /* a segment of its own */
        assert_true(try_to_read(journal, &error));
        must_have_found(0, 3);
        assert_true(journal_is_known(journal));
        assert_true(try_to_read(journal, &error)); /* told once */
        assert_int_equal(found.count, 0);
        drain(journal);
        must_have_found(0, 4);
        journal_destroy(journal);
    }
}

static void cuts_a_torn_tail_later(void **state)
{
    (void)state;
    char path[512];
    struct error error;
    struct journal *journal = must_open();
    must_write(journal, 0, 2);
    size_t whole = journal_stand_bytes(first_name);
    must_write(journal, 2, 1);
    journal_destroy(journal);
    journal_stand_path(first_name, path);
    assert_int_equal(truncate(path, (off_t)whole + 5), 0);
    atomic_store(&failing_open_code, EMFILE);
    journal = must_open();
    atomic_store(&failing_open_code, FAILING_OPEN_FINE);
    must_write(journal, 3, 1);
    uint64_t before = journal_bytes(journal);
    assert_true(try_to_read(journal, &error));
    must_have_found(0, 2);
    assert_int_equal(found.damages[JOURNAL_WAS_TORN], 1);
    assert_int_equal(found.damages[JOURNAL_IS_DAMAGED], 0);
    assert_int_equal(bytes.length, whole);
    assert_int_equal(journal_stand_bytes(first_name), whole);
    assert_int_equal(journal_bytes(journal), before - 5);
    journal_destroy(journal);
}

/* --- for good --- */

/* Its name is taken, so that it cannot be renamed. */
static void sets_aside_again_what_it_could_not(void **state)
{
    (void)state;
    struct error error;
    char path[512], taken[512];
    journal_destroy(must_open());
    journal_stand_path("journal-0000000000000007.log", path);
    journal_stand_path("corrupt-0000000000000007.log", taken);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(mkdir(taken, 0700), 0);
    struct journal *journal = must_open();
    assert_int_equal(journal_next(journal, 0), 7);
    must_be_undamaged();
    assert_false(try_to_read(journal, &error));
    assert_non_null(strstr(error.message, "setting aside journal-0000000000000007.log: Is a dir"));
    assert_int_equal(journal_next(journal, 0), 7);
    must_be_undamaged();
    assert_int_equal(rmdir(taken), 0);
    assert_false(try_to_read(journal, &error));
    assert_int_equal(found.damages[JOURNAL_IS_NO_FILE], 1);
    assert_true(journal_is_empty(journal));
    assert_true(journal_is_known(journal));
    assert_int_equal(journal_stand_files("corrupt-", NULL), 1);
    journal_destroy(journal);
}

static void tells_once_that_the_end_is_missing(void **state)
{
    (void)state;
    char path[512];
    struct error error;
    struct journal *journal = must_open();
    must_write(journal, 0, 2);
    size_t left = journal_stand_bytes(first_name);
    must_write(journal, 2, 1);
    size_t written = journal_stand_bytes(first_name);
    journal_stand_path(first_name, path);
    assert_int_equal(truncate(path, (off_t)left), 0); /* between two records */
    assert_true(try_to_read(journal, &error));
    assert_int_equal(found.damages[JOURNAL_IS_DAMAGED], 1);
    assert_int_equal(found.damage_bytes, written - left);
    assert_int_equal(journal_bytes(journal), left);
    assert_true(try_to_read(journal, &error));
    must_be_undamaged();
    journal_destroy(journal);
}

static void tells_that_a_segment_is_gone(void **state)
{
    (void)state;
    char path[512];
    struct error error;
    struct journal *journal = must_open();
    must_write(journal, 0, 2);
    journal_stand_path(first_name, path);
    assert_int_equal(unlink(path), 0);
    assert_false(try_to_read(journal, &error));
    assert_int_equal(found.damages[JOURNAL_IS_GONE], 1);
    assert_true(journal_is_empty(journal));
    assert_int_equal(journal_bytes(journal), 0); /* it takes no room */
    must_write(journal, 2, 1);
    drain(journal);
    must_have_found(2, 1);
    journal_destroy(journal);
}

#define IN_DIRECTORY(sentence, function) IT_WITH(sentence, function, make, clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY("keeps what cannot be read for now", keeps_what_cannot_be_read_for_now),
        IN_DIRECTORY("waits for a descriptor", waits_for_a_descriptor),
        IN_DIRECTORY("tells later what it cannot read when it is opened",
                     tells_later_what_it_cannot_read_when_it_is_opened),
        IN_DIRECTORY("cuts a torn tail later", cuts_a_torn_tail_later),
        IN_DIRECTORY("sets aside again what it could not", sets_aside_again_what_it_could_not),
        IN_DIRECTORY("tells once that the end is missing", tells_once_that_the_end_is_missing),
        IN_DIRECTORY("tells that a segment is gone", tells_that_a_segment_is_gone),
    };
    return cmocka_run_group_tests_name("journal_reading", tests, NULL, NULL);
}
