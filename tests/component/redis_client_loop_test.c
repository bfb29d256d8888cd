/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* redis_client in an event loop that is not its own: when it has a poll end, and when it lets it
 * rest. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/redis_server.h"
#include "tests/support/redis_subject.h"
#include "tests/support/specification.h"

/* Turns until a poll had nothing to report for as long as it may last. */
static void must_come_to_rest(struct subject *subject)
{
    int64_t deadline_ms = clock_monotonic_ms() + SUBJECT_PATIENCE_MS;
    int64_t began_at_ms;
    do {
        began_at_ms = clock_monotonic_ms();
        assert_true(began_at_ms < deadline_ms);
        subject_turn(subject);
    } while (clock_monotonic_ms() - began_at_ms < SUBJECT_REST_MS - 1);
}

static void rests_while_nothing_happens(void **state)
{
    (void)state;
    enum { VALUE_BYTES = 4 << 20 };
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    struct redis_url url;
    struct subject subject;
    struct outcome outcome = {0};
    struct error error;
    char *value = calloc(1, VALUE_BYTES);
    const char *command[] = {"SET", "big", value};
    const size_t lengths[] = {3, 3, VALUE_BYTES};
    redis_server_url(server, &url);
    subject_start(&subject, &url);
    WAIT_UNTIL(&subject, subject.opened == 1);
    must_come_to_rest(&subject);
    redis_server_freeze(server);
    assert_true(
        redis_client_send(subject.client, 3, command, lengths, outcome_note, &outcome, &error));
    must_come_to_rest(&subject); /* the socket is full */
    assert_int_equal(outcome.calls, 0);
    redis_server_thaw(server);
    WAIT_UNTIL(&subject, outcome.calls == 1);
    assert_int_equal(outcome.lost, 0);
    must_come_to_rest(&subject); /* and nobody looks out for room any longer */
    free(value);
    subject_stop(&subject);
}

static void does_not_rest_on_what_is_unwritten(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    struct redis_url url;
    struct subject subject;
    struct outcome outcome;
    redis_server_url(server, &url);
    subject_start(&subject, &url);
    WAIT_UNTIL(&subject, subject.opened == 1);
    must_come_to_rest(&subject);
    redis_server_freeze(server);
    subject_must_send(&subject, &outcome, "PING");
    assert_int_equal(redis_client_timeout_ms(subject.client, clock_monotonic_ms()), 0);
    redis_client_flush(subject.client);
    assert_true(redis_client_timeout_ms(subject.client, clock_monotonic_ms()) > 0);
    redis_server_thaw(server);
    WAIT_UNTIL(&subject, outcome.calls == 1);
    subject_stop(&subject);
}

/* The lowest free number is what the next descriptor gets. */
static int next_number(void)
{
    int number = dup(STDERR_FILENO);
    assert_true(number >= 0);
    (void)close(number);
    return number;
}

static void finds_a_new_connection_under_the_number_of_the_old_one(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    struct redis_url url;
    struct subject subject;
    redis_server_url(server, &url);
    subject_start(&subject, &url);
    int number = next_number();
    for (unsigned life = 1; life <= 4; life++) {
        WAIT_UNTIL(&subject, subject.opened == life);
        assert_true(fcntl(number, F_GETFD) >= 0);
        subject_must_answer(&subject, "PING", "PONG");
        if (life % 2 == 0)
            redis_client_reopen(subject.client, "again");
        else
            redis_server_cut(server);
        WAIT_UNTIL(&subject, subject.closed == life);
        assert_int_equal(next_number(), number);
    }
    subject_stop(&subject);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* as the service does */
    const struct CMUnitTest tests[] = {
        IT("rests while nothing happens, also with a full socket", rests_while_nothing_happens),
        IT("does not rest on what is unwritten", does_not_rest_on_what_is_unwritten),
        IT("finds a new connection under the number of the old one",
           finds_a_new_connection_under_the_number_of_the_old_one),
    };
    return cmocka_run_group_tests_name("redis_client_loop", tests, NULL, NULL);
}
