/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/private_directory.h"

#include "tests/support/specification.h"

enum { OTHER_USER = 12345 };

static char directory[64], link_to_it[sizeof directory + sizeof "-link"];

static int begin(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof directory, "/tmp/seek-private-XXXXXX");
    if (mkdtemp(directory) == NULL)
        return -1;
    (void)snprintf(link_to_it, sizeof link_to_it, "%s-link", directory);
    return symlink(directory, link_to_it);
}

static int end(void **state)
{
    (void)state;
    (void)unlink(link_to_it);
    return rmdir(directory);
}

static void must_open(const char *path)
{
    struct error error = {.message = ""};
    int fd = private_directory_open(path, &error);
    if (fd < 0)
        fail_msg("%s", error.message);
    (void)close(fd);
}

static void must_refuse(const char *path, enum error_kind kind, const char *because)
{
    struct error error = {.message = ""};
    assert_int_equal(private_directory_open(path, &error), -1);
    if (strstr(error.message, because) == NULL)
        fail_msg("not about \"%s\": %s", because, error.message);
    assert_int_equal(error.kind, kind);
}

static void makes_a_directory_for_this_user_alone(void **state)
{
    (void)state;
    struct stat status;
    assert_int_equal(rmdir(directory), 0);
    mode_t before = umask(0);
    must_open(directory);
    (void)umask(before);
    assert_int_equal(stat(directory, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    must_refuse("/nonexistent/directory", ERROR_IO, "cannot be created: No such file");
    must_refuse("/dev/null", ERROR_IO, "cannot be used: Not a directory");
}

static void refuses_what_everybody_may_write_to(void **state)
{
    (void)state;
    static const mode_t fine[] = {0700, 0755, 0770, 02775};
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        assert_int_equal(chmod(directory, fine[i]), 0);
        must_open(directory);
    }
    assert_int_equal(chmod(directory, 01777), 0);
    must_refuse(directory, ERROR_CONFIG, "everybody may write to it (mode 1777): chmod 700, or");
    must_refuse(link_to_it, ERROR_CONFIG, "everybody may write to it");
}

static void refuses_what_belongs_to_another_user(void **state)
{
    (void)state;
    must_open(link_to_it); /* systemd's StateDirectory= is one */
    if (geteuid() != 0)
        skip();
    assert_int_equal(lchown(link_to_it, OTHER_USER, 0), 0);
    must_refuse(link_to_it, ERROR_CONFIG, "it is a symbolic link of user 12345");
    assert_int_equal(chown(directory, OTHER_USER, 0), 0);
    must_refuse(directory, ERROR_CONFIG,
                "it belongs to user 12345, and the service runs as 0: chown it, or name another");
}

static void must_not_open(int fd, const char *because)
{
    static const int flags[] = {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR | O_CREAT};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        errno = 0;
        assert_int_equal(private_file_open(fd, "file", flags[i]), -1);
        assert_string_equal(private_file_reason(errno), because);
    }
    assert_int_equal(unlinkat(fd, "file", 0), 0);
}

static void opens_its_own_files_and_waits_for_nothing(void **state)
{
    (void)state;
    int fd = private_directory_open(directory, NULL);
    int file = private_file_open(fd, "file", O_RDWR | O_CREAT);
    assert_true(file >= 0);
    (void)close(file);
    if (geteuid() == 0) {
        assert_int_equal(fchownat(fd, "file", OTHER_USER, 0, 0), 0);
        must_not_open(fd, "it is not a regular file of this user: remove it");
    } else {
        assert_int_equal(unlinkat(fd, "file", 0), 0);
    }
    assert_int_equal(mkfifoat(fd, "file", 0600), 0);
    must_not_open(fd, "it is not a regular file of this user: remove it");
    assert_int_equal(symlinkat("/etc/passwd", fd, "file"), 0);
    must_not_open(fd, "it is a symbolic link: remove it");
    (void)close(fd);
}

int main(void)
{
#define HERE(sentence, function) IT_WITH(sentence, function, begin, end)
    const struct CMUnitTest tests[] = {
        HERE("makes a directory for this user alone", makes_a_directory_for_this_user_alone),
        HERE("refuses what everybody may write to", refuses_what_everybody_may_write_to),
        HERE("refuses what belongs to another user", refuses_what_belongs_to_another_user),
        HERE("opens its own files and waits for nothing",
             opens_its_own_files_and_waits_for_nothing),
    };
    return cmocka_run_group_tests_name("private_directory", tests, NULL, NULL);
}
