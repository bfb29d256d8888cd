/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/secret.h"

#include "tests/support/failing_malloc.h"
#include "tests/support/specification.h"

/* The clocks stand still until a test moves them. */
static _Atomic int64_t monotonic_ms;
static _Atomic int64_t wall_ms;
int64_t __wrap_clock_monotonic_ms(void);
int64_t __wrap_clock_wall_ms(void);

/* Files that come byte by byte, with interruptions. */
static bool is_reading_slow;
ssize_t __real_read(int fd, void *bytes, size_t length);
ssize_t __wrap_read(int fd, void *bytes, size_t length);

ssize_t __wrap_read(int fd, void *bytes, size_t length)
{
    static unsigned calls;
    if (!is_reading_slow)
        return __real_read(fd, bytes, length);
    if (calls++ % 3 == 0) {
        errno = EINTR;
        return -1;
    }
    return __real_read(fd, bytes, 1);
}

int64_t __wrap_clock_monotonic_ms(void)
{
    return monotonic_ms;
}

int64_t __wrap_clock_wall_ms(void)
{
    return wall_ms;
}

static char directory[] = "/tmp/secret_test.XXXXXX";
static char path[sizeof directory + 16];
static char other_path[sizeof directory + 16];

static int make_directory(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL)
        return -1;
    (void)snprintf(path, sizeof path, "%s/secret", directory);
    (void)snprintf(other_path, sizeof other_path, "%s/other", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    return rmdir(directory);
}

static int start_afresh(void **state)
{
    (void)state;
    monotonic_ms = 50000;
    wall_ms = INT64_C(4102444800000); /* 2100: every file's content has settled long ago */
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    (void)unlink(path);
    (void)unlink(other_path);
    return 0;
}

