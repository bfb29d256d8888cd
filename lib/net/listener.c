/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG_CONNECTIONS = 1024, UNIX_SOCKET_MODE = 0660 };

static const char expected[] = "expected HOST:PORT, [IPv6]:PORT or unix:/PATH";

static bool parse_unix(const char *path, struct listen_address *out, struct error *error)
{
    enum { PATH_BYTES_MAX = sizeof((struct sockaddr_un *)NULL)->sun_path };
    if (path[0] != '/')
        return error_set(error, ERROR_CONFIG, "\"unix:%s\": the path must start with /", path);
    if (strlen(path) >= PATH_BYTES_MAX)
        return error_set(error, ERROR_CONFIG, "\"unix:%s\": a socket's path has at most %d bytes",
                         path, PATH_BYTES_MAX - 1);
    *out = (struct listen_address){.is_unix = true};
    strcpy(out->host, path);
    return true;
}

static bool parse_port(const char *text, uint16_t *out)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 5 || text[digits] != '\0')
        return false;
    long port = strtol(text, NULL, 10);
    if (port > UINT16_MAX)
        return false;
    *out = (uint16_t)port;
    return true;
}

static bool is_ipv6(const char *host)
{
    char address[INET6_ADDRSTRLEN];
    size_t length = strcspn(host, "%"); /* an interface may follow */
    struct in6_addr ignored;
    if (length >= sizeof address)
        return false;
    memcpy(address, host, length);
    address[length] = '\0';
    return inet_pton(AF_INET6, address, &ignored) == 1;
}

bool listen_address_parse(const char *text, struct listen_address *out, struct error *error)
{
    static const char unix_scheme[] = "unix:";
    if (strncmp(text, unix_scheme, sizeof unix_scheme - 1) == 0)
        return parse_unix(text + sizeof unix_scheme - 1, out, error);

    bool is_bracketed = text[0] == '[';
    const char *host = is_bracketed ? text + 1 : text;
    size_t length = strcspn(host, is_bracketed ? "]" : ":");
    const char *colon = host + length + (is_bracketed && host[length] == ']' ? 1 : 0);
    struct listen_address address = {.is_unix = false};
    if (length >= sizeof address.host || *colon != ':' || !parse_port(colon + 1, &address.port) ||
        strcspn(host, " \t\r\n/") < length)
        return error_set(error, ERROR_CONFIG, "\"%s\": %s", text, expected);
    if (length == 0)
        return error_set(error, ERROR_CONFIG, "\"%s\" has no host: say 0.0.0.0 for all addresses",
                         text);
    memcpy(address.host, host, length);
    if (is_bracketed && !is_ipv6(address.host))
        return error_set(error, ERROR_CONFIG, "\"%s\" is not an IPv6 address", address.host);
    *out = address;
    return true;
}

bool listen_address_is_local(const struct listen_address *address)
{
    struct in_addr ipv4;
    struct in6_addr ipv6;
    if (address->is_unix || strcasecmp(address->host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, address->host, &ipv4) == 1)
        return ntohl(ipv4.s_addr) >> 24 == IN_LOOPBACKNET;
    if (inet_pton(AF_INET6, address->host, &ipv6) != 1)
        return false;
    return IN6_IS_ADDR_LOOPBACK(&ipv6) ||
           (IN6_IS_ADDR_V4MAPPED(&ipv6) && ipv6.s6_addr[12] == IN_LOOPBACKNET);
}

