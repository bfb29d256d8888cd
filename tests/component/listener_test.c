/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/net/listener.h"

#include "tests/support/specification.h"

/* ---- the written form ---- */

/* clang-format off */
static const struct {
    const char *text;
    const char *host; /* NULL: refused */
    uint16_t port;
    bool is_unix;
    bool is_local;
    const char *reason; /* part of it */
} addresses[] = {
    {"127.0.0.1:8787",          "127.0.0.1",          8787,  false, true,  NULL},
    {"127.9.9.9:1",             "127.9.9.9",          1,     false, true,  NULL},
    {"localhost:0",             "localhost",          0,     false, true,  NULL},
    {"LocalHost:80",            "LocalHost",          80,    false, true,  NULL},
    {"0.0.0.0:65535",           "0.0.0.0",            65535, false, false, NULL},
    {"10.1.2.3:8787",           "10.1.2.3",           8787,  false, false, NULL},
    {"example.org:8787",        "example.org",        8787,  false, false, NULL},
    {"localhost.example.org:1", "localhost.example.org", 1,  false, false, NULL},
    {"[::1]:8787",              "::1",                8787,  false, true,  NULL},
    {"[::]:8787",               "::",                 8787,  false, false, NULL},
    {"[::ffff:127.0.0.1]:1",    "::ffff:127.0.0.1",   1,     false, true,  NULL},
    {"[::ffff:10.0.0.1]:1",     "::ffff:10.0.0.1",    1,     false, false, NULL},
    {"[fe80::1%eth0]:1",        "fe80::1%eth0",       1,     false, false, NULL},
    {"unix:/run/x.sock",        "/run/x.sock",        0,     true,  true,  NULL},
    {":8787",                   NULL, 0, false, false, "say 0.0.0.0"},
    {"",                        NULL, 0, false, false, "expected HOST:PORT"},
    {"8787",                    NULL, 0, false, false, "expected HOST:PORT"},
    {"localhost",               NULL, 0, false, false, "expected HOST:PORT"},
    {"localhost:",              NULL, 0, false, false, "expected HOST:PORT"},
    {"localhost:65536",         NULL, 0, false, false, "expected HOST:PORT"},
    {"localhost:000080",        NULL, 0, false, false, "expected HOST:PORT"},
    {"localhost:-1",            NULL, 0, false, false, "expected HOST:PORT"},
    {"localhost:80 ",           NULL, 0, false, false, "expected HOST:PORT"},
    {"local host:80",           NULL, 0, false, false, "expected HOST:PORT"},
    {"::1:8787",                NULL, 0, false, false, "expected HOST:PORT, [IPv6]:PORT"},
    {"[::1]",                   NULL, 0, false, false, "expected HOST:PORT"},
    {"[::1:80",                 NULL, 0, false, false, "expected HOST:PORT"},
    {"[localhost]:80",          NULL, 0, false, false, "not an IPv6 address"},
    {"http://localhost:80",     NULL, 0, false, false, "expected HOST:PORT"},
    {"unix:",                   NULL, 0, false, false, "must start with /"},
    {"unix:x.sock",             NULL, 0, false, false, "must start with /"},
};
/* clang-format on */

static void reads_addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        struct listen_address address;
        struct error error = {.message = ""};
        bool is_read = listen_address_parse(addresses[i].text, &address, &error);
        if (is_read != (addresses[i].host != NULL))
            fail_msg("\"%s\": %s", addresses[i].text, error.message);
        if (!is_read) {
            assert_int_equal(error.kind, ERROR_CONFIG);
            if (strstr(error.message, addresses[i].reason) == NULL)
                fail_msg("\"%s\": %s", addresses[i].text, error.message);
            continue;
        }
        assert_string_equal(address.host, addresses[i].host);
        assert_int_equal(address.port, addresses[i].port);
        assert_int_equal(address.is_unix, addresses[i].is_unix);
        if (listen_address_is_local(&address) != addresses[i].is_local)
            fail_msg("\"%s\"", addresses[i].text);
    }
}

static void refuses_what_is_too_long(void **state)
{
    (void)state;
    struct listen_address address;
    struct error error;
    char text[512];
    memset(text, 'a', sizeof text);
    memcpy(text + 256, ":80", sizeof ":80");
    assert_false(listen_address_parse(text, &address, &error));
    memcpy(text + 255, ":80", sizeof ":80");
    assert_true(listen_address_parse(text, &address, &error));

    memset(text, 'a', sizeof text);
    memcpy(text, "unix:/", strlen("unix:/"));
    text[strlen("unix:") + 108] = '\0';
    assert_false(listen_address_parse(text, &address, &error));
    text[strlen("unix:") + 107] = '\0';
    assert_true(listen_address_parse(text, &address, &error));
}

