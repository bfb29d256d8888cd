/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* The access token, its request and whom the end of it wakes are replaced at link time. */
#include <string.h>

#include "service/outbound/authorizer.h"

#include "tests/support/specification.h"

enum { NOW_MS = 1000 };

static struct worker_shared shared;
static struct authorizer authorizer;
static http_client_done fetched;
static bool is_granted;
static unsigned wakes;

enum access_token_outcome __wrap_access_token_acquire(struct access_token *token, int64_t now_ms,
                                                      struct buffer *out, uint64_t *out_generation,
                                                      int64_t *out_wait_ms);
bool __wrap_access_token_request(struct access_token *token, struct buffer *body,
                                 struct error *error);
bool __wrap_access_token_refreshed(struct access_token *token, const struct http_exchange *exchange,
                                   int64_t now_ms, uint64_t random, struct error *error);
void __wrap_access_token_failed(struct access_token *token, const char *reason, bool is_outage,
                                int64_t now_ms, uint64_t random);
bool __wrap_upstream_fetch_token(const struct upstream *upstream, struct http_client *client,
                                 const char *body, size_t body_length, http_client_done done,
                                 void *context, struct error *error);
void __wrap_upstream_note_token_answer(const struct upstream *upstream,
                                       const struct http_exchange *exchange);
void __wrap_due_watch_wake_one(struct due_watch *watch);

enum access_token_outcome __wrap_access_token_acquire(struct access_token *token, int64_t now_ms,
                                                      struct buffer *out, uint64_t *out_generation,
                                                      int64_t *out_wait_ms)
{
    (void)token;
    (void)now_ms;
    (void)out;
    (void)out_generation;
    (void)out_wait_ms;
    return ACCESS_TOKEN_REFRESH;
}

bool __wrap_access_token_request(struct access_token *token, struct buffer *body,
                                 struct error *error)
{
    (void)token;
    return buffer_append_text(body, "grant", error);
}

bool __wrap_access_token_refreshed(struct access_token *token, const struct http_exchange *exchange,
                                   int64_t now_ms, uint64_t random, struct error *error)
{
    (void)token;
    (void)exchange;
    (void)now_ms;
    (void)random;
    return is_granted || error_set(error, ERROR_IO, "no");
}

void __wrap_access_token_failed(struct access_token *token, const char *reason, bool is_outage,
                                int64_t now_ms, uint64_t random)
{
    (void)token;
    (void)reason;
    (void)is_outage;
    (void)now_ms;
    (void)random;
}

bool __wrap_upstream_fetch_token(const struct upstream *upstream, struct http_client *client,
                                 const char *body, size_t body_length, http_client_done done,
                                 void *context, struct error *error)
{
    (void)upstream;
    (void)client;
    (void)body;
    (void)error;
    assert_int_equal(body_length, strlen("grant"));
    assert_ptr_equal(context, &authorizer);
    fetched = done;
    return true;
}

void __wrap_upstream_note_token_answer(const struct upstream *upstream,
                                       const struct http_exchange *exchange)
{
    (void)upstream;
    (void)exchange;
}

void __wrap_due_watch_wake_one(struct due_watch *watch)
{
    assert_ptr_equal(watch, &shared.due_watch);
    wakes++;
}

static unsigned wakes_by(bool is_grant, bool is_stopping)
{
    static const struct http_exchange exchange = {.outcome = HTTP_ANSWERED, .status = 200};
    int64_t wait_ms;
    wakes = 0;
    is_granted = is_grant;
    authorizer_init(&authorizer, &shared, NULL);
    assert_false(authorizer_prepare(&authorizer, NOW_MS, &wait_ms));
    authorizer.is_stopping = is_stopping;
    fetched(&authorizer, &exchange);
    assert_false(authorizer.is_fetching);
    authorizer_fini(&authorizer);
    return wakes;
}

/* The owner of the watch may have been told to wait for this one's fetch, which is given longer. */
static void wakes_who_looks_at_what_is_due(void **state)
{
    (void)state;
    assert_int_equal(wakes_by(true, false), 1);
    assert_int_equal(wakes_by(false, false), 1); /* and learns when the next one is */
    assert_int_equal(wakes_by(true, true), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("wakes who looks at what is due when a fetch ends", wakes_who_looks_at_what_is_due),
    };
    return cmocka_run_group_tests_name("authorizer", tests, NULL, NULL);
}
