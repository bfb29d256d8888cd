/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/listener.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/net/this_machine.h"

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
    memcpy(out->host, path, strlen(path) + 1);
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
    return address->is_unix || this_machine_is_host(address->host, strlen(address->host));
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

/* IPv6 alone: beside `::` a name may have 0.0.0.0. */
static bool prepare(int fd, int family, bool is_shared, bool is_one_of_many)
{
    const int on = 1;
    return set_option(fd, SO_REUSEADDR) && (!is_shared || set_option(fd, SO_REUSEPORT)) &&
           (family != AF_INET6 || !is_one_of_many ||
            setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0);
}

/* -1 with errno. */
static int listen_at(const struct addrinfo *where, bool is_shared, bool is_one_of_many)
{
    int fd = open_socket(where->ai_family);
    if (fd < 0)
        return -1;
    if (prepare(fd, where->ai_family, is_shared, is_one_of_many) &&
        bind(fd, where->ai_addr, where->ai_addrlen) == 0 && listen(fd, BACKLOG_CONNECTIONS) == 0)
        return fd;
    int reason = errno;
    (void)close(fd);
    errno = reason;
    return -1;
}

static bool fail_to_listen(const char *where, int reason, struct error *error)
{
    switch (reason) {
    case EADDRINUSE:
        (void)error_set(error, ERROR_IO, "%s is in use by another process", where);
        break;
    case EADDRNOTAVAIL:
        (void)error_set(error, ERROR_IO, "%s is not an address of this machine", where);
        break;
    case ENOTSOCK:
        (void)error_set(error, ERROR_IO,
                        "%s is there and is not a socket: remove it, or choose another path",
                        where);
        break;
    default:
        (void)error_set(error, ERROR_IO, "listening on %s: %s", where, strerror(reason));
    }
    return false;
}

static bool is_before(const struct addrinfo *first, const struct addrinfo *address)
{
    for (const struct addrinfo *each = first; each != address; each = each->ai_next) {
        if (each->ai_addrlen == address->ai_addrlen &&
            memcmp(each->ai_addr, address->ai_addr, address->ai_addrlen) == 0)
            return true;
    }
    return false;
}

static void set_ports(struct addrinfo *first, uint16_t port)
{
    for (struct addrinfo *each = first; each != NULL; each = each->ai_next) {
        if (each->ai_family == AF_INET)
            ((struct sockaddr_in *)(void *)each->ai_addr)->sin_port = htons(port);
        else if (each->ai_family == AF_INET6)
            ((struct sockaddr_in6 *)(void *)each->ai_addr)->sin6_port = htons(port);
    }
}

/* Containers have `::1 localhost` in their file of hosts and no IPv6. */
static bool is_absent(int reason)
{
    return reason == EADDRNOTAVAIL || reason == EAFNOSUPPORT;
}

/* errno tells why not all are open; what is open then is closed again. */
static bool listen_at_all(struct addrinfo *found, bool is_shared, struct listener *out)
{
    int absent = 0;
    assert(out->count == 0);
    for (struct addrinfo *each = found; each != NULL; each = each->ai_next) {
        if (out->count == LISTENER_SOCKETS_MAX || is_before(found, each))
            continue;
        int fd = listen_at(each, is_shared, found->ai_next != NULL);
        if (fd >= 0) {
            out->fds[out->count++] = fd;
            set_ports(found, listener_port(out)); /* the kernel chose once, for all */
        } else if (is_absent(errno)) {
            absent = errno;
        } else {
            int reason = errno;
            listener_close(out);
            errno = reason;
            return false;
        }
    }
    errno = absent;
    return out->count > 0;
}

/* `where`: for a person. */
static bool open_tcp(const struct listen_address *address, const char *where, bool is_shared,
                     struct listener *out, struct error *error)
{
    enum { TRIES = 8 }; /* the port that the kernel chose may be taken at the next address */
    char port[sizeof "65535"];
    (void)snprintf(port, sizeof port, "%u", (unsigned)address->port);
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int failure = getaddrinfo(address->host, port, &hints, &found);
    if (failure != 0)
        return error_set(error, ERROR_IO, "the name in %s cannot be resolved: %s", where,
                         gai_strerror(failure));
    bool is_open = listen_at_all(found, is_shared, out);
    for (int i = 1; !is_open && errno == EADDRINUSE && address->port == 0 && i < TRIES; i++) {
        set_ports(found, 0);
        is_open = listen_at_all(found, is_shared, out);
    }
    int reason = errno;
    freeaddrinfo(found);
    return is_open || fail_to_listen(where, reason, error);
}

static bool is_another_file(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 && !S_ISSOCK(status.st_mode);
}

/* A socket's file outlives the process that made it. Only a refused connection proves that nobody
 * accepts. */
static bool remove_if_stale(const struct sockaddr_un *name)
{
    if (is_another_file(name->sun_path))
        return false;
    int probe = open_socket(AF_UNIX);
    if (probe < 0)
        return false;
    bool is_refused =
        connect(probe, (const struct sockaddr *)name, sizeof *name) != 0 && errno == ECONNREFUSED;
    (void)close(probe);
    return is_refused && unlink(name->sun_path) == 0;
}

