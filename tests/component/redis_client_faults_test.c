/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* redis_client against a peer that misbehaves. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"

#include "tests/support/fake_redis.h"
#include "tests/support/redis_subject.h"
#include "tests/support/specification.h"

static int64_t clock_ahead_ms;

int64_t __real_clock_monotonic_ms(void);
int64_t __wrap_clock_monotonic_ms(void);

int64_t __wrap_clock_monotonic_ms(void)
{
    return __real_clock_monotonic_ms() + clock_ahead_ms;
}

static void open_fake(struct fake_redis *fake, struct subject *subject,
                      const struct redis_client_options *options)
{
    struct redis_url url;
    fake_redis_url(fake, &url);
    subject_start_with(subject, &url, options);
    subject_turn(subject);
    fake_redis_accept(fake);
    subject_turn_for(subject, 5);
    fake_redis_must_hear(fake, "seek-signal\r\n");
    fake_redis_say_text(fake, "+OK\r\n");
    WAIT_UNTIL(subject, subject->opened == 1);
}

static void loses_a_peer_that_talks_nonsense(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *reason;
    } rows[] = {
        {"HTTP/1.1 400 Bad Request\r\n\r\n", "not Redis's protocol"},
        {"\x15\x03\x01\r\n", "not Redis's protocol"},
        {":12x\r\n", "not Redis's protocol"},
        {"$-5\r\n", "not Redis's protocol"},
        {"*-5\r\n", "not Redis's protocol"},
        {"*99999999999999\r\n", "not Redis's protocol"},
        {"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n?",
         "not Redis's protocol"},
        {"+OK\r\n+OK\r\n", "nobody asked for"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(fake_redis) *fake = fake_redis_start();
        struct subject subject;
        struct outcome outcome;
        open_fake(fake, &subject, &subject_patient);
        subject_must_send(&subject, &outcome, "PING");
        fake_redis_say_text(fake, rows[i].bytes);
        WAIT_UNTIL(&subject, subject.closed == 1);
        if (strstr(subject.reason, rows[i].reason) == NULL)
            fail_msg("row %zu: %s", i, subject.reason);
        assert_int_equal(outcome.calls, 1);
        assert_int_equal(outcome.lost, strstr(rows[i].reason, "nobody") == NULL);
        subject_stop(&subject);
    }
}

static void loses_a_reply_that_is_cut(void **state)
{
    (void)state;
    static const char *const cuts[] = {
        "", "$", "$5\r", "$5\r\nhel", "$5\r\nhello\r", "*2\r\n:1\r\n"};
    for (size_t i = 0; i < 2 * sizeof cuts / sizeof *cuts; i++) {
        AUTO(fake_redis) *fake = fake_redis_start();
        struct subject subject;
        struct outcome outcomes[2];
        open_fake(fake, &subject, &subject_patient);
        subject_must_send(&subject, &outcomes[0], "GET a");
        subject_must_send(&subject, &outcomes[1], "GET b");
        subject_turn(&subject);
        fake_redis_must_hear(fake, "b\r\n");
        fake_redis_say_text(fake, "$5\r\nfirst\r\n");
        fake_redis_say_text(fake, cuts[i / 2]);
        WAIT_UNTIL(&subject, outcomes[0].calls == 1);
        if (i % 2 == 0)
            fake_redis_hang_up(fake);
        else
            fake_redis_reset(fake);
        WAIT_UNTIL(&subject, subject.closed == 1);
        assert_string_equal(outcomes[0].text, "first");
        assert_int_equal(outcomes[0].lost, 0);
        assert_int_equal(outcomes[1].calls, 1);
        assert_int_equal(outcomes[1].lost, 1);
        subject_stop(&subject);
    }
}

