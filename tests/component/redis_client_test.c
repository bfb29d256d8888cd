/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* redis_client against a real redis-server. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/net/host.h"

#include "tests/support/redis_server.h"
#include "tests/support/redis_subject.h"
#include "tests/support/specification.h"

static void talks(enum redis_server_listen listen)
{
    AUTO(redis_server) *server = redis_server_start(listen, NULL);
    struct redis_url url;
    struct subject subject;
    redis_server_url(server, &url);
    subject_start(&subject, &url);
    WAIT_UNTIL(&subject, subject.opened == 1);
    subject_must_answer(&subject, "SET greeting hello", "OK");
    subject_must_answer(&subject, "GET greeting", "hello");
    assert_int_equal(subject.closed, 0);
    subject_stop(&subject);
}

static void talks_over_tcp(void **state)
{
    (void)state;
    talks(REDIS_SERVER_TCP);
}

static void talks_over_a_unix_socket(void **state)
{
    (void)state;
    talks(REDIS_SERVER_UNIX);
}

static void sends_nothing_while_closed(void **state)
{
    (void)state;
    struct redis_url url = {.scheme = REDIS_UNIX, .host = "/nonexistent/redis.sock"};
    struct subject subject;
    struct outcome outcome = {0};
    struct error error;
    subject_start(&subject, &url);
    assert_false(redis_client_is_open(subject.client));
    assert_false(subject_try_send(&subject, &outcome, "PING", &error));
    assert_int_equal(error.kind, ERROR_IO);
    WAIT_UNTIL(&subject, subject.closed == 1);
    assert_string_equal(subject.reason,
                        "/nonexistent/redis.sock: connect: No such file or directory");
    assert_false(subject_try_send(&subject, &outcome, "PING", &error));
    assert_int_equal(outcome.calls, 0);
    redis_client_reopen(subject.client, "moved"); /* it is on its way already */
    subject_turn_for(&subject, 50);
    assert_int_equal(subject.closed, 1);
    subject_stop(&subject);
}

static void tries_less_and_less_often(void **state)
{
    (void)state;
    const struct redis_url url = {.scheme = REDIS_UNIX, .host = "/nonexistent/redis.sock"};
    struct redis_client_options options = subject_patient;
    struct subject subject;
    options.reconnect_min_ms = 5;
    options.reconnect_max_ms = 100000;
    subject_start_with(&subject, &url, &options);
    /* Turned far more often than it asks for. */
    for (unsigned i = 0; i < 500; i++) {
        redis_client_turn(subject.client, clock_monotonic_ms());
        (void)usleep(1000);
    }
    /* About 8, each pause being twice the one before on average; 100 if they did not grow. */
    assert_in_range(subject.located, 2, 40);
    subject_stop(&subject);
}

static void remember_array(void *context, enum redis_failure failure,
                           const struct redis_reply *reply)
{
    unsigned *calls = context;
    (*calls)++;
    assert_int_equal(failure, REDIS_OK);
    assert_int_equal(redis_reply_type(reply), REDIS_TYPE_ARRAY);
    assert_int_equal(redis_reply_length(reply), 5);
    assert_string_equal(redis_reply_text(reply, NULL), "");
    assert_int_equal(redis_reply_integer(reply), 0);
    const struct redis_reply *binary = redis_reply_item(reply, 0);
    size_t length = 0;
    assert_memory_equal(redis_reply_text(binary, &length), "a\0b", 4);
    assert_int_equal(length, 3);
    assert_int_equal(redis_reply_type(binary), REDIS_TYPE_TEXT);
    assert_int_equal(redis_reply_length(binary), 0);
    assert_int_equal(redis_reply_integer(binary), 0);
    assert_int_equal(redis_reply_type(redis_reply_item(reply, 1)), REDIS_TYPE_INTEGER);
    assert_int_equal(redis_reply_integer(redis_reply_item(reply, 1)), -7);
    assert_int_equal(redis_reply_integer(redis_reply_item(reply, 2)), INT64_C(9007199254740993));
    assert_int_equal(redis_reply_type(redis_reply_item(reply, 3)), REDIS_TYPE_NIL);
    assert_string_equal(redis_reply_text(redis_reply_item(reply, 3), &length), "");
    assert_int_equal(length, 0);
    assert_string_equal(redis_reply_text(redis_reply_item(redis_reply_item(reply, 4), 0), NULL),
                        "deep");
}

