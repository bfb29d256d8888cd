/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "service/sandbox/arguments.h"

#include "tests/support/specification.h"

#define ARGV(...) ((const char *const[]){"seek-sandbox", __VA_ARGS__})

static void has_defaults(void **state)
{
    (void)state;
    struct arguments arguments;
    assert_true(arguments_parse(ARGV(NULL), &arguments, NULL));
    assert_string_equal(arguments.sandbox.listen.host, "127.0.0.1");
    assert_int_equal(arguments.sandbox.listen.port, 8790);
    assert_null(arguments.sandbox.tls_directory);
    assert_int_equal(arguments.sandbox.behaviour.expires_in_s, 1800);
    assert_int_equal(arguments.sandbox.ledger_calls_max, 1000000);
    assert_true(arguments.sandbox.behaviour.is_success_true);
    assert_false(arguments.is_quiet);
}

static void reads_every_argument(void **state)
{
    (void)state;
    struct arguments arguments;
    const char *const argv[] = {
        "seek-sandbox",
        "--listen",
        "[::1]:0",
        "--tls-listen",
        "localhost:1",
        "--h2-listen",
        "localhost:2",
        "--tls-dir",
        "/tls",
        "--tls-expired",
        "--playground",
        "--client-id",
        "me",
        "--tls-name",
        "sandbox",
        "--client-secret",
        "hush",
        "--expires-in",
        "5",
        "--success",
        "null",
        "--script",
        "faults.json",
        "--seed",
        "18446744073709551615",
        "--ledger-max",
        "10",
        "--quiet",
        NULL,
    };
    assert_true(arguments_parse(argv, &arguments, NULL));
    const struct sandbox_options *options = &arguments.sandbox;
    assert_string_equal(options->listen.host, "::1");
    assert_int_equal(options->listen.port, 0);
    assert_true(options->wants_tls && options->wants_h2);
    assert_int_equal(options->tls_listen.port, 1);
    assert_int_equal(options->h2_listen.port, 2);
    assert_string_equal(options->tls_directory, "/tls");
    assert_string_equal(options->tls_name, "sandbox");
    assert_true(options->is_tls_expired);
    assert_true(options->behaviour.is_playground);
    assert_string_equal(options->behaviour.client_id, "me");
    assert_string_equal(options->behaviour.client_secret, "hush");
    assert_int_equal(options->behaviour.expires_in_s, 5);
    assert_false(options->behaviour.is_success_true);
    assert_string_equal(options->script_path, "faults.json");
    assert_true(options->seed == UINT64_MAX);
    assert_int_equal(options->ledger_calls_max, 10);
    assert_true(arguments.is_quiet);
}

static void takes_a_value_after_an_equals_sign(void **state)
{
    (void)state;
    struct arguments arguments;
    assert_true(arguments_parse(ARGV("--listen=[::1]:7", "--client-secret=hu=sh", "--quiet", NULL),
                                &arguments, NULL));
    assert_int_equal(arguments.sandbox.listen.port, 7);
    assert_string_equal(arguments.sandbox.behaviour.client_secret, "hu=sh");
    assert_true(arguments.is_quiet);
}

static void must_refuse(const char *const argv[], const char *message)
{
    struct arguments arguments;
    struct error error;
    assert_false(arguments_parse(argv, &arguments, &error));
    assert_int_equal(error.kind, ERROR_CONFIG);
    if (strstr(error.message, message) == NULL)
        fail_msg("expected \"%s\" in \"%s\"", message, error.message);
    assert_null(strstr(error.message, "hush"));
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    must_refuse(ARGV("--lisen", "x", NULL), "--lisen: unknown");
    must_refuse(ARGV("--listen", NULL), "--listen: it needs a value");
    must_refuse(ARGV("--listen=", NULL), "--listen");
    must_refuse(ARGV("--quiet=yes", NULL), "--quiet: it takes no value");
    must_refuse(ARGV("--client-secrets=hush", NULL), "--client-secrets: unknown");
    must_refuse(ARGV("--listen", ":8790", NULL), "--listen");
    must_refuse(ARGV("--expires-in", "-1", NULL), "--expires-in: expected a number");
    must_refuse(ARGV("--expires-in", "5s", NULL), "--expires-in");
    must_refuse(ARGV("--ledger-max", "999999999999", NULL), "--ledger-max");
    must_refuse(ARGV("--success", "false", NULL), "--success: expected true or null");
    must_refuse(ARGV("--tls-listen", "127.0.0.1:0", NULL), "--tls-dir goes with --tls-listen");
    must_refuse(ARGV("--h2-listen", "127.0.0.1:0", NULL), "or --h2-listen");
    must_refuse(ARGV("--h2-listen", "here", "--tls-dir", "/tls", NULL), "--h2-listen");
    must_refuse(ARGV("--tls-dir", "/tls", NULL), "--tls-dir goes with --tls-listen");
    char secret[BEHAVIOUR_TEXT_BYTES_MAX + 2];
    memset(secret, 's', sizeof secret - 1);
    secret[sizeof secret - 1] = '\0';
    must_refuse(ARGV("--client-secret", secret, NULL), "--client-secret: too long");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("has defaults", has_defaults),
        IT("reads every argument", reads_every_argument),
        IT("takes a value after an equals sign", takes_a_value_after_an_equals_sign),
        IT("says what is wrong", says_what_is_wrong),
    };
    return cmocka_run_group_tests_name("sandbox_arguments", tests, NULL, NULL);
}
