/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/redis_url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "lib/base/percent.h"

enum { DATABASE_MAX = 65535, SENTINEL_PORT = 26379 };

/* What is left to read; every reader takes its part off the front. */
struct rest {
    const char *at, *end;
};

/* `what` is named in the error, the text never: it may be a credential. */
static bool decode(struct rest text, char *out, size_t size, const char *what, struct error *error)
{
    size_t length = 0;
    enum percent_outcome outcome =
        percent_decode(text.at, (size_t)(text.end - text.at), out, size, &length);
    if (outcome == PERCENT_TOO_LONG)
        return error_set(error, ERROR_CONFIG, "the %s is longer than %zu bytes", what, size - 1);
    if (outcome == PERCENT_BROKEN || strlen(out) != length)
        return error_set(error, ERROR_CONFIG, "the %s has a %% that is no escape (%%25)", what);
    return true;
}

static bool parse_number(struct rest text, unsigned max, const char *what, unsigned *out,
                         struct error *error)
{
    unsigned value = 0;
    bool is_number = text.at < text.end;
    for (const char *at = text.at; is_number && at < text.end; at++) {
        is_number = *at >= '0' && *at <= '9';
        value = value * 10 + (unsigned)(*at - '0');
        is_number = is_number && value <= max;
    }
    if (!is_number)
        return error_set(error, ERROR_CONFIG, "the %s must be a number up to %u", what, max);
    *out = value;
    return true;
}

/* Cuts "[user[:password]@]" off the front. The last @ before the path ends it: a password that was
 * not encoded may hold another. */
static bool take_credentials(struct rest *rest, const char *authority_end, struct redis_url *url,
                             struct error *error)
{
    const char *at_sign = memrchr(rest->at, '@', (size_t)(authority_end - rest->at));
    if (at_sign == NULL)
        return true;
    struct rest user = {rest->at, at_sign};
    struct rest password = {at_sign, at_sign};
    const char *colon = memchr(rest->at, ':', (size_t)(at_sign - rest->at));
    if (colon != NULL) {
        user.end = colon;
        password.at = colon + 1;
    }
    rest->at = at_sign + 1;
    if (!decode(user, url->user, sizeof url->user, "user", error) ||
        !decode(password, url->password, sizeof url->password, "password", error))
        return false;
    if (url->password[0] == '\0' && url->user[0] != '\0')
        return error_set(error, ERROR_CONFIG,
                         "a user without a password (a password alone is written :password@)");
    return true;
}

/* "host", "host:port" or "[::1]:port". */
static bool parse_host(struct rest text, struct redis_url *url, struct error *error)
{
    struct rest host = text;
    struct rest port = {text.end, text.end};
    const char *colon = memrchr(text.at, ':', (size_t)(text.end - text.at));
    if (text.at < text.end && *text.at == '[') {
        const char *bracket = memchr(text.at, ']', (size_t)(text.end - text.at));
        if (bracket == NULL)
            return error_set(error, ERROR_CONFIG, "the host has a [ without ]");
        host = (struct rest){text.at + 1, bracket};
        colon = bracket + 1 < text.end ? bracket + 1 : NULL;
        if (colon != NULL && *colon != ':')
            return error_set(error, ERROR_CONFIG, "only a :port may follow [host]");
    } else if (colon != NULL) {
        host.end = colon;
        if (memchr(host.at, ':', (size_t)(host.end - host.at)) != NULL)
            return error_set(error, ERROR_CONFIG, "an IPv6 address is written in [ ]");
    }
    if (colon != NULL) {
        port.at = colon + 1;
        unsigned number = 0;
        if (!parse_number(port, UINT16_MAX, "port", &number, error))
            return false;
        if (number == 0)
            return error_set(error, ERROR_CONFIG, "the port must not be 0");
        url->port = (uint16_t)number;
    }
    if (host.at == host.end)
        return error_set(error, ERROR_CONFIG, "the host is missing");
    if (!decode(host, url->host, sizeof url->host, "host", error))
        return false;
    if (strpbrk(url->host, "?#@/ ") != NULL)
        return error_set(error, ERROR_CONFIG, "the host has a character that no host name has");
    return true;
}

