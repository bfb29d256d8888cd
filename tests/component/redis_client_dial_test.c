/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* How redis_client comes to its connection: names, addresses, TLS. */
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"

#include "tests/support/deaf_listener.h"
#include "tests/support/fake_redis.h"
#include "tests/support/redis_server.h"
#include "tests/support/redis_subject.h"
#include "tests/support/specification.h"

/* --- names: getaddrinfo is replaced through the linker --- */

static int slow_name; /* a semaphore */
static atomic_uint slow_lookups;

int __real_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **out);
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **out);

/* "slow.test" is answered when a test posts to slow_name; "many.test" is 127.0.0.2, 127.0.0.3 and
 * 127.0.0.1.
 */
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **out)
{
    bool is_numeric = (hints->ai_flags & AI_NUMERICHOST) != 0;
    if (is_numeric || strstr(host, ".test") == NULL)
        return __real_getaddrinfo(host, service, hints, out);
    eventfd_t permit;
    if (strcmp(host, "slow.test") == 0) {
        atomic_fetch_add(&slow_lookups, 1);
        (void)eventfd_read(slow_name, &permit);
    }
    if (strcmp(host, "none.test") == 0)
        return EAI_NONAME;
    static const char *const addresses[] = {"127.0.0.1", "127.0.0.3", "127.0.0.2"};
    *out = NULL;
    for (size_t i = 0; i < (strcmp(host, "many.test") == 0 ? 3 : 1); i++) {
        struct addrinfo *rest = *out;
        if (__real_getaddrinfo(addresses[i], service, hints, out) != 0)
            abort();
        (*out)->ai_next = rest;
    }
    return 0;
}

static void tries_every_address(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_TCP, NULL);
    struct redis_url url;
    struct subject subject;
    redis_server_url(server, &url);
    (void)snprintf(url.host, sizeof url.host, "many.test");
    subject_start(&subject, &url);
    WAIT_UNTIL(&subject, subject.opened == 1);
    assert_int_equal(subject.closed, 0);
    assert_int_equal(subject.located, 1);
    subject_must_answer(&subject, "PING", "PONG");
    subject_stop(&subject);
}

/* A name of several Redis, of which one is the master: who finds out that this is none of it goes
 * on to the next. */
static void goes_on_to_the_next_address(void **state)
{
    (void)state;
    static const char *const everywhere[] = {"--bind", "127.0.0.1", "127.0.0.2", "127.0.0.3", NULL};
    static const char *const addresses[] = {
        "laddr=127.0.0.2:", "laddr=127.0.0.3:", "laddr=127.0.0.1:", "laddr=127.0.0.2:"};
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_TCP, everywhere);
    struct redis_url url;
    struct subject subject;
    struct outcome outcome;
    redis_server_url(server, &url);
    (void)snprintf(url.host, sizeof url.host, "many.test");
    subject_start(&subject, &url);
    for (unsigned i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        WAIT_UNTIL(&subject, subject.opened == i + 1 && redis_client_is_open(subject.client));
        subject_must_send(&subject, &outcome, "CLIENT INFO");
        WAIT_UNTIL(&subject, outcome.calls == 1);
        assert_non_null(strstr(outcome.text, addresses[i]));
        redis_client_reopen(subject.client, "Redis is a replica");
    }
    subject_stop(&subject);
}

static void tries_the_next_address_when_one_is_silent(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_TCP, NULL);
    struct deaf_listener first, second;
    struct redis_url url;
    struct subject subject;
    deaf_listener_start(&first, INADDR_LOOPBACK + 1, redis_server_port(server));
    deaf_listener_start(&second, INADDR_LOOPBACK + 2, redis_server_port(server));
    redis_server_url(server, &url);
    (void)snprintf(url.host, sizeof url.host, "many.test");
    subject_start_with(&subject, &url, &subject_hasty);
    int64_t started_at_ms = clock_monotonic_ms();
    WAIT_UNTIL(&subject, subject.opened == 1);
    assert_true(clock_monotonic_ms() - started_at_ms >= 500);
    assert_int_equal(subject.closed, 0);
    subject_stop(&subject);
    deaf_listener_stop(&first);
    deaf_listener_stop(&second);
}

