/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "service/sandbox/behaviour.h"

#include "tests/support/specification.h"

static bool patch(struct behaviour *behaviour, const char *text, struct error *error)
{
    AUTO(json) *json = json_parse(text, strlen(text), NULL);
    assert_non_null(json);
    return behaviour_patch(behaviour, json_root(json), error);
}

static void changes_what_is_named_and_nothing_else(void **state)
{
    (void)state;
    struct behaviour behaviour = behaviour_default;
    assert_true(patch(&behaviour, "{\"latencyMs\":12,\"playground\":true}", NULL));
    assert_int_equal(behaviour.latency_ms, 12);
    assert_true(behaviour.is_playground);
    assert_int_equal(behaviour.expires_in_s, 1800);
    assert_true(
        patch(&behaviour, "{\"success\":null,\"clientSecret\":\"s\",\"keepBodies\":true}", NULL));
    assert_false(behaviour.is_success_true);
    assert_string_equal(behaviour.client_secret, "s");
    assert_true(behaviour.keeps_bodies);
    assert_true(patch(&behaviour, "{\"success\":true,\"clientSecret\":null}", NULL));
    assert_true(behaviour.is_success_true);
    assert_string_equal(behaviour.client_secret, "");
    assert_int_equal(behaviour.latency_ms, 12);
}

static void changes_all_or_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"[]", "expected a JSON object"},
        {"{\"latencyMs\":5,\"latencyms\":5}", "latencyms: there is no such member"},
        {"{\"latencyMs\":5,\"expiresIn\":-1}", "expiresIn: expected an integer from 0 to 31536000"},
        {"{\"latencyMs\":5,\"success\":false}", "success: expected true or null"},
        {"{\"latencyMs\":5,\"playground\":1}", "playground: expected true or false"},
        {"{\"latencyMs\":5,\"clientId\":1}",
         "clientId: expected a string or null, in bytes from 0 to 255"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct behaviour behaviour = behaviour_default;
        struct error error;
        assert_false(patch(&behaviour, cases[i].text, &error));
        assert_string_equal(error.message, cases[i].message);
        assert_memory_equal(&behaviour, &behaviour_default, sizeof behaviour);
    }
}

static void takes_texts_up_to_their_maximum(void **state)
{
    (void)state;
    struct behaviour behaviour = behaviour_default;
    char text[BEHAVIOUR_TEXT_BYTES_MAX + 32] = "{\"clientId\":\"";
    size_t start = strlen(text);
    memset(text + start, 'x', BEHAVIOUR_TEXT_BYTES_MAX);
    (void)strcpy(text + start + BEHAVIOUR_TEXT_BYTES_MAX, "\"}");
    assert_true(patch(&behaviour, text, NULL));
    assert_int_equal(strlen(behaviour.client_id), BEHAVIOUR_TEXT_BYTES_MAX);
    (void)strcpy(text + start + BEHAVIOUR_TEXT_BYTES_MAX, "x\"}");
    assert_false(patch(&behaviour, text, NULL));
}

static void never_shows_the_client_secret(void **state)
{
    (void)state;
    struct behaviour behaviour = behaviour_default;
    struct buffer text;
    buffer_init(&text, 4096);
    assert_true(patch(&behaviour, "{\"clientId\":\"me\",\"clientSecret\":\"hush-hush\"}", NULL));
    assert_true(behaviour_write(&behaviour, &text, NULL));
    assert_null(strstr(text.bytes, "hush"));
    assert_string_equal(text.bytes, "{\"latencyMs\":0,\"latencyJitterMs\":0,\"expiresIn\":1800,"
                                    "\"playground\":false,\"success\":true,\"keepBodies\":false,"
                                    "\"clientId\":\"me\",\"expiredContains\":\"\"}");
    buffer_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("changes what is named and nothing else", changes_what_is_named_and_nothing_else),
        IT("changes all or nothing", changes_all_or_nothing),
        IT("takes texts up to their maximum", takes_texts_up_to_their_maximum),
        IT("never shows the client secret", never_shows_the_client_secret),
    };
    return cmocka_run_group_tests_name("sandbox_behaviour", tests, NULL, NULL);
}
