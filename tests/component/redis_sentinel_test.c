/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* How redis_client finds the master through sentinels that know it, do not, or say nothing. */
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"

#include "tests/support/deaf_listener.h"
#include "tests/support/redis_server.h"
#include "tests/support/redis_subject.h"
#include "tests/support/specification.h"

/* --- a sentinel of a thread of its own, which always gives the same answer --- */

struct oracle {
    int listener;
    uint16_t port;
    pthread_t thread;
    const char *answer; /* NULL: it only listens */
    char heard[512];    /* by the last question; read after oracle_stop */
    atomic_uint asked;
};

static void serve(struct oracle *oracle, int connection)
{
    size_t length = 0;
    ssize_t got;
    memset(oracle->heard, 0, sizeof oracle->heard);
    while ((got = recv(connection, oracle->heard + length, sizeof oracle->heard - 1 - length, 0)) >
           0) {
        length += (size_t)got;
        if (strstr(oracle->heard, "applications\r\n") == NULL)
            continue;
        atomic_fetch_add(&oracle->asked, 1);
        if (oracle->answer != NULL)
            (void)send(connection, oracle->answer, strlen(oracle->answer), MSG_NOSIGNAL);
    }
    (void)close(connection);
}

static void *run_oracle(void *context)
{
    struct oracle *oracle = context;
    int connection;
    while ((connection = accept4(oracle->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        serve(oracle, connection);
    return NULL;
}

static void oracle_start(struct oracle *oracle, const char *answer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    *oracle = (struct oracle){.answer = answer};
    oracle->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(oracle->listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(oracle->listener, 16), 0);
    assert_int_equal(getsockname(oracle->listener, (struct sockaddr *)&address, &length), 0);
    oracle->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&oracle->thread, NULL, run_oracle, oracle), 0);
}

/* After the client, whose end ends the connection. */
static void oracle_stop(struct oracle *oracle)
{
    (void)shutdown(oracle->listener, SHUT_RDWR);
    (void)pthread_join(oracle->thread, NULL);
    (void)close(oracle->listener);
}

/* --- names: getaddrinfo is replaced through the linker --- */

int __real_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **out);
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **out);

/* "two.test" is 127.0.0.2 and 127.0.0.1. */
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **out)
{
    bool is_ours = strcmp(host, "two.test") == 0 && (hints->ai_flags & AI_NUMERICHOST) == 0;
    int code = __real_getaddrinfo(is_ours ? "127.0.0.2" : host, service, hints, out);
    return is_ours && code == 0 ? __real_getaddrinfo("127.0.0.1", service, hints, &(*out)->ai_next)
                                : code;
}

/* --- the URL --- */

static void name_sentinel(struct redis_url *url, uint16_t port)
{
    struct redis_address *address = &url->sentinels.addresses[url->sentinels.count++];
    (void)snprintf(address->host, sizeof address->host, "127.0.0.1");
    address->port = port;
}

static struct redis_url url_of(const struct oracle oracles[], size_t count)
{
    struct redis_url url = {.scheme = REDIS_TCP, .sentinels.master = "applications"};
    for (size_t i = 0; i < count; i++)
        name_sentinel(&url, oracles[i].port);
    return url;
}

static void write_address(char text[64], uint16_t port)
{
    char number[8];
    int length = snprintf(number, sizeof number, "%u", (unsigned)port);
    (void)snprintf(text, 64, "*2\r\n$9\r\n127.0.0.1\r\n$%d\r\n%s\r\n", length, number);
}

/* --- */

static void connects_to_the_master_that_a_sentinel_names(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_TCP, NULL);
    struct oracle oracle;
    struct subject subject;
    char address[64];
    write_address(address, redis_server_port(server));
    oracle_start(&oracle, address);
    struct redis_url url = url_of(&oracle, 1);
    subject_start(&subject, &url);
    WAIT_UNTIL(&subject, subject.opened == 1);
    subject_must_answer(&subject, "PING", "PONG");
    redis_client_reopen(subject.client, "again");
    WAIT_UNTIL(&subject, subject.opened == 2);
    subject_stop(&subject);
    oracle_stop(&oracle);
    assert_true(atomic_load(&oracle.asked) >= 2);
    assert_non_null(strstr(oracle.heard, "SENTINEL"));
    assert_null(strstr(oracle.heard, "AUTH"));
}