static void write_file(const char *where, const char *content, size_t length)
{
    FILE *file = fopen(where, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(content, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static void write_secret(const char *content)
{
    write_file(path, content, strlen(content));
}

static struct secret *secret_at(const char *where)
{
    struct error error;
    struct secret *secret = secret_from_file(where, &error);
    assert_non_null(secret);
    return secret;
}

static void must_read(struct secret *secret, const char *expected)
{
    struct error error = {.message = ""};
    struct buffer buffer;
    buffer_init(&buffer, SECRET_BYTES_MAX + 10);
    assert_true(buffer_append_text(&buffer, "before:", &error));
    if (!secret_read(secret, &buffer, &error))
        fail_msg("%s", error.message);
    assert_memory_equal(buffer.bytes, "before:", 7);
    assert_string_equal(buffer.bytes + 7, expected);
    buffer_fini(&buffer);
}

static void must_not_read(struct secret *secret, const char *reason)
{
    struct error error = {.message = ""};
    struct buffer buffer;
    char expected[ERROR_MESSAGE_BYTES];
    (void)snprintf(expected, sizeof expected, "cannot read %s: %s", path, reason);
    buffer_init(&buffer, SECRET_BYTES_MAX);
    assert_false(secret_read(secret, &buffer, &error));
    assert_int_equal(error.kind, ERROR_CONFIG);
    assert_string_equal(error.message, expected);
    assert_int_equal(buffer.length, 0);
    buffer_fini(&buffer);
}

static void a_value_stays_what_it_is(void **state)
{
    (void)state;
    struct error error;
    struct secret *secret = secret_from_value("pass word\n", &error);
    assert_non_null(secret);
    must_read(secret, "pass word\n");
    monotonic_ms += 5000;
    must_read(secret, "pass word\n");
    secret_destroy(secret);
}

static void a_file_gives_its_content_without_the_last_newline(void **state)
{
    (void)state;
    static const struct {
        const char *content, *secret;
    } cases[] = {{"x", "x"},           {"abc", "abc"},     {"abc\n", "abc"},  {"abc\r\n", "abc"},
                 {"abc\n\n", "abc\n"}, {"abc\r", "abc\r"}, {" abc ", " abc "}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_secret(cases[i].content);
        struct secret *secret = secret_at(path);
        must_read(secret, cases[i].secret);
        secret_destroy(secret);
    }
}

static void a_file_may_come_byte_by_byte(void **state)
{
    (void)state;
    write_secret("a long way\n");
    struct secret *secret = secret_at(path);
    is_reading_slow = true;
    must_read(secret, "a long way");
    is_reading_slow = false;
    secret_destroy(secret);
}

static void a_file_may_appear_later(void **state)
{
    (void)state;
    struct secret *secret = secret_at(path);
    must_not_read(secret, "No such file or directory");
    assert_false(secret_has_line(secret, ""));
    write_secret("abc");
    must_read(secret, "abc");
    secret_destroy(secret);
}

static void a_file_rewritten_is_read_again_after_a_second(void **state)
{
    (void)state;
    write_secret("old");
    struct secret *secret = secret_at(path);
    must_read(secret, "old");
    write_secret("newer");
    monotonic_ms += 999;
    must_read(secret, "old");
    monotonic_ms += 1;
    must_read(secret, "newer");
    assert_true(secret_has_line(secret, "newer"));
    assert_false(secret_has_line(secret, "old"));
    secret_destroy(secret);
}

static void a_file_replaced_by_another_of_equal_size_is_read_again(void **state)
{
    (void)state;
    write_secret("one");
    struct secret *secret = secret_at(path);
    must_read(secret, "one");
    /* Same size and time: only the inode tells. */
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    write_file(other_path, "two", 3);
    const struct timespec times[] = {status.st_atim, status.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, other_path, times, 0), 0);
    assert_int_equal(rename(other_path, path), 0);
    monotonic_ms += 1000;
    must_read(secret, "two");
    secret_destroy(secret);
}

static void set_modified_s(int64_t seconds)
{
    const struct timespec times[] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void a_file_unchanged_is_not_read_again(void **state)
{
    (void)state;
    write_secret("one");
    set_modified_s(1000);
    struct secret *secret = secret_at(path);
    must_read(secret, "one");
    /* Nothing that is looked at has changed, so the old value shows that nothing was read. */
    write_secret("two");
    set_modified_s(1000);
    monotonic_ms += 1000;
    must_read(secret, "one");
    set_modified_s(1001);
    monotonic_ms += 1000;
    must_read(secret, "two");
    secret_destroy(secret);
}

static void a_file_changed_just_now_is_looked_at_again(void **state)
{
    (void)state;
    wall_ms = INT64_C(1001000);
    write_secret("one");
    set_modified_s(1000);
    struct secret *secret = secret_at(path);
    must_read(secret, "one");
    /* A second change within one tick of the file system's clock. */
    write_secret("two");
    set_modified_s(1000);
    monotonic_ms += 1000;
    must_read(secret, "two");
    secret_destroy(secret);
}

static void the_last_value_outlives_its_file(void **state)
{
    (void)state;
    write_secret("kept");
    struct secret *secret = secret_at(path);
    must_read(secret, "kept");
    static const char *const unreadable[] = {"", "\n", "\r\n"};
    for (size_t i = 0; i < sizeof unreadable / sizeof unreadable[0]; i++) {
        write_secret(unreadable[i]);
        monotonic_ms += 1000;
        must_read(secret, "kept");
    }
    assert_int_equal(unlink(path), 0);
    monotonic_ms += 1000;
    must_read(secret, "kept");
    assert_true(secret_has_line(secret, "kept"));
    write_secret("back");
    monotonic_ms += 1000;
    must_read(secret, "back");
    secret_destroy(secret);
}

static void what_cannot_be_a_secret_is_refused(void **state)
{
    (void)state;
    static char much[SECRET_BYTES_MAX + 3];
    memset(much, 'x', SECRET_BYTES_MAX + 1);
    struct error error;
    assert_null(secret_from_value("", &error));
    assert_int_equal(error.kind, ERROR_CONFIG);
    assert_string_equal(error.message, "an empty secret");
    assert_null(secret_from_value(much, &error));
    assert_string_equal(error.message, "a secret longer than 8192 bytes");

    struct secret *secret = secret_at(path);
    write_secret("");
    must_not_read(secret, "an empty secret");
    write_secret(much);
    must_not_read(secret, "a secret longer than 8192 bytes");
    write_file(path, "a\0b", 3);
    must_not_read(secret, "a secret with a NUL byte");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    must_not_read(secret, "not a regular file");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    must_not_read(secret, "not a regular file");
    assert_int_equal(rmdir(path), 0);
    secret_destroy(secret);
}

static void the_longest_secret_fits_with_any_newline(void **state)
{
    (void)state;
    static char content[SECRET_BYTES_MAX + 3];
    static char longest[SECRET_BYTES_MAX + 1];
    memset(longest, 'x', SECRET_BYTES_MAX);
    static const char *const ends[] = {"", "\n", "\r\n"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        (void)snprintf(content, sizeof content, "%s%s", longest, ends[i]);
        write_secret(content);
        struct secret *secret = secret_at(path);
        must_read(secret, longest);
        assert_true(secret_has_line(secret, longest));
        secret_destroy(secret);
    }
    struct error error;
    struct secret *secret = secret_from_value(longest, &error);
    must_read(secret, longest);
    secret_destroy(secret);
}

static void only_the_very_same_text_is_equal(void **state)
{
    (void)state;
    struct error error;
    struct secret *secret = secret_from_value("abc", &error);
    static const char *const others[] = {"",    "a",      "ab",  "abcd",  "abd",    "xbc",
                                         "ABC", "abcabc", "aaa", "abc\n", "abcaaaa"};
    assert_true(secret_has_line(secret, "abc"));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(secret_has_line(secret, others[i]));
    secret_destroy(secret);
}

static void each_line_is_a_key(void **state)
{
    (void)state;
    static const char *const contents[] = {"new\nold", "new\r\nold\r\n", "\n\nnew\n\nold\n\n"};
    static const char *const others[] = {"", "\n", "ne", "newold", "new\nold", "ol", "old\n"};
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        write_secret(contents[i]);
        struct secret *secret = secret_at(path);
        assert_true(secret_has_line(secret, "new"));
        assert_true(secret_has_line(secret, "old"));
        for (size_t j = 0; j < sizeof others / sizeof others[0]; j++)
            assert_false(secret_has_line(secret, others[j]));
        secret_destroy(secret);
    }
}

static void must_be_in_state(struct secret *secret, uint64_t changes, const char *reason)
{
    struct secret_state state;
    monotonic_ms += 1000;
    secret_state(secret, &state);
    assert_int_equal(state.changes, changes);
    if (strstr(state.reason, reason) == NULL || (*reason == '\0') != (*state.reason == '\0'))
        fail_msg("\"%s\"", state.reason);
}

static void its_state_counts_and_explains(void **state)
{
    (void)state;
    struct secret *secret = secret_at(path);
    must_be_in_state(secret, 0, "No such file");
    write_secret("one");
    must_be_in_state(secret, 0, "");
    set_modified_s(1000);
    must_be_in_state(secret, 0, "");
    write_secret("one longer");
    must_be_in_state(secret, 1, "");
    write_secret("");
    must_be_in_state(secret, 1, "an empty secret");
    monotonic_ms += 1000;
    must_read(secret, "one longer"); /* somebody else looked a moment ago */
    monotonic_ms -= 1000;
    must_be_in_state(secret, 1, "an empty secret");
    write_secret("two");
    must_be_in_state(secret, 2, "");
    secret_destroy(secret);
}

static void a_buffer_too_small_is_reported(void **state)
{
    (void)state;
    struct error error;
    struct secret *secret = secret_from_value("abc", &error);
    struct buffer buffer;
    buffer_init(&buffer, 2);
    assert_false(secret_read(secret, &buffer, &error));
    assert_int_equal(error.kind, ERROR_FULL);
    buffer_fini(&buffer);
    secret_destroy(secret);
}

static void missing_memory_is_reported(void **state)
{
    (void)state;
    unsigned n = 0;
    for (;; n++) {
        struct error error = {.kind = ERROR_INVALID};
        failing_malloc_arm(n);
        struct secret *secret = secret_from_file(path, &error);
        if (!failing_malloc_disarm()) {
            secret_destroy(secret);
            break;
        }
        assert_null(secret);
        assert_int_equal(error.kind, ERROR_MEMORY);
    }
    assert_int_equal(n, 2);
    secret_destroy(NULL);
    struct error error;
    failing_malloc_arm(0);
    assert_null(secret_from_value("abc", &error));
    assert_true(failing_malloc_disarm());
    assert_int_equal(error.kind, ERROR_MEMORY);
}

enum { READERS = 4, READS = 500 };
static const char first_value[] = "first-value-aaaaaaaaaaaaaaaaaaaa";
static const char second_value[] = "second-value-bbbbbbbbb";

/* cmocka's assertions belong to the main thread; NULL says that all was well. */
static void *read_often(void *context)
{
    struct secret *secret = context;
    for (int i = 0; i < READS; i++) {
        struct buffer buffer;
        buffer_init(&buffer, SECRET_BYTES_MAX);
        bool is_known =
            secret_read(secret, &buffer, NULL) &&
            (strcmp(buffer.bytes, first_value) == 0 || strcmp(buffer.bytes, second_value) == 0);
        buffer_fini(&buffer);
        if (!is_known)
            return secret;
        monotonic_ms += 300;
    }
    return NULL;
}

static void rotation_under_readers_never_shows_a_mixture(void **state)
{
    (void)state;
    write_secret(first_value);
    struct secret *secret = secret_at(path);
    pthread_t readers[READERS];
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_often, secret), 0);
    for (int i = 0; i < 100; i++) {
        const char *value = i % 2 == 0 ? second_value : first_value;
        write_file(other_path, value, strlen(value));
        assert_int_equal(rename(other_path, path), 0);
    }
    for (size_t i = 0; i < READERS; i++) {
        void *reason;
        assert_int_equal(pthread_join(readers[i], &reason), 0);
        assert_null(reason);
    }
    secret_destroy(secret);
}

