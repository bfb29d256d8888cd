/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/outbound/access_token.h"

#include "tests/support/access_token_stand.h"
#include "tests/support/specification.h"

static void tells_one_caller_to_fetch(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(acquire(scene, START_MS), ACCESS_TOKEN_REFRESH);
    assert_int_equal(acquire(scene, START_MS), ACCESS_TOKEN_WAIT);
    assert_in_range(scene->wait_ms, 1, REFRESH_TIMEOUT_MS);
    assert_int_equal(scene->line.length, 0);
    grant(scene, "aaa", 1800, START_MS);
    must_be_ready(scene, START_MS, "aaa");
}

static void keeps_it_for_its_life_less_a_minute(void **state)
{
    struct scene *scene = *state;
    grant(scene, "aaa", 1800, START_MS);
    must_be_ready(scene, START_MS + 1739999, "aaa");
    assert_int_equal(acquire(scene, START_MS + 1740000), ACCESS_TOKEN_READY_REFRESH);
    must_be_ready(scene, START_MS + 1740000, "aaa"); /* only one caller fetches */
    must_be_ready(scene, START_MS + 1759999, "aaa");
    assert_int_equal(acquire(scene, START_MS + 1800000), ACCESS_TOKEN_REFRESH);
}

static void the_margin_of_a_short_life_is_a_tenth(void **state)
{
    struct scene *scene = *state;
    grant(scene, "aaa", 2, START_MS);
    must_be_ready(scene, START_MS + 1799, "aaa");
    assert_int_equal(acquire(scene, START_MS + 1800), ACCESS_TOKEN_READY_REFRESH);
    assert_string_equal(scene->line.bytes, "Authorization: Bearer aaa");
    grant(scene, "bbb", 2, START_MS + 1900);
    must_be_ready(scene, START_MS + 1900 + 1799, "bbb");
}

static void its_life_begins_with_the_request(void **state)
{
    struct scene *scene = *state;
    static const char body[] = "{\"access_token\":\"aaa\",\"expires_in\":10}";
    const struct http_exchange exchange = {.outcome = HTTP_ANSWERED,
                                           .status = 200,
                                           .body = body,
                                           .body_length = sizeof body - 1,
                                           .detail = "",
                                           .duration_us = 4000000};
    assert_true(access_token_refreshed(scene->token, &exchange, START_MS, 0, NULL));
    must_be_ready(scene, START_MS + 4999, "aaa");
    assert_int_equal(acquire(scene, START_MS + 5000), ACCESS_TOKEN_READY_REFRESH);
    assert_int_equal(acquire(scene, START_MS + 6000), ACCESS_TOKEN_WAIT);
}

static void a_fetch_that_never_reports_is_repeated(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(acquire(scene, START_MS), ACCESS_TOKEN_REFRESH);
    assert_int_equal(acquire(scene, START_MS + REFRESH_TIMEOUT_MS - 1), ACCESS_TOKEN_WAIT);
    assert_int_equal(scene->wait_ms, 1);
    assert_int_equal(acquire(scene, START_MS + REFRESH_TIMEOUT_MS), ACCESS_TOKEN_REFRESH);
}

static void a_failed_fetch_is_repeated_with_backoff(void **state)
{
    struct scene *scene = *state;
    int64_t now_ms = START_MS;
    static const int64_t most_ms[] = {1000, 2000, 4000, 8000, 8000};
    for (size_t i = 0; i < sizeof most_ms / sizeof most_ms[0]; i++) {
        assert_int_equal(acquire(scene, now_ms), ACCESS_TOKEN_REFRESH);
        struct error error;
        assert_false(answer(scene, 503, "busy", now_ms, &error));
        assert_int_equal(acquire(scene, now_ms), ACCESS_TOKEN_WAIT);
        assert_in_range(scene->wait_ms, 1, most_ms[i]);
        now_ms += scene->wait_ms;
    }
    assert_int_equal(acquire(scene, now_ms), ACCESS_TOKEN_REFRESH);
    grant(scene, "aaa", 1800, now_ms);
    must_be_ready(scene, now_ms, "aaa");
}

static void the_old_one_serves_while_the_next_cannot_be_had(void **state)
{
    struct scene *scene = *state;
    grant(scene, "aaa", 1800, START_MS);
    int64_t now_ms = START_MS + 1750000;
    assert_int_equal(acquire(scene, now_ms), ACCESS_TOKEN_READY_REFRESH);
    struct error error;
    assert_false(answer(scene, 503, "", now_ms, &error));
    must_be_ready(scene, now_ms, "aaa");
    assert_int_equal(acquire(scene, now_ms + 1000), ACCESS_TOKEN_READY_REFRESH);
}

