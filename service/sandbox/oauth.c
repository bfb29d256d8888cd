/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/sandbox/oauth.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/json.h"
#include "lib/base/random.h"

/*
 * An access token is "<slot in hexadecimal>-<UUID>", so that knowing it again is one look into an
 * array. Callers must treat it as opaque all the same.
 */
enum { SLOT_DIGITS = 4, ACCESS_TOKEN_BYTES = SLOT_DIGITS + 1 + UUID_BYTES };
_Static_assert(ACCESS_TOKENS_MAX <= 1 << (4 * SLOT_DIGITS), "a slot fits its digits");

struct access_grant {
    char access_token[ACCESS_TOKEN_BYTES]; /* "": none */
    int64_t expires_at_ms;                 /* monotonic */
    bool is_playground;
};

struct oauth {
    struct access_grant grants[ACCESS_TOKENS_MAX];
    size_t next;
};

static const struct audience {
    const char *name;
    bool is_playground;
} audiences[] = {
    {"https://graphql.seek.com", false},
    {"https://test.graphql.seek.com", true},
};

enum { MEMBER_AUDIENCE, MEMBER_CLIENT_ID, MEMBER_CLIENT_SECRET, MEMBER_GRANT_TYPE, MEMBER_COUNT };
static const char *const members[MEMBER_COUNT] = {"audience", "client_id", "client_secret",
                                                  "grant_type"};

struct oauth *oauth_create(struct error *error)
{
    struct oauth *oauth = calloc(1, sizeof *oauth);
    if (oauth == NULL)
        (void)error_out_of_memory(error);
    return oauth;
}

void oauth_destroy(struct oauth *oauth)
{
    free(oauth);
}

static bool refuse(struct sandbox_answer *answer, unsigned status, const char *code,
                   const char *description)
{
    answer_begin(answer, status, code);
    answer_format(answer, "{\"error\":\"%s\",\"error_description\":\"%s\"}", code, description);
    return false;
}

static bool refuse_method(struct sandbox_answer *answer)
{
    answer->header_name = "Allow";
    (void)snprintf(answer->header_value, sizeof answer->header_value, "POST");
    return refuse(answer, 405, "invalid_request", "Use POST");
}

static bool read_members(const struct json_value *object, struct json_text texts[MEMBER_COUNT],
                         struct sandbox_answer *answer)
{
    for (size_t i = 0; i < MEMBER_COUNT; i++)
        if (!json_member_text(object, members[i], &texts[i]) || texts[i].length == 0) {
            char description[ANSWER_TEXT_BYTES];
            (void)snprintf(description, sizeof description, "%s must be a non-empty string",
                           members[i]);
            return refuse(answer, 400, "invalid_request", description);
        }
    return true;
}

static const struct audience *find_audience(const char *name)
{
    for (size_t i = 0; i < sizeof audiences / sizeof audiences[0]; i++)
        if (strcmp(audiences[i].name, name) == 0)
            return &audiences[i];
    return NULL;
}

static bool is_accepted(const char *expected, const char *given)
{
    return expected[0] == '\0' || strcmp(expected, given) == 0;
}

static const struct access_grant *add_grant(struct oauth *oauth, int64_t expires_at_ms,
                                            bool is_playground)
{
    struct access_grant *grant = &oauth->grants[oauth->next];
    char uuid[UUID_BYTES];
    uuid_v4(uuid);
    (void)snprintf(grant->access_token, sizeof grant->access_token, "%0*zx-%s", SLOT_DIGITS,
                   oauth->next, uuid);
    grant->expires_at_ms = expires_at_ms;
    grant->is_playground = is_playground;
    oauth->next = (oauth->next + 1) % ACCESS_TOKENS_MAX;
    return grant;
}

static void give(struct oauth *oauth, const struct behaviour *behaviour,
                 const struct audience *audience, const struct incoming *incoming,
                 struct sandbox_answer *answer)
{
    const struct access_grant *grant = add_grant(
        oauth, incoming->now_ms + behaviour->expires_in_s * 1000, audience->is_playground);
    answer_begin(answer, 200, "granted");
    answer->is_authorized = true;
    (void)snprintf(answer->access_token, sizeof answer->access_token, "%s", grant->access_token);
    answer_format(answer,
                  "{\"access_token\":\"%s\",\"expires_in\":%" PRId64 ",\"token_type\":\"Bearer\"}",
                  grant->access_token, behaviour->expires_in_s);
}

/* The answer is the refusal when this is false. */
static bool is_acceptable(const struct behaviour *behaviour,
                          const struct json_text texts[MEMBER_COUNT], struct sandbox_answer *answer)
{
    if (strcmp(texts[MEMBER_GRANT_TYPE].bytes, "client_credentials") != 0)
        return refuse(answer, 400, "unsupported_grant_type", "grant_type is client_credentials");
    if (!is_accepted(behaviour->client_id, texts[MEMBER_CLIENT_ID].bytes) ||
        !is_accepted(behaviour->client_secret, texts[MEMBER_CLIENT_SECRET].bytes))
        return refuse(answer, 401, "access_denied", "Unauthorized");
    if (find_audience(texts[MEMBER_AUDIENCE].bytes) == NULL)
        return refuse(answer, 403, "access_denied", "unsupported audience");
    return true;
}

void oauth_answer(struct oauth *oauth, const struct behaviour *behaviour,
                  const struct incoming *incoming, struct sandbox_answer *answer)
{
    if (strcmp(incoming->method, "POST") != 0) {
        (void)refuse_method(answer);
        return;
    }
    if (!incoming_is_json(incoming)) {
        (void)refuse(answer, 400, "invalid_request", "Content-Type must be application/json");
        return;
    }
    struct error error = {.kind = ERROR_NONE};
    AUTO(json) *json = json_parse(incoming->body, incoming->body_length, &error);
    answer->is_out_of_memory |= json == NULL && error.kind == ERROR_MEMORY;
    if (json == NULL || json_type(json_root(json)) != JSON_OBJECT) {
        (void)refuse(answer, 400, "invalid_request", "the body must be a JSON object");
        return;
    }
    struct json_text texts[MEMBER_COUNT];
    if (read_members(json_root(json), texts, answer) && is_acceptable(behaviour, texts, answer))
        give(oauth, behaviour, find_audience(texts[MEMBER_AUDIENCE].bytes), incoming, answer);
}

enum oauth_verdict oauth_check(const struct oauth *oauth, const char *authorization, int64_t now_ms)
{
    static const char scheme[] = "Bearer ";
    if (authorization == NULL)
        return OAUTH_MISSING;
    if (strncasecmp(authorization, scheme, sizeof scheme - 1) != 0)
        return OAUTH_INVALID;
    const char *access_token = authorization + sizeof scheme - 1;
    char *end = NULL;
    unsigned long slot = strtoul(access_token, &end, 16);
    if (*end != '-' || slot >= ACCESS_TOKENS_MAX)
        return OAUTH_INVALID;
    const struct access_grant *grant = &oauth->grants[slot];
    if (strcmp(grant->access_token, access_token) != 0)
        return OAUTH_INVALID;
    if (now_ms >= grant->expires_at_ms)
        return OAUTH_EXPIRED;
    return grant->is_playground ? OAUTH_PLAYGROUND : OAUTH_LIVE;
}

void oauth_revoke_all(struct oauth *oauth)
{
    memset(oauth->grants, 0, sizeof oauth->grants);
}
