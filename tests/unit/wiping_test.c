/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* No credential is left in memory that our code has given back. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buffer.h"
#include "lib/base/secret.h"

#include "service/outbound/access_token.h"

#include "tests/support/specification.h"

#define CLIENT_SECRET "client-secret-9b1f7c2e"
#define ACCESS_TOKEN "access-token-51d80a3c"

static unsigned left_behind; /* blocks with a credential in them */

static void look_through(void *block)
{
    static const char *const credentials[] = {CLIENT_SECRET, ACCESS_TOKEN};
    for (size_t i = 0; block != NULL && i < sizeof credentials / sizeof credentials[0]; i++)
        left_behind += memmem(block, malloc_usable_size(block), credentials[i],
                              strlen(credentials[i])) != NULL;
}

void __real_free(void *block);
void *__real_realloc(void *block, size_t size);
void __wrap_free(void *block);
void *__wrap_realloc(void *block, size_t size);

void __wrap_free(void *block)
{
    look_through(block);
    __real_free(block);
}

/* It may move, and leave what it held. */
void *__wrap_realloc(void *block, size_t size)
{
    look_through(block);
    return __real_realloc(block, size);
}

static int begin(void **state)
{
    (void)state;
    left_behind = 0;
    return 0;
}

static void finds_what_a_buffer_leaves(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 4096);
    assert_true(buffer_append_text(&buffer, CLIENT_SECRET, NULL));
    buffer_fini(&buffer);
    assert_int_equal(left_behind, 1);
}

static void a_wiped_buffer_leaves_nothing(void **state)
{
    (void)state;
    char more[1000] = "";
    struct buffer buffer;
    buffer_init(&buffer, 4096);
    assert_true(buffer_append_text(&buffer, CLIENT_SECRET, NULL));
    assert_true(buffer_append(&buffer, more, sizeof more, NULL)); /* it moves */
    assert_string_equal(buffer.bytes, CLIENT_SECRET);
    buffer_wipe(&buffer);
    buffer_fini(&buffer);
    assert_int_equal(left_behind, 0);
}

/* Long enough that the body moves behind the secret. */
static void an_access_token_leaves_nothing(void **state)
{
    (void)state;
    static const char answer[] =
        "{\"access_token\":\"" ACCESS_TOKEN "\",\"expires_in\":1800,\"token_type\":\"Bearer\"}";
    char id[401];
    memset(id, 'i', sizeof id - 1);
    id[sizeof id - 1] = '\0';
    struct secret *client_id = secret_from_value(id, NULL);
    struct secret *client_secret = secret_from_value(CLIENT_SECRET, NULL);
    const struct access_token_options options = {.audience = "https://graphql.seek.com",
                                                 .client_id = client_id,
                                                 .client_secret = client_secret,
                                                 .retry_base_ms = 1000,
                                                 .retry_max_ms = 60000,
                                                 .outage_max_ms = 60000,
                                                 .refresh_timeout_ms = 30000};
    struct access_token *token = access_token_create(&options, NULL);
    assert_non_null(token);
    struct buffer body, line;
    struct error error;
    buffer_init(&body, 65536);
    buffer_init(&line, 16384);
    assert_true(access_token_request(token, &body, &error));
    assert_non_null(strstr(body.bytes, CLIENT_SECRET));
    const struct http_exchange exchange = {.outcome = HTTP_ANSWERED,
                                           .status = 200,
                                           .body = answer,
                                           .body_length = sizeof answer - 1,
                                           .content_type = "application/json",
                                           .detail = ""};
    assert_true(access_token_refreshed(token, &exchange, 1000, 0, &error));
    uint64_t generation;
    int64_t wait_ms;
    assert_int_equal(access_token_acquire(token, 1000, &line, &generation, &wait_ms),
                     ACCESS_TOKEN_READY);
    assert_non_null(strstr(line.bytes, ACCESS_TOKEN));
    buffer_wipe(&line);
    buffer_fini(&line);
    buffer_wipe(&body);
    buffer_fini(&body);
    access_token_destroy(token);
    secret_destroy(client_secret);
    secret_destroy(client_id);
    assert_int_equal(left_behind, 0);
}

#define LOOKS(sentence, function) IT_WITH(sentence, function, begin, NULL)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOOKS("finds what a buffer leaves that is not wiped", finds_what_a_buffer_leaves),
        LOOKS("finds nothing of a wiped buffer, not even where it was before it grew",
              a_wiped_buffer_leaves_nothing),
        LOOKS("finds nothing of a client secret and an access token",
              an_access_token_leaves_nothing),
    };
    return cmocka_run_group_tests_name("wiping", tests, NULL, NULL);
}