/* A mail server's banner, say: here before the client's next turn, which finds the socket readable
 * and writable. */
static void refuses_an_answer_before_the_question(void **state)
{
    (void)state;
    struct deaf_listener deaf;
    struct subject subject;
    deaf_listener_start(&deaf, INADDR_LOOPBACK, 0);
    const struct redis_url url = {
        .scheme = REDIS_TCP, .host = "127.0.0.1", .port = ntohs(deaf.address.sin_port)};
    subject_start(&subject, &url);
    int lowest_free = dup(deaf.fd); /* the number that the client's socket will have */
    (void)close(lowest_free);
    subject_turn(&subject);
    /* Whoever is accepted gets the banner, until the client's SYN, sent again, is taken. */
    struct pollfd banner = {.fd = lowest_free, .events = POLLIN};
    while (poll(&banner, 1, 0) == 0) {
        struct pollfd incoming = {.fd = deaf.fd, .events = POLLIN};
        assert_int_equal(poll(&incoming, 1, 10000), 1);
        int connection = accept(deaf.fd, NULL, NULL);
        assert_int_equal(send(connection, "+OK\r\n", 5, MSG_NOSIGNAL), 5);
    }
    subject_turn(&subject);
    assert_int_equal(subject.closed, 1);
    assert_int_equal(subject.opened, 0);
    subject_must_say(&subject, "the peer is not Redis");
    subject_stop(&subject);
    deaf_listener_stop(&deaf);
}

static void says_that_a_name_is_unknown(void **state)
{
    (void)state;
    struct redis_url url = {.scheme = REDIS_TCP, .host = "none.test", .port = 1};
    struct subject subject;
    subject_start(&subject, &url);
    WAIT_UNTIL(&subject, subject.located >= 3);
    assert_int_equal(subject.closed, 1);
    assert_string_equal(subject.reason,
                        "the name none.test cannot be resolved: Name or service not known");
    subject_stop(&subject);
}

static void does_not_wait_for_a_slow_name(void **state)
{
    (void)state;
    struct redis_url url = {.scheme = REDIS_TCP, .host = "slow.test", .port = 1};
    struct subject subject;
    subject_start_with(&subject, &url, &subject_hasty);
    int64_t longest_ms = 0;
    unsigned before = atomic_load(&slow_lookups);
    while (subject.located < 4) {
        int64_t wait_ms = redis_client_timeout_ms(subject.client, clock_monotonic_ms());
        event_loop_poll(subject.loop, wait_ms);
        int64_t before_ms = clock_monotonic_ms();
        redis_client_turn(subject.client, before_ms);
        int64_t took_ms = clock_monotonic_ms() - before_ms;
        longest_ms = took_ms > longest_ms ? took_ms : longest_ms;
    }
    assert_true(longest_ms < 1000); /* who waited for the name would wait until eventfd_write */
    assert_int_equal(subject.closed, 1);
    assert_string_equal(subject.reason, "the name slow.test was not resolved in time");
    assert_int_equal(atomic_load(&slow_lookups) - before, 1); /* each attempt waits for it */
    subject_stop(&subject);                                   /* with the lookup still on its way */
    (void)eventfd_write(slow_name, 1);
}

static void goes_on_when_a_slow_name_is_known(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_TCP, NULL);
    struct redis_url url;
    struct subject subject;
    redis_server_url(server, &url);
    (void)snprintf(url.host, sizeof url.host, "slow.test");
    subject_start(&subject, &url);
    subject_turn(&subject);
    assert_int_equal(subject.opened, 0);
    (void)eventfd_write(slow_name, 1);
    WAIT_UNTIL(&subject, subject.opened == 1);
    assert_int_equal(subject.located, 1);
    subject_stop(&subject);
}