static void says_who_it_is(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_TCP, NULL);
    struct oracle oracle;
    struct subject subject;
    char address[64], answer[80];
    write_address(address, redis_server_port(server));
    (void)snprintf(answer, sizeof answer, "+OK\r\n%s", address);
    oracle_start(&oracle, answer);
    struct redis_url url = url_of(&oracle, 1);
    (void)strcpy(url.sentinels.password, "geheim");
    subject_start(&subject, &url);
    WAIT_UNTIL(&subject, subject.opened == 1);
    subject_stop(&subject);
    oracle_stop(&oracle);
    assert_non_null(strstr(oracle.heard, "AUTH\r\n$6\r\ngeheim\r\n"));
}

static void asks_the_next_one(void **state)
{
    (void)state;
    static const char *const answers[] = {
        NULL, /* hangs */
        "*-1\r\n",
        "$-1\r\n",
        "-NOAUTH Authentication required.\r\n",
        "-ERR unknown command 'SENTINEL'\r\n",
        "+PONG\r\n",
        "*1\r\n$1\r\nx\r\n",
        "*2\r\n$9\r\n127.0.0.1\r\n$1\r\n0\r\n",
        "*2\r\n$9\r\n127.0.0.1\r\n$5\r\n65536\r\n",
        "*2\r\n$0\r\n\r\n$1\r\n1\r\n",
        "*2\r\n$-1\r\n$-1\r\n",
        "HTTP/1.1 400 Bad Request\r\n\r\n",
    };
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_TCP, NULL);
    char address[64];
    write_address(address, redis_server_port(server));
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct oracle oracles[2];
        struct subject subject;
        oracle_start(&oracles[0], answers[i]);
        oracle_start(&oracles[1], address);
        struct redis_url url = url_of(oracles, 2);
        subject_start(&subject, &url);
        WAIT_UNTIL(&subject, subject.opened == 1);
        /* Its thread may count later than the client gives it up. */
        WAIT_UNTIL(&subject, atomic_load(&oracles[0].asked) >= 1);
        subject_stop(&subject);
        oracle_stop(&oracles[0]);
        oracle_stop(&oracles[1]);
    }
}

/* It lived for as long as counts, before it broke. */
static void live_and_reopen(struct subject *subject)
{
    redis_client_turn(subject->client, clock_monotonic_ms() + 6000);
    redis_client_reopen(subject->client, "it is a replica");
    redis_client_turn(subject->client, clock_monotonic_ms() + 6000);
}

static void begins_with_the_one_that_answered(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_TCP, NULL);
    struct oracle oracles[2];
    struct subject subject;
    char address[64];
    write_address(address, redis_server_port(server));
    oracle_start(&oracles[0], NULL);
    oracle_start(&oracles[1], address);
    struct redis_url url = url_of(oracles, 2);
    subject_start(&subject, &url);
    WAIT_UNTIL(&subject, subject.opened == 1);
    WAIT_UNTIL(&subject, atomic_load(&oracles[0].asked) >= 1);
    unsigned waited_for = atomic_load(&oracles[0].asked);
    live_and_reopen(&subject);
    WAIT_UNTIL(&subject, subject.opened == 2);
    assert_int_equal(atomic_load(&oracles[0].asked), waited_for);
    subject_stop(&subject);
    oracle_stop(&oracles[0]);
    oracle_stop(&oracles[1]);
}

static void begins_with_the_next_after_a_failure(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_TCP, NULL);
    struct oracle oracles[3];
    struct subject subject;
    char address[64], nowhere[64];
    write_address(address, redis_server_port(server));
    write_address(nowhere, 1);
    oracle_start(&oracles[0], nowhere); /* it is cut off and tells of a master of the past */
    oracle_start(&oracles[1], address);
    oracle_start(&oracles[2], nowhere);
    struct redis_url url = url_of(oracles, 3);
    subject_start(&subject, &url);
    WAIT_UNTIL(&subject, subject.opened == 1);
    assert_int_equal(atomic_load(&oracles[0].asked), 1);
    assert_int_equal(subject.closed, 1); /* connection refused */
    live_and_reopen(&subject);
    WAIT_UNTIL(&subject, subject.opened == 2);
    assert_int_equal(atomic_load(&oracles[1].asked), 2);
    assert_int_equal(atomic_load(&oracles[2].asked), 0);
    subject_stop(&subject);
    for (size_t i = 0; i < 3; i++)
        oracle_stop(&oracles[i]);
}