static void reads_every_kind_of_reply(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    struct redis_url url;
    struct subject subject;
    unsigned calls = 0;
    struct error error;
    redis_server_url(server, &url);
    subject_start(&subject, &url);
    WAIT_UNTIL(&subject, subject.opened == 1);
    const char *script[] = {"EVAL", "return {ARGV[1], -7, '9007199254740993', false, {'deep'}}",
                            "0", "a\0b"};
    const size_t lengths[] = {4, strlen(script[1]), 1, 3};
    assert_true(
        redis_client_send(subject.client, 4, script, lengths, remember_array, &calls, &error));
    WAIT_UNTIL(&subject, calls == 1);
    struct outcome outcome;
    subject_must_send(&subject, &outcome, "INCR counter");
    WAIT_UNTIL(&subject, outcome.calls == 1);
    assert_int_equal(outcome.type, REDIS_TYPE_INTEGER);
    assert_int_equal(outcome.integer, 1);
    subject_must_send(&subject, &outcome, "NONSENSE");
    WAIT_UNTIL(&subject, outcome.calls == 1);
    assert_int_equal(outcome.type, REDIS_TYPE_ERROR);
    assert_non_null(strstr(outcome.text, "unknown command"));
    assert_int_equal(subject.closed, 0);
    subject_stop(&subject);
}

static void comes_back_after_a_restart(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_TCP, NULL);
    struct redis_url url;
    struct subject subject;
    redis_server_url(server, &url);
    subject_start(&subject, &url);
    WAIT_UNTIL(&subject, subject.opened == 1);
    redis_server_kill(server);
    WAIT_UNTIL(&subject, subject.closed == 1);
    subject_must_say(&subject, "Redis closed the connection");
    WAIT_UNTIL(&subject, subject.located >= 10);
    assert_int_equal(subject.closed, 2); /* the reason changed once, whatever the attempts */
    char expected[HOST_PORT_BYTES + 64];
    (void)snprintf(expected, sizeof expected, "%s:%u: connect: Connection refused", url.host,
                   url.port);
    assert_string_equal(subject.reason, expected);
    redis_server_restart(server);
    WAIT_UNTIL(&subject, subject.opened == 2);
    subject_must_answer(&subject, "PING", "PONG");
    assert_int_equal(subject.closed, 2);
    subject_stop(&subject);
}

static void ends_what_was_pending_when_redis_dies(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    struct redis_url url;
    struct subject subject;
    struct outcome outcomes[3];
    redis_server_url(server, &url);
    subject_start(&subject, &url);
    WAIT_UNTIL(&subject, subject.opened == 1);
    redis_server_freeze(server);
    for (size_t i = 0; i < 3; i++)
        subject_must_send(&subject, &outcomes[i], "PING");
    redis_client_flush(subject.client);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(outcomes[i].calls, 0);
    redis_server_kill(server);
    WAIT_UNTIL(&subject, subject.closed == 1);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(outcomes[i].calls, 1);
        assert_int_equal(outcomes[i].lost, 1);
    }
    subject_stop(&subject);
}

static void ends_what_was_pending_when_destroyed(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    struct redis_url url;
    struct subject subject;
    struct outcome outcome;
    redis_server_url(server, &url);
    subject_start(&subject, &url);
    WAIT_UNTIL(&subject, subject.opened == 1);
    subject_must_send(&subject, &outcome, "PING");
    subject_stop(&subject);
    assert_int_equal(outcome.calls, 1);
    assert_int_equal(outcome.lost, 1);
    assert_int_equal(subject.closed, 0);
}

static void notices_a_frozen_redis(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    struct redis_url url;
    struct subject subject;
    struct outcome outcome;
    redis_server_url(server, &url);
    subject_start_with(&subject, &url, &subject_hasty);
    WAIT_UNTIL(&subject, subject.opened == 1);
    subject_turn_for(&subject, 600); /* being idle is no time-out */
    assert_int_equal(subject.closed, 0);
    redis_server_freeze(server);
    int64_t sent_at_ms = clock_monotonic_ms();
    subject_must_send(&subject, &outcome, "PING");
    WAIT_UNTIL(&subject, outcome.calls == 1);
    int64_t waited_ms = clock_monotonic_ms() - sent_at_ms;
    assert_int_equal(outcome.lost, 1);
    assert_in_range(waited_ms, 250, 5000);
    subject_must_say(&subject, "Redis gave no answer within 250 ms");
    /* The kernel still connects to a frozen Redis; the greeting finds out. */
    WAIT_UNTIL(&subject, subject.located >= 3);
    assert_int_equal(subject.closed, 1);
    redis_server_thaw(server);
    WAIT_UNTIL(&subject, subject.opened == 2);
    subject_must_answer(&subject, "PING", "PONG");
    subject_stop(&subject);
}

