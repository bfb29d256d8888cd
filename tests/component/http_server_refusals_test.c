/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"

#include "tests/support/bad_requests.h"
#include "tests/support/http_stand.h"
#include "tests/support/raw_client.h"
#include "tests/support/specification.h"

enum { TIMES = 1000, SLACK_BYTES = 4096, LINGER_MS_MAX = 10000 };

/* The first few may fill tables that stay. */
static void leaves_nothing_behind(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    for (size_t i = 0; i < bad_request_count; i++) {
        const struct bad_request *bad = &bad_requests[i];
        bad_requests_send(bad, 2, stand->port, http_stand_serve, stand);
        http_stand_serve_until_connections(stand, 0);
        size_t before = bad_requests_memory();

        bad_requests_send(bad, TIMES, stand->port, http_stand_serve, stand);

        http_stand_serve_until_connections(stand, 0);
        /* Sockets that were answered early linger for a moment, in which their peers may still
         * send. */
        int64_t until_ms = clock_monotonic_ms() + LINGER_MS_MAX;
        while (bad_requests_memory() > before + SLACK_BYTES && clock_monotonic_ms() < until_ms)
            http_stand_serve(stand);
        if (bad_requests_memory() > before + SLACK_BYTES)
            fail_msg("%s leaves %zu bytes behind", bad->name, bad_requests_memory() - before);
        assert_int_equal(http_server_open_requests(stand->server), 0);
    }
    assert_true(stand->finished >= stand->begun && stand->begun > 0);
    http_stand_close(stand);
}

static void answers_however_many_parameters_there_are(void **state)
{
    (void)state;
    struct http_stand *stand = http_stand_open();
    static const unsigned counts[] = {1, 400, 1900};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        char request[8192] = "GET /?";
        for (unsigned n = 0; n < counts[i]; n++)
            strcat(request, "&x");
        strcat(request, "&a=last HTTP/1.1\r\n" HOST "\r\n");
        struct raw_client *client = http_stand_connect(stand);
        raw_client_send(client, request);
        must_contain(raw_client_answer(client), "a=last");
        raw_client_destroy(client);
    }
    http_stand_close(stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("answers however many parameters a query has",
           answers_however_many_parameters_there_are),
        IT("leaves nothing behind of a request that it does not serve", leaves_nothing_behind),
    };
    return cmocka_run_group_tests_name("http_server_refusals", tests, NULL, NULL);
}
