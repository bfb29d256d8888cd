/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The workers between a real Redis and a SEEK that does what the test says.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/net/http_client.h"

#include "service/outbound/worker_pool.h"
#include "service/store/script.h"

#include "tests/support/fake_http.h"
#include "tests/support/redis_server.h"
#include "tests/support/specification.h"
#include "tests/support/store_driver.h"

enum {
    PATIENCE_MS = 15000,
    WORKERS = 3,
    IN_FLIGHT_MAX = 12,
    ANSWERS_MAX = 64,
    REQUESTS_MAX = 2048
};

#define EVENT_ID "0a0b0c0d-1111-4222-8333-444400000000"
#define CLIENT_SECRET "client-secret-that-nobody-may-see"
#define ACCESS_TOKEN "access-token-that-nobody-may-see"
#define DELIVERED "{\"data\":{\"sendSignal\":true},\"extensions\":{\"requestLatency\":1}}"
#define ERROR_BODY(code, message)                                                                  \
    "{\"errors\":[{\"message\":\"" message "\",\"extensions\":{\"code\":\"" code "\"}}]}"

struct request { /* what SEEK saw */
    char request_id[64], session_id[64], access_token[64], seek_token[64], timestamp[64];
    int64_t at_ms;
};

struct scene {
    struct redis_server *redis;
    struct driver driver;
    struct fake_http *seek, *issuer;
    struct redis_url redis_url;
    char graphql_url[64], token_url[64];
    struct secret *client_id, *client_secret;
    struct access_token *access_token;
    struct sending_gate *gate;
    struct worker_pool *pool;
    int64_t token_valid_ms; /* as SEEK sees it */
    int stderr_fd, log_fd;
    /* The server's threads and the test, holding the lock. */
    struct {
        pthread_mutex_t lock;
        struct fake_answer answers[ANSWERS_MAX]; /* to signals, in this order; then DELIVERED */
        unsigned answer_count, answered;
        struct fake_answer token_answers[ANSWERS_MAX]; /* likewise */
        unsigned token_answer_count, token_answered;
        unsigned least_token; /* older ones are UNAUTHENTICATED */
        struct request requests[REQUESTS_MAX];
        unsigned request_count, fetch_count;
        char head[4096], body[4096]; /* of the last signal */
        char token_body[4096];
    } shared;
};

/* --- the other side ---------------------------------------------------------------- */

static struct fake_answer issue_token(struct scene *scene, const struct fake_request *request)
{
    static char bodies[ANSWERS_MAX][256];
    (void)snprintf(scene->shared.token_body, sizeof scene->shared.token_body, "%s", request->body);
    unsigned number = ++scene->shared.fetch_count;
    if (scene->shared.token_answered < scene->shared.token_answer_count)
        return scene->shared.token_answers[scene->shared.token_answered++];
    char *body = bodies[number % ANSWERS_MAX];
    (void)snprintf(body, sizeof bodies[0],
                   "{\"access_token\":\"" ACCESS_TOKEN "-%u-%lld\",\"expires_in\":%lld}", number,
                   (long long)clock_monotonic_ms(), (long long)(scene->token_valid_ms / 1000));
    return (struct fake_answer){.body = body, .headers = "Content-Type: application/json\r\n"};
}

static void copy_header(const struct fake_request *request, const char *name, char out[64])
{
    const char *value = fake_header(request, name);
    (void)snprintf(out, 64, "%s", value != NULL ? value : "");
}

static void copy_member(const struct json_value *input, const char *name, char out[64])
{
    struct json_text text;
    assert_true(json_member_text(input, name, &text));
    (void)snprintf(out, 64, "%s", text.bytes);
}

static struct request *note_signal(struct scene *scene, const struct fake_request *request)
{
    assert_true(scene->shared.request_count < REQUESTS_MAX);
    struct request *noted = &scene->shared.requests[scene->shared.request_count++];
    copy_header(request, "X-Request-Id", noted->request_id);
    copy_header(request, "X-Session-Id", noted->session_id);
    copy_header(request, "Authorization", noted->access_token);
    AUTO(json) *json = json_parse(request->body, request->body_length, NULL);
    assert_non_null(json);
    const struct json_value *input =
        json_member(json_member(json_root(json), "variables"), "input");
    copy_member(input, "token", noted->seek_token);
    copy_member(input, "timestamp", noted->timestamp);
    noted->at_ms = clock_monotonic_ms();
    (void)snprintf(scene->shared.head, sizeof scene->shared.head, "%s", request->head);
    (void)snprintf(scene->shared.body, sizeof scene->shared.body, "%s", request->body);
    return noted;
}

static struct fake_answer answer_signal(struct scene *scene, const struct fake_request *request)
{
    const struct request *noted = note_signal(scene, request);
    unsigned number = 0;
    long long issued_at_ms = 0;
    int fields =
        sscanf(noted->access_token, "Bearer " ACCESS_TOKEN "-%u-%lld", &number, &issued_at_ms);
    if (fields != 2 || number < scene->shared.least_token ||
        clock_monotonic_ms() > issued_at_ms + scene->token_valid_ms)
        return (struct fake_answer){.body = ERROR_BODY("UNAUTHENTICATED", "token is expired")};
    if (scene->shared.answered < scene->shared.answer_count)
        return scene->shared.answers[scene->shared.answered++];
    return (struct fake_answer){.body = DELIVERED};
}

