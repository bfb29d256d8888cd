/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "service/outbound/issuer_answer.h"

#include "tests/support/specification.h"

#define SECRET "client-secret-Xq7Zp2"
#define GRANT(members) "{\"access_token\":\"abc\"" members "}"

static const char *const secret_list[] = {SECRET};
static const struct redaction secrets = {secret_list, 1};

static bool read(unsigned status, const char *body, struct issuer_grant *out, struct error *error)
{
    const struct http_exchange exchange = {
        .outcome = HTTP_ANSWERED, .status = status, .body = body, .content_type = "text/html"};
    AUTO(json) *json = json_parse(body, strlen(body), NULL);
    bool is_granted = issuer_answer_read(&exchange, json, &secrets, out, error);
    out->access_token = NULL; /* it goes with the tree */
    return is_granted;
}

static void takes_every_form_of_a_life(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int64_t life_ms;
    } cases[] = {
        {GRANT(",\"expires_in\":1800"), 1800000},
        {GRANT(",\"expires_in\":\"1800\""), 1800000},
        {GRANT(",\"expires_in\":1800.0"), 1800000},
        {GRANT(",\"expires_in\":1799.5"), 1799500},
        {GRANT(",\"expires_in\":1.8e3"), 1800000},
        {GRANT(",\"expires_in\":\"1799.5\""), 1799500},
        {GRANT(",\"expires_in\":null"), 300000},
        {GRANT(""), 300000},
        {GRANT(",\"expires_in\":\"soon\""), 300000},
        {GRANT(",\"expires_in\":\"\""), 300000},
        {GRANT(",\"expires_in\":\"1.2.3\""), 300000},
        {GRANT(",\"expires_in\":\" 5\""), 300000},
        {GRANT(",\"expires_in\":\"inf\""), 300000},
        {GRANT(",\"expires_in\":{}"), 300000},
        {GRANT(",\"expires_in\":1e300"), INT64_C(31536000000)},
        {GRANT(",\"expires_in\":99999999999999999999"), INT64_C(31536000000)},
        {GRANT(",\"expires_in\":0.0001"), 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct issuer_grant grant = {0};
        struct error error;
        if (!read(200, cases[i].body, &grant, &error))
            fail_msg("%s: %s", cases[i].body, error.message);
        assert_int_equal(grant.life_ms, cases[i].life_ms);
        assert_int_equal(grant.length, 3);
    }
}

static void takes_bearer_alone(void **state)
{
    (void)state;
    static const char *const taken[] = {
        GRANT(",\"token_type\":\"Bearer\""), GRANT(",\"token_type\":\"bearer\""),
        GRANT(",\"token_type\":\"BEARER\""), GRANT(",\"token_type\":null"), GRANT("")};
    struct issuer_grant grant;
    struct error error;
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        assert_true(read(200, taken[i], &grant, &error));
    assert_false(read(200, GRANT(",\"token_type\":\"mac\""), &grant, &error));
    assert_string_equal(error.message,
                        "the access token is of the token_type mac; only Bearer can be used");
    assert_false(read(200, GRANT(",\"token_type\":\"DPoP\""), &grant, &error));
    assert_non_null(strstr(error.message, "DPoP"));
    assert_false(read(200, GRANT(",\"token_type\":\"" SECRET "\""), &grant, &error));
    assert_null(strstr(error.message, SECRET));
    assert_false(read(200, GRANT(",\"token_type\":7"), &grant, &error));
}

static void says_what_was_there(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        const char *body, *message;
    } cases[] = {
        {200, "", "HTTP status 200, but the answer is not JSON; its content type is text/html"},
        {200, "<html>",
         "HTTP status 200, but the answer is not JSON; its content type is text/html"},
        {200, "[]",
         "HTTP status 200, but the answer is not a JSON object; its content type is text/html"},
        {200, "{}", "the answer has no access_token"},
        {200, "{\"access_token\":\"\"}", "the answer has no access_token"},
        {200, "{\"access_token\":7}", "the answer has no access_token"},
        {200, "{\"access_token\":\"a\\r\\nX: y\"}",
         "the access_token is over 8191 bytes or not plain text"},
        {200, "{\"access_token\":\"a b\"}",
         "the access_token is over 8191 bytes or not plain text"},
        {200, GRANT(",\"expires_in\":0"), "the access token has expired already"},
        {200, GRANT(",\"expires_in\":\"-5\""), "the access token has expired already"},
        {200, "{\"error\":\"invalid_client\"}",
         "HTTP status 200, invalid_client; are CLIENT_ID and CLIENT_SECRET right?"},
        {302, "", "HTTP status 302 without an OAuth error; its content type is text/html"},
        {500, "<html>", "HTTP status 500 without an OAuth error; its content type is text/html"},
        /* oauth2-mock-server's problem document, and a gateway's words. */
        {400, "{\"title\":\"Bad Request\",\"detail\":\"'grant_type' is not supported\"}",
         "HTTP status 400 without an OAuth error; it says: 'grant_type' is not supported"},
        {403, "{\"message\":\"Missing Authentication Token\"}",
         "HTTP status 403 without an OAuth error; it says: Missing Authentication Token"},
        {400, "{\"detail\":\"not " SECRET "\"}",
         "HTTP status 400 without an OAuth error; it says: (this text repeats the client secret)"},
        {401, "{\"error\":\"invalid_client\",\"error_description\":\"who?\"}",
         "HTTP status 401, invalid_client: who?"
         "; are CLIENT_ID and CLIENT_SECRET right?"},
        {403, "{\"error\":\"access_denied\"}", "HTTP status 403, access_denied"},
        {401,
         "{\"error\":\"invalid_client\",\"error_description\":\"not client%2Dsecret%2DXq7Zp2\"}",
         "HTTP status 401, invalid_client: (this text repeats the client secret)"
         "; are CLIENT_ID and CLIENT_SECRET right?"},
        {401, "{\"error\":\"CLIENT-SECRET-XQ7ZP2\"}",
         "HTTP status 401, (this text repeats the client secret)"
         "; are CLIENT_ID and CLIENT_SECRET right?"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct issuer_grant grant;
        struct error error;
        assert_false(read(cases[i].status, cases[i].body, &grant, &error));
        assert_string_equal(error.message, cases[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("takes every form of a life, and five minutes when there is none",
           takes_every_form_of_a_life),
        IT("takes Bearer alone, and names another type", takes_bearer_alone),
        IT("says what was there, without the client secret", says_what_was_there),
    };
    return cmocka_run_group_tests_name("issuer_answer", tests, NULL, NULL);
}