static void reads_byte_by_byte(void **state)
{
    (void)state;
    static const char reply[] = "*3\r\n$11\r\nhello world\r\n:42\r\n*1\r\n$-1\r\n+PONG\r\n";
    AUTO(fake_redis) *fake = fake_redis_start();
    struct subject subject;
    struct outcome array, text;
    open_fake(fake, &subject, &subject_patient);
    subject_must_send(&subject, &array, "LRANGE a 0 2");
    subject_must_send(&subject, &text, "PING");
    for (size_t i = 0; i < sizeof reply - 1; i++) {
        fake_redis_say(fake, &reply[i], 1);
        subject_turn(&subject);
    }
    WAIT_UNTIL(&subject, text.calls == 1);
    assert_int_equal(array.calls, 1);
    assert_int_equal(array.type, REDIS_TYPE_ARRAY);
    assert_string_equal(text.text, "PONG");
    assert_int_equal(subject.closed, 0);
    subject_stop(&subject);
}

/* Progress by bytes is no answer. */
static void loses_a_peer_that_drips(void **state)
{
    (void)state;
    AUTO(fake_redis) *fake = fake_redis_start();
    struct subject subject;
    struct outcome outcome;
    open_fake(fake, &subject, &subject_hasty);
    subject_must_send(&subject, &outcome, "GET a");
    subject_turn(&subject);
    fake_redis_say_text(fake, "$1000\r\n");
    int64_t deadline_ms = clock_monotonic_ms() + 5000;
    while (outcome.calls == 0 && clock_monotonic_ms() < deadline_ms) {
        fake_redis_say_text(fake, "x");
        subject_turn_for(&subject, 10);
    }
    assert_int_equal(outcome.lost, 1);
    subject_must_say(&subject, "Redis gave no answer within 250 ms");
    subject_stop(&subject);
}

/* What was given up may not arrive when the network is back: the kernel would send it for minutes.
 */
static void takes_back_what_was_not_answered(void **state)
{
    (void)state;
    AUTO(fake_redis) *fake = fake_redis_start();
    struct subject subject;
    struct outcome outcome;
    open_fake(fake, &subject, &subject_hasty);
    subject_must_send(&subject, &outcome, "GET a");
    WAIT_UNTIL(&subject, subject.closed == 1);
    assert_int_equal(outcome.lost, 1);
    assert_int_equal(fake_redis_end(fake), ECONNRESET);
    subject_stop(&subject);
}

static void closes_in_order_when_all_is_answered(void **state)
{
    (void)state;
    AUTO(fake_redis) *fake = fake_redis_start();
    struct subject subject;
    struct outcome outcome;
    open_fake(fake, &subject, &subject_patient);
    subject_must_send(&subject, &outcome, "GET a");
    subject_turn(&subject);
    fake_redis_must_hear(fake, "a\r\n");
    fake_redis_say_text(fake, "$1\r\nb\r\n");
    WAIT_UNTIL(&subject, outcome.calls == 1);
    subject_stop(&subject);
    assert_int_equal(fake_redis_end(fake), 0);
}

static void gives_up_a_greeting_without_answer(void **state)
{
    (void)state;
    AUTO(fake_redis) *fake = fake_redis_start();
    struct redis_url url;
    struct subject subject;
    fake_redis_url(fake, &url);
    subject_start_with(&subject, &url, &subject_hasty);
    WAIT_UNTIL(&subject, subject.closed == 1);
    assert_int_equal(subject.opened, 0);
    subject_must_say(&subject, "Redis gave no answer within 250 ms");
    subject_stop(&subject);
}

static void refuses_a_peer_that_is_not_redis(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *reason;
    } rows[] = {
        {"*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$11\r\nseek-signal\r\n", "the peer is not Redis"},
        {":1\r\n", "the peer is not Redis"},
        {"220 mail.test ESMTP\r\n", "not Redis's protocol"},
        {"-DENIED Redis is running in protected mode\r\n", "protected mode"},
        {"-NOAUTH Authentication required.\r\n", "demands a password"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(fake_redis) *fake = fake_redis_start();
        struct redis_url url;
        struct subject subject;
        fake_redis_url(fake, &url);
        subject_start(&subject, &url);
        subject_turn(&subject);
        fake_redis_accept(fake);
        subject_turn_for(&subject, 5);
        fake_redis_say_text(fake, rows[i].bytes);
        WAIT_UNTIL(&subject, subject.closed == 1);
        if (strstr(subject.reason, rows[i].reason) == NULL)
            fail_msg("row %zu: %s", i, subject.reason);
        assert_int_equal(subject.opened, 0);
        subject_stop(&subject);
    }
}