static struct fake_answer play(void *context, const struct fake_request *request)
{
    struct scene *scene = context;
    pthread_mutex_lock(&scene->shared.lock);
    struct fake_answer answer = strncmp(request->head, "POST /oauth/token ", 18) == 0
                                    ? issue_token(scene, request)
                                    : answer_signal(scene, request);
    pthread_mutex_unlock(&scene->shared.lock);
    return answer;
}

static void will_answer(struct scene *scene, struct fake_answer answer, unsigned times)
{
    pthread_mutex_lock(&scene->shared.lock);
    for (unsigned i = 0; i < times; i++)
        scene->shared.answers[scene->shared.answer_count++] = answer;
    pthread_mutex_unlock(&scene->shared.lock);
}

static unsigned signals_seen(struct scene *scene)
{
    pthread_mutex_lock(&scene->shared.lock);
    unsigned count = scene->shared.request_count;
    pthread_mutex_unlock(&scene->shared.lock);
    return count;
}

static unsigned fetches_seen(struct scene *scene)
{
    pthread_mutex_lock(&scene->shared.lock);
    unsigned count = scene->shared.fetch_count;
    pthread_mutex_unlock(&scene->shared.lock);
    return count;
}

/* --- life -------------------------------------------------------------------------- */

static bool locate(void *context, struct redis_url *out, struct error *error)
{
    const struct scene *scene = context;
    (void)error;
    *out = scene->redis_url;
    return true;
}

static void capture_log(struct scene *scene)
{
    char path[] = "/tmp/seek-log-XXXXXX";
    scene->log_fd = mkstemp(path);
    assert_true(scene->log_fd >= 0);
    (void)unlink(path);
    scene->stderr_fd = dup(STDERR_FILENO);
    (void)dup2(scene->log_fd, STDERR_FILENO);
}

static char *read_log(const struct scene *scene)
{
    off_t length = lseek(scene->log_fd, 0, SEEK_END);
    char *text = calloc(1, (size_t)length + 1);
    assert_non_null(text);
    assert_int_equal(pread(scene->log_fd, text, (size_t)length, 0), length);
    return text;
}

static unsigned count_in_log(const struct scene *scene, const char *word)
{
    char *text = read_log(scene);
    unsigned count = 0;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
        count++;
    free(text);
    return count;
}

static int set_up(void **state)
{
    static const char *const durable[] = {"--appendonly", "yes", "--appendfsync", "always", NULL};
    struct scene *scene = calloc(1, sizeof *scene);
    assert_non_null(scene);
    pthread_mutex_init(&scene->shared.lock, NULL);
    capture_log(scene);
    scene->token_valid_ms = 1800 * 1000;
    scene->redis = redis_server_start(REDIS_SERVER_UNIX, durable);
    redis_server_url(scene->redis, &scene->redis_url);
    driver_start_with(
        &scene->driver, &scene->redis_url,
        &(struct store_options){.ttl_ms = 3600000, .lease_ms = 200, .age_max_ms = 600000});
    driver_must_become(&scene->driver, true);
    scene->seek = fake_http_start(play, scene);
    scene->issuer = fake_http_start(play, scene);
    (void)snprintf(scene->graphql_url, sizeof scene->graphql_url, "http://127.0.0.1:%u/graphql",
                   fake_http_port(scene->seek));
    (void)snprintf(scene->token_url, sizeof scene->token_url, "http://127.0.0.1:%u/oauth/token",
                   fake_http_port(scene->issuer));
    scene->client_id = secret_from_value("client-1", NULL);
    scene->client_secret = secret_from_value(CLIENT_SECRET, NULL);
    *state = scene;
    return 0;
}

static size_t stop(struct scene *scene, int64_t within_ms)
{
    return worker_pool_stop(scene->pool, clock_monotonic_ms() + within_ms);
}

/* No credential in any line of any test; no seek-token but where the whole request is logged. */
static void check_log(const struct scene *scene)
{
    assert_int_equal(count_in_log(scene, CLIENT_SECRET), 0);
    assert_int_equal(count_in_log(scene, ACCESS_TOKEN), 0);
    if (count_in_log(scene, "upstream_request") == 0)
        assert_int_equal(count_in_log(scene, "seek-token-"), 0);
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    if (scene->pool != NULL)
        (void)stop(scene, 0);
    worker_pool_destroy(scene->pool);
    sending_gate_destroy(scene->gate);
    access_token_destroy(scene->access_token);
    secret_destroy(scene->client_id);
    secret_destroy(scene->client_secret);
    driver_stop(&scene->driver);
    fake_http_stop(scene->seek);
    fake_http_stop(scene->issuer);
    redis_server_stop(scene->redis);
    (void)dup2(scene->stderr_fd, STDERR_FILENO);
    close(scene->stderr_fd);
    if (getenv("TEST_LOG") != NULL) {
        char *text = read_log(scene);
        (void)fputs(text, stderr);
        free(text);
    }
    check_log(scene);
    close(scene->log_fd);
    pthread_mutex_destroy(&scene->shared.lock);
    free(scene);
    return 0;
}

struct variation { /* of the pool; 0: as usual */
    unsigned workers, request_timeout_ms, breaker_failures, per_second;
    int64_t lease_ms, retry_base_ms, retry_age_max_ms;
    bool is_upstream_logged;
};

static int64_t or_usual(int64_t value, int64_t usual)
{
    return value != 0 ? value : usual;
}

