/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/http_proxy.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/base/ascii.h"
#include "lib/net/http_url.h"
#include "lib/net/this_machine.h"

/* In the order in which they count. HTTP_PROXY does not: a web server's CGI program would get it
 * from a request's header. */
static const struct {
    const char *name, *scheme; /* NULL: any */
} variables[] = {
    {"http_proxy", "http"}, {"https_proxy", "https"}, {"HTTPS_PROXY", "https"},
    {"all_proxy", NULL},    {"ALL_PROXY", NULL},
};

/* What libcurl speaks to a proxy. */
static const char *const schemes[] = {"http",    "https",  "socks",  "socks4",
                                      "socks4a", "socks5", "socks5h"};

/* NULL when it is not set, or empty. */
static const char *value_of(const char *const environment[], const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; environment[i] != NULL; i++) {
        if (strncmp(environment[i], name, length) == 0 && environment[i][length] == '=')
            return environment[i][length + 1] != '\0' ? environment[i] + length + 1 : NULL;
    }
    return NULL;
}

/* --- NO_PROXY ------------------------------------------------------------------------- */

/* One entry: a host, or a domain and everything in it, with or without a dot in front. Networks
 * (10.0.0.0/8) are left to libcurl: no name is in one. */
static bool covers(const char *entry, size_t length, const char *host)
{
    size_t host_length = strlen(host);
    if (length == 1 && entry[0] == '*')
        return true;
    if (length > 0 && entry[0] == '.') {
        entry++;
        length--;
    }
    if (length == 0 || host_length < length ||
        strncasecmp(host + host_length - length, entry, length) != 0)
        return false;
    return host_length == length || host[host_length - length - 1] == '.';
}

static bool is_excluded(const char *const environment[], const char *host)
{
    static const char separators[] = ", \t";
    const char *list = value_of(environment, "no_proxy");
    if (list == NULL)
        list = value_of(environment, "NO_PROXY");
    while (list != NULL && *list != '\0') {
        size_t length = strcspn(list, separators);
        if (covers(list, length, host))
            return true;
        list += length;
        list += strspn(list, separators);
    }
    return false;
}

/* --- values --------------------------------------------------------------------------- */

/* Behind the scheme; NULL for one that libcurl does not speak to a proxy. */
static const char *skip_scheme(const char *value)
{
    const char *end = strstr(value, "://");
    if (end == NULL)
        return value; /* it is http then */
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t length = strlen(schemes[i]);
        if (length == (size_t)(end - value) && strncasecmp(schemes[i], value, length) == 0)
            return end + 3;
    }
    return NULL;
}

static bool is_host(const char *host, size_t length)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    bool is_bracketed = length > 2 && host[0] == '[' && host[length - 1] == ']';
    const char *allowed = is_bracketed ? ":.%-_" : ".-_";
    for (size_t i = is_bracketed ? 1 : 0; i < length - (is_bracketed ? 1 : 0); i++) {
        bool is_foreign = (unsigned char)host[i] >= 0x80; /* libidn2 knows about them */
        if (host[i] == '\0' ||
            (!is_foreign && strchr(letters, host[i]) == NULL && strchr(allowed, host[i]) == NULL))
            return false;
    }
    return length > 0 && length < HTTP_PROXY_PLACE_BYTES - sizeof ":65535";
}

static bool is_port(const char *text, size_t length)
{
    unsigned number = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || i == 5)
            return false;
        number = 10 * number + (unsigned)(text[i] - '0');
    }
    return length > 0 && number > 0 && number <= UINT16_MAX;
}

/* What is wrong with it; NULL: it was written to `place`. A password that is not percent-encoded
 * may end the authority, or the user, early: what stands behind an @ that is not the only one in
 * there cannot be told from a host. */
static const char *read_place(const char *value, char place[HTTP_PROXY_PLACE_BYTES])
{
    for (const char *c = value; *c != '\0'; c++) {
        if (ascii_is_space_or_control(*c))
            return "there is white space in it";
    }
    const char *authority = skip_scheme(value);
    if (authority == NULL)
        return "its scheme is none of http, https, socks4, socks4a, socks5, socks5h";
    const char *end = authority + strcspn(authority, "/?#");
    const char *user_end = strchr(value, '@');
    if (user_end != NULL && (user_end > end || strchr(user_end + 1, '@') != NULL))
        return "in a user or password, / ? # @ and : must be percent-encoded (%2F %3F %23 %40 %3A)";
    const char *host = user_end != NULL ? user_end + 1 : authority;
    const char *host_end = host + (host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?#"));
    bool has_port = host_end < end;
    if (host_end > end || !is_host(host, (size_t)(host_end - host)) ||
        (has_port && (*host_end != ':' || !is_port(host_end + 1, (size_t)(end - host_end - 1)))))
        return "expected http://host:port";
    (void)snprintf(place, HTTP_PROXY_PLACE_BYTES, "%.*s", (int)(end - host), host);
    return NULL;
}

/* Whether the variable is for the scheme of `url`, which has one. */
static bool is_for(size_t variable, const struct http_url *url)
{
    const char *scheme = variables[variable].scheme;
    return scheme == NULL || strcmp(scheme, url->is_https ? "https" : "http") == 0;
}

bool http_proxy_find(const char *url, const char *const environment[], struct http_proxy *out,
                     struct error *error)
{
    *out = (struct http_proxy){.variable = NULL};
    struct http_url parsed;
    if (!http_url_parse(url, &parsed, error))
        return false;
    if (this_machine_is_host(parsed.host, strlen(parsed.host)) ||
        is_excluded(environment, parsed.host))
        return true;
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *value = is_for(i, &parsed) ? value_of(environment, variables[i].name) : NULL;
        if (value == NULL)
            continue;
        const char *mistake = read_place(value, out->place);
        if (mistake != NULL)
            return error_set(error, ERROR_CONFIG, "%s=(hidden): %s", variables[i].name, mistake);
        out->variable = variables[i].name;
        return true;
    }
    return true;
}
