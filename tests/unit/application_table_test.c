/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "service/inbound/application_table.h"

#include "tests/support/specification.h"

static char storage[4096];
static struct buffer out;

static void must_be(const struct application *application, const char *row)
{
    buffer_init_fixed(&out, storage, sizeof storage);
    assert_true(application_write_row(&out, application, NULL));
    assert_string_equal(out.bytes, row);
}

static struct application dead(const char *id, const char *message)
{
    return (struct application){.id = id,
                                .state = DELIVERY_DEAD,
                                .event_id = "1d3a9a54-2f0e-4c1b-9d7e-8a5100000000",
                                .token_fingerprint = "9f86d081884c7d65",
                                .accepted_at_ms = 1767323045901,
                                .completed_at_ms = 1767323045678,
                                .last_attempt_at_ms = 1767323047112,
                                .died_at_ms = 1767323047320,
                                .attempts = 3,
                                .last_class = "refused",
                                .last_code = "FORBIDDEN",
                                .last_message = message,
                                .last_http_status = 200,
                                .traceparent = ""};
}

static void writes_a_row(void **state)
{
    (void)state;
    const struct application application = dead("A-1", "Say \"no\", please");
    must_be(&application,
            "\"A-1\",dead,2026-01-02T03:04:07.320Z,2026-01-02T03:04:05.678Z,"
            "2026-01-02T03:04:05.901Z,2026-01-02T03:04:07.112Z,3,\"refused\",\"FORBIDDEN\","
            "\"Say \"\"no\"\", please\",200,\"1d3a9a54-2f0e-4c1b-9d7e-8a5100000000\","
            "1d3a9a54-2f0e-4c1b-9d7e-8a5100000003,9f86d081884c7d65\r\n");
}

static void leaves_out_what_is_not_there(void **state)
{
    (void)state;
    const struct application application = {.id = "A",
                                            .state = DELIVERY_PENDING,
                                            .event_id = "",
                                            .token_fingerprint = "",
                                            .last_class = "",
                                            .last_code = "",
                                            .last_message = ""};
    must_be(&application, "\"A\",pending,,,,,,\"\",\"\",\"\",,\"\",,\r\n");
    buffer_init_fixed(&out, storage, sizeof storage);
    assert_true(application_write_titles(&out, NULL));
    assert_string_equal(strchr(out.bytes, '\r'), "\r\n");
}

static void begins_no_cell_like_a_formula(void **state)
{
    (void)state;
    static const struct {
        const char *text, *cell;
    } cases[] = {
        {"=1+1", ",\"'=1+1\","},         {"+1", ",\"'+1\","},        {"-1", ",\"'-1\","},
        {"@SUM(A1)", ",\"'@SUM(A1)\","}, {" =1", ",\"' =1\","},      {"\t=1", ",\"' =1\","},
        {"\r\n@x", ",\"'  @x\","},       {"a\nb\x7f", ",\"a b \","}, {"1-1", ",\"1-1\","},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct application application = dead(cases[i].text, cases[i].text);
        buffer_init_fixed(&out, storage, sizeof storage);
        assert_true(application_write_row(&out, &application, NULL));
        assert_non_null(strstr(out.bytes, cases[i].cell));
        assert_memory_equal(out.bytes, cases[i].cell + 1, strlen(cases[i].cell + 1));
        assert_int_equal(strcspn(out.bytes, "\r\n"), out.length - 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("writes a row", writes_a_row),
        IT("leaves out what is not there", leaves_out_what_is_not_there),
        IT("begins no cell like a formula", begins_no_cell_like_a_formula),
    };
    return cmocka_run_group_tests_name("application table", tests, NULL, NULL);
}
