/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/command/question.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/ascii.h"
#include "lib/net/tls.h"

/* A probe ends before who asked for it gives up. */
enum {
    QUESTION_TIMEOUT_MS = 60000,
    PROBE_TIMEOUT_MS = 5000,
    CONNECT_TIMEOUT_MS = 5000,
    HEADERS_MAX = 3
};

/* Whom to ask: how the service is reached, and by which name it proves who it is. */
struct way {
    char address[HOST_PORT_BYTES]; /* "": a unix socket */
    char name[TLS_NAME_BYTES];     /* in its certificate; "": it does not speak TLS */
};

enum { PLACE_BYTES = sizeof "unix:" + HOST_PORT_BYTES };

/* From this machine: "127.0.0.1:8787", "[::1]:8787". */
static void write_client_address(const struct listen_address *address, char out[HOST_PORT_BYTES])
{
    const char *host = address->host;
    if (strcmp(host, "0.0.0.0") == 0)
        host = "127.0.0.1"; /* listening on every address includes this one */
    else if (strcmp(host, "::") == 0)
        host = "::1";
    host_port_write(host, address->port, out);
}

/* For a person: "127.0.0.1:8787", "unix:/run/seek-signal.sock". */
static void write_place(const struct listen_address *address, char out[PLACE_BYTES])
{
    char client[HOST_PORT_BYTES];
    write_client_address(address, client);
    (void)snprintf(out, PLACE_BYTES, "%s%s", address->is_unix ? "unix:" : "",
                   address->is_unix ? address->host : client);
}

static bool find_way(const struct config *config, const struct listen_address *address,
                     struct way *out, struct error *error)
{
    bool is_tls = address == &config->listen_address && config->tls_cert_file != NULL;
    *out = (struct way){.address = ""};
    if (!address->is_unix)
        write_client_address(address, out->address);
    return !is_tls || tls_certificate_name(config->tls_cert_file, out->name, error);
}

static bool append_url(struct buffer *url, const struct way *way, const char *path,
                       struct error *error)
{
    if (way->name[0] != '\0')
        return buffer_append_format(url, error, "https://%s%s", way->name, path);
    return buffer_append_format(url, error, "http://%s%s",
                                way->address[0] != '\0' ? way->address : "localhost", path);
}

static bool append_key(struct buffer *line, struct secret *key, struct error *error)
{
    bool is_read =
        buffer_append_text(line, "Authorization: Bearer ", error) && secret_read(key, line, error);
    /* Of several keys the first is the one to stay. */
    buffer_truncate(line, strcspn(line->bytes, "\r\n"));
    return is_read;
}

/* The own certificate is the one authority: nobody else can be the service. Where clients show
 * certificates, it is shown too, and counts if it is for clients. */
static struct http_client_options options_for(const struct config *config, const struct way *way)
{
    struct http_client_options options = {.connections_max = 1,
                                          .connect_timeout_ms = CONNECT_TIMEOUT_MS};
    if (way->name[0] == '\0')
        return options;
    options.ca_file = config->tls_cert_file;
    if (config->tls_client_ca_file != NULL) {
        options.client_certificate = config->tls_cert_file;
        options.client_key = config->tls_key_file;
    }
    return options;
}

/* libcurl names the host and port of a URL, which a socket has not. */
static bool fail_at_socket(const char *path, const struct blocking_answer *answer,
                           struct error *error)
{
    const char *detail = answer->detail;
    if (answer->outcome == HTTP_NOT_CONNECTED)
        detail = access(path, R_OK | W_OK) != 0 ? strerror(errno) : "nobody listens there";
    return error_set(error, ERROR_IO, "no answer from unix:%s: %s; is the service running?", path,
                     detail);
}

static bool ask(const struct config *config, const struct way *way, struct http_transfer transfer,
                struct blocking_answer *answer, struct error *error)
{
    const struct http_client_options options = options_for(config, way);
    transfer.connect_to = way->name[0] != '\0' && way->address[0] != '\0' ? way->address : NULL;
    transfer.user_agent = "seek-signal/" SEEK_SIGNAL_VERSION;
    if (!blocking_request(&options, transfer, answer, error))
        return false;
    if (answer->outcome == HTTP_ANSWERED)
        return true;
    if (transfer.unix_socket != NULL && answer->outcome != HTTP_TLS_FAILED)
        return fail_at_socket(transfer.unix_socket, answer, error);
    bool is_at = transfer.connect_to != NULL; /* the URL has the certificate's name */
    return error_set(error, ERROR_IO, "no answer from %s%s%s: %s; %s", transfer.url,
                     is_at ? " at " : "", is_at ? transfer.connect_to : "", answer->detail,
                     answer->outcome == HTTP_TLS_FAILED
                         ? "does it show the certificate that TLS_CERT_FILE has now, and is that "
                           "still valid? `seek-signal check` tells"
                         : "is the service running?");
}

