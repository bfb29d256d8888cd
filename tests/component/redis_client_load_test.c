/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* redis_client under load, at its limits and through restarts. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "lib/base/random.h"

#include "tests/support/failing_malloc.h"
#include "tests/support/redis_server.h"
#include "tests/support/redis_subject.h"
#include "tests/support/specification.h"

static void count_in_order(void *context, enum redis_failure failure,
                           const struct redis_reply *reply)
{
    int64_t *count = context;
    assert_int_equal(failure, REDIS_OK);
    assert_int_equal(redis_reply_integer(reply), *count + 1);
    (*count)++;
}

static void pipelines(void **state)
{
    (void)state;
    enum { COMMANDS = 100000 };
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    struct redis_url url;
    struct subject subject;
    int64_t answered = 0;
    unsigned refused = 0;
    redis_server_url(server, &url);
    subject_start(&subject, &url);
    WAIT_UNTIL(&subject, subject.opened == 1);
    const char *command[] = {"INCR", "counter"};
    for (unsigned sent = 0; sent < COMMANDS;) {
        struct error error;
        if (redis_client_send(subject.client, 2, command, NULL, count_in_order, &answered,
                              &error)) {
            sent++;
            continue;
        }
        assert_int_equal(error.kind, ERROR_FULL);
        refused++;
        subject_turn(&subject);
    }
    assert_true(refused > 0); /* more than 65,536 never wait */
    WAIT_UNTIL(&subject, answered == COMMANDS);
    assert_int_equal(subject.closed, 0);
    subject_stop(&subject);
}

/* The sanitizers' allocators know it, and without them the C library's. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t allocated_bytes(void)
{
    if (__sanitizer_get_current_allocated_bytes != NULL)
        return __sanitizer_get_current_allocated_bytes();
    const struct mallinfo2 heap = mallinfo2();
    return heap.uordblks + heap.hblkhd;
}

static void bounds_what_it_holds_for_a_frozen_redis(void **state)
{
    (void)state;
    enum { VALUE_BYTES = 1 << 20 };
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    struct redis_url url;
    struct subject subject;
    struct outcome outcome = {0};
    struct error error;
    char *value = calloc(1, VALUE_BYTES);
    redis_server_url(server, &url);
    subject_start(&subject, &url);
    WAIT_UNTIL(&subject, subject.opened == 1);
    size_t before = allocated_bytes();
    redis_server_freeze(server);
    const char *command[] = {"SET", "big", value};
    const size_t lengths[] = {3, 3, VALUE_BYTES};
    unsigned taken = 0;
    while (redis_client_send(subject.client, 3, command, lengths, outcome_note, &outcome, &error))
        taken++;
    assert_int_equal(error.kind, ERROR_FULL);
    assert_int_equal(taken, 63);
    assert_true(allocated_bytes() > before + (size_t)taken * VALUE_BYTES);
    redis_client_flush(subject.client);
    redis_server_thaw(server);
    WAIT_UNTIL(&subject, outcome.calls == taken);
    assert_int_equal(outcome.lost, 0);
    /* What was refused left no half of a command behind. */
    subject_must_answer(&subject, "PING", "PONG");
    assert_string_equal(redis_server_cli(server, "STRLEN big"), "1048576");
    assert_true(allocated_bytes() < before + VALUE_BYTES); /* and no room for all that is kept */
    free(value);
    subject_stop(&subject);
}

static void reads_a_big_reply(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    struct redis_url url;
    struct subject subject;
    struct outcome outcome;
    redis_server_url(server, &url);
    subject_start(&subject, &url);
    WAIT_UNTIL(&subject, subject.opened == 1);
    subject_must_send(&subject, &outcome, "SETRANGE big 33554431 x");
    WAIT_UNTIL(&subject, outcome.calls == 1);
    for (unsigned i = 0; i < 3; i++) {
        subject_must_send(&subject, &outcome, "GET big");
        WAIT_UNTIL(&subject, outcome.calls == 1);
        assert_int_equal(outcome.length, 33554432);
    }
    subject_must_send(&subject, &outcome, "SETRANGE big 67108864 x");
    WAIT_UNTIL(&subject, outcome.calls == 1);
    subject_must_send(&subject, &outcome, "GET big");
    WAIT_UNTIL(&subject, outcome.calls == 1);
    assert_int_equal(outcome.lost, 1);
    assert_non_null(strstr(subject.reason, "longer than"));
    WAIT_UNTIL(&subject, subject.opened == 2);
    subject_stop(&subject);
}

