/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* The journal on a real file system, and what it makes of files that were cut or changed. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/journal.h"

#include "tests/support/journal_stand.h"
#include "tests/support/specification.h"

/* --- what it is for --- */

static void finds_what_was_committed(void **state)
{
    (void)state;
    struct journal *journal = must_open();
    assert_true(journal_is_empty(journal));
    must_write(journal, 0, 3);
    must_write(journal, 3, 1);
    journal_destroy(journal);
    for (int life = 0; life < 3; life++) {
        journal = must_open();
        must_have_found(0, 4);
        must_be_undamaged();
        journal_destroy(journal);
    }
}

static void gives_back_in_order_and_keeps_nothing(void **state)
{
    (void)state;
    struct journal *journal = must_open();
    for (unsigned i = 0; i < 100; i++)
        must_write(journal, 3 * i, 3);
    assert_true(journal_stand_files("journal-", NULL) > 10);
    drain(journal);
    must_have_found(0, 300);
    assert_int_equal(journal_stand_files("journal-", NULL) + journal_stand_files("corrupt-", NULL),
                     0);
    assert_int_equal(journal_bytes(journal), 0);
    must_write(journal, 300, 1);
    journal_destroy(journal);
    journal = must_open();
    must_have_found(300, 1);
    journal_destroy(journal);
}

static void reads_while_it_is_written(void **state)
{
    (void)state;
    struct journal *journal = must_open();
    struct buffer bytes;
    struct error error;
    buffer_init(&bytes, JOURNAL_BYTES_MAX);
    must_write(journal, 0, 2);
    assert_true(journal_read(journal, journal_next(journal, 0), &bytes, &error));
    must_write(journal, 2, 2);
    assert_true(journal_drop(journal, journal_next(journal, 0), false, &error));
    drain(journal);
    must_have_found(2, 2);
    buffer_fini(&bytes);
    journal_destroy(journal);
}

static void is_bounded(void **state)
{
    (void)state;
    struct error error;
    struct journal *journal = try_to_open(1000, &error);
    unsigned count = 0;
    while (count < 1000 && append(journal, count, 1, &error)) {
        assert_true(journal_commit(journal, &error));
        count++;
    }
    assert_true(count < 1000);
    assert_int_equal(error.kind, ERROR_FULL);
    assert_true(journal_commit(journal, &error));
    assert_in_range(journal_bytes(journal), 900, 1000);
    drain(journal);
    must_have_found(0, count);
    must_write(journal, count, 1);
    journal_destroy(journal);
}

static void belongs_to_one(void **state)
{
    (void)state;
    struct error error;
    struct journal *journal = must_open();
    assert_null(try_to_open(JOURNAL_BYTES_MAX, &error));
    assert_int_equal(error.kind, ERROR_IO);
    assert_non_null(strstr(error.message, "another process uses"));
    journal_destroy(journal);
    journal_destroy(must_open());
}

static void needs_a_directory(void **state)
{
    (void)state;
    struct error error;
    char path[512];
    journal_stand_path("file", path);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    (void)close(fd);
    const struct journal_options options = {.directory = path};
    assert_null(journal_open(&options, &error));
    assert_non_null(strstr(error.message, "Not a directory"));
}

/* --- damage --- */

static void cuts_a_torn_tail_at_every_byte(void **state)
{
    (void)state;
    static const char name[] = "journal-0000000000000000.log";
    char path[512];
    journal_stand_path(name, path);
    for (size_t cut = 1;; cut++) {
        struct journal *journal = must_open();
        must_write(journal, 0, 2);
        size_t before = journal_stand_bytes(name);
        must_write(journal, 2, 1);
        size_t after = journal_stand_bytes(name);
        journal_destroy(journal);
        assert_int_equal(truncate(path, (off_t)(after - cut)), 0);
        bool is_gone = cut == after - before;
        for (int life = 0; life < 2; life++) {
            journal = must_open();
            must_have_found(0, 2);
            assert_int_equal(found.damages[JOURNAL_WAS_TORN], !is_gone && life == 0);
            assert_int_equal(found.damage_bytes, !is_gone && life == 0 ? after - before - cut : 0);
            assert_int_equal(journal_stand_bytes(name), before);
            assert_int_equal(journal_bytes(journal), before);
            journal_destroy(journal);
        }
        journal_stand_clear();
        if (is_gone)
            return;
    }
}

static void flip(const char *name, size_t bit)
{
    char path[512];
    unsigned char byte;
    journal_stand_path(name, path);
    int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, &byte, 1, (off_t)(bit / 8)), 1);
    byte ^= (unsigned char)(1 << bit % 8);
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)(bit / 8)), 1);
    (void)close(fd);
}

/* In the first of two segments, where nothing can be torn. */
static void loses_no_more_than_one_record_to_a_flipped_bit(void **state)
{
    (void)state;
    static const char name[] = "journal-0000000000000000.log";
    struct journal *journal = must_open();
    must_write(journal, 0, 4);
    size_t bytes = journal_stand_bytes(name);
    journal_destroy(journal);
    journal = must_open();
    must_write(journal, 4, 1);
    journal_destroy(journal);
    for (size_t bit = 0; bit < 8 * bytes; bit++) {
        flip(name, bit);
        journal = must_open();
        assert_int_equal(found.count, 4);
        assert_int_equal(found.numbers[3], 4);
        assert_int_equal(found.damages[JOURNAL_IS_DAMAGED], 1);
        assert_int_equal(found.damage_bytes, bytes / 4);
        journal_destroy(journal);
        flip(name, bit);
    }
}