static void a_success_ends_the_backoff(void **state)
{
    struct scene *scene = *state;
    for (int i = 0; i < 6; i++)
        access_token_failed(scene->token, "busy", false, START_MS, RETRY_MAX_MS);
    grant(scene, "aaa", 1800, START_MS);
    must_be_ready(scene, START_MS, "aaa");
    access_token_reject(scene->token, scene->generation);
    assert_int_equal(acquire(scene, START_MS), ACCESS_TOKEN_REFRESH);
    access_token_failed(scene->token, "busy", false, START_MS, RETRY_MAX_MS);
    assert_int_equal(acquire(scene, START_MS + 1000), ACCESS_TOKEN_REFRESH);
}

static void an_issuer_that_is_away_is_asked_sooner(void **state)
{
    for (int i = 0; i < 20; i++)
        assert_false(answer(*state, i < 19 ? 401 : 503, "{}", START_MS, NULL));
    assert_int_equal(acquire(*state, START_MS + OUTAGE_MAX_MS), ACCESS_TOKEN_REFRESH);
}

static void counts_and_says_why(void **state)
{
    struct scene *scene = *state;
    struct access_token_status status;
    access_token_status(scene->token, START_MS, &status);
    assert_false(status.is_valid);
    assert_int_equal(status.expires_in_ms, -1);
    assert_int_equal(status.failing_since_ms, -1);

    struct error error;
    assert_false(answer(scene, 401, "{\"error\":\"access_denied\"}", START_MS, &error));
    assert_false(answer(scene, 401, "{\"error\":\"access_denied\"}", START_MS + 5, &error));
    access_token_status(scene->token, START_MS, &status);
    assert_int_equal(status.failures, 2);
    assert_int_equal(status.failing_since_ms, START_MS);
    assert_string_equal(status.last_error,
                        "HTTP status 401, access_denied; are CLIENT_ID and CLIENT_SECRET right?");

    grant(scene, "aaa", 1800, START_MS + 10);
    access_token_status(scene->token, START_MS + 10, &status);
    assert_true(status.is_valid);
    assert_int_equal(status.refreshes, 1);
    assert_int_equal(status.expires_in_ms, 1800000);
    assert_int_equal(status.failing_since_ms, -1);
    assert_string_equal(status.last_error, "");
}

