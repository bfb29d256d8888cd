/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "tests/support/redis_subject.h"

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
    subject->loop = event_loop_create(&error);
    assert_non_null(subject->loop);
    subject->client = redis_client_create(&options, subject->loop, &error);
    assert_non_null(subject->client);
}

const struct redis_client_options subject_patient = {.connect_timeout_ms = 5000,
                                                     .command_timeout_ms = 60000,
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
    event_loop_destroy(subject->loop);
    subject->client = NULL;
    subject->loop = NULL;
}

void subject_must_say(const struct subject *subject, const char *reason)
{
    struct error expected;
    char peer[REDIS_PEER_BYTES];
    redis_url_write_peer(&subject->url, peer);
    (void)error_set(&expected, ERROR_IO, "%s: %s", peer, reason);
    assert_string_equal(subject->reason, expected.message);
}

void subject_turn(struct subject *subject)
{
    int64_t wait_ms = redis_client_timeout_ms(subject->client, clock_monotonic_ms());
    event_loop_poll(subject->loop, clock_sooner_ms(wait_ms, SUBJECT_REST_MS));
    redis_client_turn(subject->client, clock_monotonic_ms());
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
