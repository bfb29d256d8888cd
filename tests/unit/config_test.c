/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "service/config/config.h"
#include "service/config/setting_guess.h"
#include "service/config/settings.h"

#include "tests/support/config_subject.h"
#include "tests/support/specification.h"

static void knows_defaults(void **state)
{
    (void)state;
    AUTO(config) *config = read_environment(ENVIRONMENT(CREDENTIALS));
    assert_non_null(config);
    assert_string_equal(config->listen, "127.0.0.1:8787");
    assert_string_equal(config->ops_listen, "127.0.0.1:8788");
    assert_string_equal(config->graphql_url, "https://graphql.seek.com/graphql");
    assert_string_equal(config->token_url, "https://auth.seek.com/oauth/token");
    assert_string_equal(config->audience, "https://graphql.seek.com");
    assert_string_equal(config->accept_language, "en-AU");
    assert_int_equal(config->workers, 4);
    assert_int_equal(config->max_in_flight, 64);
    assert_int_equal(config->max_per_second, 0);
    assert_int_equal(config->request_timeout_ms, 10000);
    assert_int_equal(config->retry_base_ms, 1000);
    assert_int_equal(config->retry_max_ms, 900000);
    assert_int_equal(config->retry_max_age_s, 1209600);
    assert_int_equal(config->token_ttl_s, 15552000);
    assert_int_equal(config->durability.level, DURABILITY_ANY);
    assert_null(config->api_key);
    assert_null(config->redis_url);
    assert_true(config->intake_threads >= 1);
}

static void prefers_flags(void **state)
{
    (void)state;
    char workers[] = "--workers=7", name[] = "--max-in-flight", value[] = "9";
    char *arguments[] = {workers, name, value};
    AUTO(config) *config =
        config_read(CONFIG_NEED_ALL, 3, arguments,
                    ENVIRONMENT(CREDENTIALS, "SEEK_SIGNAL_WORKERS=3"), &problems, NULL);
    assert_non_null(config);
    assert_int_equal(config->workers, 7);
    assert_int_equal(config->max_in_flight, 9);
}

static void hides_secret_flags(void **state)
{
    (void)state;
    char joined[] = "--client-secret=hunter2", name[] = "--redis-url",
         value[] = "redis://:pw@localhost", file[] = "--client-id-file=/etc/hostname";
    char *arguments[] = {joined, name, value, file};
    AUTO(config) *config =
        config_read(CONFIG_NEED_ALL, 4, arguments, ENVIRONMENT("A=b"), &problems, NULL);
    assert_non_null(config);
    assert_string_equal(joined, "--client-secret=*******");
    assert_string_equal(value, "*********************");
    assert_string_equal(file, "--client-id-file=/etc/hostname");
    assert_true(secret_has_line(config->client_secret, "hunter2"));
}