int main(void)
{
#define KEEPS(sentence, function) IT_WITH(sentence, function, start_afresh, remove_files)
    const struct CMUnitTest tests[] = {
        KEEPS("keeps a value as it is", a_value_stays_what_it_is),
        KEEPS("reads a file without its last newline",
              a_file_gives_its_content_without_the_last_newline),
        KEEPS("reads a file that comes byte by byte", a_file_may_come_byte_by_byte),
        KEEPS("waits for a file that appears later", a_file_may_appear_later),
        KEEPS("reads a rewritten file again after a second",
              a_file_rewritten_is_read_again_after_a_second),
        KEEPS("reads a replaced file again",
              a_file_replaced_by_another_of_equal_size_is_read_again),
        KEEPS("does not read an unchanged file again", a_file_unchanged_is_not_read_again),
        KEEPS("looks again at a file changed just now", a_file_changed_just_now_is_looked_at_again),
        KEEPS("keeps the last value when its file cannot be read",
              the_last_value_outlives_its_file),
        KEEPS("refuses what cannot be a secret", what_cannot_be_a_secret_is_refused),
        KEEPS("takes the longest secret with any newline",
              the_longest_secret_fits_with_any_newline),
        KEEPS("equals only the very same text", only_the_very_same_text_is_equal),
        KEEPS("takes each line for a key", each_line_is_a_key),
        KEEPS("tells how often it changed and what is wrong", its_state_counts_and_explains),
        KEEPS("reports a buffer that is too small", a_buffer_too_small_is_reported),
        KEEPS("reports missing memory", missing_memory_is_reported),
        KEEPS("never shows a mixture while it is rotated",
              rotation_under_readers_never_shows_a_mixture),
    };
    return cmocka_run_group_tests_name("secret", tests, make_directory, remove_directory);
}
