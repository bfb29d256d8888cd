/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "tests/support/fake_seek.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/json.h"

#include "tests/support/specification.h"

enum { SIGNALS_MAX = 2048, TOKEN_LIFE_MS = 1800 * 1000 };

struct answers { /* in this order */
    struct fake_answer all[FAKE_SEEK_ANSWERS_MAX];
    unsigned count, given;
};

struct fake_seek {
    struct fake_http *seek, *issuer; /* owned */
    char graphql_url[64], token_url[64];
    /* The servers' threads and the test, holding the lock. */
    struct {
        pthread_mutex_t lock;
        struct answers to_signals, to_fetches;
        int64_t token_life_ms;
        unsigned least_token; /* older ones are UNAUTHENTICATED */
        struct seen_signal signals[SIGNALS_MAX];
        unsigned signal_count, fetch_count;
        char head[4096], body[4096]; /* of the last signal */
        char fetch_body[4096];       /* of the last fetch */
        char token_bodies[FAKE_SEEK_ANSWERS_MAX][256];
    } shared;
};

/* --- what it does ------------------------------------------------------------------ */

static bool take_answer(struct answers *answers, struct fake_answer *out)
{
    if (answers->given == answers->count)
        return false;
    *out = answers->all[answers->given++];
    return true;
}

