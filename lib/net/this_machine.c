/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/this_machine.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

enum { HOST_BYTES = 256 };

static bool is_loopback_address(const char *host)
{
    struct in_addr ipv4;
    struct in6_addr ipv6;
    /* "127.1" too: that is how it would be connected to. White space ends an address for it. */
    if (strpbrk(host, " \t\r\n\v\f") == NULL && inet_aton(host, &ipv4) == 1)
        return ntohl(ipv4.s_addr) >> 24 == IN_LOOPBACKNET;
    return inet_pton(AF_INET6, host, &ipv6) == 1 &&
           (IN6_IS_ADDR_LOOPBACK(&ipv6) ||
            (IN6_IS_ADDR_V4MAPPED(&ipv6) && ipv6.s6_addr[12] == IN_LOOPBACKNET));
}

static bool is_loopback_name(const char *name, size_t length)
{
    static const char *const names[] = {"localhost", "ip6-localhost", "ip6-loopback"};
    static const char domain[] = ".localhost";
    const size_t domain_length = sizeof domain - 1;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcasecmp(name, names[i]) == 0)
            return true;
    }
    return length > domain_length && strcasecmp(name + length - domain_length, domain) == 0;
}

bool this_machine_is_host(const char *host, size_t length)
{
    char name[HOST_BYTES];
    if (length >= 2 && host[0] == '[' && host[length - 1] == ']') {
        host++;
        length -= 2;
    }
    if (length == 0 || length >= sizeof name || strnlen(host, length) < length)
        return false;
    memcpy(name, host, length);
    name[length] = '\0';
    if (is_loopback_address(name))
        return true;
    if (name[length - 1] == '.')
        name[--length] = '\0';
    return is_loopback_name(name, length);
}