static void reads_an_overdue_answer_that_is_there(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    struct redis_url url;
    struct subject subject;
    struct outcome outcome;
    redis_server_url(server, &url);
    subject_start_with(&subject, &url, &subject_hasty);
    WAIT_UNTIL(&subject, subject.opened == 1);
    subject_must_send(&subject, &outcome, "PING");
    redis_client_flush(subject.client);
    (void)usleep(400000); /* the program was stopped, not Redis */
    redis_client_turn(subject.client, clock_monotonic_ms());
    assert_int_equal(outcome.calls, 1);
    assert_int_equal(outcome.lost, 0);
    assert_string_equal(outcome.text, "PONG");
    subject_stop(&subject);
}

static void authenticates(void **state)
{
    (void)state;
    const char *const arguments[] = {
        "--requirepass", "geheim", "--user", "ada", "on", ">liebe", "~*", "+@all",
        "--user",        "mute",   "on",     ">m",  "~*", "+get",   NULL};
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_TCP, arguments);
    static const struct {
        const char *user, *password, *whoami;
    } rows[] = {
        {"", "geheim", "default"}, {"default", "geheim", "default"}, {"ada", "liebe", "ada"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct redis_url url;
        struct subject subject;
        redis_server_url(server, &url);
        (void)snprintf(url.user, sizeof url.user, "%s", rows[i].user);
        (void)snprintf(url.password, sizeof url.password, "%s", rows[i].password);
        url.database = 3;
        subject_start(&subject, &url);
        WAIT_UNTIL(&subject, subject.opened == 1);
        subject_must_answer(&subject, "ACL WHOAMI", rows[i].whoami);
        subject_must_answer(&subject, "CLIENT GETNAME", "seek-signal");
        subject_must_answer(&subject, "SET here 1", "OK");
        assert_string_equal(redis_server_cli(server, "--no-auth-warning -a geheim -n 3 GET here"),
                            "1");
        subject_stop(&subject);
    }
    /* A user who may not even name the connection. */
    struct redis_url url;
    struct subject subject;
    redis_server_url(server, &url);
    (void)snprintf(url.user, sizeof url.user, "mute");
    (void)snprintf(url.password, sizeof url.password, "m");
    subject_start(&subject, &url);
    WAIT_UNTIL(&subject, subject.opened == 1);
    subject_must_answer(&subject, "GET nothing", "");
    subject_stop(&subject);
}

static void waits_for_the_right_password(void **state)
{
    (void)state;
    const char *const arguments[] = {"--requirepass", "geheim", NULL};
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_TCP, arguments);
    struct redis_url url;
    struct subject subject;
    redis_server_url(server, &url);
    subject_start(&subject, &url);
    WAIT_UNTIL(&subject, subject.located >= 5);
    assert_int_equal(subject.opened, 0);
    assert_int_equal(subject.closed, 1);
    subject_must_say(&subject, "Redis demands a password");
    (void)snprintf(subject.url.password, sizeof subject.url.password, "falsch");
    WAIT_UNTIL(&subject, subject.closed == 2);
    subject_must_say(&subject, "Redis refused the password");
    (void)snprintf(subject.url.user, sizeof subject.url.user, "nobody");
    WAIT_UNTIL(&subject, subject.closed == 3);
    subject_must_say(&subject, "Redis refused the user or password");
    subject.url.user[0] = '\0';
    (void)snprintf(subject.url.password, sizeof subject.url.password, "geheim");
    WAIT_UNTIL(&subject, subject.opened == 1);
    subject_must_answer(&subject, "PING", "PONG");
    assert_int_equal(subject.closed, 3);
    subject_stop(&subject);
}

static void says_why_redis_refuses(void **state)
{
    (void)state;
    const char *const arguments[] = {"--databases", "2", "--maxclients", "1", NULL};
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_TCP, arguments);
    struct redis_url url;
    struct subject first, second;
    redis_server_url(server, &url);
    url.database = 2;
    subject_start(&first, &url);
    WAIT_UNTIL(&first, first.closed == 1);
    subject_must_say(&first, "Redis refused the database number");
    first.url.database = 1;
    WAIT_UNTIL(&first, first.opened == 1);
    url.database = 0;
    subject_start(&second, &url);
    WAIT_UNTIL(&second, second.closed == 1);
    subject_must_say(&second, "Redis has reached its maximum number of clients (maxclients)");
    subject_stop(&first);
    WAIT_UNTIL(&second, second.opened == 1);
    subject_stop(&second);
}

static void reports_a_locate_that_fails(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    struct redis_url nowhere = {.host = ""};
    struct subject subject;
    subject_start(&subject, &nowhere);
    WAIT_UNTIL(&subject, subject.located >= 4);
    assert_int_equal(subject.closed, 1);
    assert_string_equal(subject.reason, "nobody knows where Redis is");
    redis_server_url(server, &subject.url);
    WAIT_UNTIL(&subject, subject.opened == 1);
    subject_stop(&subject);
}