static struct fake_answer issue_token(struct fake_seek *seek, const struct fake_request *request)
{
    (void)snprintf(seek->shared.fetch_body, sizeof seek->shared.fetch_body, "%s", request->body);
    unsigned number = ++seek->shared.fetch_count;
    struct fake_answer answer;
    if (take_answer(&seek->shared.to_fetches, &answer))
        return answer;
    char *body = seek->shared.token_bodies[number % FAKE_SEEK_ANSWERS_MAX];
    (void)snprintf(body, sizeof seek->shared.token_bodies[0],
                   "{\"access_token\":\"" ACCESS_TOKEN "-%u-%lld\",\"expires_in\":%lld}", number,
                   (long long)clock_monotonic_ms(), (long long)(seek->shared.token_life_ms / 1000));
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

static const struct seen_signal *note_signal(struct fake_seek *seek,
                                             const struct fake_request *request)
{
    assert_true(seek->shared.signal_count < SIGNALS_MAX);
    struct seen_signal *noted = &seek->shared.signals[seek->shared.signal_count++];
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
    (void)snprintf(seek->shared.head, sizeof seek->shared.head, "%s", request->head);
    (void)snprintf(seek->shared.body, sizeof seek->shared.body, "%s", request->body);
    return noted;
}

static bool is_authentic(const struct fake_seek *seek, const char *access_token)
{
    unsigned number = 0;
    long long issued_at_ms = 0;
    int fields = sscanf(access_token, "Bearer " ACCESS_TOKEN "-%u-%lld", &number, &issued_at_ms);
    return fields == 2 && number >= seek->shared.least_token &&
           clock_monotonic_ms() <= issued_at_ms + seek->shared.token_life_ms;
}

static struct fake_answer answer_signal(struct fake_seek *seek, const struct fake_request *request)
{
    const struct seen_signal *noted = note_signal(seek, request);
    if (!is_authentic(seek, noted->access_token))
        return (struct fake_answer){.body = ERROR_BODY("UNAUTHENTICATED", "token is expired")};
    struct fake_answer answer = {.body = DELIVERED};
    (void)take_answer(&seek->shared.to_signals, &answer);
    return answer;
}

static struct fake_answer play(void *context, const struct fake_request *request)
{
    struct fake_seek *seek = context;
    pthread_mutex_lock(&seek->shared.lock);
    struct fake_answer answer = strncmp(request->head, "POST /oauth/token ", 18) == 0
                                    ? issue_token(seek, request)
                                    : answer_signal(seek, request);
    pthread_mutex_unlock(&seek->shared.lock);
    return answer;
}

/* --- life -------------------------------------------------------------------------- */

struct fake_seek *fake_seek_start(void)
{
    struct fake_seek *seek = calloc(1, sizeof *seek);
    assert_non_null(seek);
    pthread_mutex_init(&seek->shared.lock, NULL);
    seek->shared.token_life_ms = TOKEN_LIFE_MS;
    seek->seek = fake_http_start(play, seek);
    seek->issuer = fake_http_start(play, seek);
    (void)snprintf(seek->graphql_url, sizeof seek->graphql_url, "http://127.0.0.1:%u/graphql",
                   fake_http_port(seek->seek));
    (void)snprintf(seek->token_url, sizeof seek->token_url, "http://127.0.0.1:%u/oauth/token",
                   fake_http_port(seek->issuer));
    return seek;
}

void fake_seek_stop(struct fake_seek *seek)
{
    fake_http_stop(seek->seek);
    fake_http_stop(seek->issuer);
    pthread_mutex_destroy(&seek->shared.lock);
    free(seek);
}

const char *fake_seek_graphql_url(const struct fake_seek *seek)
{
    return seek->graphql_url;
}

const char *fake_seek_token_url(const struct fake_seek *seek)
{
    return seek->token_url;
}

/* --- what it will do --------------------------------------------------------------- */

static void add_answer(struct answers *answers, struct fake_answer answer)
{
    assert_true(answers->count < FAKE_SEEK_ANSWERS_MAX);
    answers->all[answers->count++] = answer;
}

void fake_seek_will_answer(struct fake_seek *seek, struct fake_answer answer, unsigned times)
{
    pthread_mutex_lock(&seek->shared.lock);
    for (unsigned i = 0; i < times; i++)
        add_answer(&seek->shared.to_signals, answer);
    pthread_mutex_unlock(&seek->shared.lock);
}

void fake_seek_will_answer_fetch(struct fake_seek *seek, struct fake_answer answer)
{
    pthread_mutex_lock(&seek->shared.lock);
    add_answer(&seek->shared.to_fetches, answer);
    pthread_mutex_unlock(&seek->shared.lock);
}

void fake_seek_set_token_life(struct fake_seek *seek, int64_t life_ms)
{
    pthread_mutex_lock(&seek->shared.lock);
    seek->shared.token_life_ms = life_ms;
    pthread_mutex_unlock(&seek->shared.lock);
}

void fake_seek_revoke_before(struct fake_seek *seek, unsigned number)
{
    pthread_mutex_lock(&seek->shared.lock);
    seek->shared.least_token = number;
    pthread_mutex_unlock(&seek->shared.lock);
}

/* --- what it saw ------------------------------------------------------------------- */

unsigned fake_seek_signals(struct fake_seek *seek)
{
    pthread_mutex_lock(&seek->shared.lock);
    unsigned count = seek->shared.signal_count;
    pthread_mutex_unlock(&seek->shared.lock);
    return count;
}

unsigned fake_seek_fetches(struct fake_seek *seek)
{
    pthread_mutex_lock(&seek->shared.lock);
    unsigned count = seek->shared.fetch_count;
    pthread_mutex_unlock(&seek->shared.lock);
    return count;
}

/* Complete since it was counted, and never written again. */
const struct seen_signal *fake_seek_signal(struct fake_seek *seek, unsigned index)
{
    assert_true(index < fake_seek_signals(seek));
    return &seek->shared.signals[index];
}

struct fake_request fake_seek_last_signal(struct fake_seek *seek)
{
    pthread_mutex_lock(&seek->shared.lock);
    struct fake_request request = {.head = seek->shared.head,
                                   .body = seek->shared.body,
                                   .body_length = strlen(seek->shared.body)};
    pthread_mutex_unlock(&seek->shared.lock);
    return request;
}

const char *fake_seek_last_fetch(struct fake_seek *seek)
{
    pthread_mutex_lock(&seek->shared.lock);
    const char *body = seek->shared.fetch_body;
    pthread_mutex_unlock(&seek->shared.lock);
    return body;
}

unsigned fake_seek_connections_peak(struct fake_seek *seek)
{
    return fake_http_connections_peak(seek->seek);
}