static void create_gate_and_token(struct scene *scene, const struct variation *variation)
{
    const struct access_token_options token_options = {.audience = "https://graphql.seek.com",
                                                       .client_id = scene->client_id,
                                                       .client_secret = scene->client_secret,
                                                       .retry_base_ms = 50,
                                                       .retry_max_ms = 100,
                                                       .refresh_timeout_ms = 10000};
    const struct sending_gate_options gate_options = {
        .in_flight_max = IN_FLIGHT_MAX,
        .per_second_max = variation->per_second,
        .breaker_failures = (unsigned)or_usual(variation->breaker_failures, 1000),
        .breaker_wait_ms = 200,
        .breaker_wait_max_ms = 400};
    scene->access_token = access_token_create(&token_options, NULL);
    scene->gate = sending_gate_create(&gate_options, NULL);
}

static void start_with(struct scene *scene, const struct variation *variation)
{
    create_gate_and_token(scene, variation);
    const struct worker_pool_options options = {
        .worker_count = (unsigned)or_usual(variation->workers, WORKERS),
        .in_flight_max = IN_FLIGHT_MAX,
        .graphql_url = scene->graphql_url,
        .token_url = scene->token_url,
        .user_agent = "tester/1.2.3",
        .accept_language = "en-AU",
        .request_timeout_ms = (unsigned)or_usual(variation->request_timeout_ms, 5000),
        .retry_base_ms = or_usual(variation->retry_base_ms, 20),
        .retry_max_ms = 1000,
        .retry_age_max_ms = or_usual(variation->retry_age_max_ms, 600000),
        .is_upstream_logged = variation->is_upstream_logged,
        .store = {.locate = locate,
                  .context = scene,
                  .ttl_ms = 3600000,
                  .lease_ms = or_usual(variation->lease_ms, 20000),
                  .age_max_ms = 600000},
        .access_token = scene->access_token,
        .gate = scene->gate,
    };
    struct error error;
    scene->pool = worker_pool_create(&options, &error);
    assert_non_null(scene->pool);
    assert_true(worker_pool_start(scene->pool, &error));
}

static void start(struct scene *scene)
{
    const struct variation usual = {0};
    start_with(scene, &usual);
}

/* --- steps ------------------------------------------------------------------------- */

static void accept_quietly(struct scene *scene, const char *id, const char *seek_token)
{
    assert_int_not_equal(must_accept_one(&scene->driver, id, seek_token, EVENT_ID),
                         ACCEPT_NO_TOKEN);
}

static void accept(struct scene *scene, const char *id, const char *seek_token)
{
    accept_quietly(scene, id, seek_token);
    worker_pool_wake(scene->pool);
}

static void accept_many(struct scene *scene, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char id[32], seek_token[32];
        (void)snprintf(id, sizeof id, "A-%u", i);
        (void)snprintf(seek_token, sizeof seek_token, "seek-token-%u", i);
        accept(scene, id, seek_token);
    }
}

static struct worker_pool_status status_of(const struct scene *scene)
{
    struct worker_pool_status status;
    worker_pool_status(scene->pool, &status);
    return status;
}

#define WAIT_UNTIL(condition)                                                                      \
    do {                                                                                           \
        int64_t until_ms_ = clock_monotonic_ms() + PATIENCE_MS;                                    \
        while (!(condition)) {                                                                     \
            if (clock_monotonic_ms() > until_ms_)                                                  \
                fail_msg("never: %s", #condition);                                                 \
            (void)usleep(2000);                                                                    \
        }                                                                                          \
    } while (0)

static const struct application *must_become(struct scene *scene, const char *id,
                                             enum delivery_state state)
{
    WAIT_UNTIL(must_get(&scene->driver, id)->state == state);
    return must_get(&scene->driver, id);
}

static const struct application *must_deliver(struct scene *scene, const char *id)
{
    return must_become(scene, id, DELIVERY_DELIVERED);
}

static void must_deliver_many(struct scene *scene, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char id[32];
        (void)snprintf(id, sizeof id, "A-%u", i);
        (void)must_deliver(scene, id);
    }
}

/* --- one signal -------------------------------------------------------------------- */

static void sends_the_documented_request(void **state)
{
    struct scene *scene = *state;
    start(scene);
    const struct accept_item item = {.application_id = "A-1",
                                     .seek_token = "seek-token-1",
                                     .event_id = EVENT_ID,
                                     .completed_at_ms = 1577923200000,
                                     .traceparent =
                                         "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"};
    must_accept(&scene->driver, &item, 1);
    worker_pool_wake(scene->pool);
    assert_int_equal(must_deliver(scene, "A-1")->attempts, 1);

    const struct fake_request request = {.head = scene->shared.head};
    assert_memory_equal(scene->shared.head, "POST /graphql HTTP/1.1\r\n", 24);
    assert_string_equal(fake_header(&request, "Accept-Language"), "en-AU");
    assert_string_equal(fake_header(&request, "Content-Type"), "application/json");
    assert_string_equal(fake_header(&request, "User-Agent"), "tester/1.2.3");
    assert_string_equal(fake_header(&request, "X-Request-Id"),
                        "0a0b0c0d-1111-4222-8333-444400000001");
    assert_string_equal(fake_header(&request, "X-Session-Id"), EVENT_ID);
    assert_string_equal(fake_header(&request, "traceparent"), item.traceparent);
    assert_string_equal(scene->shared.body,
                        "{\"query\":\"mutation ($input: SendSignalInput!) {\\n  sendSignal(input: "
                        "$input)\\n}\",\"variables\":{\"input\":{\"typeCode\":"
                        "\"ApplicationComplete\",\"token\":\"seek-token-1\",\"timestamp\":"
                        "\"2020-01-02T00:00:00.000Z\"}}}");
    assert_string_equal(scene->shared.token_body,
                        "{\"audience\":\"https://graphql.seek.com\",\"client_id\":\"client-1\","
                        "\"client_secret\":\"" CLIENT_SECRET
                        "\",\"grant_type\":\"client_credentials\"}");

    WAIT_UNTIL(status_of(scene).workers_connected == WORKERS);
    assert_int_equal(status_of(scene).delivered, 1);
    assert_in_range(clock_wall_ms() - status_of(scene).last_delivered_at_ms, 0, PATIENCE_MS);
    assert_int_equal(count_in_log(scene, "signal_delivered"), 1);
}

