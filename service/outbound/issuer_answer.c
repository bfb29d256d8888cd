/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/issuer_answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/ascii.h"

#include "service/domain/retry_policy.h"

enum {
    LIFE_MAX_S = 365 * 24 * 60 * 60,
    LIFE_UNKNOWN_S = 5 * 60, /* when it says nothing: SEEK says UNAUTHENTICATED when it is over */
    WORDS_MAX = 120,
    TYPE_BYTES_MAX = 40,
};

/* RFC 6749 section 5.2: what may be shown whatever the client secret is. */
static const char *const oauth_errors[] = {
    "invalid_request",     "invalid_client",         "invalid_grant",
    "unauthorized_client", "unsupported_grant_type", "invalid_scope",
};

static bool is_oauth_error(const char *code)
{
    for (size_t i = 0; i < sizeof oauth_errors / sizeof oauth_errors[0]; i++) {
        if (strcmp(oauth_errors[i], code) == 0)
            return true;
    }
    return false;
}

static void withhold_secrets(const struct redaction *secrets, struct json_text *text)
{
    static const char withheld[] = "(this text repeats the client secret)";
    if (redaction_is_needed(secrets, text->bytes, text->length))
        *text = (struct json_text){withheld, sizeof withheld - 1};
}

/* RFC 6749 section 5.2: invalid_client may be 400 as well. */
static const char *hint(const struct http_exchange *exchange, const char *code)
{
    bool is_client = exchange->status == 401 || strcmp(code, "invalid_client") == 0;
    return is_client ? "; are CLIENT_ID and CLIENT_SECRET right?" : "";
}

/* What stands in an answer without `error`: the words of a problem document (RFC 9457) or of a
 * gateway; else its content type says who may have sent it. */
static bool report_other_refusal(const struct http_exchange *exchange,
                                 const struct json_value *root, const struct redaction *secrets,
                                 struct error *error)
{
    static const char *const names[] = {"error_description", "detail", "title", "message"};
    struct json_text words = {"", 0};
    for (size_t i = 0; i < sizeof names / sizeof names[0] && words.length == 0; i++)
        (void)json_member_text(root, names[i], &words);
    withhold_secrets(secrets, &words);
    bool has_type =
        words.length == 0 && exchange->content_type != NULL && exchange->content_type[0] != '\0';
    return error_set(error, ERROR_PROTOCOL, "HTTP status %u without an OAuth error%s%.*s%s%.60s%s",
                     exchange->status, words.length > 0 ? "; it says: " : "", WORDS_MAX,
                     words.bytes, has_type ? "; its content type is " : "",
                     has_type ? exchange->content_type : "", hint(exchange, ""));
}

/* Issuers have been seen to repeat the credentials in their error texts. */
static bool report_refusal(const struct http_exchange *exchange, const struct json_value *root,
                           const struct redaction *secrets, struct error *error)
{
    struct json_text code = {"", 0};
    struct json_text description = {"", 0};
    (void)json_member_text(root, "error", &code);
    (void)json_member_text(root, "error_description", &description);
    if (code.length == 0)
        return report_other_refusal(exchange, root, secrets, error);
    if (!is_oauth_error(code.bytes))
        withhold_secrets(secrets, &code);
    withhold_secrets(secrets, &description);
    return error_set(error, ERROR_PROTOCOL, "HTTP status %u, %.*s%s%.*s%s", exchange->status,
                     WORDS_MAX, code.bytes, description.length > 0 ? ": " : "", WORDS_MAX,
                     description.bytes, hint(exchange, code.bytes));
}

/* It becomes part of a header line. */
static bool is_header_text(const struct json_text *text)
{
    for (size_t i = 0; i < text->length; i++) {
        if (!ascii_is_visible(text->bytes[i]))
            return false;
    }
    return true;
}

/* RFC 6749 section 7.1: who does not understand a type must not use the token. Without one, which
 * is against section 5.1, it is the type that everybody means. */
