/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "service/notification/webhook.h"

#include "tests/support/specification.h"

/* The example that libraries of Standard Webhooks are tested with. */
static const struct webhook_message message = {
    .id = "msg_p5jXN8AQM9LWM0D4loKWxJek",
    .sent_at_s = 1614265330,
    .body = "{\"test\": 2432232314}",
    .body_length = 20,
};
#define KEY "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

static bool sign(const char *secret_text, struct webhook_headers *out, struct error *error)
{
    AUTO(secret) *secret = secret_from_value(secret_text, NULL);
    assert_non_null(secret);
    return webhook_sign(&message, secret, out, error);
}

static void signs_as_standard_webhooks_has_it(void **state)
{
    (void)state;
    struct webhook_headers headers;
    assert_true(sign(KEY, &headers, NULL));
    assert_string_equal(headers.id, "webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek");
    assert_string_equal(headers.timestamp, "webhook-timestamp: 1614265330");
    assert_string_equal(headers.signature, "webhook-signature: " SIGNATURE);
}

static void signs_with_each_line(void **state)
{
    (void)state;
    struct webhook_headers headers;
    assert_true(sign("a plain key of 26 letters.\n" KEY "\r\n", &headers, NULL));
    const char *first = headers.signature + strlen("webhook-signature: ");
    const char *second = strchr(first, ' ');
    assert_non_null(second);
    assert_string_equal(second + 1, SIGNATURE);
    assert_int_equal(second - first, strlen(SIGNATURE));
    assert_true(strncmp(first, SIGNATURE, strlen(SIGNATURE)) != 0);
}

static void refuses_keys_that_are_none(void **state)
{
    (void)state;
    static const struct {
        const char *text, *said;
    } cases[] = {
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "Base64"},
        {"whsec_", "24 bytes"},
        {"twenty-three characters", "24 bytes"},
        {KEY "\nshort", "24 bytes"},
        {"\r\n\n", "no key"},
        {KEY "\n" KEY "\n" KEY "\n" KEY "\n" KEY, "more than 4"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error error;
        struct webhook_headers headers;
        AUTO(secret) *secret = secret_from_value(cases[i].text, NULL);
        assert_false(webhook_check_secret(secret, &error));
        assert_int_equal(error.kind, ERROR_CONFIG);
        assert_non_null(strstr(error.message, cases[i].said));
        assert_false(sign(cases[i].text, &headers, &error));
        assert_non_null(strstr(error.message, cases[i].said));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("signs as Standard Webhooks has it", signs_as_standard_webhooks_has_it),
        IT("signs with each line of the secret", signs_with_each_line),
        IT("refuses keys that are none, and says how to make one", refuses_keys_that_are_none),
    };
    return cmocka_run_group_tests_name("webhook", tests, NULL, NULL);
}
