/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Servers and name servers that misbehave: each failure has its name, and none costs more time than
 * the transfer was given.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"

#include "tests/support/http_client_stand.h"
#include "tests/support/specification.h"

static void names_each_failure(void **state)
{
    static const struct {
        struct fake_answer answer;
        enum http_outcome outcome;
    } cases[] = {
        {{.act = FAKE_RESET}, HTTP_BROKEN},
        {{.act = FAKE_CLOSE}, HTTP_BROKEN},
        {{.act = FAKE_CUT_BODY, .body = "0123456789"}, HTTP_BROKEN},
        {{.act = FAKE_GARBAGE}, HTTP_BROKEN},
        {{.act = FAKE_ENDLESS}, HTTP_ANSWER_TOO_LARGE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_result result = must_get(*state, cases[i].answer);
        assert_int_equal(result.outcome, cases[i].outcome);
        assert_string_not_equal(result.detail, "");
    }
    assert_int_equal(must_get(*state, (struct fake_answer){.body = "x"}).outcome, HTTP_ANSWERED);
}

static void reads_byte_by_byte(void **state)
{
    struct http_result result =
        must_get(*state, (struct fake_answer){.act = FAKE_DRIP, .body = "slow", .delay_ms = 1});
    assert_int_equal(result.outcome, HTTP_ANSWERED);
    assert_string_equal(result.body, "slow");
}

static void the_answer_may_just_be_that_long(void **state)
{
    static char body[CLIENT_ANSWER_MAX + 2];
    memset(body, 'y', CLIENT_ANSWER_MAX);
    struct http_result result = must_get(*state, (struct fake_answer){.body = body});
    assert_int_equal(result.outcome, HTTP_ANSWERED);
    assert_int_equal(result.body_length, CLIENT_ANSWER_MAX);
    body[CLIENT_ANSWER_MAX] = 'y';
    assert_int_equal(must_get(*state, (struct fake_answer){.body = body}).outcome,
                     HTTP_ANSWER_TOO_LARGE);
}

static void must_time_out(struct http_client_stand *stand, struct fake_answer answer)
{
    will_answer(stand, answer);
    struct http_transfer transfer = transfer_to(url_of(stand), NULL);
    transfer.timeout_ms = 150;
    int64_t start_ms = clock_monotonic_ms();
    struct http_result result = must_exchange(client_of(stand), &transfer);
    assert_int_equal(result.outcome, HTTP_TIMED_OUT);
    assert_in_range(clock_monotonic_ms() - start_ms, 140, CLIENT_PATIENCE_MS);
}

static void ends_a_transfer_in_time(void **state)
{
    must_time_out(*state, (struct fake_answer){.act = FAKE_SILENT});
    must_time_out(*state,
                  (struct fake_answer){.act = FAKE_DRIP, .body = "too slow", .delay_ms = 10});
}

static void a_slow_one_does_not_hold_up_the_others(void **state)
{
    struct http_client_stand *stand = *state;
    struct http_result slow = {0};
    will_answer(stand, (struct fake_answer){.act = FAKE_SILENT});
    const struct http_transfer transfer = transfer_to(url_of(stand), &slow);
    must_start(client_of(stand), &transfer);
    while (fake_http_requests(server_of(stand)) == 0)
        must_turn(client_of(stand), 10);
    will_answer(stand, (struct fake_answer){.body = "x"});
    struct http_result quick = {0};
    const struct http_transfer other = transfer_to(url_of(stand), &quick);
    must_start(client_of(stand), &other);
    while (quick.calls == 0)
        must_turn(client_of(stand), 1000);
    assert_int_equal(quick.outcome, HTTP_ANSWERED);
    assert_int_equal(slow.calls, 0);
    http_client_abort_all(client_of(stand)); /* `slow` does not outlive this test */
}

static void names_the_want_of_a_connection(void **state)
{
    enum { COUNT = CLIENT_CONNECTIONS_MAX + 1, TIMEOUT_MS = 300 };
    struct http_client_stand *stand = *state;
    struct http_result results[COUNT] = {0};
    will_answer(stand, (struct fake_answer){.act = FAKE_SILENT});
    for (int i = 0; i < COUNT; i++) {
        struct http_transfer transfer = transfer_to(url_of(stand), &results[i]);
        /* Those that have one hold it for long enough: what they leave is nobody's any more. */
        transfer.timeout_ms = i < CLIENT_CONNECTIONS_MAX ? 5 * TIMEOUT_MS : TIMEOUT_MS;
        must_start(client_of(stand), &transfer);
    }
    must_finish_all(client_of(stand));
    for (int i = 0; i < COUNT; i++) {
        bool had_one = i < CLIENT_CONNECTIONS_MAX;
        assert_int_equal(results[i].outcome, had_one ? HTTP_TIMED_OUT : HTTP_NOT_CONNECTED);
        assert_int_equal(strcmp(results[i].detail, "no connection became free in time") == 0,
                         !had_one);
        assert_in_range(results[i].duration_us / 1000, TIMEOUT_MS - 10, CLIENT_PATIENCE_MS);
    }
}

static void names_a_refused_connection(void **state)
{
    struct http_client_stand *stand = *state;
    int fd =
        socket(AF_INET, SOCK_STREAM, 0); /* bound, so that nobody else gets it; not listening */
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/", ntohs(address.sin_port));
    const struct http_transfer transfer = transfer_to(url, NULL);
    struct http_result result = must_exchange(client_of(stand), &transfer);
    close(fd);
    assert_int_equal(result.outcome, HTTP_NOT_CONNECTED);
    assert_int_equal(result.status, 0);
}

/* Takes the place of the C library's for libcurl too: the name server does not answer until the
 * test says so. */
static _Atomic bool is_resolver_stuck;

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **out)
{
    (void)name;
    (void)service;
    (void)hints;
    (void)out;
    while (is_resolver_stuck)
        (void)usleep(1000);
    return EAI_NONAME;
}

