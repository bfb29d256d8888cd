/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/sandbox/oauth.h"

#include "tests/support/failing_malloc.h"
#include "tests/support/specification.h"

enum { NOW_MS = 1000000 };

#define BODY(audience, id, secret, grant)                                                          \
    "{\"audience\":\"" audience "\",\"client_id\":\"" id "\",\"client_secret\":\"" secret          \
    "\",\"grant_type\":\"" grant "\"}"
#define LIVE "https://graphql.seek.com"
#define PLAYGROUND "https://test.graphql.seek.com"
#define GOOD_BODY BODY(LIVE, "client", "secret", "client_credentials")

struct desk {
    struct oauth *oauth;
    struct behaviour behaviour;
    struct incoming incoming;
    struct sandbox_answer answer;
};

static struct desk *open_desk(void)
{
    struct desk *desk = calloc(1, sizeof *desk);
    assert_non_null(desk);
    desk->oauth = oauth_create(NULL);
    assert_non_null(desk->oauth);
    desk->behaviour = behaviour_default;
    desk->incoming =
        (struct incoming){.method = "POST", .content_type = "application/json", .now_ms = NOW_MS};
    answer_init(&desk->answer);
    return desk;
}

static void close_desk(struct desk *desk)
{
    answer_fini(&desk->answer);
    oauth_destroy(desk->oauth);
    free(desk);
}

static void ask(struct desk *desk, const char *body)
{
    desk->incoming.body = body;
    desk->incoming.body_length = strlen(body);
    oauth_answer(desk->oauth, &desk->behaviour, &desk->incoming, &desk->answer);
}

static void must_refuse(struct desk *desk, const char *body, unsigned status, const char *code)
{
    ask(desk, body);
    if (desk->answer.status != status)
        fail_msg("%u for %s: %s", desk->answer.status, body, desk->answer.body.bytes);
    assert_string_equal(desk->answer.outcome, code);
    assert_false(desk->answer.is_authorized);
    char member[80];
    (void)snprintf(member, sizeof member, "{\"error\":\"%s\",", code);
    assert_memory_equal(desk->answer.body.bytes, member, strlen(member));
}

/* "Bearer <the access token of the answer>" */
static const char *must_get(struct desk *desk, const char *body, char header[128])
{
    ask(desk, body);
    assert_int_equal(desk->answer.status, 200);
    assert_true(desk->answer.is_authorized);
    AUTO(json) *json = json_parse(desk->answer.body.bytes, desk->answer.body.length, NULL);
    assert_non_null(json);
    struct json_text access_token;
    assert_true(json_member_text(json_root(json), "access_token", &access_token));
    (void)snprintf(header, 128, "Bearer %s", access_token.bytes);
    return header;
}

static void gives_an_access_token_for_credentials(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    char header[128];
    desk->behaviour.expires_in_s = 77;
    (void)must_get(desk, GOOD_BODY, header);
    assert_string_equal(desk->answer.outcome, "granted");
    assert_string_equal(desk->answer.content_type, content_type_json);
    AUTO(json) *json = json_parse(desk->answer.body.bytes, desk->answer.body.length, NULL);
    int64_t expires_in;
    struct json_text type;
    assert_true(json_member_integer(json_root(json), "expires_in", &expires_in));
    assert_true(json_member_text(json_root(json), "token_type", &type));
    assert_int_equal(expires_in, 77);
    assert_string_equal(type.bytes, "Bearer");
    close_desk(desk);
}

static void knows_its_access_tokens_by_audience(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    char live[128], playground[128];
    (void)must_get(desk, GOOD_BODY, live);
    (void)must_get(desk, BODY(PLAYGROUND, "a", "b", "client_credentials"), playground);
    assert_string_not_equal(live, playground);
    assert_int_equal(oauth_check(desk->oauth, live, NOW_MS), OAUTH_LIVE);
    assert_int_equal(oauth_check(desk->oauth, playground, NOW_MS), OAUTH_PLAYGROUND);
    close_desk(desk);
}

static void lets_them_expire_to_the_millisecond(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    char header[128];
    desk->behaviour.expires_in_s = 2;
    (void)must_get(desk, GOOD_BODY, header);
    assert_int_equal(oauth_check(desk->oauth, header, NOW_MS + 1999), OAUTH_LIVE);
    assert_int_equal(oauth_check(desk->oauth, header, NOW_MS + 2000), OAUTH_EXPIRED);
    close_desk(desk);
}

static void revokes_all(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    char header[128];
    (void)must_get(desk, GOOD_BODY, header);
    oauth_revoke_all(desk->oauth);
    assert_int_equal(oauth_check(desk->oauth, header, NOW_MS), OAUTH_INVALID);
    (void)must_get(desk, GOOD_BODY, header);
    assert_int_equal(oauth_check(desk->oauth, header, NOW_MS), OAUTH_LIVE);
    close_desk(desk);
}

