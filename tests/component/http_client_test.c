/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/http_client_stand.h"
#include "tests/support/specification.h"

/* --- what is sent, what comes ------------------------------------------------------ */

static void gives_status_headers_and_body(void **state)
{
    struct http_result result =
        must_get(*state, (struct fake_answer){.status = 503,
                                              .headers = "retry-after: 7\r\n"
                                                         "Content-Type: text/x\r\n",
                                              .body = "later"});
    assert_int_equal(result.outcome, HTTP_ANSWERED);
    assert_int_equal(result.status, 503);
    assert_string_equal(result.body, "later");
    assert_string_equal(result.content_type, "text/x");
    assert_string_equal(result.retry_after, "7");
    assert_string_equal(result.detail, "");
    assert_in_range(result.duration_us, 1, CLIENT_PATIENCE_MS * 1000);
}

static void absent_headers_are_absent(void **state)
{
    struct http_result result = must_get(*state, (struct fake_answer){.body = NULL});
    assert_int_equal(result.outcome, HTTP_ANSWERED);
    assert_int_equal(result.body_length, 0);
    assert_string_equal(result.content_type, "");
    assert_string_equal(result.retry_after, "(absent)");
}

static void posts_body_and_headers_as_given(void **state)
{
    struct http_client_stand *stand = *state;
    static const char *const headers[] = {"X-Request-Id: abc", "Content-Type: application/json",
                                          NULL};
    struct http_transfer transfer = transfer_to(url_of(stand), NULL);
    transfer.body = "{\"a\":1}";
    transfer.body_length = 7;
    transfer.headers = headers;
    struct http_result result = must_exchange(client_of(stand), &transfer);
    assert_int_equal(result.outcome, HTTP_ANSWERED);
    const struct fake_request request = last_request(stand);
    assert_memory_equal(request.head, "POST /graphql HTTP/1.1\r\n", 24);
    assert_string_equal(fake_header(&request, "X-Request-Id"), "abc");
    assert_string_equal(fake_header(&request, "Content-Type"), "application/json");
    assert_string_equal(fake_header(&request, "User-Agent"), "tester/1");
    assert_string_equal(request.body, "{\"a\":1}");
}

static void repeats_nothing_of_the_last_request(void **state)
{
    struct http_client_stand *stand = *state;
    static const char *const headers[] = {"X-Request-Id: abc", "Authorization: Bearer x", NULL};
    struct http_transfer transfer = transfer_to(url_of(stand), NULL);
    transfer.body = "{}";
    transfer.body_length = 2;
    transfer.headers = headers;
    assert_int_equal(must_exchange(client_of(stand), &transfer).outcome, HTTP_ANSWERED);
    assert_int_equal(must_get(stand, (struct fake_answer){.body = "x"}).outcome, HTTP_ANSWERED);
    const struct fake_request request = last_request(stand);
    assert_memory_equal(request.head, "GET /graphql HTTP/1.1\r\n", 23);
    assert_null(fake_header(&request, "X-Request-Id"));
    assert_null(fake_header(&request, "Authorization"));
    assert_null(fake_header(&request, "Content-Length"));
    assert_int_equal(request.body_length, 0);
}

static void sends_large_bodies_without_asking(void **state)
{
    struct http_client_stand *stand = *state;
    static char body[1200 * 1024]; /* libcurl would ask from one mebibyte on */
    memset(body, 'b', sizeof body);
    struct http_transfer transfer = transfer_to(url_of(stand), NULL);
    transfer.body = body;
    transfer.body_length = sizeof body;
    struct http_result result = must_exchange(client_of(stand), &transfer);
    assert_int_equal(result.outcome, HTTP_ANSWERED);
    const struct fake_request request = last_request(stand);
    assert_int_equal(request.body_length, sizeof body);
    assert_null(fake_header(&request, "Expect"));
}

static void does_not_follow_redirects(void **state)
{
    struct http_result result = must_get(
        *state, (struct fake_answer){.status = 302, .headers = "Location: /elsewhere\r\n"});
    assert_int_equal(result.status, 302);
    assert_int_equal(fake_http_requests(server_of(*state)), 1);
}

static void speaks_only_http(void **state)
{
    struct http_client_stand *stand = *state;
    const struct http_transfer transfer = transfer_to("file:///etc/hostname", NULL);
    struct http_result result = must_exchange(client_of(stand), &transfer);
    assert_int_equal(result.outcome, HTTP_BROKEN);
    assert_int_equal(result.body_length, 0);
}

/* --- connections ------------------------------------------------------------------- */

static void uses_a_connection_again(void **state)
{
    struct http_client_stand *stand = *state;
    for (int i = 0; i < 20; i++)
        assert_int_equal(must_get(stand, (struct fake_answer){.body = "x"}).outcome, HTTP_ANSWERED);
    assert_int_equal(fake_http_connections(server_of(stand)), 1);
}

static void opens_no_more_connections_than_allowed(void **state)
{
    struct http_client_stand *stand = *state;
    enum { COUNT = 40 };
    static struct http_result results[COUNT];
    memset(results, 0, sizeof results);
    will_answer(stand, (struct fake_answer){.body = "x", .delay_ms = 5});
    for (int i = 0; i < COUNT; i++) {
        const struct http_transfer transfer = transfer_to(url_of(stand), &results[i]);
        must_start(client_of(stand), &transfer);
    }
    must_finish_all(client_of(stand));
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(results[i].outcome, HTTP_ANSWERED);
    assert_in_range(fake_http_connections_peak(server_of(stand)), 2, CLIENT_CONNECTIONS_MAX);
}