static void sets_a_damaged_segment_aside(void **state)
{
    (void)state;
    struct journal *journal = must_open();
    must_write(journal, 0, 4);
    journal_destroy(journal);
    flip("journal-0000000000000000.log", 100);
    journal = must_open();
    uint64_t bytes = journal_bytes(journal);
    drain(journal);
    assert_int_equal(found.count, 3);
    assert_int_equal(journal_stand_bytes("corrupt-0000000000000000.log"), bytes);
    assert_int_equal(journal_bytes(journal), bytes); /* it is still there */
    journal_destroy(journal);
    journal = must_open();
    assert_int_equal(found.count, 0);
    must_be_undamaged();
    assert_int_equal(journal_bytes(journal), bytes);
    must_write(journal, 4, 1);
    assert_true(journal_stand_bytes("journal-0000000000000001.log") >
                0); /* no number comes twice */
    journal_destroy(journal);
}

static void sets_aside_what_cannot_be_read(void **state)
{
    (void)state;
    char path[512];
    struct journal *journal = must_open();
    must_write(journal, 0, 1);
    journal_destroy(journal);
    journal_stand_path("journal-0000000000000007.log", path);
    assert_int_equal(mkdir(path, 0700), 0);
    journal = must_open();
    must_have_found(0, 1);
    assert_int_equal(found.damages[JOURNAL_IS_NO_FILE], 1);
    assert_int_equal(journal_stand_files("corrupt-", NULL), 1);
    journal_destroy(journal);
}

/* Opening a FIFO waits for its other end; a link leads out of the directory. */
static void sets_aside_what_is_no_file(void **state)
{
    (void)state;
    char path[512];
    journal_destroy(must_open());
    journal_stand_path("journal-0000000000000007.log", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    journal_stand_path("journal-0000000000000008.log", path);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    struct journal *journal = must_open();
    assert_int_equal(found.damages[JOURNAL_IS_NO_FILE], 2);
    assert_int_equal(journal_stand_files("corrupt-", NULL), 2);
    must_write(journal, 0, 1);
    journal_destroy(journal);
}

static void refuses_a_lock_that_is_no_file(void **state)
{
    (void)state;
    char path[512];
    struct error error;
    journal_stand_path("lock", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_null(try_to_open(JOURNAL_BYTES_MAX, &error));
    assert_non_null(
        strstr(error.message, "/lock: it is not a regular file of this user: remove it"));
    assert_int_equal(unlink(path), 0);
    journal_destroy(must_open());
}

static void refuses_a_directory_that_others_can_change(void **state)
{
    (void)state;
    struct error error;
    assert_int_equal(chmod(journal_stand_directory(), 01777), 0); /* also one like /tmp */
    assert_null(try_to_open(JOURNAL_BYTES_MAX, &error));
    assert_int_equal(error.kind, ERROR_CONFIG);
    assert_non_null(strstr(error.message, "everybody may write to it (mode 1777): chmod 700"));
    assert_int_equal(chmod(journal_stand_directory(), 0700), 0);
    if (geteuid() != 0)
        return;
    assert_int_equal(chown(journal_stand_directory(), 12345, 0), 0);
    assert_null(try_to_open(JOURNAL_BYTES_MAX, &error));
    assert_non_null(strstr(error.message, "it belongs to user 12345"));
    assert_int_equal(chown(journal_stand_directory(), 0, 0), 0);
}

static void leaves_other_files_alone(void **state)
{
    (void)state;
    static const char *const names[] = {"journal-1.log", "journal-000000000000000G.log",
                                        "journal-0000000000000001.log.bak", "notes"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[512];
        journal_stand_path(names[i], path);
        int fd = open(path, O_WRONLY | O_CREAT, 0600);
        assert_int_equal(write(fd, "mine", 4), 4);
        (void)close(fd);
    }
    struct journal *journal = must_open();
    assert_true(journal_is_empty(journal));
    must_be_undamaged();
    must_write(journal, 0, 1);
    drain(journal);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(journal_stand_bytes(names[i]), 4);
    journal_destroy(journal);
}

#define IN_DIRECTORY(sentence, function)                                                           \
    IT_WITH(sentence, function, journal_stand_make, journal_stand_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY("finds what was committed", finds_what_was_committed),
        IN_DIRECTORY("gives back in order and keeps nothing",
                     gives_back_in_order_and_keeps_nothing),
        IN_DIRECTORY("reads while it is written", reads_while_it_is_written),
        IN_DIRECTORY("is bounded", is_bounded),
        IN_DIRECTORY("belongs to one", belongs_to_one),
        IN_DIRECTORY("needs a directory", needs_a_directory),
        IN_DIRECTORY("cuts a torn tail at every byte", cuts_a_torn_tail_at_every_byte),
        IN_DIRECTORY("loses no more than one record to a flipped bit",
                     loses_no_more_than_one_record_to_a_flipped_bit),
        IN_DIRECTORY("sets a damaged segment aside", sets_a_damaged_segment_aside),
        IN_DIRECTORY("sets aside what cannot be read", sets_aside_what_cannot_be_read),
        IN_DIRECTORY("sets aside what is no file", sets_aside_what_is_no_file),
        IN_DIRECTORY("refuses a lock that is no file", refuses_a_lock_that_is_no_file),
        IN_DIRECTORY("refuses a directory that others can change",
                     refuses_a_directory_that_others_can_change),
        IN_DIRECTORY("leaves other files alone", leaves_other_files_alone),
    };
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