static void says_why_nobody_knows_the_master(void **state)
{
    (void)state;
    static const struct {
        const char *answer, *reason;
    } rows[] = {
        {"*-1\r\n", "the sentinels do not know the master applications"},
        {NULL, "no answer in time"},
        {"-NOAUTH Authentication required.\r\n", "it demands a password"},
        {"-ERR unknown command 'SENTINEL', with args beginning with: 'geheim'\r\n",
         "it is not a sentinel"},
        {"-WRONGPASS invalid geheim\r\n*-1\r\n", "it refuses the password"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct oracle oracle;
        struct subject subject;
        oracle_start(&oracle, rows[i].answer);
        struct redis_url url = url_of(&oracle, 1);
        if (strncmp(rows[i].answer != NULL ? rows[i].answer : "", "-WRONG", 6) == 0)
            (void)strcpy(url.sentinels.password, "geheim");
        subject_start(&subject, &url);
        WAIT_UNTIL(&subject, atomic_load(&oracle.asked) >= 3);
        assert_int_equal(subject.opened, 0);
        assert_int_equal(subject.closed, 1); /* said once, though tried again and again */
        if (strstr(subject.reason, rows[i].reason) == NULL)
            fail_msg("%s", subject.reason);
        assert_null(strstr(subject.reason, "geheim"));
        subject_stop(&subject);
        oracle_stop(&oracle);
    }
}

/* The first is a black hole. */
static void tries_each_address_of_a_sentinel(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_TCP, NULL);
    struct deaf_listener deaf;
    struct oracle oracle;
    struct subject subject;
    char address[64];
    write_address(address, redis_server_port(server));
    oracle_start(&oracle, address);
    deaf_listener_start(&deaf, INADDR_LOOPBACK + 1, oracle.port);
    struct redis_url url = url_of(&oracle, 1);
    (void)strcpy(url.sentinels.addresses[0].host, "two.test");
    subject_start(&subject, &url);
    WAIT_UNTIL(&subject, subject.opened == 1);
    assert_int_equal(subject.closed, 0);
    subject_stop(&subject);
    oracle_stop(&oracle);
    deaf_listener_stop(&deaf);
}

/* A name of the first that is gone, whatever the last one's failure was: so it is said once. */
static void names_the_first_of_several_that_are_gone(void **state)
{
    (void)state;
    struct redis_url url = url_of(NULL, 0);
    struct subject subject;
    name_sentinel(&url, 1);
    name_sentinel(&url, 2);
    name_sentinel(&url, 3);
    subject_start(&subject, &url);
    WAIT_UNTIL(&subject, subject.located >= 6);
    assert_int_equal(subject.closed, 1);
    assert_string_equal(subject.reason, "no sentinel names the master; 127.0.0.1:1: connect: "
                                        "Connection refused");
    subject_stop(&subject);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* as the service does */
    const struct CMUnitTest tests[] = {
        IT("connects to the master that a sentinel names, and asks at each connection",
           connects_to_the_master_that_a_sentinel_names),
        IT("says who it is", says_who_it_is),
        IT("asks the next one when one hangs, does not know or is no sentinel", asks_the_next_one),
        IT("begins with the one that answered last", begins_with_the_one_that_answered),
        IT("begins with the next after a failure", begins_with_the_next_after_a_failure),
        IT("says why nobody knows the master, once and without the password",
           says_why_nobody_knows_the_master),
        IT("tries each address of a sentinel", tries_each_address_of_a_sentinel),
        IT("names the first of several that are gone", names_the_first_of_several_that_are_gone),
    };
    return cmocka_run_group_tests_name("redis_sentinel", tests, NULL, NULL);
}
