/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "service/config/config.h"

#include "tests/support/config_subject.h"
#include "tests/support/specification.h"

static void reads_secrets_from_files(void **state)
{
    (void)state;
    char path[] = "/tmp/seek-signal-secret-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "from-file\n", 10), 10);
    close(fd);
    char setting[128];
    (void)snprintf(setting, sizeof setting, "SEEK_SIGNAL_CLIENT_SECRET_FILE=%s", path);
    AUTO(config) *config = read_environment(ENVIRONMENT("SEEK_SIGNAL_CLIENT_ID=id", setting));
    (void)unlink(path);
    assert_non_null(config);
    assert_true(secret_has_line(config->client_secret, "from-file"));
}

static void takes_several_api_keys(void **state)
{
    (void)state;
    AUTO(config) *config = read_environment(
        ENVIRONMENT(CREDENTIALS, "SEEK_SIGNAL_API_KEY=the-newer-api-key\nthe-older-api-key"));
    assert_non_null(config);
    assert_true(secret_has_line(config->api_key, "the-newer-api-key"));
    assert_true(secret_has_line(config->api_key, "the-older-api-key"));
}

/* A header ends where its blanks begin, so that such a key is never the one that is sent. */
static void refuses_a_secret_that_nobody_sends(void **state)
{
    (void)state;
    static const char blanks[] = "begins or ends with a blank: remove it",
                      mark[] = "begins with a byte order mark: save it as UTF-8 without one",
                      control[] = "has a control character: remove it";
    static const struct {
        const char *setting, *sentence;
    } rows[] = {
        {"SEEK_SIGNAL_API_KEY=hunter2-key ", blanks},
        {"SEEK_SIGNAL_API_KEY=\thunter2-key", blanks},
        {"SEEK_SIGNAL_API_KEY=hunter2-key\r\nhunter2-older \r\n", blanks},
        {"SEEK_SIGNAL_API_KEY=hunter2-key\nhunter2\x01older", control},
        {"SEEK_SIGNAL_API_KEY=\xef\xbb\xbfhunter2-key", mark},
        {"SEEK_SIGNAL_CLIENT_ID= hunter2", blanks},
        {"SEEK_SIGNAL_CLIENT_SECRET=hunter2 ", blanks},
        {"SEEK_SIGNAL_CLIENT_SECRET=hunter2\x7f", control},
        {"SEEK_SIGNAL_CLIENT_SECRET=\xef\xbb\xbfhunter2", mark},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        buffer_clear(&problems);
        must_note(ENVIRONMENT(CREDENTIALS, rows[i].setting), rows[i].sentence);
        assert_null(strstr(problems.bytes, "hunter"));
    }
    AUTO(config) *config = read_environment(ENVIRONMENT(
        CREDENTIALS, "SEEK_SIGNAL_API_KEY=two words of it\nh\xc3\xa4ufig-h\xc3\xa4ufig"));
    assert_non_null(config);
    must_note(ENVIRONMENT(CREDENTIALS, "SEEK_SIGNAL_NOTIFY_URL=https://receiver.example",
                          "SEEK_SIGNAL_NOTIFY_SECRET=hunter2-hunter2-hunter2-hunter2 "),
              "NOTIFY_SECRET: it begins or ends with a blank");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("reads secrets from files", reads_secrets_from_files, begin, end),
        IT_WITH("takes several API keys, one per line", takes_several_api_keys, begin, end),
        IT_WITH("refuses a secret with blanks around it, a mark or a control character",
                refuses_a_secret_that_nobody_sends, begin, end),
    };
    return cmocka_run_group_tests_name("config_secret", tests, NULL, NULL);
}