static void leaves_out_an_absent_traceparent(void **state)
{
    struct scene *scene = *state;
    start(scene);
    accept(scene, "A-1", "seek-token-1");
    (void)must_deliver(scene, "A-1");
    const struct fake_request request = {.head = scene->shared.head};
    assert_null(fake_header(&request, "traceparent"));
}

static void sends_again_after_any_transient_failure(void **state)
{
    static const struct fake_answer failures[] = {
        {.act = FAKE_RESET},
        {.act = FAKE_CLOSE},
        {.act = FAKE_GARBAGE},
        {.act = FAKE_SILENT},
        {.act = FAKE_CUT_BODY, .body = DELIVERED},
        {.status = 503, .body = "<html>"},
        {.status = 200, .body = "not JSON"},
        {.status = 200, .body = ERROR_BODY("INTERNAL_SERVER_ERROR", "oops")},
        {.status = 200, .body = ERROR_BODY("NEVER_HEARD_OF", "hm")},
    };
    enum { COUNT = sizeof failures / sizeof failures[0] };
    struct scene *scene = *state;
    for (size_t i = 0; i < COUNT; i++)
        will_answer(scene, failures[i], 1);
    start_with(scene, &(struct variation){.request_timeout_ms = 400});
    accept(scene, "A-1", "seek-token-1");
    assert_int_equal(must_deliver(scene, "A-1")->attempts, COUNT + 1);
    assert_int_equal(status_of(scene).retried, COUNT);

    const struct request *requests = scene->shared.requests;
    for (unsigned i = 1; i <= COUNT; i++) {
        assert_string_not_equal(requests[i].request_id, requests[i - 1].request_id);
        assert_string_equal(requests[i].session_id, requests[0].session_id);
        assert_string_equal(requests[i].timestamp, requests[0].timestamp);
    }
}

static void gives_up_what_seek_refuses(void **state)
{
    struct scene *scene = *state;
    will_answer(
        scene,
        (struct fake_answer){.body = ERROR_BODY("BAD_USER_INPUT", "/input/token: Is not valid")},
        1);
    start(scene);
    accept(scene, "A-1", "seek-token-1");
    const struct application *application = must_become(scene, "A-1", DELIVERY_DEAD);
    assert_int_equal(application->attempts, 1);
    assert_string_equal(application->last_code, "BAD_USER_INPUT");
    assert_string_equal(application->last_message, "/input/token: Is not valid");
    assert_int_equal(status_of(scene).died, 1);
    assert_int_equal(count_in_log(scene, "/input/token: Is not valid"), 1);
}

static void keeps_credentials_out_of_seeks_words(void **state)
{
    struct scene *scene = *state;
    will_answer(scene,
                (struct fake_answer){.body = ERROR_BODY("BAD_USER_INPUT",
                                                        "no seek-token-1 with Bearer " ACCESS_TOKEN
                                                        "-1-1, sorry")},
                1);
    start(scene);
    accept(scene, "A-1", "seek-token-1");
    const struct application *application = must_become(scene, "A-1", DELIVERY_DEAD);
    assert_null(strstr(application->last_message, "seek-token-1"));
    assert_null(strstr(application->last_message, ACCESS_TOKEN));
    assert_non_null(strstr(application->last_message, "sorry"));
}

static void gives_up_what_is_too_old(void **state)
{
    struct scene *scene = *state;
    will_answer(scene, (struct fake_answer){.status = 500}, ANSWERS_MAX);
    start_with(scene, &(struct variation){.retry_age_max_ms = 300});
    accept(scene, "A-1", "seek-token-1");
    assert_string_equal(must_become(scene, "A-1", DELIVERY_DEAD)->last_code, "HTTP_500");
}

/* --- the access token -------------------------------------------------------------- */

static void many_rejections_cause_one_fetch(void **state)
{
    struct scene *scene = *state;
    start(scene);
    accept_many(scene, 1);
    must_deliver_many(scene, 1);
    assert_int_equal(fetches_seen(scene), 1);

    pthread_mutex_lock(&scene->shared.lock);
    scene->shared.least_token = 2;
    pthread_mutex_unlock(&scene->shared.lock);
    accept_many(scene, 30);
    must_deliver_many(scene, 30);
    assert_int_equal(fetches_seen(scene), 2);
}

static void a_short_life_is_no_trouble(void **state)
{
    struct scene *scene = *state;
    scene->token_valid_ms = 2000;
    start(scene);
    for (unsigned i = 0; i < 26; i++) {
        char id[32];
        (void)snprintf(id, sizeof id, "A-%u", i);
        accept(scene, id, "seek-token-x");
        (void)must_deliver(scene, id);
        (void)usleep(100000);
    }
    assert_in_range(fetches_seen(scene), 2, 4);
    assert_int_equal(signals_seen(scene), 26); /* none was UNAUTHENTICATED */
}