static void reports_everything_at_once(void **state)
{
    (void)state;
    must_note(ENVIRONMENT("SEEK_SIGNAL_WORKERS=many", "SEEK_SIGNAL_LISTEN=nowhere",
                          "SEEK_SIGNAL_REDIS_URL=http://x"),
              "SEEK_SIGNAL_CLIENT_ID is missing");
    static const char *const names[] = {"CLIENT_SECRET is missing", "WORKERS=many",
                                        "LISTEN=nowhere", "REDIS_URL"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_non_null(strstr(problems.bytes, names[i]));
}

static void names_the_remedy(void **state)
{
    (void)state;
    static const struct {
        const char *setting;
        const char *sentence;
    } rows[] = {
        {"SEEK_SIGNAL_WORKERS=0", "expected a whole number from 1 to 64"},
        {"SEEK_SIGNAL_WORKERS=-1", "expected a whole number from 1 to 64"},
        {"SEEK_SIGNAL_WORKERS=4x", "expected a whole number from 1 to 64"},
        {"SEEK_SIGNAL_WORKERS=99999999999999999999", "expected a whole number from 1 to 64"},
        {"SEEK_SIGNAL_DURABILITY=disk",
         "expected one of any, redis, fsync, replicas:N (N from 1 to 16)"},
        {"SEEK_SIGNAL_LOG_LEVEL=verbose", "expected one of debug info warn error"},
        {"SEEK_SIGNAL_GRAPHQL_URL=http://graphql.seek.com/graphql", "expected https://"},
        {"SEEK_SIGNAL_GRAPHQL_URL=http://localhost.evil.example/", "expected https://"},
        {"SEEK_SIGNAL_GRAPHQL_URL=http://127.0.0.1.evil.example/", "expected https://"},
        {"SEEK_SIGNAL_TOKEN_URL=ftp://x", "expected https://"},
        {"SEEK_SIGNAL_TOKEN_URL=https:///x", "expected https://"},
        {"SEEK_SIGNAL_TOKEN_URL=https://x:70000", "Port number"},
        {"SEEK_SIGNAL_TOKEN_URL=https://user:hunter2@host/", "user and password in a URL"},
        {"SEEK_SIGNAL_GRAPHQL_URL=https://user:hunt/er2@host/", "user and password in a URL"},
        {"SEEK_SIGNAL_GRAPHQL_URL=http://127.0.0.1:8790@evil.example/", "user and password in"},
        {"SEEK_SIGNAL_AUDIENCE=https://user:hunter2@host", "user and password in a URL"},
        {"SEEK_SIGNAL_LISTEN=0.0.0.0:8787", "API_KEY"},
        {"SEEK_SIGNAL_LISTEN=[::]:8787", "API_KEY"},
        {"SEEK_SIGNAL_RETRY_BASE_MS=1000000", "RETRY_MAX_MS"},
        {"SEEK_SIGNAL_USER_AGENT=a\r\nX-Evil: 1", "control character"},
        {"SEEK_SIGNAL_CLIENT_ID_FILE=/nonexistent/id", "keep one"},
        {"SEEK_SIGNAL_API_KEY_FILE=/nonexistent/key", "API_KEY_FILE: cannot read /nonexistent/key"},
        {"SEEK_SIGNAL_REDIS_URL_FILE=/nonexistent/url", "REDIS_URL_FILE: cannot read /nonexist"},
        {"SEEK_SIGNAL_API_KEY=\nkey", "API_KEY: the first line is empty"},
        {"SEEK_SIGNAL_API_KEY=seven77", "API_KEY: it has less than 8 characters"},
        {"SEEK_SIGNAL_API_KEY=eight-88\nx", "API_KEY: it has less than 8 characters"},
        {"SEEK_SIGNAL_API_KEY=Change-Me-Change-Me", "API_KEY: it is an example's placeholder"},
        {"SEEK_SIGNAL_API_KEY=please-replace-me", "API_KEY: it is an example's placeholder"},
        {"SEEK_SIGNAL_API_KEY=Password", "API_KEY: it is an example's placeholder"},
        {"SEEK_SIGNAL_API_KEY=<the key>", "API_KEY: it is an example's placeholder"},
        {"SEEK_SIGNAL_API_KEY=xxxxxxxxxx", "API_KEY: it is an example's placeholder"},
        {"SEEK_SIGNAL_API_KEY=12345678", "API_KEY: it is an example's placeholder"},
        {"SEEK_SIGNAL_API_KEY=123456789012", "API_KEY: it is an example's placeholder"},
        {"SEEK_SIGNAL_API_KEY=hgfedcba", "API_KEY: it is an example's placeholder"},
        {"SEEK_SIGNAL_CLIENT_SECRET=one\ntwo", "CLIENT_SECRET: expected one line"},
        {"SEEK_SIGNAL_CLIENT_ID=\n", "CLIENT_ID: expected one line"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        buffer_clear(&problems);
        must_note(ENVIRONMENT(CREDENTIALS, rows[i].setting), rows[i].sentence);
        assert_null(strstr(problems.bytes, "hunt"));
    }
}

static void reads_urls_as_they_are_used(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "SEEK_SIGNAL_GRAPHQL_URL=http://127.0.0.1:8790/graphql",
        "SEEK_SIGNAL_GRAPHQL_URL=http://localhost:8790/graphql",
        "SEEK_SIGNAL_GRAPHQL_URL=http://[::1]:8790/graphql",
        "SEEK_SIGNAL_GRAPHQL_URL=HTTPS://graphql.seek.com/graphql",
        "SEEK_SIGNAL_GRAPHQL_URL=https://gateway.example/seek@v1?key=a@b",
    };
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        AUTO(config) *config = read_environment(ENVIRONMENT(CREDENTIALS, urls[i]));
        assert_non_null(config);
    }
}

