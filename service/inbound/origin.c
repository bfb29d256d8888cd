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
 * Browsers say where it comes from, in Sec-Fetch-Site, or at least in Origin. What is read by
 * another origin stays hidden from it by the same-origin policy, but not whether there was an
 * answer or an error: an <object> or <script> shows its fallback or fires an event. So these are
 * refused too. What remains is a link: a navigation of the whole page, which its origin sees
 * nothing of.
 */
#include "service/inbound/origin.h"

#include <string.h>
#include <strings.h>

#include "lib/net/this_machine.h"

/* The Host without its port. Some clients leave out the brackets of an IPv6 address ("::1:8787"),
 * so its last part may be a port. A browser never does, so no name of a page has two colons. */
static bool is_local_name(const char *host)
{
    const char *first = strchr(host, ':');
    const char *last = strrchr(host, ':');
    if (host[0] == '[')
        return this_machine_is_host(host, strnlen(host, strcspn(host, "]") + 1));
    if (first == last)
        return this_machine_is_host(host, strcspn(host, ":"));
    return this_machine_is_host(host, strlen(host)) ||
           (last[1 + strspn(last + 1, "0123456789")] == '\0' &&
            this_machine_is_host(host, (size_t)(last - host)));
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

static bool is_link(const struct origin_facts *facts)
{
    return facts->fetch_mode != NULL && strcmp(facts->fetch_mode, "navigate") == 0 &&
           facts->fetch_dest != NULL && strcmp(facts->fetch_dest, "document") == 0;
}

enum origin_verdict origin_judge(const struct origin_facts *facts)
{
    if (facts->is_local_and_keyless && facts->host != NULL && facts->host[0] != '\0' &&
        !is_local_name(facts->host))
        return ORIGIN_FOREIGN_HOST;
    if (!is_own_page(facts) && !(is_reading(facts->method) && is_link(facts)))
        return ORIGIN_FOREIGN_SITE;
    return ORIGIN_FINE;
}