static void no_attempt_is_spent_without_an_access_token(void **state)
{
    struct scene *scene = *state;
    static const struct fake_answer outages[] = {
        {.status = 503, .body = "busy"},
        {.act = FAKE_RESET},
        {.status = 401,
         .body = "{\"error\":\"access_denied\",\"error_description\":\"not " CLIENT_SECRET "\"}"},
        {.body = "{\"access_token\":\"" ACCESS_TOKEN "\"}"},
    };
    for (unsigned i = 0; i < 4; i++)
        scene->shared.token_answers[scene->shared.token_answer_count++] = outages[i];
    start(scene);
    accept_many(scene, 5);
    WAIT_UNTIL(fetches_seen(scene) >= 4);
    assert_int_equal(signals_seen(scene), 0);
    must_deliver_many(scene, 5);
    assert_int_equal(must_get(&scene->driver, "A-0")->attempts, 1);
    assert_int_equal(fetches_seen(scene), 5);
    WAIT_UNTIL(count_in_log(scene, "access_token_recovered") == 1);
    assert_int_equal(count_in_log(scene, "access_token_failed"), 1);
}

/* --- how much, how fast ------------------------------------------------------------ */

static void delivers_each_of_many_once(void **state)
{
    struct scene *scene = *state;
    enum { COUNT = 300 };
    start(scene);
    accept_many(scene, COUNT);
    must_deliver_many(scene, COUNT);
    assert_int_equal(signals_seen(scene), COUNT);
    assert_int_equal(status_of(scene).delivered, COUNT);
    assert_in_range(fake_http_connections_peak(scene->seek), 1, IN_FLIGHT_MAX + WORKERS);
    struct sending_gate_status gate;
    sending_gate_status(scene->gate, clock_monotonic_ms(), &gate);
    assert_int_equal(gate.in_flight, 0);
}

static void the_last_does_not_wait_for_the_next(void **state)
{
    struct scene *scene = *state;
    start(scene);
    accept_many(scene, 1);
    must_deliver_many(scene, 1);
    int64_t start_ms = clock_monotonic_ms();
    for (unsigned i = 0; i < 10;
         i++) { /* unless woken, each would wait a second for the next look */
        char id[32];
        (void)snprintf(id, sizeof id, "B-%u", i);
        accept(scene, id, "seek-token-x");
        (void)must_deliver(scene, id);
    }
    assert_in_range(clock_monotonic_ms() - start_ms, 0, 5000);
}

static void a_backlog_is_for_all_workers(void **state)
{
    struct scene *scene = *state;
    start(scene);
    accept_many(scene, 1);
    must_deliver_many(scene, 1);
    will_answer(scene, (struct fake_answer){.body = DELIVERED, .delay_ms = 900}, IN_FLIGHT_MAX);
    for (unsigned i = 0; i < IN_FLIGHT_MAX; i++) {
        char id[32];
        (void)snprintf(id, sizeof id, "B-%u", i);
        accept_quietly(scene, id, "seek-token-x");
    }
    int64_t start_ms = clock_monotonic_ms();
    worker_pool_wake(scene->pool); /* once: the first passes it on */
    WAIT_UNTIL(signals_seen(scene) == 1 + IN_FLIGHT_MAX);
    assert_in_range(clock_monotonic_ms() - start_ms, 0, 600);
}

static void finds_what_others_have_accepted(void **state)
{
    struct scene *scene = *state;
    start(scene);
    accept_many(scene, 1);
    must_deliver_many(scene, 1);
    accept_quietly(scene, "B-1", "seek-token-x");
    (void)must_deliver(scene, "B-1");
}

static void a_retry_waits_for_its_backoff_only(void **state)
{
    struct scene *scene = *state;
    enum { FAILURES = 8 }; /* with pauses of at most 1 + 2 + 4 + … + 128 ms */
    will_answer(scene, (struct fake_answer){.status = 503}, FAILURES);
    start_with(scene, &(struct variation){.retry_base_ms = 1});
    int64_t start_ms = clock_monotonic_ms();
    accept(scene, "A-1", "seek-token-1");
    assert_int_equal(must_deliver(scene, "A-1")->attempts, FAILURES + 1);
    assert_in_range(clock_monotonic_ms() - start_ms, 0, 4000);
}

/* By a process that has gone: only the store knows when it is due. */
static int64_t postpone(struct scene *scene, const char *id, const char *seek_token,
                        int64_t delay_ms)
{
    const struct verdict verdict = {.class = VERDICT_TRANSIENT, .code = "HTTP_503"};
    accept_quietly(scene, id, seek_token);
    struct claim claim = must_claim_one(&scene->driver);
    assert_int_equal(
        must_settle(&scene->driver, id, claim.generation, SETTLE_RETRY, delay_ms, &verdict),
        SETTLED);
    return clock_monotonic_ms() + delay_ms;
}