static void never_shows_a_secret(void **state)
{
    (void)state;
    AUTO(config) *config = read_environment(
        ENVIRONMENT("SEEK_SIGNAL_REDIS_URL=redis://user:hunter2@host:notaport",
                    "SEEK_SIGNAL_CLIENT_SECRET=hunter2\nhunter3", "SEEK_SIGNAL_API_KEY=\nhunter4"));
    assert_null(config);
    assert_null(strstr(problems.bytes, "hunter"));
}

static void warns_of_unknown_settings(void **state)
{
    (void)state;
    AUTO(config) *config = read_environment(
        ENVIRONMENT(CREDENTIALS, "SEEK_SIGNAL_REDISURL=redis://x",
                    "SEEK_SIGNAL_SERVICE_HOST=10.0.0.1", "SEEK_SIGNAL_PORT_8787_TCP=tcp://x"));
    assert_non_null(config);
    assert_non_null(strstr(config->warnings.bytes, "SEEK_SIGNAL_REDISURL is not a setting"));
    assert_null(strstr(config->warnings.bytes, "SERVICE_HOST"));
    assert_null(strstr(config->warnings.bytes, "PORT"));
}

/* Of the environment (without the prefix) and of flags; NULL: nothing is like it. */
static void guesses_what_was_meant(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool is_flag;
        const char *meant;
    } rows[] = {
        {"CLIENT_IDD", false, "CLIENT_ID"},
        {"CLINET_SECRET", false, "CLIENT_SECRET"},
        {"CLIENT_SECRET_FIEL", false, "CLIENT_SECRET_FILE"},
        {"REDISURL", false, "REDIS_URL"},
        {"redis_url", false, "REDIS_URL"},
        {"SPOOL-DIR", false, "SPOOL_DIR"},
        {"OTEL_SDK_DISABLED", false, "OTEL_SDK_DISABLED"},
        {"LSITEN", false, "LISTEN"},
        {"WRKRS", false, NULL},
        {"TOKEN", false, NULL},
        {"", false, NULL},
        {"A_NAME_THAT_IS_LONGER_THAN_THE_NAME_OF_ANY_SETTING_THAT_THERE_EVER_WAS", false, NULL},
        {"wrokers", true, "workers"},
        {"redis_url", true, "redis-url"},
        {"api-key-fil", true, "api-key-file"},
        {"workers-file", true, NULL}, /* no secret */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char meant[SETTING_FLAG_BYTES] = "";
        bool is_found = setting_guess(rows[i].name, strlen(rows[i].name), rows[i].is_flag, meant);
        if (is_found != (rows[i].meant != NULL) || (is_found && strcmp(meant, rows[i].meant) != 0))
            fail_msg("%s: %s", rows[i].name, is_found ? meant : "nothing");
    }
}

/* Who mistypes a name is told of that first, and what is missing therefore behind it. */
static void names_what_was_meant_before_what_is_missing(void **state)
{
    (void)state;
    must_note(ENVIRONMENT("SEEK_SIGNAL_CLIENT_IDD=4", "SEEK_SIGNAL_CLIENT_SECRET=s"),
              "SEEK_SIGNAL_CLIENT_ID is missing");
    const char *unknown = "SEEK_SIGNAL_CLIENT_IDD is not a setting: did you mean "
                          "SEEK_SIGNAL_CLIENT_ID?\n";
    assert_ptr_equal(strstr(problems.bytes, unknown), problems.bytes);
    assert_null(strstr(problems.bytes + strlen(unknown), "not a setting"));
}

static void refuses_unknown_flags(void **state)
{
    (void)state;
    char unknown[] = "--wrokers=3", stray[] = "stray", missing[] = "--workers";
    char *arguments[] = {unknown, stray, missing};
    AUTO(config) *config =
        config_read(CONFIG_NEED_ALL, 3, arguments, ENVIRONMENT(CREDENTIALS), &problems, NULL);
    assert_null(config);
    assert_non_null(strstr(problems.bytes, "--wrokers: unknown flag: did you mean --workers?\n"));
    assert_non_null(strstr(problems.bytes, "stray: unexpected argument"));
    assert_non_null(strstr(problems.bytes, "--workers: a value must follow"));
}

