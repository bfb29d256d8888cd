/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "tests/support/access_token_stand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/specification.h"

int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    assert_non_null(scene);
    scene->id = secret_from_value("client-1", NULL);
    scene->secret = secret_from_value(CLIENT_SECRET, NULL);
    const struct access_token_options options = {.audience = "https://graphql.seek.com",
                                                 .client_id = scene->id,
                                                 .client_secret = scene->secret,
                                                 .retry_base_ms = 1000,
                                                 .retry_max_ms = RETRY_MAX_MS,
                                                 .outage_max_ms = OUTAGE_MAX_MS,
                                                 .refresh_timeout_ms = REFRESH_TIMEOUT_MS};
    scene->token = access_token_create(&options, NULL);
    assert_non_null(scene->token);
    buffer_init(&scene->line, 16384);
    *state = scene;
    return 0;
}

int tear_down(void **state)
{
    struct scene *scene = *state;
    buffer_fini(&scene->line);
    access_token_destroy(scene->token);
    secret_destroy(scene->secret);
    secret_destroy(scene->id);
    free(scene);
    return 0;
}

enum access_token_outcome acquire(struct scene *scene, int64_t now_ms)
{
    buffer_clear(&scene->line);
    scene->wait_ms = -1;
    return access_token_acquire(scene->token, now_ms, &scene->line, &scene->generation,
                                &scene->wait_ms);
}

bool answer(struct scene *scene, unsigned status, const char *body, int64_t now_ms,
            struct error *error)
{
    const struct http_exchange exchange = {.outcome = HTTP_ANSWERED,
                                           .status = status,
                                           .body = body,
                                           .body_length = strlen(body),
                                           .content_type = "application/json",
                                           .detail = ""};
    return access_token_refreshed(scene->token, &exchange, now_ms, UINT64_MAX, error);
}

void grant(struct scene *scene, const char *text, int64_t life_s, int64_t now_ms)
{
    char body[256];
    (void)snprintf(body, sizeof body,
                   "{\"access_token\":\"%s\",\"expires_in\":%lld,\"token_type\":\"Bearer\"}", text,
                   (long long)life_s);
    struct error error;
    assert_true(answer(scene, 200, body, now_ms, &error));
}

void must_be_ready(struct scene *scene, int64_t now_ms, const char *text)
{
    char line[128];
    (void)snprintf(line, sizeof line, "Authorization: Bearer %s", text);
    assert_int_equal(acquire(scene, now_ms), ACCESS_TOKEN_READY);
    assert_string_equal(scene->line.bytes, line);
}
