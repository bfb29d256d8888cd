/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/net/http_url.h"

#include "tests/support/specification.h"

static void says_what_a_url_says(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_https, has_credentials;
        const char *host;
        uint16_t port;
    } rows[] = {
        {"https://seek.example", true, false, "seek.example", 443},
        {"HTTPS://seek.example/graphql", true, false, "seek.example", 443},
        {"http://127.0.0.1:8790/a@b", false, false, "127.0.0.1", 8790},
        {"https://seek.example?key=a@b", true, false, "seek.example", 443},
        {"http://[::1]:1/", false, false, "::1", 1},
        {"http://[::1]/", false, false, "::1", 80},
        {"https://user@seek.example/", true, true, "seek.example", 443},
        {"https://:password@seek.example/", true, true, "seek.example", 443},
        {"https://@seek.example/", true, true, "seek.example", 443},
        {"http://127.0.0.1:8790@evil.example/", false, true, "evil.example", 80},
        {"http://127.1/", false, false, "127.0.0.1", 80}, /* as libcurl will connect */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_url url;
        struct error error;
        if (!http_url_parse(rows[i].text, &url, &error))
            fail_msg("%s: %s", rows[i].text, error.message);
        assert_int_equal(url.is_https, rows[i].is_https);
        assert_int_equal(url.has_credentials, rows[i].has_credentials);
        assert_string_equal(url.host, rows[i].host);
        assert_int_equal(url.port, rows[i].port);
    }
}

static void refuses_what_is_no_web_address(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "seek.example",
                                        "//seek.example",
                                        "ftp://seek.example",
                                        "https:/seek.example",
                                        "https://",
                                        "https:///graphql",
                                        "https://?key",
                                        "https://seek.example:70000",
                                        "https://seek.example:x",
                                        "https://user:geh/eim@seek.example/",
                                        "https://seek.example/a b",
                                        "https://seek.example\n/",
                                        "https://[::1/"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct http_url url;
        struct error error;
        if (http_url_parse(texts[i], &url, &error))
            fail_msg("%s: taken", texts[i]);
        assert_int_equal(error.kind, ERROR_CONFIG);
        assert_null(strstr(error.message, "seek.example"));
        assert_null(strstr(error.message, "geh"));
    }
}

static void bounds_the_host(void **state)
{
    (void)state;
    char text[HOST_BYTES + sizeof "https://"] = "https://";
    size_t scheme = strlen(text);
    struct http_url url;
    struct error error;
    memset(text + scheme, 'h', HOST_BYTES);
    assert_false(http_url_parse(text, &url, &error));
    text[scheme + HOST_BYTES - 1] = '\0';
    assert_true(http_url_parse(text, &url, &error));
    assert_int_equal(strlen(url.host), HOST_BYTES - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("says what a URL says", says_what_a_url_says),
        IT("refuses what is no address of the web, and repeats none of it",
           refuses_what_is_no_web_address),
        IT("bounds the host", bounds_the_host),
    };
    return cmocka_run_group_tests_name("http_url", tests, NULL, NULL);
}