/* An attempt has 250 ms for a name that takes longer. */
static void takes_an_answer_that_comes_after_an_attempt(void **state)
{
    (void)state;
    static const unsigned pauses_ms[] = {1, 500}; /* it comes during an attempt, or between two */
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_TCP, NULL);
    for (size_t i = 0; i < sizeof pauses_ms / sizeof *pauses_ms; i++) {
        struct redis_client_options options = subject_hasty;
        struct redis_url url;
        struct subject subject;
        unsigned before = atomic_load(&slow_lookups);
        options.reconnect_min_ms = options.reconnect_max_ms = pauses_ms[i];
        redis_server_url(server, &url);
        (void)snprintf(url.host, sizeof url.host, "slow.test");
        subject_start_with(&subject, &url, &options);
        WAIT_UNTIL(&subject, subject.closed == 1);
        assert_string_equal(subject.reason, "the name slow.test was not resolved in time");
        (void)eventfd_write(slow_name, 1);
        WAIT_UNTIL(&subject, subject.opened == 1);
        assert_int_equal(atomic_load(&slow_lookups) - before, 1);
        subject_stop(&subject);
    }
}

/* Each of them with a loop of its own, as workers have. */
static void asks_once_for_all_who_want_a_name(void **state)
{
    (void)state;
    enum { CLIENTS = 8 };
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_TCP, NULL);
    struct redis_url url;
    struct subject subjects[CLIENTS];
    unsigned before = atomic_load(&slow_lookups);
    redis_server_url(server, &url);
    (void)snprintf(url.host, sizeof url.host, "slow.test");
    for (size_t i = 0; i < CLIENTS; i++) {
        subject_start(&subjects[i], &url);
        subject_turn(&subjects[i]);
    }
    (void)eventfd_write(slow_name, 1);
    for (size_t i = 0; i < CLIENTS; i++)
        WAIT_UNTIL(&subjects[i], subjects[i].opened == 1);
    assert_int_equal(atomic_load(&slow_lookups) - before, 1);
    for (size_t i = 0; i < CLIENTS; i++)
        subject_stop(&subjects[i]);
}

static void talks_over_tls(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_TLS, NULL);
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct redis_client_options options = subject_patient;
        struct redis_url url;
        struct subject subject;
        struct outcome outcome;
        options.tls.ca = redis_server_ca_file(server);
        redis_server_url(server, &url);
        (void)snprintf(url.host, sizeof url.host, "%s", hosts[i]);
        subject_start_with(&subject, &url, &options);
        WAIT_UNTIL(&subject, subject.opened == 1);
        subject_must_answer(&subject, "PING", "PONG");
        subject_must_send(&subject, &outcome, "SETRANGE big 3000000 x");
        WAIT_UNTIL(&subject, outcome.calls == 1);
        subject_must_send(&subject, &outcome, "GET big");
        WAIT_UNTIL(&subject, outcome.calls == 1);
        assert_int_equal(outcome.length, 3000001);
        redis_server_restart(server);
        WAIT_UNTIL(&subject, subject.opened == 2);
        subject_must_answer(&subject, "PING", "PONG");
        subject_stop(&subject);
    }
}

static void set_time(const char *path, time_t modified_at)
{
    const struct timespec times[] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = modified_at}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* Whoever reads the file finds that the first certificate does not begin. */
static void spoil(const char *path)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "#", 1), 1);
    (void)close(fd);
}

/* Whether Redis is reached. */
static bool is_trusted(const struct redis_server *server, const char *ca_file)
{
    struct redis_client_options options = subject_patient;
    struct redis_url url;
    struct subject subject;
    options.tls.ca = ca_file;
    redis_server_url(server, &url);
    subject_start_with(&subject, &url, &options);
    WAIT_UNTIL(&subject, subject.opened == 1 || subject.closed == 1);
    bool is_opened = subject.opened == 1;
    subject_stop(&subject);
    return is_opened;
}

