/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/command/question.h"

#include <ctype.h>
#include <string.h>

enum { QUESTION_TIMEOUT_MS = 60000, CONNECT_TIMEOUT_MS = 5000, HEADERS_MAX = 3 };

static bool append_url(struct buffer *url, const struct listen_address *address, const char *path,
                       struct error *error)
{
    return (address->is_unix ? buffer_append_text(url, "http://localhost", error)
                             : config_client_url(address, url, error)) &&
           buffer_append_text(url, path, error);
}

bool question_ask(const struct config *config, const struct listen_address *address,
                  const char *path, const char *body, struct blocking_answer *answer,
                  struct error *error)
{
    struct buffer url, authorization;
    buffer_init(&url, QUESTION_PATH_BYTES_MAX + 512);
    buffer_init(&authorization, SECRET_BYTES_MAX + 64);
    *answer = (struct blocking_answer){.status = 0};
    buffer_init(&answer->body, 0);
    const char *headers[HEADERS_MAX] = {NULL};
    size_t header_count = 0;
    if (body != NULL)
        headers[header_count++] = "Content-Type: application/json";
    bool is_answered = append_url(&url, address, path, error);
    if (is_answered && config->api_key != NULL) {
        is_answered = buffer_append_text(&authorization, "Authorization: Bearer ", error) &&
                      secret_read(config->api_key, &authorization, error);
        /* Of several keys the first is the one to stay. */
        buffer_truncate(&authorization, strcspn(authorization.bytes, "\r\n"));
        headers[header_count] = authorization.bytes;
    }
    if (is_answered) {
        const struct http_client_options options = {.connections_max = 1,
                                                    .connect_timeout_ms = CONNECT_TIMEOUT_MS};
        const struct http_transfer transfer = {
            .url = url.bytes,
            .unix_socket = address->is_unix ? address->host : NULL,
            .body = body,
            .body_length = body != NULL ? strlen(body) : 0,
            .headers = headers,
            .user_agent = "seek-signal/" SEEK_SIGNAL_VERSION,
            .timeout_ms = QUESTION_TIMEOUT_MS,
        };
        is_answered = blocking_request(&options, transfer, answer, error);
    }
    if (is_answered && answer->outcome != HTTP_ANSWERED)
        is_answered = error_set(error, ERROR_IO, "no answer from %s: %s; is the service running?",
                                url.bytes, answer->detail);
    buffer_wipe(&authorization);
    buffer_fini(&authorization);
    buffer_fini(&url);
    return is_answered;
}

static const char *member(const struct json_value *object, const char *name)
{
    struct json_text text;
    return json_member_text(object, name, &text) ? text.bytes : "";
}

static bool report_problem(const struct json_value *problem, unsigned status, struct error *error)
{
    const char *detail = member(problem, "detail");
    if (member(problem, "code")[0] == '\0')
        return error_set(error, ERROR_IO, "HTTP status %u; is this a seek-signal?", status);
    return error_set(error, ERROR_IO, "%s (%s)",
                     detail[0] != '\0' ? detail : member(problem, "title"),
                     member(problem, "code"));
}

struct json *question_ask_json(const struct config *config, const char *path, const char *body,
                               struct error *error)
{
    struct blocking_answer answer;
    AUTO(json) *json = NULL;
    if (question_ask(config, &config->listen_address, path, body, &answer, error) &&
        (answer.status != 204 || buffer_append_text(&answer.body, "{}", error)))
        json = json_parse(answer.body.bytes, answer.body.length, error);
    bool is_refused = json != NULL && answer.status / 100 != 2;
    if (is_refused)
        (void)report_problem(json_root(json), answer.status, error);
    buffer_fini(&answer.body);
    return is_refused ? NULL : STEAL(json);
}

bool question_append_escaped(struct buffer *path, const char *text, struct error *error)
{
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        bool is_unreserved = isalnum(*c) || strchr("-._~", *c) != NULL; /* RFC 3986 section 2.3 */
        if (!buffer_append_format(path, error, is_unreserved ? "%c" : "%%%02X", *c))
            return false;
    }
    return true;
}
