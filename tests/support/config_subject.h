/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Settings as a test gives them, and what is said of them.
 *
 * Owns:    `problems`, from begin to end: the fixtures to give to cmocka.
 * Threads: one at a time.
 * Blocks:  never.
 */
#pragma once

#include <string.h>

#include "service/config/config.h"

#include "tests/support/specification.h"

static struct buffer problems;

static int begin(void **state)
{
    (void)state;
    buffer_init(&problems, 65536);
    return 0;
}

static int end(void **state)
{
    (void)state;
    buffer_fini(&problems);
    return 0;
}

#define CREDENTIALS "SEEK_SIGNAL_CLIENT_ID=id", "SEEK_SIGNAL_CLIENT_SECRET=secret"
#define ENVIRONMENT(...) ((const char *[]){__VA_ARGS__, NULL})

static struct config *read_environment(const char *const environment[])
{
    return config_read(CONFIG_NEED_ALL, 0, NULL, environment, &problems, NULL);
}

static void must_note(const char *const environment[], const char *sentence)
{
    AUTO(config) *config = read_environment(environment);
    assert_null(config);
    if (strstr(problems.bytes, sentence) == NULL)
        fail_msg("expected \"%s\" in:\n%s", sentence, problems.bytes);
}