static void sends_when_it_is_due(void **state)
{
    struct scene *scene = *state;
    enum { COUNT = 10, TOLERANCE_MS = 500 };
    char seek_tokens[COUNT][32];
    int64_t due_ms[COUNT];
    for (int i = 0; i < COUNT; i++) {
        char id[32];
        (void)snprintf(id, sizeof id, "A-%d", i);
        (void)snprintf(seek_tokens[i], sizeof seek_tokens[i], "seek-token-%d", i);
        due_ms[i] = postpone(scene, id, seek_tokens[i], 1500 + 300 * i);
    }
    start(scene);
    must_deliver_many(scene, COUNT);
    for (int i = 0; i < COUNT; i++) {
        assert_string_equal(scene->shared.requests[i].seek_token, seek_tokens[i]);
        int64_t late_ms = scene->shared.requests[i].at_ms - due_ms[i];
        assert_true(late_ms >= -10);
        assert_true(late_ms < TOLERANCE_MS);
    }
}

static unsigned claims_so_far(struct scene *scene)
{
    const char *text = redis_server_cli(scene->redis, "INFO commandstats | grep cmdstat_evalsha:");
    unsigned calls = 0;
    (void)sscanf(text, "cmdstat_evalsha:calls=%u", &calls);
    return calls;
}

static void rests_when_nothing_is_due(void **state)
{
    struct scene *scene = *state;
    start(scene);
    accept_many(scene, 1);
    must_deliver_many(scene, 1);
    (void)usleep(200000);
    unsigned before = claims_so_far(scene);
    (void)usleep(3000000);
    assert_in_range(claims_so_far(scene) - before, 2, 4);
}

static void the_breaker_spares_seek_and_attempts(void **state)
{
    struct scene *scene = *state;
    will_answer(scene, (struct fake_answer){.status = 503}, IN_FLIGHT_MAX + 2);
    start_with(scene, &(struct variation){.breaker_failures = 3});
    accept_many(scene, 40);
    must_deliver_many(scene, 40);
    assert_int_equal(signals_seen(scene), 40 + IN_FLIGHT_MAX + 2);
    assert_in_range(count_in_log(scene, "breaker_opened"), 1, 2);
    assert_int_equal(count_in_log(scene, "breaker_closed"), count_in_log(scene, "breaker_opened"));
}

static void everybody_respects_retry_after(void **state)
{
    struct scene *scene = *state;
    will_answer(scene, (struct fake_answer){.status = 429, .headers = "Retry-After: 1\r\n"}, 1);
    start(scene);
    accept_many(scene, 1);
    WAIT_UNTIL(status_of(scene).retried == 1);
    accept_many(scene, 5);
    must_deliver_many(scene, 5);
    for (unsigned i = 1; i < signals_seen(scene); i++)
        assert_in_range(scene->shared.requests[i].at_ms - scene->shared.requests[0].at_ms, 990,
                        PATIENCE_MS);
}

static void keeps_the_rate(void **state)
{
    struct scene *scene = *state;
    start_with(scene, &(struct variation){.per_second = 20});
    int64_t start_ms = clock_monotonic_ms();
    accept_many(scene, 25);
    must_deliver_many(scene, 25);
    assert_in_range(scene->shared.requests[24].at_ms - start_ms, 1150, PATIENCE_MS);
}

static void sends_nothing_while_paused(void **state)
{
    struct scene *scene = *state;
    start(scene);
    (void)redis_server_cli(scene->redis, "SET " STORE_KEY_PAUSED " 1700000000000");
    accept_many(scene, 3);
    WAIT_UNTIL(count_in_log(scene, "sending_paused") == 1);
    (void)usleep(300000);
    assert_int_equal(signals_seen(scene), 0);
    (void)redis_server_cli(scene->redis, "DEL " STORE_KEY_PAUSED);
    worker_pool_wake(scene->pool);
    must_deliver_many(scene, 3);
    assert_int_equal(count_in_log(scene, "sending_resumed"), 1);
}

/* --- when things change underneath ------------------------------------------------- */

static void a_newer_seek_token_wins_while_the_older_is_sent(void **state)
{
    struct scene *scene = *state;
    will_answer(scene, (struct fake_answer){.body = DELIVERED, .delay_ms = 400}, 1);
    start(scene);
    accept(scene, "A-1", "seek-token-old");
    WAIT_UNTIL(signals_seen(scene) == 1);
    accept(scene, "A-1", "seek-token-new");
    WAIT_UNTIL(signals_seen(scene) == 2);
    (void)must_deliver(scene, "A-1");
    assert_string_equal(scene->shared.requests[0].seek_token, "seek-token-old");
    assert_string_equal(scene->shared.requests[1].seek_token, "seek-token-new");
    assert_int_equal(status_of(scene).fenced, 1);
    assert_int_equal(count_in_log(scene, "settlement_fenced"), 1);
}

static void an_outcome_survives_the_loss_of_redis(void **state)
{
    struct scene *scene = *state;
    will_answer(scene, (struct fake_answer){.body = DELIVERED, .delay_ms = 300}, 1);
    start(scene);
    accept(scene, "A-1", "seek-token-1");
    WAIT_UNTIL(signals_seen(scene) == 1);
    redis_server_kill(scene->redis);
    WAIT_UNTIL(status_of(scene).delivered == 1); /* SEEK has answered, nobody could record it */
    driver_must_become(&scene->driver, false);
    redis_server_restart(scene->redis);
    driver_must_become(&scene->driver, true);
    assert_int_equal(must_deliver(scene, "A-1")->attempts, 1);
    assert_int_equal(signals_seen(scene), 1);
}