static bool open_unix(const char *path, struct listener *out, struct error *error)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    assert(strlen(path) < sizeof name.sun_path); /* listen_address_parse checked it */
    memcpy(name.sun_path, path, strlen(path) + 1);
    const struct sockaddr *generic = (const struct sockaddr *)&name;
    int fd = open_socket(AF_UNIX);
    if (fd < 0)
        return fail_to_listen(path, errno, error);
    bool is_bound = bind(fd, generic, sizeof name) == 0;
    if (!is_bound && errno == EADDRINUSE) {
        is_bound = remove_if_stale(&name) && bind(fd, generic, sizeof name) == 0;
        if (!is_bound)
            errno = is_another_file(path) ? ENOTSOCK : EADDRINUSE;
    }
    /* Nobody can connect before listen, so nobody meets the mode that the umask gave. */
    if (is_bound && chmod(path, UNIX_SOCKET_MODE) == 0 && listen(fd, BACKLOG_CONNECTIONS) == 0) {
        *out = (struct listener){.fds = {fd}, .count = 1};
        return true;
    }
    int reason = errno;
    (void)close(fd);
    if (is_bound)
        (void)unlink(path);
    return fail_to_listen(path, reason, error);
}

bool listener_open(const struct listen_address *address, bool is_shared, struct listener *out,
                   struct error *error)
{
    char where[HOST_PORT_BYTES];
    host_port_write(address->host, address->port, where);
    *out = (struct listener){.count = 0};
    bool is_open = address->is_unix ? open_unix(address->host, out, error)
                                    : open_tcp(address, where, is_shared, out, error);
    assert(!is_open || (out->count > 0 && out->count <= LISTENER_SOCKETS_MAX));
    return is_open;
}

static bool try_unix(const char *path, struct error *error)
{
    struct stat status;
    char directory[HOST_BYTES];
    const char *slash = strrchr(path, '/');
    assert(slash != NULL); /* listen_address_parse checked it */
    (void)snprintf(directory, sizeof directory, "%.*s", (int)(slash - path + 1), path);
    if (stat(directory, &status) != 0)
        return fail_to_listen(path, errno, error);
    return !is_another_file(path) || fail_to_listen(path, ENOTSOCK, error);
}

bool listener_try(const struct listen_address *address, struct error *error)
{
    struct listen_address of_any_port = *address;
    char where[HOST_PORT_BYTES];
    struct listener probe = {.count = 0};
    if (address->is_unix)
        return try_unix(address->host, error);
    host_port_write(address->host, address->port, where);
    of_any_port.port = 0;
    if (!open_tcp(&of_any_port, where, false, &probe, error))
        return false;
    listener_close(&probe);
    return true;
}

/* A socket that does not share fails where anybody listens; one that shares does not. */
static bool is_free(const struct listen_address *address, struct error *error)
{
    if (address->is_unix || address->port == 0)
        return true;
    struct listener probe;
    if (!listener_open(address, false, &probe, error))
        return false;
    listener_close(&probe);
    return true;
}

static bool duplicate(const struct listener *listener, const char *path, struct listener *out,
                      struct error *error)
{
    assert(listener->count == 1);
    int fd = fcntl(listener->fds[0], F_DUPFD_CLOEXEC, 0);
    *out = (struct listener){.fds = {fd}, .count = 1};
    return fd >= 0 || fail_to_listen(path, errno, error);
}

bool listener_open_group(const struct listen_address *address, size_t count, struct listener out[],
                         struct error *error)
{
    assert(count > 0);
    struct listen_address where = *address;
    if (!is_free(&where, error))
        return false;
    for (size_t i = 0; i < count; i++) {
        bool is_copy = where.is_unix && i > 0;
        if (is_copy ? !duplicate(&out[0], where.host, &out[i], error)
                    : !listener_open(&where, count > 1, &out[i], error)) {
            while (i-- > 0)
                listener_close(&out[i]);
            return false;
        }
        if (!where.is_unix)
            where.port = listener_port(&out[0]); /* the kernel chose once, for all */
    }
    return true;
}

void listener_close(struct listener *listener)
{
    assert(listener->count <= LISTENER_SOCKETS_MAX);
    while (listener->count > 0)
        (void)close(listener->fds[--listener->count]);
}

union socket_name {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
    struct sockaddr_un local;
};

static uint16_t name_of(int fd, union socket_name *name)
{
    socklen_t length = sizeof *name;
    *name = (union socket_name){.any.sa_family = AF_UNSPEC};
    if (getsockname(fd, &name->any, &length) != 0)
        return 0;
    if (name->any.sa_family == AF_INET)
        return ntohs(name->ipv4.sin_port);
    return name->any.sa_family == AF_INET6 ? ntohs(name->ipv6.sin6_port) : 0;
}

uint16_t listener_port(const struct listener *listener)
{
    assert(listener->count > 0);
    union socket_name ignored;
    return name_of(listener->fds[0], &ignored);
}

void listener_write(const struct listener *listener, char text[LISTENER_TEXT_BYTES])
{
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < listener->count; i++) {
        union socket_name name;
        char host[INET6_ADDRSTRLEN], place[HOST_PORT_BYTES];
        uint16_t port = name_of(listener->fds[i], &name);
        const void *address = name.any.sa_family == AF_INET6 ? (const void *)&name.ipv6.sin6_addr
                                                             : (const void *)&name.ipv4.sin_addr;
        if (port == 0 || inet_ntop(name.any.sa_family, address, host, sizeof host) == NULL)
            continue;
        host_port_write(host, port, place);
        length += (size_t)snprintf(text + length, LISTENER_TEXT_BYTES - length, "%s%s",
                                   length > 0 ? ", " : "", place);
        assert(length < LISTENER_TEXT_BYTES);
    }
}
