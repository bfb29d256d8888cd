/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "tests/support/redis_subject.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

static bool locate(void *context, struct redis_url *out, struct error *error)
{
    struct subject *subject = context;
    subject->located++;
    if (subject->url.host[0] == '\0' && subject->url.sentinels.count == 0)
        return error_set(error, ERROR_IO, "nobody knows where Redis is");
    *out = subject->url;
    return true;
}

static void opened(void *context)
{
    struct subject *subject = context;
    subject->opened++;
    if (subject->when_opened != NULL)
        subject->when_opened(subject);
}

static void closed(void *context, const char *reason)
{
    struct subject *subject = context;
    subject->closed++;
    (void)snprintf(subject->reason, sizeof subject->reason, "%s", reason);
}

void subject_start_with(struct subject *subject, const struct redis_url *url,
                        const struct redis_client_options *chosen)
{
    *subject = (struct subject){.url = *url};
    struct redis_client_options options = *chosen;
    options.locate = locate;
    options.opened = opened;
    options.closed = closed;
    options.context = subject;
    struct error error;
    subject->client = redis_client_create(&options, &error);
    assert_non_null(subject->client);
}

const struct redis_client_options subject_patient = {.connect_timeout_ms = 5000,
                                                     .command_timeout_ms = 10000,
                                                     .reconnect_min_ms = 1,
                                                     .reconnect_max_ms = 20};
const struct redis_client_options subject_hasty = {.connect_timeout_ms = 250,
                                                   .command_timeout_ms = 250,
                                                   .reconnect_min_ms = 1,
                                                   .reconnect_max_ms = 20};

void subject_start(struct subject *subject, const struct redis_url *url)
{
    subject_start_with(subject, url, &subject_patient);
}

void subject_stop(struct subject *subject)
{
    redis_client_destroy(subject->client);
    subject->client = NULL;
}

void subject_turn(struct subject *subject)
{
    struct redis_interest interest;
    redis_client_interest(subject->client, clock_monotonic_ms(), &interest);
    struct pollfd poll_fd = {
        .fd = interest.fd,
        .events = (short)((interest.want_read ? POLLIN : 0) | (interest.want_write ? POLLOUT : 0))};
    int timeout_ms =
        interest.timeout_ms < 0 || interest.timeout_ms > 100 ? 100 : (int)interest.timeout_ms;
    assert_true(poll(&poll_fd, 1, timeout_ms) >= 0);
    bool is_broken = (poll_fd.revents & (POLLERR | POLLHUP)) != 0;
    redis_client_turn(subject->client, clock_monotonic_ms(),
                      is_broken || (poll_fd.revents & POLLIN) != 0,
                      is_broken || (poll_fd.revents & POLLOUT) != 0);
}

void subject_turn_for(struct subject *subject, int64_t duration_ms)
{
    int64_t until_ms = clock_monotonic_ms() + duration_ms;
    while (clock_monotonic_ms() < until_ms)
        subject_turn(subject);
}

void outcome_note(void *context, enum redis_failure failure, const struct redis_reply *reply)
{
    struct outcome *outcome = context;
    outcome->calls++;
    if (failure == REDIS_LOST) {
        assert_null(reply);
        outcome->lost++;
        return;
    }
    outcome->type = redis_reply_type(reply);
    outcome->integer = redis_reply_integer(reply);
    (void)snprintf(outcome->text, sizeof outcome->text, "%s",
                   redis_reply_text(reply, &outcome->length));
}

bool subject_try_send(struct subject *subject, struct outcome *outcome, const char *line,
                      struct error *error)
{
    char copy[256];
    const char *arguments[8];
    size_t count = 0;
    char *rest = NULL;
    (void)snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        arguments[count++] = word;
    return redis_client_send(subject->client, count, arguments, NULL, outcome_note, outcome, error);
}

void subject_must_send(struct subject *subject, struct outcome *outcome, const char *line)
{
    struct error error;
    *outcome = (struct outcome){0};
    if (!subject_try_send(subject, outcome, line, &error))
        fail_msg("%s: %s", line, error.message);
}

void subject_must_answer(struct subject *subject, const char *line, const char *expected)
{
    struct outcome outcome;
    subject_must_send(subject, &outcome, line);
    WAIT_UNTIL(subject, outcome.calls > 0);
    assert_int_equal(outcome.lost, 0);
    assert_string_equal(outcome.text, expected);
}