static struct http_result must_post(struct http_client_stand *stand, struct fake_answer answer)
{
    will_answer(stand, answer);
    struct http_transfer transfer = transfer_to(url_of(stand), NULL);
    transfer.body = "{}";
    transfer.body_length = 2;
    return must_exchange(client_of(stand), &transfer);
}

static void notices_that_an_idle_connection_was_closed(void **state)
{
    struct http_client_stand *stand = *state;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(must_post(stand, (struct fake_answer){.body = "x"}).outcome,
                         HTTP_ANSWERED);
        fake_http_close_connections(server_of(stand));
    }
}

static void never_posts_twice_by_itself(void **state)
{
    struct http_client_stand *stand = *state;
    assert_int_equal(must_post(stand, (struct fake_answer){.body = "x"}).outcome, HTTP_ANSWERED);
    assert_int_equal(must_post(stand, (struct fake_answer){.act = FAKE_CLOSE}).outcome,
                     HTTP_BROKEN);
    assert_int_equal(must_post(stand, (struct fake_answer){.body = "x"}).outcome, HTTP_ANSWERED);
    assert_int_equal(fake_http_requests(server_of(stand)), 3);
}

/* Each connection serves one request, and breaks at the second. */
static struct fake_answer break_every_other(void *context, const struct fake_request *request)
{
    unsigned *requests = context;
    (void)request;
    return (struct fake_answer){.act = (*requests)++ % 2 == 0 ? FAKE_ANSWER : FAKE_CLOSE};
}

/* libcurl repeats a GET by itself, but counts the times over the life of a handle and gives up at
 * the sixth. */
static void repeats_a_get_each_time(void **state)
{
    enum { GETS = 12 };
    const struct http_client_stand *stand = *state;
    unsigned requests = 0;
    AUTO(fake_http) *server = fake_http_start(break_every_other, &requests);
    char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/", fake_http_port(server));
    for (int i = 0; i < GETS; i++) {
        const struct http_transfer transfer = transfer_to(url, NULL);
        struct http_result result = must_exchange(client_of(stand), &transfer);
        if (result.outcome != HTTP_ANSWERED)
            fail_msg("GET %d: %s", i, result.detail);
    }
    assert_int_equal(fake_http_requests(server), 2 * GETS - 1);
}

/* --- the loop ---------------------------------------------------------------------- */

struct http_chain {
    struct http_client_stand *stand;
    int left;
};

static void start_the_next(void *context, const struct http_exchange *exchange)
{
    struct http_chain *chain = context;
    assert_int_equal(exchange->outcome, HTTP_ANSWERED);
    if (--chain->left == 0)
        return;
    struct http_transfer transfer = transfer_to(url_of(chain->stand), NULL);
    transfer.done = start_the_next;
    transfer.context = chain;
    must_start(client_of(chain->stand), &transfer);
}

static void done_may_start_another(void **state)
{
    struct http_chain chain = {.stand = *state, .left = 5};
    struct http_transfer transfer = transfer_to(url_of(*state), NULL);
    transfer.done = start_the_next;
    transfer.context = &chain;
    must_start(client_of(chain.stand), &transfer);
    must_finish_all(client_of(chain.stand));
    assert_int_equal(chain.left, 0);
}

static void start_silent(struct http_client_stand *stand, struct http_result *results, size_t count)
{
    will_answer(stand, (struct fake_answer){.act = FAKE_SILENT});
    for (size_t i = 0; i < count; i++) {
        const struct http_transfer transfer = transfer_to(url_of(stand), &results[i]);
        must_start(client_of(stand), &transfer);
    }
    for (int i = 0; i < 5; i++)
        must_turn(client_of(stand), 10);
}

static void abort_ends_all(void **state)
{
    struct http_client_stand *stand = *state;
    struct http_result results[6] = {0};
    start_silent(stand, results, 6);
    http_client_abort_all(client_of(stand));
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(results[i].calls, 1);
        assert_int_equal(results[i].outcome, HTTP_BROKEN);
    }
    assert_int_equal(must_get(stand, (struct fake_answer){.body = "x"}).outcome, HTTP_ANSWERED);
}

static void destroy_ends_all(void **state)
{
    struct http_client_stand *stand = *state;
    struct http_result results[3] = {0};
    start_silent(stand, results, 3);
    destroy_client_of(stand);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(results[i].calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE("gives status, headers and body", gives_status_headers_and_body),
        SCENE("tells an absent header from an empty one", absent_headers_are_absent),
        SCENE("posts body and headers as they are given", posts_body_and_headers_as_given),
        SCENE("repeats nothing of the last request", repeats_nothing_of_the_last_request),
        SCENE("sends large bodies without asking first", sends_large_bodies_without_asking),
        SCENE("does not follow redirects", does_not_follow_redirects),
        SCENE("speaks HTTP only", speaks_only_http),
        SCENE("uses a connection again", uses_a_connection_again),
        SCENE("opens no more connections than allowed", opens_no_more_connections_than_allowed),
        SCENE("notices that an idle connection was closed",
              notices_that_an_idle_connection_was_closed),
        SCENE("never posts twice by itself when a used connection breaks",
              never_posts_twice_by_itself),
        SCENE("lets a callback start another transfer", done_may_start_another),
        SCENE("repeats a GET each time that a used connection breaks", repeats_a_get_each_time),
        SCENE("ends all on abort, and can be used again", abort_ends_all),
        SCENE("ends all when destroyed", destroy_ends_all),
    };
    cmocka_set_test_filter(getenv("TEST_FILTER"));
    return cmocka_run_group_tests_name("http_client", tests, http_client_stand_begin,
                                       http_client_stand_finish);
}
