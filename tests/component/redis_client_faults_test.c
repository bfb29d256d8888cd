/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* redis_client against a peer that misbehaves. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"

#include "tests/support/fake_redis.h"
#include "tests/support/redis_subject.h"
#include "tests/support/specification.h"

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
    assert_string_equal(subject.reason, "Redis gave no answer within 250 ms");
    subject_stop(&subject);
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
    assert_string_equal(subject.reason, "Redis gave no answer within 250 ms");
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
    assert_string_equal(subject.reason, "Redis refused the password");
    subject_stop(&subject);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* as the service does */
    const struct CMUnitTest tests[] = {
        IT("loses a peer that talks nonsense", loses_a_peer_that_talks_nonsense),
        IT("loses a reply that is cut", loses_a_reply_that_is_cut),
        IT("reads replies that come byte by byte", reads_byte_by_byte),
        IT("loses a peer that drips", loses_a_peer_that_drips),
        IT("gives up a greeting without answer", gives_up_a_greeting_without_answer),
        IT("refuses a peer that is not Redis", refuses_a_peer_that_is_not_redis),
        IT("keeps the password out of its reasons", keeps_the_password_out_of_reasons),
    };
    return cmocka_run_group_tests_name("redis_client_faults", tests, NULL, NULL);
}