static void a_lost_worker_is_replaced_after_its_lease(void **state)
{
    struct scene *scene = *state;
    accept_quietly(scene, "A-1", "seek-token-1");
    (void)must_claim_one(&scene->driver); /* by somebody who never reports back */
    start(scene);
    assert_int_equal(must_deliver(scene, "A-1")->attempts, 2);
    WAIT_UNTIL(status_of(scene).leases_expired == 1);
    assert_int_equal(count_in_log(scene, "lease_expired"), 1);
}

static void a_claim_that_came_late_is_given_back(void **state)
{
    struct scene *scene = *state;
    start_with(scene,
               &(struct variation){.workers = 1, .lease_ms = 700, .request_timeout_ms = 300});
    accept_many(scene, 1);
    must_deliver_many(scene, 1);
    log_configure(LOG_DEBUG, LOG_FORMAT_JSON);
    int64_t wait_ms;
    size_t places = sending_gate_enter(scene->gate, SIZE_MAX, clock_monotonic_ms(), &wait_ms);
    accept_quietly(scene, "A-1", "seek-token-1");
    (void)usleep(1200000); /* the last claim is answered, and the next one is due */
    redis_server_freeze(scene->redis);
    sending_gate_return(scene->gate, places);
    worker_pool_wake(scene->pool);
    (void)usleep(600000); /* the claim waits for longer than the lease less an attempt */
    redis_server_thaw(scene->redis);
    assert_int_equal(must_deliver(scene, "A-1")->attempts, 1);
    log_configure(LOG_INFO, LOG_FORMAT_JSON);
    assert_int_equal(count_in_log(scene, "claim_released"), 1);
    assert_int_equal(signals_seen(scene), 2);
}

/* --- stopping ---------------------------------------------------------------------- */

static void stop_lets_what_is_in_flight_finish(void **state)
{
    struct scene *scene = *state;
    will_answer(scene, (struct fake_answer){.body = DELIVERED, .delay_ms = 300}, 5);
    start(scene);
    accept_many(scene, 5);
    WAIT_UNTIL(signals_seen(scene) == 5);
    int64_t start_ms = clock_monotonic_ms();
    assert_int_equal(stop(scene, PATIENCE_MS), 0);
    assert_in_range(clock_monotonic_ms() - start_ms, 0, PATIENCE_MS / 2);
    must_deliver_many(scene, 5);
}

static void stop_cuts_at_the_deadline(void **state)
{
    struct scene *scene = *state;
    will_answer(scene, (struct fake_answer){.act = FAKE_SILENT}, 3);
    start(scene);
    accept_many(scene, 3);
    WAIT_UNTIL(signals_seen(scene) == 3);
    int64_t start_ms = clock_monotonic_ms();
    assert_int_equal(stop(scene, 100), 3);
    assert_in_range(clock_monotonic_ms() - start_ms, 100, 1500);
    const struct application *application = must_get(&scene->driver, "A-0");
    assert_int_equal(application->state, DELIVERY_PENDING);
    assert_string_equal(application->last_code, "SHUTDOWN");
    assert_in_range(application->next_attempt_at_ms, 1, clock_wall_ms());
}

static void stop_ends_without_redis_too(void **state)
{
    struct scene *scene = *state;
    will_answer(scene, (struct fake_answer){.body = DELIVERED, .delay_ms = 200}, 1);
    start(scene);
    accept_many(scene, 1);
    WAIT_UNTIL(signals_seen(scene) == 1);
    redis_server_freeze(scene->redis);
    int64_t start_ms = clock_monotonic_ms();
    assert_int_equal(stop(scene, 500), 0);
    assert_in_range(clock_monotonic_ms() - start_ms, 500, 4000);
    redis_server_thaw(scene->redis);
    assert_int_equal(count_in_log(scene, "outcomes_unrecorded"), 1);
}

static void stop_of_idle_workers_is_quick(void **state)
{
    struct scene *scene = *state;
    start(scene);
    WAIT_UNTIL(status_of(scene).workers_connected == WORKERS);
    int64_t start_ms = clock_monotonic_ms();
    assert_int_equal(stop(scene, PATIENCE_MS), 0);
    assert_in_range(clock_monotonic_ms() - start_ms, 0, 2000);
}

static void what_never_ran_can_be_stopped(void **state)
{
    struct scene *scene = *state;
    start(scene);
    worker_pool_destroy((stop(scene, PATIENCE_MS), scene->pool));
    access_token_destroy(scene->access_token);
    sending_gate_destroy(scene->gate);
    create_gate_and_token(scene, &(struct variation){0});
    const struct worker_pool_options options = {.worker_count = 2,
                                                .in_flight_max = 1,
                                                .accept_language = "en",
                                                .request_timeout_ms = 100,
                                                .store = {.locate = locate, .context = scene},
                                                .access_token = scene->access_token,
                                                .gate = scene->gate};
    scene->pool = worker_pool_create(&options, NULL);
    assert_non_null(scene->pool);
    assert_int_equal(stop(scene, 0), 0);
}

/* --- seen from outside ------------------------------------------------------------- */

static void the_loops_show_that_they_turn(void **state)
{
    struct scene *scene = *state;
    start(scene);
    size_t count;
    const struct heartbeat *heartbeats = worker_pool_heartbeats(scene->pool, &count);
    assert_int_equal(count, WORKERS);
    assert_string_equal(heartbeats[0].name, "worker-0");
    (void)usleep(2500000);
    for (size_t i = 0; i < count; i++)
        assert_in_range(heartbeat_age_ms(&heartbeats[i], clock_monotonic_ms()), 0, 2400);
}