static bool is_bearer(const struct json_value *root, const struct redaction *secrets,
                      struct error *error)
{
    struct json_text type;
    if (!json_member_text(root, "token_type", &type))
        return json_type(json_member(root, "token_type")) == JSON_NULL ||
               error_set(error, ERROR_PROTOCOL,
                         "token_type is not a text; only Bearer can be used");
    if (strcasecmp(type.bytes, "Bearer") == 0)
        return true;
    withhold_secrets(secrets, &type);
    return error_set(error, ERROR_PROTOCOL,
                     "the access token is of the token_type %.*s; only Bearer can be used",
                     TYPE_BYTES_MAX, type.bytes);
}

/* Section 5.1 recommends expires_in and leaves it out now and then; issuers write it as text or as
 * a fraction. What cannot be read counts as left out. */
static double read_life_s(const struct json_value *root)
{
    double life_s;
    struct json_text text;
    char *end = NULL;
    if (json_member_number(root, "expires_in", &life_s))
        return life_s;
    if (!json_member_text(root, "expires_in", &text) ||
        strspn(text.bytes, "-0123456789.") != text.length)
        return LIFE_UNKNOWN_S;
    life_s = strtod(text.bytes, &end);
    return end != text.bytes && *end == '\0' ? life_s : LIFE_UNKNOWN_S;
}

static bool read_grant(const struct json_value *root, const struct redaction *secrets,
                       struct issuer_grant *out, struct error *error)
{
    struct json_text text;
    if (!json_member_text(root, "access_token", &text) || text.length == 0)
        return error_set(error, ERROR_PROTOCOL, "the answer has no access_token");
    if (text.length > ACCESS_TOKEN_BYTES_MAX || !is_header_text(&text))
        return error_set(error, ERROR_PROTOCOL,
                         "the access_token is over %d bytes or not plain text",
                         ACCESS_TOKEN_BYTES_MAX);
    if (!is_bearer(root, secrets, error))
        return false;
    double life_s = read_life_s(root);
    if (!(life_s > 0))
        return error_set(error, ERROR_PROTOCOL, "the access token has expired already");
    int64_t life_ms = life_s < LIFE_MAX_S ? (int64_t)(life_s * 1000) : LIFE_MAX_S * INT64_C(1000);
    *out = (struct issuer_grant){text.bytes, text.length, life_ms > 0 ? life_ms : 1};
    return true;
}

static bool refuse_unreadable(const struct http_exchange *exchange, const struct json *json,
                              struct error *error)
{
    bool has_type = exchange->content_type != NULL && exchange->content_type[0] != '\0';
    return error_set(error, ERROR_PROTOCOL, "HTTP status %u, but the answer is not %s%s%.60s%s",
                     exchange->status, json != NULL ? "a JSON object" : "JSON",
                     has_type ? "; its content type is " : "",
                     has_type ? exchange->content_type : "", hint(exchange, ""));
}

bool issuer_answer_read(const struct http_exchange *exchange, const struct json *json,
                        const struct redaction *secrets, struct issuer_grant *out,
                        struct error *error)
{
    const struct json_value *root = json != NULL ? json_root(json) : NULL;
    bool is_success = exchange->status >= 200 && exchange->status <= 299;
    if (is_success && json_type(root) != JSON_OBJECT)
        return refuse_unreadable(exchange, json, error);
    if (!is_success || json_has_member(root, "error"))
        return report_refusal(exchange, root, secrets, error);
    return read_grant(root, secrets, out, error);
}

/* Believed as SEEK's is: one answer must not stop everything for hours. */
int64_t issuer_answer_retry_after_ms(const struct http_exchange *exchange, int64_t wall_ms)
{
    if (exchange->retry_after == NULL)
        return 0;
    int64_t asked_ms = retry_after_parse_ms(exchange->retry_after, wall_ms);
    if (asked_ms < 0)
        return 0;
    return asked_ms < RETRY_AFTER_TRUSTED_MS ? asked_ms : RETRY_AFTER_TRUSTED_MS;
}
