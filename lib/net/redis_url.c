/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/redis_url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "lib/base/ascii.h"
#include "lib/base/percent.h"

enum { DATABASE_MAX = 65535, REDIS_PORT = 6379, SENTINEL_PORT = 26379 };

/* What is left to read; every reader takes its part off the front. */
struct url_rest {
    const char *at, *end;
};

/* `what` is named in the error, the text never: it may be a credential. */
static bool decode(struct url_rest text, char *out, size_t size, const char *what,
                   struct error *error)
{
    size_t length = 0;
    enum percent_outcome outcome =
        percent_decode(text.at, (size_t)(text.end - text.at), out, size, &length);
    if (outcome == PERCENT_TOO_LONG)
        return error_set(error, ERROR_CONFIG, "the %s is longer than %zu bytes", what, size - 1);
    if (outcome == PERCENT_BROKEN || strlen(out) != length)
        return error_set(error, ERROR_CONFIG, "the %s has a %% that is not an escape (%%25)", what);
    return true;
}

static bool parse_number(struct url_rest text, unsigned max, const char *what, unsigned *out,
                         struct error *error)
{
    unsigned value = 0;
    bool is_number = text.at < text.end;
    for (const char *at = text.at; is_number && at < text.end; at++) {
        is_number = ascii_is_digit(*at);
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
static bool take_credentials(struct url_rest *rest, const char *authority_end,
                             struct redis_url *url, struct error *error)
{
    const char *at_sign = memrchr(rest->at, '@', (size_t)(authority_end - rest->at));
    if (at_sign == NULL)
        return true;
    struct url_rest user = {rest->at, at_sign};
    struct url_rest password = {at_sign, at_sign};
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

static bool parse_port(struct url_rest text, struct redis_url *url, struct error *error)
{
    unsigned number = 0;
    if (!parse_number(text, UINT16_MAX, "port", &number, error))
        return false;
    if (number == 0)
        return error_set(error, ERROR_CONFIG, "the port must not be 0");
    url->port = (uint16_t)number;
    return true;
}

/* "host", "host:port" or "[::1]:port". */
static bool parse_host(struct url_rest text, struct redis_url *url, struct error *error)
{
    struct url_rest host = text;
    struct url_rest port = {text.end, text.end};
    const char *colon = memrchr(text.at, ':', (size_t)(text.end - text.at));
    if (memchr(text.at, ',', (size_t)(text.end - text.at)) != NULL)
        return error_set(error, ERROR_CONFIG,
                         "several hosts are a cluster's or sentinels: begin it with "
                         "redis+cluster:// or redis+sentinel:// (rediss+… over TLS)");
    if (text.at < text.end && *text.at == '[') {
        const char *bracket = memchr(text.at, ']', (size_t)(text.end - text.at));
        if (bracket == NULL)
            return error_set(error, ERROR_CONFIG, "the host has a [ without ]");
        host = (struct url_rest){text.at + 1, bracket};
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
        if (!parse_port(port, url, error))
            return false;
    }
    if (host.at == host.end)
        return error_set(error, ERROR_CONFIG, "the host is missing");
    if (!decode(host, url->host, sizeof url->host, "host", error))
        return false;
    if (strpbrk(url->host, "?#@/, ") != NULL)
        return error_set(error, ERROR_CONFIG, "the host has a character that no host name has");
    return true;
}

/* What other programs put behind a URL (`?timeout=5`, `?ssl_cert_reqs=none`) would be obeyed by
 * none of us: better said than passed over. Behind the host no ? can be a part of anything. */
static bool refuse_parameters(struct url_rest rest, const char *authority_end, struct error *error)
{
    const char *at_sign = memrchr(rest.at, '@', (size_t)(authority_end - rest.at));
    const char *from = at_sign != NULL ? at_sign : rest.at;
    return memchr(from, '?', (size_t)(rest.end - from)) == NULL ||
           error_set(error, ERROR_CONFIG,
                     "the part after the ? is not supported: remove it. The database is /N, and "
                     "everything else is a setting of seek-signal");
}

static bool parse_network(struct url_rest rest, struct redis_url *url, struct error *error)
{
    const char *slash = memchr(rest.at, '/', (size_t)(rest.end - rest.at));
    const char *authority_end = slash != NULL ? slash : rest.end;
    if (!refuse_parameters(rest, authority_end, error) ||
        !take_credentials(&rest, authority_end, url, error) ||
        !parse_host((struct url_rest){rest.at, authority_end}, url, error))
        return false;
    if (slash == NULL || slash + 1 == rest.end)
        return true;
    return parse_number((struct url_rest){slash + 1, rest.end}, DATABASE_MAX, "database",
                        &url->database, error);
}

static bool parse_unix(struct url_rest rest, struct redis_url *url, struct error *error)
{
    const char *slash = memchr(rest.at, '/', (size_t)(rest.end - rest.at));
    if (!take_credentials(&rest, slash != NULL ? slash : rest.end, url, error))
        return false;
    if (rest.at != slash)
        return error_set(error, ERROR_CONFIG, "the path must be absolute: unix:///path");
    static const char query[] = "?db=";
    const char *question = memchr(rest.at, '?', (size_t)(rest.end - rest.at));
    struct url_rest path = {rest.at, question != NULL ? question : rest.end};
    if (!decode(path, url->host, sizeof((struct sockaddr_un *)NULL)->sun_path, "path", error))
        return false;
    if (question == NULL)
        return true;
    if (strncmp(question, query, sizeof query - 1) != 0)
        return error_set(error, ERROR_CONFIG, "only ?db=N may follow the path");
    return parse_number((struct url_rest){question + sizeof query - 1, rest.end}, DATABASE_MAX,
                        "database", &url->database, error);
}

struct host_list {
    struct redis_address *addresses;
    size_t *count, max;
    uint16_t port; /* where none is named */
    const char *what;
};

/* "host:port,host,…" */
static bool parse_hosts(struct url_rest rest, struct host_list list, struct error *error)
{
    for (bool has_more = true; has_more;) {
        const char *comma = memchr(rest.at, ',', (size_t)(rest.end - rest.at));
        const char *end = comma != NULL ? comma : rest.end;
        if (*list.count == list.max)
            return error_set(error, ERROR_CONFIG, "at most %zu %s can be named", list.max,
                             list.what);
        struct redis_address *address = &list.addresses[(*list.count)++];
        struct redis_url url = {.port = list.port};
        if (!parse_host((struct url_rest){rest.at, end}, &url, error))
            return false;
        memcpy(address->host, url.host, sizeof address->host);
        address->port = url.port;
        has_more = comma != NULL;
        rest.at = end + 1;
    }
    return true;
}

/* "master/db?sentinelPassword=…" */
static bool parse_sentinel_path(struct url_rest rest, struct redis_url *url, struct error *error)
{
    static const char query[] = "?sentinelPassword=";
    const char *question = memchr(rest.at, '?', (size_t)(rest.end - rest.at));
    const char *path_end = question != NULL ? question : rest.end;
    const char *slash = memchr(rest.at, '/', (size_t)(path_end - rest.at));
    const char *name_end = slash != NULL ? slash : path_end;
    struct redis_sentinels *sentinels = &url->sentinels;
    if (!decode((struct url_rest){rest.at, name_end}, sentinels->master, sizeof sentinels->master,
                "master's name", error))
        return false;
    if (sentinels->master[0] == '\0')
        return error_set(error, ERROR_CONFIG,
                         "the master's name is missing: redis+sentinel://host:26379/name");
    if (slash != NULL && slash + 1 < path_end &&
        !parse_number((struct url_rest){slash + 1, path_end}, DATABASE_MAX, "database",
                      &url->database, error))
        return false;
    if (question == NULL)
        return true;
    if (strncmp(question, query, sizeof query - 1) != 0)
        return error_set(error, ERROR_CONFIG, "only ?sentinelPassword=… may follow the name");
    return decode((struct url_rest){question + sizeof query - 1, rest.end}, sentinels->password,
                  sizeof sentinels->password, "sentinels' password", error);
}

static bool parse_sentinel(struct url_rest rest, struct redis_url *url, struct error *error)
{
    const char *slash = memchr(rest.at, '/', (size_t)(rest.end - rest.at));
    const char *authority_end = slash != NULL ? slash : rest.end;
    const struct host_list list = {url->sentinels.addresses, &url->sentinels.count,
                                   REDIS_SENTINELS_MAX, SENTINEL_PORT, "sentinels"};
    return take_credentials(&rest, authority_end, url, error) &&
           parse_hosts((struct url_rest){rest.at, authority_end}, list, error) &&
           parse_sentinel_path((struct url_rest){slash != NULL ? slash + 1 : rest.end, rest.end},
                               url, error);
}

static bool parse_cluster(struct url_rest rest, struct redis_url *url, struct error *error)
{
    const char *slash = memchr(rest.at, '/', (size_t)(rest.end - rest.at));
    const char *authority_end = slash != NULL ? slash : rest.end;
    const struct host_list list = {url->seeds.addresses, &url->seeds.count, REDIS_SEEDS_MAX,
                                   REDIS_PORT, "nodes of a cluster"};
    struct url_rest database = {slash != NULL ? slash + 1 : rest.end, rest.end};
    bool is_of_database_0 =
        database.at == database.end || (database.end - database.at == 1 && *database.at == '0');
    if (!refuse_parameters(rest, authority_end, error))
        return false;
    if (!is_of_database_0)
        return error_set(error, ERROR_CONFIG, "a cluster has no database but 0: leave it out");
    return take_credentials(&rest, authority_end, url, error) &&
           parse_hosts((struct url_rest){rest.at, authority_end}, list, error);
}

static const struct scheme {
    const char *prefix;
    bool (*parse)(struct url_rest rest, struct redis_url *url, struct error *error);
    enum redis_scheme scheme;
    uint16_t port;
} schemes[] = {
    {"redis://", parse_network, REDIS_TCP, REDIS_PORT},
    {"rediss://", parse_network, REDIS_TLS, REDIS_PORT},
    {"unix://", parse_unix, REDIS_UNIX, 0},
    {"valkey://", parse_network, REDIS_TCP, REDIS_PORT},
    {"valkeys://", parse_network, REDIS_TLS, REDIS_PORT},
    {"redis+sentinel://", parse_sentinel, REDIS_TCP, 0},
    {"rediss+sentinel://", parse_sentinel, REDIS_TLS, 0},
    {"valkey+sentinel://", parse_sentinel, REDIS_TCP, 0},
    {"valkeys+sentinel://", parse_sentinel, REDIS_TLS, 0},
    {"redis+cluster://", parse_cluster, REDIS_TCP, 0},
    {"rediss+cluster://", parse_cluster, REDIS_TLS, 0},
    {"valkey+cluster://", parse_cluster, REDIS_TCP, 0},
    {"valkeys+cluster://", parse_cluster, REDIS_TLS, 0},
};

bool redis_url_parse(const char *text, struct redis_url *out, struct error *error)
{
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t length = strlen(schemes[i].prefix);
        if (strncmp(text, schemes[i].prefix, length) != 0)
            continue;
        struct redis_url url = {.scheme = schemes[i].scheme, .port = schemes[i].port};
        struct url_rest rest = {text + length, text + strlen(text)};
        bool is_parsed = schemes[i].parse(rest, &url, error);
        if (is_parsed)
            *out = url;
        explicit_bzero(&url, sizeof url);
        return is_parsed;
    }
    return error_set(error, ERROR_CONFIG,
                     "a Redis URL starts with redis://, rediss://, unix://, redis+sentinel://, "
                     "rediss+sentinel://, redis+cluster:// or rediss+cluster://");
}

/* --- writing ------------------------------------------------------------------------- */

static const char *prefix_of(const struct redis_url *url)
{
    bool (*parse)(struct url_rest, struct redis_url *, struct error *) =
        url->seeds.count > 0        ? parse_cluster
        : url->sentinels.count > 0  ? parse_sentinel
        : url->scheme == REDIS_UNIX ? parse_unix
                                    : parse_network;
    size_t i = 0;
    while (schemes[i].scheme != url->scheme || schemes[i].parse != parse)
        i++;
    return schemes[i].prefix;
}

static void add(char out[], size_t size, const char *text)
{
    size_t length = strlen(out);
    (void)snprintf(out + length, size - length, "%s", text);
}

static void add_addresses(char out[], size_t size, const struct redis_address *addresses,
                          size_t count)
{
    char text[HOST_PORT_BYTES];
    for (size_t i = 0; i < count; i++) {
        host_port_write(addresses[i].host, addresses[i].port, text);
        add(out, size, i > 0 ? "," : "");
        add(out, size, text);
    }
}

void redis_url_write_peer(const struct redis_url *url, char out[REDIS_PEER_BYTES])
{
    if (url->scheme == REDIS_UNIX)
        (void)snprintf(out, REDIS_PEER_BYTES, "%s", url->host);
    else
        host_port_write(url->host, url->port, out);
}

void redis_url_write_place(const struct redis_url *url, char out[], size_t size)
{
    char text[HOST_PORT_BYTES];
    (void)snprintf(out, size, "%s", prefix_of(url));
    add_addresses(out, size, url->seeds.addresses, url->seeds.count);
    add_addresses(out, size, url->sentinels.addresses, url->sentinels.count);
    if (url->sentinels.count > 0) {
        add(out, size, "/");
        add(out, size, url->sentinels.master);
    } else if (url->seeds.count == 0) {
        redis_url_write_peer(url, text);
        add(out, size, text);
    }
    if (url->database == 0)
        return;
    (void)snprintf(text, sizeof text, url->scheme == REDIS_UNIX ? "?db=%u" : "/%u", url->database);
    add(out, size, text);
}