static void names_an_unknown_host(void **state)
{
    struct http_client_stand *stand = *state;
    const struct http_transfer transfer = transfer_to("http://nobody.invalid/", NULL);
    assert_int_equal(must_exchange(client_of(stand), &transfer).outcome, HTTP_NOT_RESOLVED);
}

static void does_not_wait_for_the_resolver(void **state)
{
    struct http_client_stand *stand = *state;
    struct http_transfer transfer = transfer_to("http://nobody.invalid/", NULL);
    transfer.timeout_ms = 300;
    is_resolver_stuck = true;
    int64_t start_ms = clock_monotonic_ms();
    enum http_outcome outcome = must_exchange(client_of(stand), &transfer).outcome;
    int64_t took_ms = clock_monotonic_ms() - start_ms;
    is_resolver_stuck = false;
    assert_int_equal(outcome, HTTP_TIMED_OUT);
    assert_in_range(took_ms, 290, CLIENT_PATIENCE_MS);
    (void)usleep(50000); /* the resolver's thread ends by itself */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE("names a reset, an early end, a cut body, garbage and an endless body",
              names_each_failure),
        SCENE("reads an answer that comes byte by byte", reads_byte_by_byte),
        SCENE("takes an answer of just the maximum", the_answer_may_just_be_that_long),
        SCENE("ends a transfer in time, silent or slow", ends_a_transfer_in_time),
        SCENE("serves the others while one is slow", a_slow_one_does_not_hold_up_the_others),
        SCENE("names the want of a free connection, which is no trouble of the name server's",
              names_the_want_of_a_connection),
        SCENE("names a refused connection", names_a_refused_connection),
        SCENE("names an unknown host", names_an_unknown_host),
        SCENE("does not wait for the resolver longer than for the transfer",
              does_not_wait_for_the_resolver),
    };
    cmocka_set_test_filter(getenv("TEST_FILTER"));
    return cmocka_run_group_tests_name("http_client_faults", tests, http_client_stand_begin,
                                       http_client_stand_finish);
}