static int open_socket(int family)
{
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static bool set_option(int fd, int option)
{
    const int on = 1;
    return setsockopt(fd, SOL_SOCKET, option, &on, sizeof on) == 0;
}

/* -1 with errno. */
static int listen_at(const struct addrinfo *where, bool is_shared)
{
    int fd = open_socket(where->ai_family);
    if (fd < 0)
        return -1;
    if (set_option(fd, SO_REUSEADDR) && (!is_shared || set_option(fd, SO_REUSEPORT)) &&
        bind(fd, where->ai_addr, where->ai_addrlen) == 0 && listen(fd, BACKLOG_CONNECTIONS) == 0)
        return fd;
    int reason = errno;
    (void)close(fd);
    errno = reason;
    return -1;
}

static int fail_to_listen(const char *where, int reason, struct error *error)
{
    switch (reason) {
    case EADDRINUSE:
        (void)error_set(error, ERROR_CONFIG, "%s is in use by another process", where);
        break;
    case EADDRNOTAVAIL:
        (void)error_set(error, ERROR_CONFIG, "%s is not an address of this machine", where);
        break;
    default:
        (void)error_set(error, ERROR_CONFIG, "listening on %s: %s", where, strerror(reason));
    }
    return -1;
}

static int open_tcp(const struct listen_address *address, bool is_shared, struct error *error)
{
    char port[sizeof "65535"];
    (void)snprintf(port, sizeof port, "%u", (unsigned)address->port);
    char where[sizeof address->host + sizeof "[]:65535"];
    bool has_colon = strchr(address->host, ':') != NULL;
    (void)snprintf(where, sizeof where, has_colon ? "[%s]:%s" : "%s:%s", address->host, port);

    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int failure = getaddrinfo(address->host, port, &hints, &found);
    if (failure != 0) {
        (void)error_set(error, ERROR_CONFIG, "%s: %s", where, gai_strerror(failure));
        return -1;
    }
    int fd = -1;
    for (const struct addrinfo *each = found; each != NULL && fd < 0; each = each->ai_next)
        fd = listen_at(each, is_shared);
    int reason = errno;
    freeaddrinfo(found);
    return fd >= 0 ? fd : fail_to_listen(where, reason, error);
}

/* A socket's file outlives the process that made it. Only a refused connection proves that nobody
 * accepts. */
static bool remove_if_stale(const struct sockaddr_un *name)
{
    struct stat status;
    if (lstat(name->sun_path, &status) != 0 || !S_ISSOCK(status.st_mode))
        return false;
    int probe = open_socket(AF_UNIX);
    if (probe < 0)
        return false;
    bool is_refused =
        connect(probe, (const struct sockaddr *)name, sizeof *name) != 0 && errno == ECONNREFUSED;
    (void)close(probe);
    return is_refused && unlink(name->sun_path) == 0;
}

static int open_unix(const char *path, struct error *error)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    strcpy(name.sun_path, path); /* listen_address_parse checked the length */
    const struct sockaddr *generic = (const struct sockaddr *)&name;
    int fd = open_socket(AF_UNIX);
    if (fd < 0)
        return fail_to_listen(path, errno, error);
    bool is_bound = bind(fd, generic, sizeof name) == 0;
    if (!is_bound && errno == EADDRINUSE) {
        is_bound = remove_if_stale(&name) && bind(fd, generic, sizeof name) == 0;
        if (!is_bound)
            errno = EADDRINUSE;
    }
    /* Nobody can connect before listen, so nobody meets the mode that the umask gave. */
    if (is_bound && chmod(path, UNIX_SOCKET_MODE) == 0 && listen(fd, BACKLOG_CONNECTIONS) == 0)
        return fd;
    int reason = errno;
    (void)close(fd);
    if (is_bound)
        (void)unlink(path);
    return fail_to_listen(path, reason, error);
}

int listener_open(const struct listen_address *address, bool is_shared, struct error *error)
{
    return address->is_unix ? open_unix(address->host, error) : open_tcp(address, is_shared, error);
}

/* A socket that does not share fails where anybody listens; one that shares does not. */
static bool is_free(const struct listen_address *address, struct error *error)
{
    if (address->is_unix || address->port == 0)
        return true;
    int fd = listener_open(address, false, error);
    if (fd < 0)
        return false;
    (void)close(fd);
    return true;
}

bool listener_open_group(const struct listen_address *address, size_t count, int out_fds[],
                         struct error *error)
{
    struct listen_address where = *address;
    if (!is_free(&where, error))
        return false;
    for (size_t i = 0; i < count; i++) {
        bool is_copy = where.is_unix && i > 0;
        out_fds[i] = is_copy ? fcntl(out_fds[0], F_DUPFD_CLOEXEC, 0)
                             : listener_open(&where, count > 1, error);
        if (out_fds[i] < 0) {
            if (is_copy)
                (void)fail_to_listen(where.host, errno, error);
            while (i-- > 0)
                (void)close(out_fds[i]);
            return false;
        }
        if (!where.is_unix)
            where.port = listener_port(out_fds[0]); /* the kernel chose once, for all */
    }
    return true;
}

uint16_t listener_port(int fd)
{
    struct sockaddr_storage name;
    socklen_t length = sizeof name;
    if (getsockname(fd, (struct sockaddr *)&name, &length) != 0)
        return 0;
    if (name.ss_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)(const void *)&name)->sin_port);
    if (name.ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)(const void *)&name)->sin6_port);
    return 0;
}
