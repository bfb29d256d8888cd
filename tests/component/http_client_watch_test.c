/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The client and its event loop: what is watched, what cannot be, and what ends by time alone.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/clock.h"

#include "tests/support/http_client_stand.h"
#include "tests/support/specification.h"

/* --- what the client asks of the loop and of the system ------------------------------ */

static int watched_fd;       /* the last */
static unsigned watches;     /* so far */
static unsigned failing_one; /* counted from 1; 0: none */

bool __real_event_loop_watch(struct event_loop *self, int fd, unsigned events,
                             event_callback callback, void *context, struct error *error);
bool __wrap_event_loop_watch(struct event_loop *self, int fd, unsigned events,
                             event_callback callback, void *context, struct error *error);

bool __wrap_event_loop_watch(struct event_loop *self, int fd, unsigned events,
                             event_callback callback, void *context, struct error *error)
{
    watched_fd = fd;
    if (++watches == failing_one)
        return error_set(error, ERROR_IO, "no room in the epoll set");
    return __real_event_loop_watch(self, fd, events, callback, context, error);
}

static int64_t clock_ahead_us;

int64_t __real_clock_monotonic_us(void);
int64_t __wrap_clock_monotonic_us(void);

int64_t __wrap_clock_monotonic_us(void)
{
    return __real_clock_monotonic_us() + clock_ahead_us;
}

static _Atomic unsigned heads, whole_requests; /* sent at once, by whomever */

/* Takes the place of the C library's for libcurl too. */
ssize_t send(int fd, const void *bytes, size_t length, int flags)
{
    if (length > 5 && memcmp(bytes, "POST ", 5) == 0) {
        heads++;
        whole_requests += memmem(bytes, length, "\r\n\r\n{\"a\":1}", 11) != NULL;
    }
    return sendto(fd, bytes, length, flags, NULL, 0);
}

static int begin_to_count(void **state)
{
    watches = failing_one = 0;
    return http_client_stand_set_up(state);
}

/* --- scenes -------------------------------------------------------------------------- */

static void a_request_is_sent_at_once(void **state)
{
    struct http_client_stand *stand = *state;
    heads = whole_requests = 0;
    struct http_transfer transfer = transfer_to(url_of(stand), NULL);
    transfer.body = "{\"a\":1}";
    transfer.body_length = 7;
    assert_int_equal(must_exchange(client_of(stand), &transfer).outcome, HTTP_ANSWERED);
    assert_int_equal(must_exchange(client_of(stand), &transfer).outcome, HTTP_ANSWERED);
    assert_int_equal(heads, 2);
    assert_int_equal(whole_requests, 2);
}

static void fails_what_cannot_be_watched(void **state)
{
    struct http_client_stand *stand = *state;
    will_answer(stand, (struct fake_answer){.body = "x", .delay_ms = 20});
    /* A socket is watched for the connection, then for the answer. */
    for (unsigned nth = 1; nth <= 2; nth++) {
        struct http_result parked = {0}, other = {0};
        const struct http_transfer transfers[] = {transfer_to(url_of(stand), &parked),
                                                  transfer_to(url_of(stand), &other)};
        destroy_client_of(stand);
        struct http_client *client = client_trusting(NULL);
        watches = 0;
        failing_one = nth;
        must_start(client, &transfers[0]);
        while (watches < nth && parked.calls == 0)
            must_turn(client, 10);
        must_start(client, &transfers[1]);
        must_finish_all(client);
        http_client_destroy(client);
        assert_int_equal(parked.calls, 1);
        assert_int_equal(parked.outcome, HTTP_BROKEN);
        assert_string_equal(parked.detail, "no room in the epoll set");
        assert_int_equal(other.outcome, HTTP_ANSWERED);
    }
}

struct successor {
    struct http_client_stand *stand;
    struct http_result result;
    int first_fd;
};

static void start_a_successor(void *context, const struct http_exchange *exchange)
{
    struct successor *successor = context;
    assert_int_equal(exchange->outcome, HTTP_BROKEN);
    successor->first_fd = watched_fd;
    will_answer(successor->stand, (struct fake_answer){.body = "x", .delay_ms = 20});
    const struct http_transfer transfer = transfer_to(url_of(successor->stand), &successor->result);
    must_start(client_of(successor->stand), &transfer);
}

