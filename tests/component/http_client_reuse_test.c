/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* What one request leaves behind in a handle is nothing to the next one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/http_client_stand.h"
#include "tests/support/specification.h"

static struct fake_http *proxy; /* what it does, is `proxy_answer` */
static struct fake_answer proxy_answer;

static struct fake_answer answer_as_proxy(void *context, const struct fake_request *request)
{
    (void)context;
    (void)request;
    return proxy_answer;
}

static int set_up(void **state)
{
    char url[64];
    proxy = fake_http_start(answer_as_proxy, NULL);
    (void)snprintf(url, sizeof url, "http://user:secret@127.0.0.1:%u", fake_http_port(proxy));
    return setenv("http_proxy", url, true) | setenv("https_proxy", url, true) |
           http_client_stand_set_up(state);
}

static int tear_down(void **state)
{
    int result = http_client_stand_tear_down(state);
    fake_http_stop(proxy);
    return result | unsetenv("http_proxy") | unsetenv("https_proxy");
}

static void must_go_directly(struct http_client_stand *stand)
{
    assert_int_equal(must_get(stand, (struct fake_answer){.body = "x"}).outcome, HTTP_ANSWERED);
    const struct fake_request request = last_request(stand);
    assert_memory_equal(request.head, "GET /graphql HTTP/1.1\r\n", 23);
    assert_null(fake_header(&request, "Proxy-Authorization"));
    assert_null(fake_header(&request, "Proxy-Connection"));
}

static struct http_result through_proxy(struct http_client_stand *stand, const char *url)
{
    struct http_transfer transfer = transfer_to(url, NULL);
    transfer.proxy = "http://127.0.0.1";
    transfer.timeout_ms = 200;
    return must_exchange(client_of(stand), &transfer);
}

static void keeps_the_proxys_credentials_from_servers(void **state)
{
    static const struct fake_answer answers[] = {
        {.act = FAKE_SILENT}, {.act = FAKE_RESET},   {.act = FAKE_CLOSE}, {.status = 407},
        {.status = 403},      {.act = FAKE_GARBAGE}, {.body = "fine"},
    };
    static const char *const urls[] = {"https://127.0.0.1:1/", "http://127.0.0.1:1/"};
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        proxy_answer = answers[i];
        for (size_t j = 0; j < sizeof urls / sizeof urls[0]; j++) {
            unsigned before = fake_http_requests(proxy);
            (void)through_proxy(*state, urls[j]);
            assert_true(fake_http_requests(proxy) > before); /* it had them */
            must_go_directly(*state);
        }
    }
}

static void repeats_no_header_of_the_last_answer(void **state)
{
    (void)must_get(*state, (struct fake_answer){.status = 503,
                                                .headers = "Retry-After: 7\r\n"
                                                           "Content-Type: text/x\r\n",
                                                .body = "later"});
    struct http_result result = must_get(*state, (struct fake_answer){.act = FAKE_CLOSE});
    assert_int_equal(result.outcome, HTTP_BROKEN);
    assert_int_equal(result.status, 0);
    assert_int_equal(result.body_length, 0);
    assert_string_equal(result.retry_after, "(absent)");
    assert_string_equal(result.content_type, "");
}

static void sends_each_method_without_the_last_ones_body(void **state)
{
    struct http_client_stand *stand = *state;
    static const struct {
        const char *method, *body, *line;
    } requests[] = {
        {NULL, "{\"a\":1}", "POST "}, {NULL, NULL, "GET "}, {"PUT", "b", "PUT "},
        {"DELETE", NULL, "DELETE "},  {NULL, "", "POST "},  {"DELETE", NULL, "DELETE "},
        {NULL, "longer", "POST "},    {NULL, "c", "POST "},
    };
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        struct http_transfer transfer = transfer_to(url_of(stand), NULL);
        transfer.method = requests[i].method;
        transfer.body = requests[i].body;
        transfer.body_length = requests[i].body != NULL ? strlen(requests[i].body) : 0;
        assert_int_equal(must_exchange(client_of(stand), &transfer).outcome, HTTP_ANSWERED);
        const struct fake_request request = last_request(stand);
        assert_memory_equal(request.head, requests[i].line, strlen(requests[i].line));
        assert_string_equal(request.body, requests[i].body != NULL ? requests[i].body : "");
    }
}

static void connects_where_the_next_one_wants(void **state)
{
    struct http_client_stand *stand = *state;
    char connect_to[64];
    (void)snprintf(connect_to, sizeof connect_to, "127.0.0.1:%u", fake_http_port(proxy));
    proxy_answer = (struct fake_answer){.body = "other"};
    struct http_transfer transfer = transfer_to(url_of(stand), NULL);
    transfer.connect_to = connect_to;
    assert_string_equal(must_exchange(client_of(stand), &transfer).body, "other");
    assert_string_equal(must_get(stand, (struct fake_answer){.body = "x"}).body, "x");
    transfer = transfer_to(url_of(stand), NULL);
    transfer.unix_socket = "/nowhere/at/all";
    assert_int_equal(must_exchange(client_of(stand), &transfer).outcome, HTTP_NOT_CONNECTED);
    assert_string_equal(must_get(stand, (struct fake_answer){.body = "x"}).body, "x");
}

/* Its handle has a time already, by which libcurl would be taken to have begun. */
static void names_the_want_of_a_connection(void **state)
{
    enum { COUNT = CLIENT_CONNECTIONS_MAX + 1, TIMEOUT_MS = 300 };
    struct http_client_stand *stand = *state;
    struct http_result results[COUNT] = {0};
    for (unsigned round = 0; round < 2; round++) {
        memset(results, 0, sizeof results);
        will_answer(stand, round == 0 ? (struct fake_answer){.body = "x", .delay_ms = 20}
                                      : (struct fake_answer){.act = FAKE_SILENT});
        for (int i = 0; i < COUNT; i++) {
            struct http_transfer transfer = transfer_to(url_of(stand), &results[i]);
            if (round > 0)
                transfer.timeout_ms = i < CLIENT_CONNECTIONS_MAX ? 5 * TIMEOUT_MS : TIMEOUT_MS;
            must_start(client_of(stand), &transfer);
        }
        must_finish_all(client_of(stand));
    }
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(results[i].outcome,
                         i < CLIENT_CONNECTIONS_MAX ? HTTP_TIMED_OUT : HTTP_NOT_CONNECTED);
}

#define HERE(sentence, function) IT_WITH(sentence, function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HERE("keeps a proxy's credentials from servers", keeps_the_proxys_credentials_from_servers),
        HERE("repeats no header of the last answer", repeats_no_header_of_the_last_answer),
        HERE("sends each method without the last one's body",
             sends_each_method_without_the_last_ones_body),
        HERE("connects where the next one wants", connects_where_the_next_one_wants),
        HERE("names the want of a connection with a used handle", names_the_want_of_a_connection),
    };
    cmocka_set_test_filter(getenv("TEST_FILTER"));
    return cmocka_run_group_tests_name("http_client_reuse", tests, http_client_stand_begin,
                                       http_client_stand_finish);
}