/* ---- sockets ---- */

static struct listen_address must_parse(const char *text)
{
    struct listen_address address;
    struct error error;
    assert_true(listen_address_parse(text, &address, &error));
    return address;
}

static struct listener must_open(const struct listen_address *address, bool is_shared)
{
    struct listener listener;
    struct error error = {.message = ""};
    if (!listener_open(address, is_shared, &listener, &error))
        fail_msg("%s", error.message);
    return listener;
}

/* It may pass by itself, so it is no wrong setting. */
static void must_refuse(const struct listen_address *address, const char *reason)
{
    struct error error;
    struct listener listener;
    assert_false(listener_open(address, false, &listener, &error));
    assert_int_equal(error.kind, ERROR_IO);
    if (strstr(error.message, reason) == NULL)
        fail_msg("%s", error.message);
}

static int connect_tcp(uint16_t port)
{
    const struct sockaddr_in name = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (connect(fd, (const void *)&name, sizeof name) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

static void listens(void **state)
{
    (void)state;
    const struct listen_address address = must_parse("127.0.0.1:0");
    struct listener listener = must_open(&address, false);

    assert_true(listener_port(&listener) != 0);
    assert_true(fcntl(listener.fds[0], F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(listener.fds[0], F_GETFD) & FD_CLOEXEC);
    int client = connect_tcp(listener_port(&listener));
    assert_true(client >= 0);
    (void)close(client);
    listener_close(&listener);
}

static void resolves_names_and_ipv6(void **state)
{
    (void)state;
    struct listen_address address = must_parse("a..b:1");
    must_refuse(&address, "the name in a..b:1 cannot be resolved: ");

    address = must_parse("[::1]:0");
    struct error error;
    struct listener listener = {.count = 0};
    if (!listener_open(&address, false, &listener, &error)) /* a machine without IPv6 */
        assert_non_null(strstr(error.message, "[::1]:0"));
    else
        assert_true(listener_port(&listener) != 0);
    listener_close(&listener);
}

static bool has_ipv6_loopback(void)
{
    const struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has_it = fd >= 0 && bind(fd, (const void *)&name, sizeof name) == 0;
    (void)close(fd);
    return has_it;
}

/* Of `localhost`, as the machine's file of hosts has it. */
static bool is_of_localhost(int family)
{
    const struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    bool is_found = getaddrinfo("localhost", NULL, &hints, &found) == 0;
    if (is_found)
        freeaddrinfo(found);
    return is_found;
}

static void listens_at_every_address_of_a_name(void **state)
{
    (void)state;
    const struct listen_address address = must_parse("localhost:0");
    struct listener listener = must_open(&address, false);
    bool has_both = has_ipv6_loopback() && is_of_localhost(AF_INET6) && is_of_localhost(AF_INET);
    uint16_t port = listener_port(&listener);
    char places[LISTENER_TEXT_BYTES], ipv4[32], ipv6[32];
    listener_write(&listener, places);
    (void)snprintf(ipv4, sizeof ipv4, "127.0.0.1:%u", (unsigned)port);
    (void)snprintf(ipv6, sizeof ipv6, "[::1]:%u", (unsigned)port);
    if (strstr(places, ipv4) == NULL || (strstr(places, ipv6) != NULL) != has_both)
        fail_msg("%s", places);
    assert_int_equal(listener.count, has_both ? 2 : 1); /* no address twice */
    struct listen_address taken = must_parse(ipv4);
    must_refuse(&taken, "in use");
    listener_close(&listener);
    listener_close(&listener);
}

static void refuses_a_name_of_which_one_address_is_taken(void **state)
{
    (void)state;
    const struct listen_address ipv4 = must_parse("127.0.0.1:0");
    struct listener other = must_open(&ipv4, false);
    struct listen_address address = must_parse("localhost:0");
    address.port = listener_port(&other);
    must_refuse(&address, "in use by another process");
    listener_close(&other);
}

static void says_that_an_address_is_taken(void **state)
{
    (void)state;
    struct listen_address address = must_parse("127.0.0.1:0");
    struct listener listener = must_open(&address, false);
    address.port = listener_port(&listener);

    char reason[64];
    (void)snprintf(reason, sizeof reason, "127.0.0.1:%u is in use by another process",
                   (unsigned)address.port);
    must_refuse(&address, reason);
    listener_close(&listener);
}

static void tries_an_address_without_its_port(void **state)
{
    (void)state;
    static const struct {
        const char *text, *reason;
    } refused[] = {
        {"192.0.2.1:8787", "192.0.2.1:8787 is not an address of this machine"},
        {"a..b:1", "the name in a..b:1 cannot be resolved: "},
        {"unix:/nowhere/there", "listening on /nowhere/there: No such file or directory"},
        {"unix:/etc/passwd",
         "/etc/passwd is there and is not a socket: remove it, or choose another path"},
        {"unix:/etc/passwd/there", "listening on /etc/passwd/there: Not a directory"},
    };
    struct error error = {.message = ""};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const struct listen_address address = must_parse(refused[i].text);
        assert_false(listener_try(&address, &error));
        if (strstr(error.message, refused[i].reason) == NULL)
            fail_msg("%s", error.message);
    }
    struct listen_address address = must_parse("127.0.0.1:0");
    struct listener listener = must_open(&address, false);
    address.port = listener_port(&listener);
    assert_true(listener_try(&address, &error)); /* a service that runs is no mistake */
    listener_close(&listener);
    address = must_parse("unix:/tmp/nobody");
    assert_true(listener_try(&address, &error));
    assert_int_equal(access("/tmp/nobody", F_OK), -1);
}

static void says_that_an_address_is_foreign(void **state)
{
    (void)state;
    const struct listen_address address = must_parse("192.0.2.1:8787"); /* RFC 5737: nobody's */
    must_refuse(&address, "192.0.2.1:8787 is not an address of this machine");
}

static void opens_again_at_once(void **state)
{
    (void)state;
    struct listen_address address = must_parse("127.0.0.1:0");
    struct listener listener = must_open(&address, false);
    address.port = listener_port(&listener);
    int client = connect_tcp(address.port);
    int accepted = accept(listener.fds[0], NULL, NULL);
    assert_true(accepted >= 0);
    (void)close(accepted); /* first to close: keeps the address in TIME_WAIT */
    (void)close(client);
    listener_close(&listener);

    struct listener again = must_open(&address, false);
    listener_close(&again);
}

static void shares_a_port(void **state)
{
    (void)state;
    struct listen_address address = must_parse("127.0.0.1:0");
    struct listener first = must_open(&address, true);
    address.port = listener_port(&first);
    struct listener second = must_open(&address, true);
    assert_int_equal(listener_port(&second), address.port);

    must_refuse(&address, "in use");
    listener_close(&first);
    listener_close(&second);
}

static void opens_a_group(void **state)
{
    (void)state;
    struct listen_address address = must_parse("127.0.0.1:0");
    struct error error;
    struct listener group[3];
    assert_true(listener_open_group(&address, 3, group, &error));
    address.port = listener_port(&group[0]);
    assert_int_equal(listener_port(&group[2]), address.port);

    struct listener others[2];
    assert_false(listener_open_group(&address, 2, others, &error));
    assert_non_null(strstr(error.message, "in use"));

    for (int i = 0; i < 3; i++)
        listener_close(&group[i]);
    assert_true(listener_open_group(&address, 1, others, &error));
    listener_close(&others[0]);
}

/* ---- unix sockets ---- */

struct directory {
    char path[64];
    struct listen_address address;
};

static int make_directory(void **state)
{
    static struct directory directory;
    strcpy(directory.path, "/tmp/listener_test.XXXXXX");
    if (mkdtemp(directory.path) == NULL)
        return -1;
    char text[128];
    (void)snprintf(text, sizeof text, "unix:%s/socket", directory.path);
    directory.address = must_parse(text);
    *state = &directory;
    return 0;
}

static int remove_directory(void **state)
{
    const struct directory *directory = *state;
    (void)unlink(directory->address.host);
    return rmdir(directory->path);
}

static int connect_unix(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    strcpy(name.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (connect(fd, (const void *)&name, sizeof name) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

static void listens_on_a_unix_socket(void **state)
{
    const struct directory *directory = *state;
    mode_t umask_before = umask(0077);
    struct listener listener = must_open(&directory->address, false);
    (void)umask(umask_before);

    struct stat status;
    assert_int_equal(stat(directory->address.host, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0660);
    assert_int_equal(listener_port(&listener), 0);
    int client = connect_unix(directory->address.host);
    assert_true(client >= 0);
    (void)close(client);
    listener_close(&listener);
}

static void replaces_a_stale_socket(void **state)
{
    const struct directory *directory = *state;
    struct listener stale = must_open(&directory->address, false);
    listener_close(&stale); /* leaves the file */
    assert_int_equal(connect_unix(directory->address.host), -1);
    struct listener listener = must_open(&directory->address, false);
    int client = connect_unix(directory->address.host);
    assert_true(client >= 0);
    (void)close(client);
    listener_close(&listener);
}

static void leaves_a_live_socket(void **state)
{
    const struct directory *directory = *state;
    struct listener listener = must_open(&directory->address, false);
    must_refuse(&directory->address, "is in use by another process");
    int client = connect_unix(directory->address.host);
    assert_true(client >= 0);
    (void)close(client);
    listener_close(&listener);
}

static void leaves_a_busy_socket(void **state)
{
    const struct directory *directory = *state;
    struct listener listener = must_open(&directory->address, false);
    assert_int_equal(listen(listener.fds[0], 0), 0); /* a short queue, which is full soon */
    int clients[2];
    for (int i = 0; i < 2; i++) {
        struct sockaddr_un name = {.sun_family = AF_UNIX};
        strcpy(name.sun_path, directory->address.host);
        clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(clients[i], (const void *)&name, sizeof name), i == 0 ? 0 : -1);
    }
    assert_int_equal(errno, EAGAIN);
    must_refuse(&directory->address, "is in use by another process");
    assert_int_equal(access(directory->address.host, F_OK), 0);
    (void)close(clients[0]);
    (void)close(clients[1]);
    listener_close(&listener);
}

static void leaves_a_file(void **state)
{
    const struct directory *directory = *state;
    int file = open(directory->address.host, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    (void)close(file);
    must_refuse(&directory->address, "is there and is not a socket: remove it");
    assert_int_equal(access(directory->address.host, F_OK), 0);
}

static void says_that_a_directory_is_missing(void **state)
{
    (void)state;
    const struct listen_address address = must_parse("unix:/nonexistent/socket");
    must_refuse(&address, "/nonexistent/socket: No such file or directory");
}

static void shares_a_unix_socket(void **state)
{
    const struct directory *directory = *state;
    struct error error;
    struct listener group[2];
    assert_true(listener_open_group(&directory->address, 2, group, &error));

    int client = connect_unix(directory->address.host);
    int accepted = accept(group[1].fds[0], NULL, NULL);
    assert_true(accepted >= 0);
    (void)close(client);
    (void)close(accepted);
    listener_close(&group[0]);
    listener_close(&group[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("reads addresses, says what is expected, and knows which are local", reads_addresses),
        IT("refuses a host or path that is too long", refuses_what_is_too_long),
        IT("listens, without blocking and without leaking into child processes", listens),
        IT("resolves names and takes IPv6", resolves_names_and_ipv6),
        IT("listens at every address of a name, at one port", listens_at_every_address_of_a_name),
        IT("refuses a name of which one address is taken",
           refuses_a_name_of_which_one_address_is_taken),
        IT("says that an address is taken", says_that_an_address_is_taken),
        IT("says that an address is not of this machine", says_that_an_address_is_foreign),
        IT("tries an address, and leaves its port alone", tries_an_address_without_its_port),
        IT("opens an address again right after it was used", opens_again_at_once),
        IT("shares a port with those who share it, and with nobody else", shares_a_port),
        IT("opens a group at one port, unless anybody has it", opens_a_group),
        IT_WITH("listens on a unix socket of mode 0660, whatever the umask",
                listens_on_a_unix_socket, make_directory, remove_directory),
        IT_WITH("replaces a unix socket that nobody accepts on", replaces_a_stale_socket,
                make_directory, remove_directory),
        IT_WITH("leaves a live unix socket alone", leaves_a_live_socket, make_directory,
                remove_directory),
        IT_WITH("leaves a live unix socket alone whose queue is full", leaves_a_busy_socket,
                make_directory, remove_directory),
        IT_WITH("leaves a file that is no socket alone", leaves_a_file, make_directory,
                remove_directory),
        IT("says that a unix socket's directory is missing", says_that_a_directory_is_missing),
        IT_WITH("shares a unix socket in a group", shares_a_unix_socket, make_directory,
                remove_directory),
    };
    return cmocka_run_group_tests_name("listener", tests, NULL, NULL);
}