/* The connection that the peer closes is gone, and the next gets its number, within one turn. */
static void watches_a_number_that_comes_again(void **state)
{
    struct successor successor = {.stand = *state};
    will_answer(successor.stand, (struct fake_answer){.act = FAKE_CLOSE, .delay_ms = 20});
    struct http_transfer transfer = transfer_to(url_of(successor.stand), NULL);
    transfer.done = start_a_successor;
    transfer.context = &successor;
    must_start(client_of(successor.stand), &transfer);
    must_finish_all(client_of(successor.stand));
    assert_int_equal(watched_fd, successor.first_fd);
    assert_int_equal(successor.result.outcome, HTTP_ANSWERED);
}

static void ends_many_in_time(void **state)
{
    enum { COUNT = 12, FIRST_MS = 100, STEP_MS = 20 };
    struct http_client_stand *stand = *state;
    struct http_result results[COUNT] = {0};
    const struct http_client_options options = {.connections_max = COUNT,
                                                .connection_life_max_s = 60,
                                                .connect_timeout_ms = CLIENT_TIMEOUT_MS};
    AUTO(http_client) *client = http_client_create(&options, loop_of_clients(), NULL);
    will_answer(stand, (struct fake_answer){.act = FAKE_SILENT});
    for (unsigned i = 0; i < COUNT; i++) {
        struct http_transfer transfer = transfer_to(url_of(stand), &results[i]);
        transfer.timeout_ms = FIRST_MS + (COUNT - 1 - i) * STEP_MS; /* the last ends first */
        must_start(client, &transfer);
    }
    must_finish_all(client);
    assert_int_equal(http_client_timeout_ms(client), -1);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_int_equal(results[i].outcome, HTTP_TIMED_OUT);
        int64_t timeout_ms = FIRST_MS + (COUNT - 1 - i) * STEP_MS;
        assert_in_range(results[i].duration_us / 1000, timeout_ms - 1,
                        timeout_ms + CLIENT_PATIENCE_MS);
    }
}

/* As when the process stands still in the middle of a TLS handshake: libcurl goes on from there. */
static void does_not_send_when_its_time_is_over(void **state)
{
    struct http_client_stand *stand = *state;
    struct http_result result = {0};
    unsigned before = fake_http_requests(server_of(stand));
    will_answer(stand, (struct fake_answer){.body = "too late"});
    struct http_transfer transfer = transfer_to(url_of(stand), &result);
    must_start(client_of(stand), &transfer);
    clock_ahead_us = 1000 * ((int64_t)transfer.timeout_ms + 1);
    must_finish_all(client_of(stand));
    clock_ahead_us = 0;
    assert_int_equal(result.outcome, HTTP_BROKEN);
    assert_string_equal(result.detail, "its time was over before the request could be sent");
    assert_int_equal(fake_http_requests(server_of(stand)), before);
}

/* Its time counts from when it is started; the right to send may end before. */
static void does_not_send_later_than_its_caller_may(void **state)
{
    struct http_client_stand *stand = *state;
    struct http_result result = {0};
    unsigned before = fake_http_requests(server_of(stand));
    will_answer(stand, (struct fake_answer){.body = "in time"});
    struct http_transfer transfer = transfer_to(url_of(stand), &result);
    transfer.send_until_ms = clock_monotonic_ms() + CLIENT_PATIENCE_MS;
    assert_int_equal(must_exchange(client_of(stand), &transfer).outcome, HTTP_ANSWERED);
    transfer.send_until_ms = clock_monotonic_ms() - 1;
    result = must_exchange(client_of(stand), &transfer);
    assert_int_equal(result.outcome, HTTP_BROKEN);
    assert_string_equal(result.detail, "its time was over before the request could be sent");
    assert_int_equal(fake_http_requests(server_of(stand)), before + 1);
}

#define WATCHED(sentence, function)                                                                \
    IT_WITH(sentence, function, begin_to_count, http_client_stand_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WATCHED("sends head and body at once", a_request_is_sent_at_once),
        WATCHED("fails a transfer whose socket cannot be watched, and no other",
                fails_what_cannot_be_watched),
        WATCHED("watches a new connection under the number of one that the peer has closed",
                watches_a_number_that_comes_again),
        WATCHED("does not send when its time is over", does_not_send_when_its_time_is_over),
        WATCHED("does not send later than its caller may", does_not_send_later_than_its_caller_may),
        WATCHED("ends many transfers, each in its time, though nothing happens", ends_many_in_time),
    };
    cmocka_set_test_filter(getenv("TEST_FILTER"));
    return cmocka_run_group_tests_name("http_client_watch", tests, http_client_stand_begin,
                                       http_client_stand_finish);
}