static bool parse_network(struct rest rest, struct redis_url *url, struct error *error)
{
    const char *slash = memchr(rest.at, '/', (size_t)(rest.end - rest.at));
    const char *authority_end = slash != NULL ? slash : rest.end;
    if (!take_credentials(&rest, authority_end, url, error) ||
        !parse_host((struct rest){rest.at, authority_end}, url, error))
        return false;
    if (slash == NULL || slash + 1 == rest.end)
        return true;
    return parse_number((struct rest){slash + 1, rest.end}, DATABASE_MAX, "database",
                        &url->database, error);
}

static bool parse_unix(struct rest rest, struct redis_url *url, struct error *error)
{
    const char *slash = memchr(rest.at, '/', (size_t)(rest.end - rest.at));
    if (!take_credentials(&rest, slash != NULL ? slash : rest.end, url, error))
        return false;
    if (rest.at != slash)
        return error_set(error, ERROR_CONFIG, "the path must be absolute: unix:///path");
    static const char query[] = "?db=";
    const char *question = memchr(rest.at, '?', (size_t)(rest.end - rest.at));
    struct rest path = {rest.at, question != NULL ? question : rest.end};
    if (!decode(path, url->host, sizeof((struct sockaddr_un *)NULL)->sun_path, "path", error))
        return false;
    if (question == NULL)
        return true;
    if (strncmp(question, query, sizeof query - 1) != 0)
        return error_set(error, ERROR_CONFIG, "only ?db=N may follow the path");
    return parse_number((struct rest){question + sizeof query - 1, rest.end}, DATABASE_MAX,
                        "database", &url->database, error);
}

/* "host:port,host,…" */
static bool parse_sentinel_hosts(struct rest rest, struct redis_sentinels *sentinels,
                                 struct error *error)
{
    for (bool has_more = true; has_more;) {
        const char *comma = memchr(rest.at, ',', (size_t)(rest.end - rest.at));
        const char *end = comma != NULL ? comma : rest.end;
        if (sentinels->count == REDIS_SENTINELS_MAX)
            return error_set(error, ERROR_CONFIG, "at most %d sentinels can be named",
                             (int)REDIS_SENTINELS_MAX);
        struct redis_address *address = &sentinels->addresses[sentinels->count++];
        struct redis_url url = {.port = SENTINEL_PORT};
        if (!parse_host((struct rest){rest.at, end}, &url, error))
            return false;
        memcpy(address->host, url.host, sizeof address->host);
        address->port = url.port;
        has_more = comma != NULL;
        rest.at = end + 1;
    }
    return true;
}

/* "master/db?sentinelPassword=…" */
static bool parse_sentinel_path(struct rest rest, struct redis_url *url, struct error *error)
{
    static const char query[] = "?sentinelPassword=";
    const char *question = memchr(rest.at, '?', (size_t)(rest.end - rest.at));
    const char *path_end = question != NULL ? question : rest.end;
    const char *slash = memchr(rest.at, '/', (size_t)(path_end - rest.at));
    const char *name_end = slash != NULL ? slash : path_end;
    struct redis_sentinels *sentinels = &url->sentinels;
    if (!decode((struct rest){rest.at, name_end}, sentinels->master, sizeof sentinels->master,
                "master's name", error))
        return false;
    if (sentinels->master[0] == '\0')
        return error_set(error, ERROR_CONFIG,
                         "the master's name is missing: redis+sentinel://host:26379/name");
    if (slash != NULL && slash + 1 < path_end &&
        !parse_number((struct rest){slash + 1, path_end}, DATABASE_MAX, "database", &url->database,
                      error))
        return false;
    if (question == NULL)
        return true;
    if (strncmp(question, query, sizeof query - 1) != 0)
        return error_set(error, ERROR_CONFIG, "only ?sentinelPassword=… may follow the name");
    return decode((struct rest){question + sizeof query - 1, rest.end}, sentinels->password,
                  sizeof sentinels->password, "sentinels' password", error);
}