/* The value of a flag whose name is mistyped may be a secret. */
static void never_shows_an_unknown_flags_value(void **state)
{
    (void)state;
    char unknown[] = "--client-secrets", value[] = "hunter2", next[] = "--redis-ulr",
         other[] = "--workres", last[] = "stray";
    char *arguments[] = {unknown, value, next, other, value, last};
    AUTO(config) *config =
        config_read(CONFIG_NEED_ALL, 6, arguments, ENVIRONMENT(CREDENTIALS), &problems, NULL);
    assert_null(config);
    assert_string_equal(problems.bytes,
                        "--client-secrets: unknown flag: did you mean --client-secret?\n"
                        "--redis-ulr: unknown flag: did you mean --redis-url?\n"
                        "--workres: unknown flag: did you mean --workers?\n"
                        "stray: unexpected argument: see `seek-signal --help`\n");
}

static void says_one_thing_of_an_address(void **state)
{
    (void)state;
    must_note(ENVIRONMENT(CREDENTIALS, "SEEK_SIGNAL_LISTEN=127.0.0.1:99999"), "expected HOST:PORT");
    assert_null(strstr(problems.bytes, "other machines"));
}

static void wants_two_addresses(void **state)
{
    (void)state;
    must_note(
        ENVIRONMENT(CREDENTIALS, "SEEK_SIGNAL_OPS_LISTEN=127.0.0.1:8787"),
        "SEEK_SIGNAL_OPS_LISTEN=127.0.0.1:8787: it is the address of SEEK_SIGNAL_LISTEN, which "
        "has the probes and metrics too: choose another port or path");
    buffer_clear(&problems);
    must_note(ENVIRONMENT(CREDENTIALS, "SEEK_SIGNAL_LISTEN=unix:/run/a",
                          "SEEK_SIGNAL_OPS_LISTEN=unix:/run/a"),
              "it is the address of SEEK_SIGNAL_LISTEN");
    AUTO(config) *config = read_environment(ENVIRONMENT(
        CREDENTIALS, "SEEK_SIGNAL_LISTEN=127.0.0.1:0", "SEEK_SIGNAL_OPS_LISTEN=127.0.0.1:0"));
    assert_non_null(config);
}

static void wants_two_directories(void **state)
{
    (void)state;
    static const char sentence[] =
        "SPOOL_DIR=/tmp/: it is SEEK_SIGNAL_DATA_DIR, which belongs to the "
        "private Redis alone: choose another directory";
    must_note(
        ENVIRONMENT(CREDENTIALS, "SEEK_SIGNAL_SPOOL_DIR=/tmp/", "SEEK_SIGNAL_DATA_DIR=/var/../tmp"),
        sentence);
    AUTO(config) *config =
        read_environment(ENVIRONMENT(CREDENTIALS, "SEEK_SIGNAL_REDIS_URL=redis://cache",
                                     "SEEK_SIGNAL_SPOOL_DIR=/tmp/", "SEEK_SIGNAL_DATA_DIR=/tmp"));
    assert_non_null(config);
    buffer_clear(&problems);
    must_note(ENVIRONMENT(CREDENTIALS, "SEEK_SIGNAL_SPOOL_DIR=/nonexistent/x",
                          "SEEK_SIGNAL_DATA_DIR=/nonexistent/x"),
              "it is SEEK_SIGNAL_DATA_DIR");
}

static void treats_empty_as_unset(void **state)
{
    (void)state;
    AUTO(config) *config =
        read_environment(ENVIRONMENT(CREDENTIALS, "SEEK_SIGNAL_WORKERS=", "SEEK_SIGNAL_API_KEY="));
    assert_non_null(config);
    assert_int_equal(config->workers, 4);
    assert_null(config->api_key);
}

static void needs_no_credentials_to_ask_a_running_service(void **state)
{
    (void)state;
    AUTO(config) *config =
        config_read(CONFIG_NEED_ADDRESS, 0, NULL, ENVIRONMENT("A=b"), &problems, NULL);
    assert_non_null(config);
}

