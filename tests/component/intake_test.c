/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Every call of the API, against a real Redis.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/secret.h"

#include "tests/support/bad_requests.h"
#include "tests/support/intake_stand.h"
#include "tests/support/specification.h"

static int start(void **state)
{
    struct intake_stand *stand = intake_stand_create();
    intake_stand_start(stand);
    *state = stand;
    return 0;
}

static int stop(void **state)
{
    intake_stand_destroy(*state);
    return 0;
}

static int empty_redis(void **state)
{
    struct intake_stand *stand = *state;
    (void)redis_server_cli(stand->redis, "FLUSHALL");
    return 0;
}

static void accepts_an_event(void **state)
{
    struct intake_stand *stand = *state;
    const char *answer = intake_stand_post(stand, EVENT("A-1", "t-1"));
    must_answer(answer, 202, "\"applicationId\":\"A-1\",\"eventId\":\"");
    must_answer(answer, 202,
                "\"result\":\"accepted\",\"state\":\"pending\",\"durability\":\"fsync\"}");
    assert_string_equal(redis_server_cli(stand->redis, "HGET 'seek-signal:{0}:app:A-1' token"),
                        "t-1");
}

static void recognises_a_duplicate_and_a_newer_token(void **state)
{
    struct intake_stand *stand = *state;
    char event_id[64] = "";
    const char *answer = intake_stand_post(stand, EVENT("A-1", "t-1"));
    const char *id = strstr(answer, "\"eventId\":");
    assert_non_null(id);
    (void)snprintf(event_id, sizeof event_id, "%.48s", id);
    answer = intake_stand_post(stand, EVENT("A-1", "t-1"));
    must_answer(answer, 200, "\"result\":\"duplicate\"");
    must_answer(answer, 200, event_id);
    answer = intake_stand_post(stand, EVENT("A-1", "t-2"));
    must_answer(answer, 202, "\"result\":\"replaced\"");
    must_not_contain(answer, event_id);
}

/* However the ATS says that there is none: the one that is kept counts, or there is no signal. */
static void knows_that_there_is_no_token(void **state)
{
    struct intake_stand *stand = *state;
    static const char *const bodies[] = {
        "{\"applicationId\":\"A-1\"}",
        "{\"applicationId\":\"A-1\",\"token\":null}",
        "{\"applicationId\":\"A-1\",\"token\":\"\"}",
        "{\"applicationId\":\"A-1\",\"applicationUri\":\"https://a.example/\"}",
        "{\"applicationId\":\"A-1\",\"applicationUri\":\"https://a.example/?seek-token=\"}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        must_answer(intake_stand_post(stand, bodies[i]), 409, "\"code\":\"token_missing\"");
        must_answer(intake_stand_call(stand, "PUT", "/v1/applications/A-1/token", JSON_TYPE,
                                      "{\"token\":\"t-1\"}"),
                    204, "");
        must_answer(intake_stand_post(stand, bodies[i]), 202, "accepted");
        must_answer(intake_stand_call(stand, "DELETE", "/v1/applications/A-1", "", NULL), 204, "");
    }
}

static void keeps_a_token_for_later(void **state)
{
    struct intake_stand *stand = *state;
    must_answer(intake_stand_post(stand, "{\"applicationId\":\"A-1\"}"), 409,
                "\"code\":\"token_missing\"");
    const char *answer = intake_stand_call(stand, "PUT", "/v1/applications/A-1/token", JSON_TYPE,
                                           "{\"token\":\"t-1\"}");
    must_answer(answer, 204, "\r\n\r\n");
    assert_string_equal(answer_body(answer), "");
    must_answer(intake_stand_call(stand, "GET", "/v1/applications/A-1", "", NULL), 200,
                "\"state\":\"draft\"");
    must_answer(intake_stand_post(stand, "{\"applicationId\":\"A-1\"}"), 202, "accepted");
    must_answer(intake_stand_call(stand, "PUT", "/v1/applications/A-2/token", JSON_TYPE,
                                  "{\"applicationUri\":\"https://a.example/?seek-token=u%2D1\"}"),
                204, "");
    assert_string_equal(redis_server_cli(stand->redis, "HGET 'seek-signal:{0}:app:A-2' token"),
                        "u-1");
}