bool question_ask(const struct config *config, const struct listen_address *address,
                  const char *method, const char *path, const char *body,
                  struct blocking_answer *answer, struct error *error)
{
    struct buffer url, authorization;
    struct way way;
    buffer_init(&url, QUESTION_PATH_BYTES_MAX + 512);
    buffer_init(&authorization, SECRET_BYTES_MAX + 64);
    *answer = (struct blocking_answer){.status = 0};
    buffer_init(&answer->body, 0);
    bool is_answered =
        find_way(config, address, &way, error) && append_url(&url, &way, path, error) &&
        (config->api_key == NULL || append_key(&authorization, config->api_key, error));
    if (is_answered) {
        const char *headers[HEADERS_MAX] = {NULL};
        size_t header_count = 0;
        if (body != NULL)
            headers[header_count++] = "Content-Type: application/json";
        if (config->api_key != NULL)
            headers[header_count] = authorization.bytes;
        const struct http_transfer transfer = {
            .url = url.bytes,
            .unix_socket = address->is_unix ? address->host : NULL,
            .method = method,
            .body = body,
            .body_length = body != NULL ? strlen(body) : 0,
            .headers = headers,
            .timeout_ms = strncmp(path, "/v1/", 4) == 0 ? QUESTION_TIMEOUT_MS : PROBE_TIMEOUT_MS,
        };
        is_answered = ask(config, &way, transfer, answer, error);
    }
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

/* What the command lacks; "": nothing that is known. */
static const char *lack(const char *code)
{
    if (strcmp(code, "unauthorized") == 0)
        return "; give this command the service's API_KEY or API_KEY_FILE";
    if (strcmp(code, "tls_required") == 0)
        return "; give this command the service's TLS_CERT_FILE and TLS_KEY_FILE";
    return "";
}

static bool fail_at_stranger(const struct listen_address *address, unsigned status,
                             struct error *error)
{
    char place[PLACE_BYTES];
    write_place(address, place);
    return error_set(error, ERROR_IO, "%s answers with HTTP status %u; is this a seek-signal?",
                     place, status);
}

static bool report_problem(const struct config *config, const struct blocking_answer *answer,
                           struct error *error)
{
    struct error ignored;
    AUTO(json) *json = json_parse(answer->body.bytes, answer->body.length, &ignored);
    const struct json_value *problem = json != NULL ? json_root(json) : NULL;
    const char *code = problem != NULL ? member(problem, "code") : "";
    if (code[0] == '\0')
        return fail_at_stranger(&config->listen_address, answer->status, error);
    const char *detail = member(problem, "detail");
    return error_set(error, ERROR_IO, "%s (%s)%s",
                     detail[0] != '\0' ? detail : member(problem, "title"), code, lack(code));
}

/* Something else may have the port, and answer whatever it is asked. */
static bool is_of_ours(const struct blocking_answer *answer)
{
    static const char *const types[] = {"application/json", "application/problem+json", "text/csv",
                                        "application/x-ndjson"};
    size_t length = strcspn(answer->content_type, "; ");
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strlen(types[i]) == length && memcmp(types[i], answer->content_type, length) == 0)
            return true;
    }
    return answer->status == 204;
}

bool question_ask_probe(const struct config *config, const char *path,
                        struct blocking_answer *answer, struct error *error)
{
    return question_ask(config, &config->ops_listen_address, NULL, path, NULL, answer, error) &&
           (is_of_ours(answer) ||
            fail_at_stranger(&config->ops_listen_address, answer->status, error));
}

bool question_ask_api(const struct config *config, const char *method, const char *path,
                      const char *body, struct blocking_answer *answer, struct error *error)
{
    if (!question_ask(config, &config->listen_address, method, path, body, answer, error))
        return false;
    if (answer->status / 100 != 2)
        return report_problem(config, answer, error);
    return is_of_ours(answer) || fail_at_stranger(&config->listen_address, answer->status, error);
}

struct json *question_ask_json(const struct config *config, const char *path, const char *body,
                               struct error *error)
{
    struct blocking_answer answer;
    AUTO(json) *json = NULL;
    if (question_ask_api(config, NULL, path, body, &answer, error) &&
        (answer.status != 204 || buffer_append_text(&answer.body, "{}", error))) {
        json = json_parse(answer.body.bytes, answer.body.length, error);
        if (json == NULL && error->kind != ERROR_MEMORY)
            (void)fail_at_stranger(&config->listen_address, answer.status, error);
    }
    buffer_fini(&answer.body);
    return STEAL(json);
}

bool question_append_escaped(struct buffer *path, const char *text, struct error *error)
{
    for (const char *c = text; *c != '\0'; c++) {
        bool is_unreserved = /* RFC 3986 section 2.3 */
            ascii_is_alphanumeric(*c) || strchr("-._~", *c) != NULL;
        if (!buffer_append_format(path, error, is_unreserved ? "%c" : "%%%02X", (unsigned char)*c))
            return false;
    }
    return true;
}