static void knows_whose_data_it_goes_to_without_credentials(void **state)
{
    (void)state;
    const char *const environment[] = {"SEEK_SIGNAL_AUDIENCE=https://a.example", NULL};
    AUTO(config) *config = config_read(CONFIG_NEED_REDIS, 0, NULL, environment, &problems, NULL);
    assert_non_null(config);
    assert_string_equal(config->environment, "https://graphql.seek.com/graphql https://a.example");
    const char *const odd[] = {"SEEK_SIGNAL_REDIS_PREFIX={x}", NULL};
    assert_null(config_read(CONFIG_NEED_REDIS, 0, NULL, odd, &problems, NULL));
    assert_non_null(strstr(problems.bytes, "REDIS_PREFIX={x}"));
}

static void has_every_fixed_setting(void **state)
{
    (void)state;
    static const char *const fixed[] = {"LISTEN",
                                        "OPS_LISTEN",
                                        "API_KEY",
                                        "REDIS_URL",
                                        "DATA_DIR",
                                        "DURABILITY",
                                        "GRAPHQL_URL",
                                        "TOKEN_URL",
                                        "AUDIENCE",
                                        "CLIENT_ID",
                                        "CLIENT_SECRET",
                                        "USER_AGENT",
                                        "ACCEPT_LANGUAGE",
                                        "WORKERS",
                                        "MAX_IN_FLIGHT",
                                        "MAX_PER_SECOND",
                                        "REQUEST_TIMEOUT_MS",
                                        "RETRY_BASE_MS",
                                        "RETRY_MAX_MS",
                                        "RETRY_MAX_AGE_S",
                                        "TOKEN_TTL_S",
                                        "LOG_LEVEL",
                                        "LOG_FORMAT",
                                        "LOG_UPSTREAM"};
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        bool is_there = false;
        for (size_t j = 0; j < setting_count; j++)
            is_there = is_there || strcmp(settings[j].name, fixed[i]) == 0;
        if (!is_there)
            fail_msg("no setting %s", fixed[i]);
    }
}

/* Lines of a document that begin as a setting's row does. */
static size_t rows_of(const char *document)
{
    size_t count = 0;
    for (const char *row = document; (row = strstr(row, "\n| `")) != NULL; row++)
        count++;
    return count;
}

/* The rows of docs/settings.md are what the program prints, so that they cannot fall behind. Their
 * order is the document's: it groups them by topic, before the table of rotation. */
static void is_documented(void **state)
{
    (void)state;
    char *printed = NULL, *written = NULL, *position = NULL;
    size_t printed_length = 0, written_capacity = 0;
    FILE *stream = open_memstream(&printed, &printed_length);
    assert_non_null(stream);
    config_print_markdown(stream);
    assert_int_equal(fclose(stream), 0);
    FILE *document = fopen(SOURCE_DIRECTORY "/docs/settings.md", "r");
    assert_non_null(document);
    ssize_t length = getdelim(&written, &written_capacity, '\0', document);
    assert_true(length > 0);
    assert_int_equal(fclose(document), 0);
    char *rotation = strstr(written, "\n## Rotation\n");
    assert_non_null(rotation);
    *rotation = '\0';
    for (char *row = strtok_r(printed, "\n", &position); row != NULL;
         row = strtok_r(NULL, "\n", &position)) {
        const char *found = strstr(written, row);
        if (found == NULL || found[strlen(row)] != '\n')
            fail_msg("docs/settings.md should contain:\n%s", row);
        if (strstr(found + 1, row) != NULL)
            fail_msg("docs/settings.md contains twice:\n%s", row);
    }
    assert_int_equal(rows_of(written), setting_count);
    free(printed);
    free(written);
}

static void a_spool_is_less_than_replicas(void **state)
{
    (void)state;
    must_note(ENVIRONMENT(CREDENTIALS, "SEEK_SIGNAL_SPOOL_DIR=/tmp/spool",
                          "SEEK_SIGNAL_DURABILITY=replicas:1"),
              "SEEK_SIGNAL_SPOOL_DIR: one disk is less than SEEK_SIGNAL_DURABILITY=replicas:1");
}