static void says_what_is_wrong_with_an_answer(void **state)
{
    struct scene *scene = *state;
    static const struct {
        unsigned status;
        const char *body, *message;
    } cases[] = {
        {200, "", "HTTP status 200, but the answer is not JSON"},
        {200, "{}", "no access_token"},
        {302, "", "HTTP status 302"},
        {401, "{\"error\":\"invalid_client\",\"error_description\":\"who?\"}",
         "HTTP status 401, invalid_client: who?"},
        {500, "<html>", "HTTP status 500 without an OAuth error"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error error;
        assert_false(answer(scene, cases[i].status, cases[i].body, START_MS, &error));
        assert_non_null(strstr(error.message, cases[i].message));
        assert_null(strstr(error.message, "abc"));
    }
}

static void a_life_beyond_reason_is_cut(void **state)
{
    struct scene *scene = *state;
    grant(scene, "aaa", INT64_MAX, START_MS);
    must_be_ready(scene, START_MS + 1, "aaa");
}

/* Whatever the pauses of our own would be. */
static void retry_after_is_a_floor(void **state)
{
    struct scene *scene = *state;
    static const struct {
        const char *retry_after;
        int64_t least_ms, most_ms;
    } cases[] = {{"4", 4000, 5000}, {"0", 1, 1000}, {"soon", 1, 1000}, {"86400", 300000, 301000}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct http_exchange exchange = {.outcome = HTTP_ANSWERED,
                                               .status = 429,
                                               .body = "",
                                               .content_type = "",
                                               .retry_after = cases[i].retry_after,
                                               .detail = ""};
        struct error error;
        assert_false(access_token_refreshed(scene->token, &exchange, START_MS, 0, &error));
        assert_int_equal(acquire(scene, START_MS), ACCESS_TOKEN_WAIT);
        assert_in_range(scene->wait_ms, cases[i].least_ms, cases[i].most_ms);
    }
}

static void names_a_transport_failure(void **state)
{
    struct scene *scene = *state;
    const struct http_exchange exchange = {
        .outcome = HTTP_NOT_CONNECTED, .body = "", .detail = "Connection refused"};
    struct error error;
    assert_false(access_token_refreshed(scene->token, &exchange, START_MS, 0, &error));
    assert_string_equal(error.message, "Connection refused");
}

static void never_repeats_the_client_secret(void **state)
{
    struct scene *scene = *state;
    static const char body[] = "{\"error\":\"invalid_client\",\"error_description\":"
                               "\"no such secret: s3cr3t \\\"quoted\\\" value\"}";
    struct error error;
    assert_false(answer(scene, 401, body, START_MS, &error));
    assert_null(strstr(error.message, "s3cr3t"));
    struct access_token_status status;
    access_token_status(scene->token, START_MS, &status);
    assert_null(strstr(status.last_error, "s3cr3t"));
}

static void writes_the_documented_request(void **state)
{
    struct scene *scene = *state;
    struct buffer body;
    buffer_init(&body, 4096);
    assert_true(access_token_request(scene->token, &body, NULL));
    assert_string_equal(body.bytes,
                        "{\"audience\":\"https://graphql.seek.com\",\"client_id\":\"client-1\","
                        "\"client_secret\":\"s3cr3t \\\"quoted\\\" value\","
                        "\"grant_type\":\"client_credentials\"}");
    buffer_fini(&body);
}

static void a_missing_secret_file_is_a_failed_fetch(void **state)
{
    struct scene *scene = *state;
    AUTO(secret) *missing = secret_from_file("/nonexistent/secret", NULL);
    const struct access_token_options options = {.audience = "a",
                                                 .client_id = scene->id,
                                                 .client_secret = missing,
                                                 .retry_base_ms = 1000,
                                                 .retry_max_ms = 1000,
                                                 .outage_max_ms = 1000,
                                                 .refresh_timeout_ms = 1000};
    AUTO(access_token) *token = access_token_create(&options, NULL);
    struct buffer body;
    buffer_init(&body, 4096);
    struct error error;
    assert_false(access_token_request(token, &body, &error));
    assert_non_null(strstr(error.message, "/nonexistent/secret"));
    access_token_failed(token, error.message, false, START_MS, UINT64_MAX);
    assert_int_equal(
        access_token_acquire(token, START_MS, &scene->line, &scene->generation, &scene->wait_ms),
        ACCESS_TOKEN_WAIT);
    buffer_fini(&body);
}

static void no_room_for_the_line_is_a_short_wait(void **state)
{
    struct scene *scene = *state;
    grant(scene, "aaa", 1800, START_MS);
    struct buffer small;
    buffer_init(&small, 24); /* takes the scheme, not the token */
    assert_int_equal(
        access_token_acquire(scene->token, START_MS, &small, &scene->generation, &scene->wait_ms),
        ACCESS_TOKEN_WAIT);
    assert_in_range(scene->wait_ms, 1, 1000);
    assert_int_equal(small.length, 0);
    buffer_fini(&small);
}

enum { THREADS = 4, ROUNDS = 3000 };
struct token_race {
    struct scene *scene;
    _Atomic int fetches;
};

static void *use_it(void *context)
{
    struct token_race *race = context;
    struct buffer line;
    buffer_init(&line, 1024);
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t generation = 0;
        int64_t wait_ms;
        buffer_clear(&line);
        enum access_token_outcome outcome =
            access_token_acquire(race->scene->token, START_MS, &line, &generation, &wait_ms);
        if (outcome == ACCESS_TOKEN_REFRESH) {
            race->fetches++;
            grant(race->scene, "aaa", 1800, START_MS);
        } else if (outcome == ACCESS_TOKEN_READY) {
            access_token_reject(race->scene->token, generation);
        }
    }
    buffer_fini(&line);
    return NULL;
}

static void threads_share_one_fetch(void **state)
{
    struct token_race race = {.scene = *state};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use_it, &race), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(race.fetches, 2); /* the first one, and one rejection in this moment */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE("tells one caller to fetch, the others to wait", tells_one_caller_to_fetch),
        SCENE("keeps an access token for its life less a minute",
              keeps_it_for_its_life_less_a_minute),
        SCENE("takes a tenth of a short life as margin", the_margin_of_a_short_life_is_a_tenth),
        SCENE("lets the life begin with the request", its_life_begins_with_the_request),
        SCENE("has a fetch repeated that never reports back",
              a_fetch_that_never_reports_is_repeated),
        SCENE("has a failed fetch repeated with backoff", a_failed_fetch_is_repeated_with_backoff),
        SCENE("begins the backoff anew after a success", a_success_ends_the_backoff),
        SCENE("asks sooner when the issuer is away", an_issuer_that_is_away_is_asked_sooner),
        SCENE("uses the old one to its end while the next cannot be had",
              the_old_one_serves_while_the_next_cannot_be_had),
        SCENE("counts, and says why there is none", counts_and_says_why),
        SCENE("says what is wrong with an answer", says_what_is_wrong_with_an_answer),
        SCENE("cuts a life beyond reason", a_life_beyond_reason_is_cut),
        SCENE("waits at least as long as the issuer says", retry_after_is_a_floor),
        SCENE("names a transport failure", names_a_transport_failure),
        SCENE("never repeats the client secret", never_repeats_the_client_secret),
        SCENE("writes the request as SEEK documents it", writes_the_documented_request),
        SCENE("treats a missing secret file as a failed fetch",
              a_missing_secret_file_is_a_failed_fetch),
        SCENE("waits a moment when there is no memory for the line",
              no_room_for_the_line_is_a_short_wait),
        SCENE("has one thread fetch for all", threads_share_one_fetch),
    };
    return cmocka_run_group_tests_name("access_token", tests, NULL, NULL);
}
