/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/net/http_proxy.h"

#include "tests/support/specification.h"

#define SEEK "https://graphql.seek.com/graphql"
#define COLLECTOR "http://collector.example:4318/v1/traces"

static void finds_the_variable_that_counts(void **state)
{
    (void)state;
    static const struct {
        const char *url, *environment[4], *variable, *place;
    } cases[] = {
        {SEEK, {NULL}, NULL, ""},
        {SEEK, {"HTTPS_PROXY=", "XHTTPS_PROXY=http://x:1", "HTTPS_PROXY_=http://x:1"}, NULL, ""},
        {SEEK, {"HTTPS_PROXY=http://p.example:3128"}, "HTTPS_PROXY", "p.example:3128"},
        {SEEK,
         {"https_proxy=http://p.example:3128", "HTTPS_PROXY=http://q:1"},
         "https_proxy",
         "p.example:3128"},
        {SEEK, {"https_proxy=", "HTTPS_PROXY=http://q:1"}, "HTTPS_PROXY", "q:1"},
        {SEEK, {"ALL_PROXY=http://a:1", "HTTPS_PROXY=http://q:1"}, "HTTPS_PROXY", "q:1"},
        {SEEK, {"ALL_PROXY=http://a:1", "all_proxy=socks5h://b:2"}, "all_proxy", "b:2"},
        {SEEK, {"http_proxy=http://x:1", "HTTP_PROXY=http://x:1"}, NULL, ""},
        {COLLECTOR, {"http_proxy=http://x:1", "HTTPS_PROXY=http://y:1"}, "http_proxy", "x:1"},
        {COLLECTOR, {"HTTP_PROXY=http://x:1", "HTTPS_PROXY=http://y:1"}, NULL, ""},
        {"http://127.0.0.1:8790/graphql", {"http_proxy=http://x:1", "all_proxy=#"}, NULL, ""},
        {"https://localhost/graphql", {"https_proxy=http://x:1", "all_proxy=#"}, NULL, ""},
        {"https://user:x@[::1]:80/", {"https_proxy=http://x:1"}, NULL, ""},
        {"http://localhost@seek.example/", {"http_proxy=http://x:1"}, "http_proxy", "x:1"},
        {"http://seek.example/@localhost", {"http_proxy=http://x:1"}, "http_proxy", "x:1"},
        {"https://seek.example?://localhost", {"https_proxy=http://x:1"}, "https_proxy", "x:1"},
        /* NO_PROXY */
        {"https://[2001:db8::1]/", {"https_proxy=http://x:1", "no_proxy=2001:db8::1"}, NULL, ""},
        {SEEK, {"HTTPS_PROXY=http://x:1", "NO_PROXY=graphql.seek.com"}, NULL, ""},
        {SEEK, {"HTTPS_PROXY=http://x:1", "NO_PROXY=localhost, .SEEK.com"}, NULL, ""},
        {SEEK, {"HTTPS_PROXY=http://x:1", "NO_PROXY=a,b,com"}, NULL, ""},
        {SEEK, {"HTTPS_PROXY=#", "no_proxy=*"}, NULL, ""},
        {SEEK, {"HTTPS_PROXY=http://x:1", "NO_PROXY=*", "no_proxy=other"}, "HTTPS_PROXY", "x:1"},
        {SEEK,
         {"HTTPS_PROXY=http://x:1", "NO_PROXY=k.com,ql.seek.com,auth.seek.com,,"},
         "HTTPS_PROXY",
         "x:1"},
        /* What a value may look like. */
        {SEEK, {"HTTPS_PROXY=p.example"}, "HTTPS_PROXY", "p.example"},
        {SEEK, {"HTTPS_PROXY=HTTP://p.example:1/"}, "HTTPS_PROXY", "p.example:1"},
        {SEEK, {"HTTPS_PROXY=http://p.example:1/path?a#b"}, "HTTPS_PROXY", "p.example:1"},
        {SEEK,
         {"HTTPS_PROXY=http://user:p%40ss%23@p.example:3128"},
         "HTTPS_PROXY",
         "p.example:3128"},
        {SEEK, {"HTTPS_PROXY=user@p.example:3128"}, "HTTPS_PROXY", "p.example:3128"},
        {SEEK, {"HTTPS_PROXY=https://u:p@[2001:db8::1]:3128"}, "HTTPS_PROXY", "[2001:db8::1]:3128"},
        {SEEK, {"HTTPS_PROXY=[::1]"}, "HTTPS_PROXY", "[::1]"},
        {SEEK, {"HTTPS_PROXY=127.0.0.1:65535"}, "HTTPS_PROXY", "127.0.0.1:65535"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_proxy proxy;
        struct error error;
        if (!http_proxy_find(cases[i].url, cases[i].environment, &proxy, &error))
            fail_msg("case %zu: %s", i, error.message);
        if (cases[i].variable == NULL)
            assert_null(proxy.variable);
        else
            assert_string_equal(proxy.variable, cases[i].variable);
        assert_string_equal(proxy.place, cases[i].place);
    }
}

static void refuses_what_cannot_be_used_without_showing_it(void **state)
{
    (void)state;
    static const char *const values[] = {"HTTPS_PROXY=http://user:s3cret#1@h:3128",
                                         "HTTPS_PROXY=http://user:12#s3cret@h:3128",
                                         "HTTPS_PROXY=http://user:s3cret/@h:3128",
                                         "HTTPS_PROXY=http://user:s3cret?@h:3128",
                                         "HTTPS_PROXY=http://user:s3cret@x@h:3128",
                                         "HTTPS_PROXY=user:s3cret#1@h:3128",
                                         "HTTPS_PROXY=http://user:s3cret @h:3128",
                                         "HTTPS_PROXY=http://user:s3cret\n@h",
                                         "HTTPS_PROXY=http://user:s3cret@",
                                         "HTTPS_PROXY=http://user:s3cret@h:port",
                                         "HTTPS_PROXY=http://user:s3cret@h:0",
                                         "HTTPS_PROXY=http://user:s3cret@h:65536",
                                         "HTTPS_PROXY=http://user:s3cret@h:",
                                         "HTTPS_PROXY=http://user:s3cret@h:1:2",
                                         "HTTPS_PROXY=http://user:s3cret@[::1",
                                         "HTTPS_PROXY=http://user:s3cret@[::1]3128",
                                         "HTTPS_PROXY=http://user:s3cret@[]",
                                         "HTTPS_PROXY=ftp://user:s3cret@h:1",
                                         "HTTPS_PROXY=://user:s3cret@h:1",
                                         "HTTPS_PROXY=http://h'; s3cret",
                                         "HTTPS_PROXY=http://s3cret!"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        const char *const environment[] = {values[i], NULL};
        struct http_proxy proxy;
        struct error error;
        if (http_proxy_find(SEEK, environment, &proxy, &error))
            fail_msg("taken: %s", values[i]);
        assert_int_equal(error.kind, ERROR_CONFIG);
        assert_ptr_equal(strstr(error.message, "HTTPS_PROXY=(hidden): "), error.message);
        assert_null(strstr(error.message, "s3cret"));
        assert_null(proxy.variable);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("finds the variable that counts, and what it names", finds_the_variable_that_counts),
        IT("refuses what cannot be used, without showing it",
           refuses_what_cannot_be_used_without_showing_it),
    };
    return cmocka_run_group_tests_name("http_proxy", tests, NULL, NULL);
}