static void refuses_two_listeners_at_one_place(void **state)
{
    (void)state;
    static const struct {
        const char *listen, *ops;
        bool is_refused;
    } cases[] = {
        {"SEEK_SIGNAL_LISTEN=127.0.0.1:8788", "A=b", true},
        {"SEEK_SIGNAL_LISTEN=127.0.0.1:8788", "SEEK_SIGNAL_OPS_LISTEN=0.0.0.0:8788", true},
        {"SEEK_SIGNAL_LISTEN=localhost:8788", "SEEK_SIGNAL_OPS_LISTEN=LOCALHOST:8788", true},
        {"SEEK_SIGNAL_LISTEN=[::1]:80", "SEEK_SIGNAL_OPS_LISTEN=[::]:80", true},
        {"SEEK_SIGNAL_LISTEN=unix:/a/b", "SEEK_SIGNAL_OPS_LISTEN=unix:/a/b", true},
        {"SEEK_SIGNAL_LISTEN=unix:/a/b", "SEEK_SIGNAL_OPS_LISTEN=unix:/a/c", false},
        {"SEEK_SIGNAL_LISTEN=127.0.0.1:0", "SEEK_SIGNAL_OPS_LISTEN=127.0.0.1:0", false},
        {"SEEK_SIGNAL_LISTEN=127.0.0.1:80", "SEEK_SIGNAL_OPS_LISTEN=127.0.0.2:80", false},
        {"SEEK_SIGNAL_LISTEN=[::1]:80", "SEEK_SIGNAL_OPS_LISTEN=0.0.0.0:80", false},
        {"SEEK_SIGNAL_LISTEN=127.0.0.1:80", "SEEK_SIGNAL_OPS_LISTEN=0.0.0.0:81", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buffer_clear(&problems);
        AUTO(config) *config =
            read_environment(ENVIRONMENT(CREDENTIALS, cases[i].listen, cases[i].ops));
        bool is_told = strstr(problems.bytes, "it is the address of SEEK_SIGNAL_LISTEN") != NULL;
        if (is_told != cases[i].is_refused || (config == NULL) != is_told)
            fail_msg("%s %s: %s", cases[i].listen, cases[i].ops, problems.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("knows the documented defaults", knows_defaults, begin, end),
        IT_WITH("prefers a flag to the environment", prefers_flags, begin, end),
        IT_WITH("overwrites the values of secret flags", hides_secret_flags, begin, end),
        IT_WITH("reports every mistake in one run", reports_everything_at_once, begin, end),
        IT_WITH("takes no spool together with replicas", a_spool_is_less_than_replicas, begin, end),
        IT_WITH("names setting and remedy", names_the_remedy, begin, end),
        IT_WITH("takes https:// in any case, an @ behind the host, http:// to this machine",
                reads_urls_as_they_are_used, begin, end),
        IT_WITH("never shows a secret in a problem", never_shows_a_secret, begin, end),
        IT_WITH("warns of settings that do not exist, but not of Kubernetes' service links",
                warns_of_unknown_settings, begin, end),
        IT_WITH("guesses the setting that a mistyped name means", guesses_what_was_meant, begin,
                end),
        IT_WITH("names a mistyped setting before the one that is missing",
                names_what_was_meant_before_what_is_missing, begin, end),
        IT_WITH("refuses unknown flags, stray arguments and flags without a value",
                refuses_unknown_flags, begin, end),
        IT_WITH("never shows the value of an unknown flag", never_shows_an_unknown_flags_value,
                begin, end),
        IT_WITH("says nothing more of an address that it cannot read", says_one_thing_of_an_address,
                begin, end),
        IT_WITH("refuses one address for both listeners", wants_two_addresses, begin, end),
        IT_WITH("refuses one directory for the private Redis and the spool", wants_two_directories,
                begin, end),
        IT_WITH("refuses two listeners at one place", refuses_two_listeners_at_one_place, begin,
                end),
        IT_WITH("treats an empty value as unset", treats_empty_as_unset, begin, end),
        IT_WITH("needs no credentials to ask a running service",
                needs_no_credentials_to_ask_a_running_service, begin, end),
        IT_WITH("knows whose data it goes to without credentials",
                knows_whose_data_it_goes_to_without_credentials, begin, end),
        IT_WITH("documents every setting in docs/settings.md", is_documented, begin, end),
        IT_WITH("has every setting of the contract", has_every_fixed_setting, begin, end),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