/* An old server without AUTH repeats its arguments in the error. */
static void keeps_the_password_out_of_reasons(void **state)
{
    (void)state;
    AUTO(fake_redis) *fake = fake_redis_start();
    struct redis_url url;
    struct subject subject;
    fake_redis_url(fake, &url);
    (void)snprintf(url.password, sizeof url.password, "geheim");
    subject_start(&subject, &url);
    subject_turn(&subject);
    fake_redis_accept(fake);
    subject_turn_for(&subject, 5);
    fake_redis_must_hear(fake, "geheim\r\n");
    fake_redis_say_text(fake,
                        "-ERR unknown command 'AUTH', with args beginning with: 'geheim'\r\n");
    WAIT_UNTIL(&subject, subject.closed == 1);
    subject_must_say(&subject, "Redis refused the password");
    subject_stop(&subject);
}

enum { PAUSE_MIN_MS = 100, PAUSE_LONG_MS = 1000, PAUSE_MAX_MS = 4000 };

/* The clock runs ahead, faster each time, until the client looks for Redis again. */
static int64_t await_next_try(struct subject *subject)
{
    unsigned located = subject->located;
    int64_t lost_at_ms = clock_monotonic_ms(), waited_ms = 0;
    while (subject->located == located) {
        subject_turn(subject);
        clock_ahead_ms += 1 + waited_ms / 4;
        waited_ms = clock_monotonic_ms() - lost_at_ms;
    }
    return waited_ms;
}

/* The peer hangs up again and again, `life_ms` after the greeting. Whether the client ever waits
 * for long before its next try. */
static bool comes_to_a_long_pause(int64_t life_ms)
{
    static const struct redis_client_options doubling = {.connect_timeout_ms = 5000,
                                                         .command_timeout_ms = 5000,
                                                         .reconnect_min_ms = PAUSE_MIN_MS,
                                                         .reconnect_max_ms = PAUSE_MAX_MS};
    AUTO(fake_redis) *fake = fake_redis_start();
    struct subject subject;
    open_fake(fake, &subject, &doubling);
    bool was_long = false;
    for (unsigned i = 1; i <= 16 && !was_long; i++) {
        clock_ahead_ms += life_ms;
        subject_turn(&subject);
        fake_redis_hang_up(fake);
        WAIT_UNTIL(&subject, subject.closed == i);
        was_long = await_next_try(&subject) > PAUSE_LONG_MS;
        fake_redis_accept(fake);
        subject_turn_for(&subject, 5);
        fake_redis_must_hear(fake, "seek-signal\r\n");
        fake_redis_say_text(fake, "+OK\r\n");
        WAIT_UNTIL(&subject, subject.opened == i + 1);
    }
    subject_stop(&subject);
    return was_long;
}

/* A peer that takes and drops connections is left alone for longer each time; one that was there
 * for a while is not. */
static void forgets_failures_when_a_connection_lasts(void **state)
{
    (void)state;
    assert_true(comes_to_a_long_pause(0));
    assert_false(comes_to_a_long_pause(6000));
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* as the service does */
    const struct CMUnitTest tests[] = {
        IT("loses a peer that talks nonsense", loses_a_peer_that_talks_nonsense),
        IT("loses a reply that is cut", loses_a_reply_that_is_cut),
        IT("reads replies that come byte by byte", reads_byte_by_byte),
        IT("forgets failures when a connection lasts", forgets_failures_when_a_connection_lasts),
        IT("loses a peer that drips", loses_a_peer_that_drips),
        IT("takes back what was not answered", takes_back_what_was_not_answered),
        IT("closes in order when all is answered", closes_in_order_when_all_is_answered),
        IT("gives up a greeting without answer", gives_up_a_greeting_without_answer),
        IT("refuses a peer that is not Redis", refuses_a_peer_that_is_not_redis),
        IT("keeps the password out of its reasons", keeps_the_password_out_of_reasons),
    };
    return cmocka_run_group_tests_name("redis_client_faults", tests, NULL, NULL);
}
