/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Two attacks have to be told from honest use.
 *
 * DNS rebinding: a page of evil.example lets its name point to 127.0.0.1 and is then, to the
 * browser, of the same origin as we are. Its requests carry Host: evil.example. Who is bound to
 * loopback is only ever called by a name of this machine; with an API key the page gets nowhere
 * anyway, and a proxy in front may keep the Host of its own.
 *
 * Cross-site requests: a page may send a POST without asking as long as it looks like a form's.
 * Browsers say where it comes from, in Sec-Fetch-Site, or at least in Origin. Reading is left to
 * the same-origin policy: no answer of ours allows another origin to see it.
 */
#include "service/inbound/origin.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

enum { HOST_BYTES = 256 };

/* The name without its port and brackets. False when it is too long. */
static bool read_name(const char *host, char name[HOST_BYTES])
{
    size_t length;
    if (host[0] == '[') {
        host++;
        length = strcspn(host, "]");
    } else {
        length = strcspn(host, ":");
    }
    if (length >= HOST_BYTES)
        return false;
    memcpy(name, host, length);
    name[length] = '\0';
    return true;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length > end_length && strcasecmp(text + length - end_length, end) == 0;
}

static bool is_local_name(const char *host)
{
    char name[HOST_BYTES];
    struct in_addr ipv4;
    struct in6_addr ipv6;
    if (!read_name(host, name))
        return false;
    if (inet_pton(AF_INET, name, &ipv4) == 1)
        return ntohl(ipv4.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, name, &ipv6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&ipv6);
    return strcasecmp(name, "localhost") == 0 || ends_with(name, ".localhost"); /* RFC 6761 */
}

static bool is_reading(const char *method)
{
    static const char *const reading[] = {"GET", "HEAD", "OPTIONS"};
    for (size_t i = 0; i < sizeof reading / sizeof reading[0]; i++)
        if (strcmp(reading[i], method) == 0)
            return true;
    return false;
}

/* "http://host:port" and "host:port". The scheme may differ: a proxy may end TLS. */
static bool is_same_origin(const char *origin, const char *host)
{
    const char *authority = strstr(origin, "://");
    return authority != NULL && host != NULL && strcasecmp(authority + 3, host) == 0;
}

static bool is_own_page(const struct origin_facts *facts)
{
    if (facts->fetch_site != NULL)
        return strcmp(facts->fetch_site, "same-origin") == 0 ||
               strcmp(facts->fetch_site, "none") == 0; /* the user's own doing */
    return facts->origin == NULL || is_same_origin(facts->origin, facts->host);
}

enum origin_verdict origin_judge(const struct origin_facts *facts)
{
    if (facts->is_local_and_keyless && facts->host != NULL && facts->host[0] != '\0' &&
        !is_local_name(facts->host))
        return ORIGIN_FOREIGN_HOST;
    if (!is_reading(facts->method) && !is_own_page(facts))
        return ORIGIN_FOREIGN_SITE;
    return ORIGIN_FINE;
}