static void count_call(void *context, enum redis_failure failure, const struct redis_reply *reply)
{
    unsigned char *calls = context;
    (void)failure;
    (void)reply;
    (*calls)++;
}

static void send_some(struct subject *subject, unsigned char *calls, size_t *sent, size_t max)
{
    const char *command[] = {"INCR", "counter"};
    for (size_t i = random_u64() % 300; i > 0 && *sent < max; i--) {
        struct error error;
        if (!redis_client_send(subject->client, 2, command, NULL, count_call, &calls[*sent],
                               &error))
            return;
        (*sent)++;
    }
}

static void answers_each_command_exactly_once(void **state)
{
    (void)state;
    enum { ROUNDS = 400, COMMANDS_MAX = 200000 };
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    unsigned char *calls = calloc(COMMANDS_MAX, 1);
    size_t sent = 0;
    struct redis_url url;
    struct subject subject;
    redis_server_url(server, &url);
    subject_start_with(&subject, &url, &subject_hasty);
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t chance = random_u64() % 40;
        send_some(&subject, calls, &sent, COMMANDS_MAX);
        if (chance == 0)
            redis_server_restart(server);
        else if (chance == 1)
            redis_client_reopen(subject.client, "chance");
        else if (chance == 2)
            (void)redis_server_cli(server, "CLIENT KILL TYPE normal");
        else if (chance == 3)
            redis_client_flush(subject.client);
        if (chance % 2 == 0)
            subject_turn(&subject);
        for (size_t i = 0; i < sent; i++)
            assert_in_range(calls[i], 0, 1);
    }
    assert_true(sent > 0);
    for (size_t i = 0; i < sent; i++)
        WAIT_UNTIL(&subject, calls[i] > 0);
    for (size_t i = 0; i < sent; i++)
        assert_int_equal(calls[i], 1);
    subject_stop(&subject);
    free(calls);
}

/* --- memory is out --- */

void *__real_redisReaderCreate(void);
void *__wrap_redisReaderCreate(void);

void *__wrap_redisReaderCreate(void)
{
    return failing_malloc_strikes() ? NULL : __real_redisReaderCreate();
}

int __real_epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event);

/* The kernel has no memory for another watch, say. */
int __wrap_epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event)
{
    bool can_fail = operation != EPOLL_CTL_DEL;
    return can_fail && failing_malloc_strikes() ? -1
                                                : __real_epoll_ctl(epoll_fd, operation, fd, event);
}

static void recovers_from_each_failed_allocation(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_TCP, NULL);
    struct redis_url url;
    bool has_failed = true;
    unsigned n = 0;
    redis_server_url(server, &url);
    (void)snprintf(url.host, sizeof url.host, "localhost");
    for (; has_failed; n++) {
        struct subject subject;
        struct outcome outcome = {0};
        struct error error;
        subject_start(&subject, &url);
        failing_malloc_arm(n);
        WAIT_UNTIL(&subject, subject.opened + subject.closed > 0);
        bool is_sent = subject_try_send(&subject, &outcome, "PING", &error);
        has_failed = failing_malloc_disarm();
        assert_true(has_failed || is_sent);
        if (subject.closed > 0 && strstr(subject.reason, "watching descriptor") == NULL)
            assert_non_null(strstr(subject.reason, "out of memory"));
        WAIT_UNTIL(&subject, subject.opened == 1 && outcome.calls == is_sent);
        subject_must_answer(&subject, "PING", "PONG");
        subject_stop(&subject);
    }
    /* A dialer, a lookup and its watch, a stream and its watch, that once more when it is open, a
     * pipeline, its reader and the parser in it, its ring, its output. */
    assert_true(n > 11);
}

static void is_not_made_without_memory(void **state)
{
    (void)state;
    const struct redis_client_options options = subject_patient;
    struct error error;
    failing_malloc_arm(0);
    assert_null(redis_client_create(&options, NULL, &error));
    assert_true(failing_malloc_disarm());
    assert_int_equal(error.kind, ERROR_MEMORY);
    redis_client_destroy(NULL);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* as the service does */
    const struct CMUnitTest tests[] = {
        IT("pipelines 100,000 commands in order", pipelines),
        IT("bounds what it holds for a frozen Redis", bounds_what_it_holds_for_a_frozen_redis),
        IT("reads a big reply, and loses a monstrous one", reads_a_big_reply),
        IT("answers each command exactly once, whatever happens",
           answers_each_command_exactly_once),
        IT("recovers from each failed allocation", recovers_from_each_failed_allocation),
        IT("is not made without memory", is_not_made_without_memory),
    };
    return cmocka_run_group_tests_name("redis_client_load", tests, NULL, NULL);
}