static void knows_no_other_access_token(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    char header[128];
    (void)must_get(desk, GOOD_BODY, header);
    static const char *const others[] = {
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Bearer 0000-",
        "Bearer 0001-",
        "Bearer -",
        "Bearer ffffffffffffffffffff-a",
        "Bearer -1-a",
        "Bearer 1000-x",
        "Bearer 1001-x",
        "Bearer ffff-x",
        "Basic 0000-",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(oauth_check(desk->oauth, others[i], NOW_MS), OAUTH_INVALID);
    assert_int_equal(oauth_check(desk->oauth, NULL, NOW_MS), OAUTH_MISSING);
    header[strlen(header) - 1] ^= 1;
    assert_int_equal(oauth_check(desk->oauth, header, NOW_MS), OAUTH_INVALID);
    close_desk(desk);
}

static void forgets_the_oldest_at_the_maximum(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    char first[128], second[128], last[128];
    (void)must_get(desk, GOOD_BODY, first);
    (void)must_get(desk, GOOD_BODY, second);
    for (int i = 2; i <= ACCESS_TOKENS_MAX; i++)
        (void)must_get(desk, GOOD_BODY, last);
    assert_int_equal(oauth_check(desk->oauth, first, NOW_MS), OAUTH_INVALID);
    assert_int_equal(oauth_check(desk->oauth, second, NOW_MS), OAUTH_LIVE);
    assert_int_equal(oauth_check(desk->oauth, last, NOW_MS), OAUTH_LIVE);
    close_desk(desk);
}

static void refuses_a_request_that_is_not_complete(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    static const char *const bodies[] = {
        "",
        "[]",
        "{",
        "grant_type=client_credentials&client_id=a",
        "{\"client_id\":\"a\",\"client_secret\":\"b\",\"grant_type\":\"client_credentials\"}",
        "{\"audience\":\"" LIVE "\",\"client_secret\":\"b\",\"grant_type\":\"client_credentials\"}",
        "{\"audience\":\"" LIVE "\",\"client_id\":\"b\",\"grant_type\":\"client_credentials\"}",
        "{\"audience\":\"" LIVE "\",\"client_id\":\"a\",\"client_secret\":\"b\"}",
        BODY(LIVE, "", "b", "client_credentials"),
        BODY(LIVE, "a", "", "client_credentials"),
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        must_refuse(desk, bodies[i], 400, "invalid_request");
    must_refuse(desk, BODY(LIVE, "a", "b", "password"), 400, "unsupported_grant_type");
    must_refuse(desk, BODY("https://seek.com", "a", "b", "client_credentials"), 403,
                "access_denied");
    close_desk(desk);
}

static void refuses_another_method_or_content_type(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    desk->incoming.content_type = "application/x-www-form-urlencoded";
    must_refuse(desk, GOOD_BODY, 400, "invalid_request");
    desk->incoming.content_type = "application/jsonp";
    must_refuse(desk, GOOD_BODY, 400, "invalid_request");
    desk->incoming.content_type = NULL;
    must_refuse(desk, GOOD_BODY, 400, "invalid_request");
    desk->incoming.content_type = "Application/JSON;charset=utf-8";
    ask(desk, GOOD_BODY);
    assert_int_equal(desk->answer.status, 200);
    desk->incoming.method = "GET";
    ask(desk, GOOD_BODY);
    assert_int_equal(desk->answer.status, 405);
    assert_string_equal(desk->answer.header_name, "Allow");
    close_desk(desk);
}

static void holds_on_to_the_credentials_it_was_given(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    (void)strcpy(desk->behaviour.client_id, "client");
    (void)strcpy(desk->behaviour.client_secret, "rotated");
    must_refuse(desk, GOOD_BODY, 401, "access_denied");
    must_refuse(desk, BODY(LIVE, "other", "rotated", "client_credentials"), 401, "access_denied");
    ask(desk, BODY(LIVE, "client", "rotated", "client_credentials"));
    assert_int_equal(desk->answer.status, 200);
    close_desk(desk);
}

static void says_when_memory_is_out(void **state)
{
    (void)state;
    failing_malloc_arm(0);
    assert_null(oauth_create(NULL));
    assert_true(failing_malloc_disarm());
    bool has_failed = true;
    for (unsigned n = 0; has_failed; n++) {
        struct desk *desk = open_desk();
        failing_malloc_arm(n);
        ask(desk, GOOD_BODY);
        has_failed = failing_malloc_disarm();
        assert_int_equal(desk->answer.is_out_of_memory, has_failed);
        close_desk(desk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("gives an access token for credentials", gives_an_access_token_for_credentials),
        IT("knows its access tokens by audience", knows_its_access_tokens_by_audience),
        IT("lets them expire to the millisecond", lets_them_expire_to_the_millisecond),
        IT("revokes all", revokes_all),
        IT("knows no other access token", knows_no_other_access_token),
        IT("forgets the oldest at the maximum", forgets_the_oldest_at_the_maximum),
        IT("refuses a request that is not complete", refuses_a_request_that_is_not_complete),
        IT("refuses another method or content type", refuses_another_method_or_content_type),
        IT("holds on to the credentials it was given", holds_on_to_the_credentials_it_was_given),
        IT("says when memory is out", says_when_memory_is_out),
    };
    return cmocka_run_group_tests_name("sandbox_oauth", tests, NULL, NULL);
}