struct redis_chain {
    struct subject *subject;
    unsigned left, calls;
    bool reopens;
};

static void send_next(void *context, enum redis_failure failure, const struct redis_reply *reply)
{
    struct redis_chain *chain = context;
    (void)reply;
    chain->calls++;
    if (chain->reopens && chain->left == 1) {
        redis_client_reopen(chain->subject->client, "moved");
        assert_false(redis_client_is_open(chain->subject->client));
    }
    if (chain->left == 0)
        return;
    chain->left--;
    const char *command[] = {"PING"};
    struct error error;
    bool is_sent =
        redis_client_send(chain->subject->client, 1, command, NULL, send_next, chain, &error);
    assert_int_equal(is_sent, failure == REDIS_OK && redis_client_is_open(chain->subject->client));
    redis_client_flush(chain->subject->client);
}

static void callbacks_may_send(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    struct redis_url url;
    struct subject subject;
    redis_server_url(server, &url);
    subject_start(&subject, &url);
    WAIT_UNTIL(&subject, subject.opened == 1);
    struct redis_chain chain = {.subject = &subject, .left = 1000};
    send_next(&chain, REDIS_OK, NULL);
    WAIT_UNTIL(&subject, chain.calls == 1001);
    subject_stop(&subject);
}

static void callbacks_may_reopen(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    struct redis_url url;
    struct subject subject;
    redis_server_url(server, &url);
    subject_start(&subject, &url);
    WAIT_UNTIL(&subject, subject.opened == 1);
    struct redis_chain chain = {.subject = &subject, .left = 3, .reopens = true};
    send_next(&chain, REDIS_OK, NULL);
    WAIT_UNTIL(&subject, subject.opened == 2);
    assert_int_equal(chain.calls, 3);
    assert_int_equal(subject.closed, 1);
    subject_must_say(&subject, "moved");
    subject_must_answer(&subject, "PING", "PONG");
    subject_stop(&subject);
}

static void when_opened_reopen(struct subject *subject)
{
    if (subject->opened < 3)
        redis_client_reopen(subject->client, "not a master");
}

static void opened_may_reopen(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    struct redis_url url;
    struct subject subject;
    redis_server_url(server, &url);
    subject_start(&subject, &url);
    subject.when_opened = when_opened_reopen;
    WAIT_UNTIL(&subject, subject.opened == 3);
    subject_must_answer(&subject, "PING", "PONG");
    assert_int_equal(subject.closed, 2);
    subject_stop(&subject);
}

/* A failed sender in `lost` must not be taken: the connection is gone already. */
static void callbacks_may_try_to_send_when_lost(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    struct redis_url url;
    struct subject subject;
    redis_server_url(server, &url);
    subject_start(&subject, &url);
    WAIT_UNTIL(&subject, subject.opened == 1);
    redis_server_freeze(server);
    struct redis_chain chain = {.subject = &subject, .left = 5};
    send_next(&chain, REDIS_OK, NULL);
    redis_server_kill(server);
    WAIT_UNTIL(&subject, subject.closed == 1);
    assert_int_equal(chain.calls, 2);
    subject_stop(&subject);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* as the service does */
    const struct CMUnitTest tests[] = {
        IT("talks to Redis over TCP", talks_over_tcp),
        IT("talks to Redis over a unix socket", talks_over_a_unix_socket),
        IT("takes no command while it is not connected", sends_nothing_while_closed),
        IT("tries less and less often", tries_less_and_less_often),
        IT("reads every kind of reply", reads_every_kind_of_reply),
        IT("comes back after a restart and reports each change once", comes_back_after_a_restart),
        IT("ends pending commands as lost when Redis dies", ends_what_was_pending_when_redis_dies),
        IT("ends pending commands as lost when destroyed", ends_what_was_pending_when_destroyed),
        IT("notices a frozen Redis within the time-out", notices_a_frozen_redis),
        IT("reads an overdue answer that is already there", reads_an_overdue_answer_that_is_there),
        IT("authenticates, selects the database and names itself", authenticates),
        IT("goes on trying until the password is right", waits_for_the_right_password),
        IT("says why Redis refuses it", says_why_redis_refuses),
        IT("reports an address that cannot be had", reports_a_locate_that_fails),
        IT("lets a callback send", callbacks_may_send),
        IT("lets a callback reopen", callbacks_may_reopen),
        IT("lets `opened` reopen", opened_may_reopen),
        IT("takes nothing from a callback that just lost", callbacks_may_try_to_send_when_lost),
    };
    return cmocka_run_group_tests_name("redis_client", tests, NULL, NULL);
}