static bool parse_sentinel(struct rest rest, struct redis_url *url, struct error *error)
{
    const char *slash = memchr(rest.at, '/', (size_t)(rest.end - rest.at));
    const char *authority_end = slash != NULL ? slash : rest.end;
    return take_credentials(&rest, authority_end, url, error) &&
           parse_sentinel_hosts((struct rest){rest.at, authority_end}, &url->sentinels, error) &&
           parse_sentinel_path((struct rest){slash != NULL ? slash + 1 : rest.end, rest.end}, url,
                               error);
}

static bool refuse_cluster(struct rest rest, struct redis_url *url, struct error *error)
{
    (void)rest;
    (void)url;
    return error_set(error, ERROR_CONFIG,
                     "Redis Cluster is not supported: use a single Redis (redis://) or one with "
                     "replicas (redis+sentinel://)");
}

static const struct scheme {
    const char *prefix;
    bool (*parse)(struct rest rest, struct redis_url *url, struct error *error);
    struct redis_url url; /* to begin with */
} schemes[] = {
    {"redis://", parse_network, {.scheme = REDIS_TCP, .port = 6379}},
    {"rediss://", parse_network, {.scheme = REDIS_TLS, .port = 6379}},
    {"unix://", parse_unix, {.scheme = REDIS_UNIX}},
    {"redis+sentinel://", parse_sentinel, {.scheme = REDIS_TCP}},
    {"redis+cluster://", refuse_cluster, {.scheme = REDIS_TCP}},
    {"rediss+cluster://", refuse_cluster, {.scheme = REDIS_TCP}},
};

bool redis_url_parse(const char *text, struct redis_url *out, struct error *error)
{
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t length = strlen(schemes[i].prefix);
        if (strncmp(text, schemes[i].prefix, length) != 0)
            continue;
        struct redis_url url = schemes[i].url;
        struct rest rest = {text + length, text + strlen(text)};
        bool is_parsed = schemes[i].parse(rest, &url, error);
        if (is_parsed)
            *out = url;
        explicit_bzero(&url, sizeof url);
        return is_parsed;
    }
    return error_set(error, ERROR_CONFIG,
                     "a Redis URL starts with redis://, rediss://, unix:// or redis+sentinel://");
}

/* An IPv6 address goes back into its brackets. */
static size_t describe_host(const char *host, uint16_t port, char *text, size_t bytes)
{
    bool is_bracketed = strchr(host, ':') != NULL;
    int length = snprintf(text, bytes, "%s%s%s:%u", is_bracketed ? "[" : "", host,
                          is_bracketed ? "]" : "", (unsigned)port);
    return (size_t)length < bytes ? (size_t)length : bytes - 1;
}

static void describe_sentinels(const struct redis_url *url, char *text, size_t bytes)
{
    const struct redis_sentinels *sentinels = &url->sentinels;
    size_t length = (size_t)snprintf(text, bytes, "redis+sentinel://");
    for (size_t i = 0; i < sentinels->count; i++) {
        if (i > 0 && length + 1 < bytes)
            text[length++] = ',';
        length += describe_host(sentinels->addresses[i].host, sentinels->addresses[i].port,
                                text + length, bytes - length);
    }
    (void)snprintf(text + length, bytes - length, "/%s/%u", sentinels->master, url->database);
}

void redis_url_describe(const struct redis_url *url, char text[320])
{
    char host[sizeof url->host + sizeof "[]:65535"];
    (void)describe_host(url->host, url->port, host, sizeof host);
    if (url->sentinels.count > 0)
        describe_sentinels(url, text, 320);
    else if (url->scheme == REDIS_UNIX)
        (void)snprintf(text, 320, "unix://%s?db=%u", url->host, url->database);
    else
        (void)snprintf(text, 320, "%s://%s/%u", url->scheme == REDIS_TLS ? "rediss" : "redis", host,
                       url->database);
}