static void refuses_bad_tokens(void **state)
{
    struct intake_stand *stand = *state;
    static const struct {
        const char *body;
        int status;
        const char *part;
    } cases[] = {
        {"{", 400, "\"code\":\"not_json\""},
        {"[]", 400, "\"code\":\"not_an_object\""},
        {"{\"token\":\"a\",\"token\":\"b\"}", 400, "\"code\":\"repeated_member\""},
        {"{}", 409, "\"code\":\"token_missing\""},
        {"{\"token\":null}", 409, "\"code\":\"token_missing\""},
        {"{\"token\":\"\"}", 409, "\"field\":\"token\""},
        {"{\"token\":7}", 422, "\"code\":\"token_invalid\""},
        {"{\"token\":\"a b\"}", 422, "\"code\":\"token_invalid\""},
        {"{\"token\":\"a%3D\"}", 422, "\"code\":\"token_encoded\""},
        {"{\"applicationUri\":\"https://a.example/\"}", 409, "\"field\":\"applicationUri\""},
        {"{\"applicationUri\":\"https://a.example/#/?seek-token=a\"}", 422,
         "\"code\":\"application_uri_invalid\""},
        {"{\"applicationUri\":1}", 422, "\"code\":\"application_uri_invalid\""},
        {"{\"token\":\"a\",\"applicationUri\":\"https://a.example/?seek-token=b\"}", 422,
         "\"code\":\"token_and_uri\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        must_answer(
            intake_stand_call(stand, "PUT", "/v1/applications/A/token", JSON_TYPE, cases[i].body),
            cases[i].status, cases[i].part);
    must_answer(intake_stand_call(stand, "PUT", "/v1/applications/A/token", "", "{}"), 415,
                "\"code\":\"content_type_unsupported\"");
    assert_string_equal(redis_server_cli(stand->redis, "EXISTS 'seek-signal:{0}:app:A'"), "0");
}

static void shows_and_forgets_an_application(void **state)
{
    struct intake_stand *stand = *state;
    must_answer(intake_stand_call(stand, "GET", "/v1/applications/A%2F1", "", NULL), 404,
                "\"code\":\"application_unknown\"");
    must_answer(intake_stand_post(stand, EVENT("A/1", "secretive")), 202, "accepted");
    const char *answer = intake_stand_call(stand, "GET", "/v1/applications/A%2F1", "", NULL);
    must_answer(answer, 200, "\"applicationId\":\"A/1\",\"state\":\"pending\"");
    must_answer(answer, 200, "\"acceptedAt\":\"20");
    must_answer(answer, 200, "\"requestIds\":[]");
    must_answer(answer, 200, "\"tokenFingerprint\":\"");
    must_not_contain(answer, "secretive");
    answer = intake_stand_call(stand, "DELETE", "/v1/applications/A%2F1", "", NULL);
    must_answer(answer, 204, "");
    must_answer(intake_stand_call(stand, "GET", "/v1/applications/A%2F1", "", NULL), 404, "");
    must_answer(intake_stand_call(stand, "DELETE", "/v1/applications/A%2F1", "", NULL), 204, "");
    assert_string_equal(redis_server_cli(stand->redis, "EXISTS 'seek-signal:{0}:app:A/1'"), "0");
}

static void refuses_bad_ids_in_paths(void **state)
{
    struct intake_stand *stand = *state;
    static const char *const targets[] = {"/v1/applications/%",   "/v1/applications/a%0Ab",
                                          "/v1/applications/%FF", "/v1/applications/a%00",
                                          "/v1/applications/.",   "/v1/applications/%2e%2E"};
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++)
        must_answer(intake_stand_call(stand, "GET", targets[i], "", NULL), 422,
                    "\"code\":\"application_id_invalid\"");
    char target[400] = "/v1/applications/";
    memset(target + strlen(target), 'x', 256);
    must_answer(intake_stand_call(stand, "GET", target, "", NULL), 404, "");
    strcat(target, "x");
    must_answer(intake_stand_call(stand, "GET", target, "", NULL), 422, "application_id_invalid");
}

