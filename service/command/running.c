/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * `health` and `status`: questions to the service that runs with the same settings.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/json.h"

#include "service/command/blocking_request.h"
#include "service/command/command.h"

enum { QUESTION_TIMEOUT_MS = 5000, URL_BYTES_MAX = 2048 };

/* GET `path` at a listener of the running service. */
static bool ask(const struct config *config, const struct listen_address *address, const char *path,
                struct blocking_answer *answer, struct error *error)
{
    struct buffer url, authorization;
    buffer_init(&url, URL_BYTES_MAX);
    buffer_init(&authorization, SECRET_BYTES_MAX + 64);
    const char *headers[2] = {NULL, NULL};
    bool is_answered = (address->is_unix ? buffer_append_text(&url, "http://localhost", error)
                                         : config_client_url(address, &url, error)) &&
                       buffer_append_text(&url, path, error);
    if (is_answered && config->api_key != NULL) {
        is_answered = buffer_append_text(&authorization, "Authorization: Bearer ", error) &&
                      secret_read(config->api_key, &authorization, error);
        headers[0] = authorization.bytes;
    }
    if (is_answered) {
        const struct http_client_options options = {.connections_max = 1,
                                                    .connect_timeout_ms = QUESTION_TIMEOUT_MS};
        const struct http_transfer transfer = {
            .url = url.bytes,
            .unix_socket = address->is_unix ? address->host : NULL,
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

int command_health(const struct config *config)
{
    struct blocking_answer answer;
    struct error error;
    int status = 1;
    buffer_init(&answer.body, 0);
    if (!ask(config, &config->ops_listen_address, "/readyz", &answer, &error))
        (void)fprintf(stderr, "%s\n", error.message);
    else
        status = answer.status == 200 ? 0 : 1;
    (void)fwrite(answer.body.bytes, 1, answer.body.length, stdout);
    buffer_fini(&answer.body);
    return status;
}

/* A person reads "store.durability  fsync" more easily than nested JSON. */
static void print_value(const char *path, const struct json_value *value)
{
    struct buffer text;
    buffer_init(&text, BLOCKING_ANSWER_BYTES_MAX);
    struct json_text string;
    struct error error;
    if (json_text(value, &string))
        (void)printf("%-32s %s\n", path, string.bytes);
    else if (json_write(&text, value, &error))
        (void)printf("%-32s %s\n", path, text.bytes);
    else
        (void)printf("%-32s (%s)\n", path, error.message);
    buffer_fini(&text);
}

static void print_members(const char *prefix, const struct json_value *object)
{
    const char *name = NULL;
    const struct json_value *value = NULL;
    for (size_t i = 0; json_member_at(object, i, &name, &value); i++) {
        char path[256];
        (void)snprintf(path, sizeof path, "%s%s%s", prefix, *prefix != '\0' ? "." : "", name);
        if (json_type(value) == JSON_OBJECT)
            print_members(path, value);
        else
            print_value(path, value);
    }
}

static bool append_path(struct buffer *path, const char *application_id, struct error *error)
{
    if (application_id == NULL)
        return buffer_append_text(path, "/v1/status", error);
    bool is_done = buffer_append_text(path, "/v1/applications/", error);
    for (const unsigned char *c = (const unsigned char *)application_id; *c != '\0' && is_done;
         c++) {
        bool is_unreserved = isalnum(*c) || strchr("-._~", *c) != NULL; /* RFC 3986 section 2.3 */
        is_done = buffer_append_format(path, error, is_unreserved ? "%c" : "%%%02X", *c);
    }
    return is_done;
}

int command_status(const struct config *config, const char *application_id)
{
    struct blocking_answer answer;
    struct error error;
    struct buffer path;
    int status = 1;
    buffer_init(&answer.body, 0);
    buffer_init(&path, URL_BYTES_MAX);
    AUTO(json) *body = NULL;
    if (!append_path(&path, application_id, &error) ||
        !ask(config, &config->listen_address, path.bytes, &answer, &error) ||
        (body = json_parse(answer.body.bytes, answer.body.length, &error)) == NULL) {
        (void)fprintf(stderr, "%s\n", error.message);
    } else {
        print_members("", json_root(body));
        status = answer.status == 200 ? 0 : 1;
    }
    buffer_fini(&path);
    buffer_fini(&answer.body);
    return status;
}