static void reads_authorities_again_when_they_have_changed(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_TLS, NULL);
    const char *path = redis_server_ca_file(server);
    const time_t long_ago = time(NULL) - 3600;
    set_time(path, long_ago);
    assert_true(is_trusted(server, path));
    spoil(path);
    set_time(path, long_ago);
    assert_true(is_trusted(server, path)); /* it was not read */
    set_time(path, long_ago + 1);
    assert_false(is_trusted(server, path));
}

static void trusts_no_stranger(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_TLS, NULL);
    AUTO(redis_server) *plain = redis_server_start(REDIS_SERVER_TCP, NULL);
    const char *ca_file = redis_server_ca_file(server);
    const struct {
        enum redis_server_listen listen;
        const char *host, *ca_file, *reason;
    } rows[] = {
        {REDIS_SERVER_TLS, "127.0.0.1", NULL,
         "TLS: the server's certificate is refused: self-signed"},
        {REDIS_SERVER_TLS, "other.test", ca_file,
         "TLS: the server's certificate is refused: hostname mismatch"},
        {REDIS_SERVER_TLS, "127.0.0.1", "/nonexistent/ca.pem",
         "the certificate authorities in /nonexistent/ca.pem cannot be used"},
        {REDIS_SERVER_TCP, "127.0.0.1", ca_file, "use redis://"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct redis_client_options options = subject_hasty;
        struct redis_url url;
        struct subject subject;
        options.connect_timeout_ms = rows[i].listen == REDIS_SERVER_TLS ? 10000 : 1000;
        options.tls.ca = rows[i].ca_file;
        redis_server_url(rows[i].listen == REDIS_SERVER_TLS ? server : plain, &url);
        url.scheme = REDIS_TLS;
        (void)snprintf(url.host, sizeof url.host, "%s", rows[i].host);
        subject_start_with(&subject, &url, &options);
        WAIT_UNTIL(&subject, subject.closed == 1);
        if (strstr(subject.reason, rows[i].reason) == NULL)
            fail_msg("row %zu: %s", i, subject.reason);
        assert_int_equal(subject.opened, 0);
        subject_stop(&subject);
    }
}

static void gives_up_a_silent_handshake(void **state)
{
    (void)state;
    AUTO(fake_redis) *fake = fake_redis_start();
    struct redis_url url;
    struct subject subject;
    fake_redis_url(fake, &url);
    url.scheme = REDIS_TLS;
    subject_start_with(&subject, &url, &subject_hasty);
    WAIT_UNTIL(&subject, subject.closed == 1);
    assert_non_null(
        strstr(subject.reason,
               ": TLS handshake: no answer within 250 ms; does the port speak TLS? If not, use "
               "redis://"));
    subject_stop(&subject);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* as the service does */
    slow_name = eventfd(0, EFD_SEMAPHORE | EFD_CLOEXEC);
    const struct CMUnitTest tests[] = {
        IT("tries every address of a name", tries_every_address),
        IT("goes on to the next address of a name when asked to reopen",
           goes_on_to_the_next_address),
        IT("tries the next address when one is silent", tries_the_next_address_when_one_is_silent),
        IT("refuses an answer before the question", refuses_an_answer_before_the_question),
        IT("says that a name is unknown", says_that_a_name_is_unknown),
        IT("does not wait for a slow name", does_not_wait_for_a_slow_name),
        IT("goes on when a slow name is known", goes_on_when_a_slow_name_is_known),
        IT("takes an answer of DNS that comes after an attempt has ended",
           takes_an_answer_that_comes_after_an_attempt),
        IT("asks once for all who want a name", asks_once_for_all_who_want_a_name),
        IT("talks over TLS", talks_over_tls),
        IT("reads the authorities again when they have changed, and only then",
           reads_authorities_again_when_they_have_changed),
        IT("trusts no stranger over TLS", trusts_no_stranger),
        IT("gives up a silent TLS handshake", gives_up_a_silent_handshake),
    };
    return cmocka_run_group_tests_name("redis_client_dial", tests, NULL, NULL);
}