/* Each way in, of which one would be enough. */
static void takes_no_id_that_a_path_cannot_hold(void **state)
{
    struct intake_stand *stand = *state;
#define NDJSON_TYPE "Content-Type: application/x-ndjson\r\n"
#define CLOUD_TYPE "Content-Type: application/cloudevents+json\r\n"
#define CLOUD_EVENT(id)                                                                            \
    "{\"id\":\"1\",\"source\":\"/a\",\"specversion\":\"1.0\",\"type\":\"application.completed\","  \
    "\"data\":" EVENT(id, "t") "}"
    static const char *const cases[][2] = {
        {JSON_TYPE, EVENT(".", "t")},         {JSON_TYPE, EVENT("..", "t")},
        {JSON_TYPE, "[" EVENT(".", "t") "]"}, {JSON_TYPE, "[" EVENT("..", "t") "]"},
        {NDJSON_TYPE, EVENT(".", "t") "\n"},  {NDJSON_TYPE, EVENT("..", "t") "\n"},
        {CLOUD_TYPE, CLOUD_EVENT(".")},       {CLOUD_TYPE, CLOUD_EVENT("..")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *answer =
            intake_stand_call(stand, "POST", "/v1/events", cases[i][0], cases[i][1]);
        must_answer(answer, 422, "\"field\":\"applicationId\"");
        must_answer(answer, 422, "more than one or two dots");
    }
    static const char *const targets[] = {"/v1/applications/%2e/token",
                                          "/v1/applications/%2e%2e/token"};
    for (size_t i = 0; i < 2; i++)
        must_answer(intake_stand_call(stand, "PUT", targets[i], JSON_TYPE, "{\"token\":\"t\"}"),
                    422, "\"code\":\"application_id_invalid\"");
    must_answer(intake_stand_post(stand, EVENT("...", "t-1")), 202, "");
    must_answer(intake_stand_call(stand, "GET", "/v1/applications/...", "", NULL), 200, "");
}

static void replays(void **state)
{
    struct intake_stand *stand = *state;
    static const char path[] = "/v1/applications/A-1/replay";
    must_answer(intake_stand_call(stand, "POST", path, "", ""), 404, "application_unknown");
    (void)intake_stand_call(stand, "PUT", "/v1/applications/A-1/token", JSON_TYPE,
                            "{\"token\":\"t\"}");
    must_answer(intake_stand_call(stand, "POST", path, "", ""), 409, "replay_draft");
    must_answer(intake_stand_post(stand, EVENT("A-1", "t")), 202, "");
    must_answer(intake_stand_call(stand, "POST", path, "", ""), 202,
                "{\"applicationId\":\"A-1\",\"state\":\"pending\"}");
    (void)redis_server_cli(stand->redis, "HSET 'seek-signal:{0}:app:A-1' state delivered");
    must_answer(intake_stand_call(stand, "POST", path, "", ""), 409, "replay_delivered");
    (void)redis_server_cli(stand->redis, "HSET 'seek-signal:{0}:app:A-1' state sending");
    must_answer(intake_stand_call(stand, "POST", path, "", ""), 409, "\"retryable\":true");
}

static void takes_batches_with_bad_ones(void **state)
{
    struct intake_stand *stand = *state;
    const char *answer = intake_stand_post(
        stand, "[" EVENT("A-1", "t") "," EVENT("A-1", "t") "," EVENT(
                   "A-2", "b d") ",7,"
                                 "{\"applicationId\":\"A-3\"}," EVENT("A-4", "t") "]");
    assert_int_equal(answer_status(answer), 202);
    static const char *const parts[] = {
        "{\"results\":[{\"status\":202,\"applicationId\":\"A-1\"",
        "{\"status\":200,\"applicationId\":\"A-1\"",
        "\"status\":422,\"code\":\"token_invalid\"",
        "\"status\":400,\"code\":\"not_an_object\"",
        "\"status\":409,\"code\":\"token_missing\"",
        "{\"status\":202,\"applicationId\":\"A-4\"",
    };
    const char *rest = answer_body(answer);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        rest = strstr(rest, parts[i]);
        if (rest == NULL)
            fail_msg("result %zu is not in order: %s", i, answer);
    }
}