static void metrics_have_fixed_labels(void **state)
{
    struct scene *scene = *state;
    will_answer(scene, (struct fake_answer){.body = ERROR_BODY("WHO_KNOWS", "x")}, 1);
    start(scene);
    accept_many(scene, 2);
    must_deliver_many(scene, 2);
    WAIT_UNTIL(status_of(scene).retried == 1);
    size_t count;
    struct metric *const *metrics = worker_pool_metrics(scene->pool, &count);
    struct buffer text;
    buffer_init(&text, 65536);
    assert_true(metrics_write(&text, metrics, count, NULL));
    assert_non_null(strstr(text.bytes, "seek_signal_attempts_total{class=\"delivered\"} 2\n"));
    assert_non_null(strstr(text.bytes, "seek_signal_attempts_total{class=\"transient\"} 1\n"));
    assert_non_null(strstr(text.bytes, "seek_signal_attempt_duration_seconds_count 3\n"));
    assert_non_null(strstr(text.bytes, "seek_signal_delivered_total 2\n"));
    assert_null(strstr(text.bytes, "A-0"));
    assert_null(strstr(text.bytes, "WHO_KNOWS"));
    buffer_fini(&text);
}

static void full_log_shows_bodies_without_credentials(void **state)
{
    struct scene *scene = *state;
    will_answer(
        scene, (struct fake_answer){.body = ERROR_BODY("X", "got Bearer " ACCESS_TOKEN "-1-1")}, 1);
    start_with(scene, &(struct variation){.is_upstream_logged = true});
    accept_many(scene, 1);
    must_deliver_many(scene, 1);
    assert_in_range(count_in_log(scene, "upstream_request"), 3, 3);
    assert_int_equal(count_in_log(scene, "upstream_answer"), 3);
    assert_in_range(count_in_log(scene, "SendSignalInput"), 2, 2);
    assert_in_range(count_in_log(scene, "requestLatency"), 1, 1);
    assert_in_range(count_in_log(scene, "Bearer [hidden]"), 2, 2);
    /* and tear_down looks for credentials */
}

#define SCENE(sentence, function) IT_WITH(sentence, function, set_up, tear_down)

int main(void)
{
    (void)setenv("no_proxy", "*", 1);
    log_configure(LOG_INFO, LOG_FORMAT_JSON);
    if (!http_client_startup(NULL))
        return 1;
    const struct CMUnitTest tests[] = {
        SCENE("sends the request that SEEK documents", sends_the_documented_request),
        SCENE("leaves out an absent traceparent", leaves_out_an_absent_traceparent),
        SCENE("sends again after any transient failure: new request id, same time and session",
              sends_again_after_any_transient_failure),
        SCENE("gives up what SEEK refuses, with its message", gives_up_what_seek_refuses),
        SCENE("keeps credentials out of what SEEK says", keeps_credentials_out_of_seeks_words),
        SCENE("gives up what is too old", gives_up_what_is_too_old),
        SCENE("fetches one access token for many UNAUTHENTICATED", many_rejections_cause_one_fetch),
        SCENE("is never UNAUTHENTICATED with access tokens that live for two seconds",
              a_short_life_is_no_trouble),
        SCENE("spends no attempt while no access token can be had",
              no_attempt_is_spent_without_an_access_token),
        SCENE("delivers each of many, once", delivers_each_of_many_once),
        SCENE("does not let the last event wait for the next", the_last_does_not_wait_for_the_next),
        SCENE("spreads a backlog over all workers at once", a_backlog_is_for_all_workers),
        SCENE("finds what other processes have accepted", finds_what_others_have_accepted),
        SCENE("waits for the backoff and no longer", a_retry_waits_for_its_backoff_only),
        SCENE("sends what is due when it is due", sends_when_it_is_due),
        SCENE("asks Redis once per second when nothing is due, whatever the number of workers",
              rests_when_nothing_is_due),
        SCENE("spends no attempt while the breaker is open", the_breaker_spares_seek_and_attempts),
        SCENE("holds everybody back for Retry-After", everybody_respects_retry_after),
        SCENE("keeps the rate", keeps_the_rate),
        SCENE("sends nothing while paused", sends_nothing_while_paused),
        SCENE("sends a newer seek-token that comes while the older one is sent",
              a_newer_seek_token_wins_while_the_older_is_sent),
        SCENE("records an outcome after Redis was lost and is back",
              an_outcome_survives_the_loss_of_redis),
        SCENE("sends again what a lost worker had claimed",
              a_lost_worker_is_replaced_after_its_lease),
        SCENE("gives back a claim that came too late for its lease",
              a_claim_that_came_late_is_given_back),
        SCENE("lets what is in flight finish when stopped", stop_lets_what_is_in_flight_finish),
        SCENE("cuts what is in flight at the deadline, and records it as a retry",
              stop_cuts_at_the_deadline),
        SCENE("stops in time without Redis", stop_ends_without_redis_too),
        SCENE("stops idle workers at once", stop_of_idle_workers_is_quick),
        SCENE("can be stopped before it was started", what_never_ran_can_be_stopped),
        SCENE("shows that its loops turn", the_loops_show_that_they_turn),
        SCENE("counts with fixed labels", metrics_have_fixed_labels),
        SCENE("logs whole bodies on request, without credentials",
              full_log_shows_bodies_without_credentials),
    };
    cmocka_set_test_filter(getenv("TEST_FILTER"));
    int failures = cmocka_run_group_tests_name("worker_pool", tests, NULL, NULL);
    http_client_cleanup();
    return failures;
}