static void refuses_batches_without_a_good_one(void **state)
{
    struct intake_stand *stand = *state;
    const char *answer = intake_stand_post(stand, "[{},{\"applicationId\":\"A\"}]");
    must_answer(answer, 422, "Content-Type: application/problem+json");
    must_answer(answer, 422, "\"code\":\"batch_refused\"");
    must_answer(answer, 422, "\"results\":[{\"type\":");
    must_answer(answer, 422, "\"code\":\"token_missing\"");
}

static void takes_every_form_of_event(void **state)
{
    struct intake_stand *stand = *state;
    static const struct {
        const char *headers, *body;
        int status;
        const char *part;
    } cases[] = {
        {"Content-Type: application/json; charset=utf-8\r\n", EVENT("A", "1"), 202, "accepted"},
        {"Content-Type: application/x-ndjson\r\n", EVENT("B", "1") "\n\n" EVENT("C", "1"), 202,
         "\"results\":["},
        {"Content-Type: application/jsonl\r\n", EVENT("D", "1"), 202, "\"results\":["},
        {"Content-Type: application/cloudevents+json\r\n",
         "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"application."
         "completed\","
         "\"data\":" EVENT("E", "1") "}",
         202, "\"applicationId\":\"E\""},
        {"Content-Type: application/cloudevents-batch+json\r\n",
         "[{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"application."
         "completed\","
         "\"data\":" EVENT("F", "1") "}]",
         202, "\"results\":["},
        {JSON_TYPE "ce-id: 1\r\nce-source: /s\r\nce-specversion: 1.0\r\n"
                   "ce-type: application.completed\r\n",
         EVENT("G", "1"), 202, "\"applicationId\":\"G\""},
        {JSON_TYPE "ce-id: 1\r\nce-source: /s\r\nce-specversion: \"1.0\"\r\n"
                   "ce-type: application%2Ecompleted\r\nce-time: 2026-01-02T03%3A04%3A05Z\r\n",
         EVENT("G2", "1"), 202, "\"applicationId\":\"G2\""},
        {JSON_TYPE "ce-id: 1\r\nce-source: /s\r\nce-specversion: 1.0\r\n"
                   "ce-type: application.completed\r\nce-time: 2026-01-02T03%253A04%253A05Z\r\n",
         EVENT("G3", "1"), 422, "\"completed_at_invalid\""}, /* decoded once */
        {"Content-Type: application/vnd.example+json\r\nce-id: 1\r\nce-source: /s\r\n"
         "ce-specversion: 1.0\r\nce-type: application.completed\r\n",
         EVENT("G4", "1"), 202, "\"applicationId\":\"G4\""},
        {JSON_TYPE, "\xef\xbb\xbf" EVENT("G5", "1"), 202, "\"applicationId\":\"G5\""},
        {"Content-Type: application/x-ndjson\r\n",
         "\xef\xbb\xbf" EVENT("G6", "1") "\n" EVENT("G7", "1"), 202, "\"applicationId\":\"G6\""},
        {JSON_TYPE "ce-id: 1\r\n", EVENT("H", "1"), 400, "\"code\":\"cloud_event_invalid\""},
        {"", EVENT("I", "1"), 415, "Accept-Post: application/json, "},
        {"Content-Type: text/plain\r\n", EVENT("I", "1"), 415, "\"content_type_unsupported\""},
        {"Content-Type: text/plain\r\n", EVENT("I", "1"), 415,
         "This one is not supported: Content-Type: text/plain"},
        {"Content-Type: application/json; charset=latin1\r\n", EVENT("I", "1"), 415,
         "The charset is not UTF-8: Content-Type: application/json; charset=latin1"},
        {JSON_TYPE "Content-Encoding: gzip\r\n", EVENT("I", "1"), 415, "Accept-Encoding: identity"},
        {"Content-Type: application/json; charset=utf-16\r\n", EVENT("I", "1"), 415, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        must_answer(intake_stand_call(stand, "POST", "/v1/events", cases[i].headers, cases[i].body),
                    cases[i].status, cases[i].part);
}

#define TRACE(digit) "00-0000000000000000000000000000000" digit "-000000000000000" digit "-01"

static void keeps_the_trace(void **state)
{
    struct intake_stand *stand = *state;
    (void)intake_stand_call(stand, "POST", "/v1/events",
                            JSON_TYPE "traceparent: " TRACE("1") "\r\n", EVENT("A", "1"));
    must_answer(intake_stand_call(stand, "GET", "/v1/applications/A", "", NULL), 200, TRACE("1"));
    (void)intake_stand_call(stand, "POST", "/v1/events",
                            "Content-Type: application/cloudevents+json\r\n"
                            "traceparent: " TRACE("1") "\r\n",
                            "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\","
                            "\"type\":\"application.completed\",\"traceparent\":\"" TRACE(
                                "2") "\",\"data\":" EVENT("B", "1") "}");
    must_answer(intake_stand_call(stand, "GET", "/v1/applications/B", "", NULL), 200, TRACE("2"));
    must_answer(intake_stand_call(stand, "POST", "/v1/events",
                                  JSON_TYPE "traceparent: 00-nonsense\r\n", EVENT("C", "1")),
                202, "accepted");
    const char *answer = intake_stand_call(stand, "GET", "/v1/applications/C", "", NULL);
    must_not_contain(answer, "traceparent");
}

static void speaks_http(void **state)
{
    struct intake_stand *stand = *state;
    const char *answer = intake_stand_call(stand, "HEAD", "/readyz", "", NULL);
    must_answer(answer, 200, "Content-Length: 14\r\n");
    must_answer(intake_stand_call(stand, "OPTIONS", "/v1/applications/A", "", NULL), 204,
                "Allow: GET, HEAD, DELETE, OPTIONS\r\n");
    must_answer(intake_stand_call(stand, "PATCH", "/v1/events", "", "x"), 405,
                "Allow: POST, OPTIONS\r\n");
    must_answer(intake_stand_call(stand, "GET", "/nowhere", "", NULL), 404,
                "\"code\":\"not_found\"");
    answer = intake_stand_call(stand, "GET", "/nowhere", "X-Request-Id: abc-123\r\n", NULL);
    must_answer(answer, 404, "X-Request-Id: abc-123\r\n");
    must_answer(answer, 404, "X-Content-Type-Options: nosniff\r\n");
    must_answer(answer, 404, "Cache-Control: no-store\r\n");
    must_answer(answer, 404, "Content-Type: application/problem+json\r\n");
    answer = intake_stand_call(stand, "GET", "/livez", "X-Request-Id: a b\r\n", NULL);
    must_not_contain(answer, "X-Request-Id: a b");
    must_answer(answer, 200, "X-Request-Id: ");
}

static void serves_probes_metrics_status_and_contract(void **state)
{
    struct intake_stand *stand = *state;
    must_answer(intake_stand_call(stand, "GET", "/livez", "", NULL), 200,
                "{\"live\":true,\"loops\":[{\"name\":\"intake-0\"");
    must_answer(intake_stand_call(stand, "GET", "/readyz", "", NULL), 200, "{\"ready\":true}");
    must_answer(intake_stand_call(stand, "GET", "/startupz", "", NULL), 200, "{\"started\":true}");
    (void)intake_stand_post(stand, EVENT("A", "1"));
    const char *answer = intake_stand_call(stand, "GET", "/v1/status", "", NULL);
    must_answer(answer, 200, "\"version\":\"1.2.3\"");
    must_answer(answer, 200, "\"signals\":{\"due\":1,\"dead\":0,\"oldestDueAgeMs\":");
    must_answer(answer, 200, "\"store\":{\"ready\":true,\"durability\":\"fsync\"");
    answer = intake_stand_call(stand, "GET", "/metrics", "", NULL);
    must_answer(answer, 200, "Content-Type: text/plain; version=0.0.4");
    must_answer(answer, 200, "seek_signal_build_info{version=\"1.2.3\"} 1\n");
    must_answer(answer, 200, "seek_signal_ready 1\n");
    must_answer(answer, 200, "seek_signal_http_open_requests 1\n");
    must_answer(answer, 200, "seek_signal_intake_redis_connects_total 1\n");
    must_not_contain(answer, "events_total{result=\"accepted\"} 0\n");
    must_not_contain(answer, "process_resident_memory_bytes 0\n");
    must_answer(intake_stand_call(stand, "GET", "/openapi.yaml", "", NULL), 200,
                "openapi: 3.1.0\n");
}

static void give_time(void *context)
{
    (void)context;
    (void)poll(NULL, 0, 1);
}

/* What is left is found by the leak check at the end. */
static void survives_bad_requests(void **state)
{
    struct intake_stand *stand = *state;
    for (size_t i = 0; i < bad_request_count; i++)
        bad_requests_send(&bad_requests[i], 200, intake_pool_port(stand->pool), give_time, NULL);
    must_answer(intake_stand_post(stand, EVENT("A-1", "t-1")), 202, "\"result\":\"accepted\"");
}

static void asks_for_the_key(void **state)
{
    (void)state;
    struct intake_stand *stand = intake_stand_create();
    AUTO(secret) *key = secret_from_value("key-1", NULL);
    stand->options.access.api_key = key;
    intake_stand_start(stand);
    must_answer(intake_stand_post(stand, EVENT("A", "1")), 401,
                "WWW-Authenticate: Bearer realm=\"seek-signal\"\r\n");
    static const char *const wrong[] = {
        "Authorization: Bearer key-2\r\n", "Authorization: Bearer \r\n",
        "Authorization: Bearer key-1x\r\n", "Authorization: Basic key-1\r\n",
        "Authorization: key-1\r\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        must_answer(intake_stand_call(stand, "GET", "/v1/status", wrong[i], NULL), 401,
                    "\"code\":\"unauthorized\"");
    must_answer(intake_stand_call(stand, "POST", "/v1/events",
                                  JSON_TYPE "Authorization: bearer  key-1\r\n", EVENT("A", "1")),
                202, "accepted");
    static const char *const open[] = {"/livez", "/readyz", "/startupz", "/metrics",
                                       "/openapi.yaml"};
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++)
        must_answer(intake_stand_call(stand, "GET", open[i], "", NULL), 200, "");
    /* The body is not waited for. */
    struct raw_client *client = intake_stand_connect(stand);
    raw_client_send(client, "POST /v1/events HTTP/1.1\r\nHost: localhost\r\n" JSON_TYPE
                            "Content-Length: 1000\r\n\r\n");
    assert_int_equal(raw_client_status(client), 401);
    raw_client_destroy(client);
    intake_stand_destroy(stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("stores an event before it says 202", accepts_an_event, empty_redis, NULL),
        IT_WITH("recognises a duplicate and a newer seek-token",
                recognises_a_duplicate_and_a_newer_token, empty_redis, NULL),
        IT_WITH("knows that there is no seek-token, however it is said",
                knows_that_there_is_no_token, empty_redis, NULL),
        IT_WITH("keeps a seek-token for the event that follows", keeps_a_token_for_later,
                empty_redis, NULL),
        IT_WITH("refuses seek-tokens that cannot be right", refuses_bad_tokens, empty_redis, NULL),
        IT_WITH("shows an application without its seek-token, and forgets it",
                shows_and_forgets_an_application, empty_redis, NULL),
        IT_WITH("refuses ids in paths that cannot be right", refuses_bad_ids_in_paths, empty_redis,
                NULL),
        IT_WITH("takes no id that the path of a URL cannot hold",
                takes_no_id_that_a_path_cannot_hold, empty_redis, NULL),
        IT_WITH("replays what can be replayed and says why not", replays, empty_redis, NULL),
        IT_WITH("answers a batch in its order, bad ones among good ones",
                takes_batches_with_bad_ones, empty_redis, NULL),
        IT_WITH("refuses a batch without a good event, with each reason",
                refuses_batches_without_a_good_one, empty_redis, NULL),
        IT_WITH("takes every form of event and no other", takes_every_form_of_event, empty_redis,
                NULL),
        IT_WITH("keeps the trace of event or request", keeps_the_trace, empty_redis, NULL),
        IT_WITH("speaks HTTP: HEAD, OPTIONS, 405, 404, request ids, headers", speaks_http,
                empty_redis, NULL),
        IT_WITH("serves probes, metrics, status and contract",
                serves_probes_metrics_status_and_contract, empty_redis, NULL),
        IT_WITH("survives bad requests, and keeps nothing of them", survives_bad_requests,
                empty_redis, NULL),
        IT("asks for the API key before it reads a body", asks_for_the_key),
    };
    return cmocka_run_group_tests_name("intake", tests, start, stop);
}
