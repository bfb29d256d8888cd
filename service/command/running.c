/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * `health`, `status`, `replay`, `forget`, `pause` and `resume`: the service that runs with the same
 * settings.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"

#include "service/command/command.h"
#include "service/command/overview.h"
#include "service/command/printing.h"
#include "service/command/question.h"
#include "service/command/rows.h"

int command_health(const struct config *config, const struct command_arguments *arguments)
{
    struct blocking_answer answer;
    struct error error;
    int status = 1;
    (void)arguments;
    if (question_ask_probe(config, "/readyz", &answer, &error)) {
        status = answer.status == 200 ? 0 : 1;
        print_lines(stdout, answer.body.bytes);
    } else {
        print_format(stderr, "%s", error.message);
    }
    buffer_fini(&answer.body);
    return status;
}

/* `application_id`: NULL when it is about the service. */
static int fail(const char *application_id, const struct error *error)
{
    if (application_id != NULL)
        print_format(stderr, "%s: %s", application_id, error->message);
    else
        print_format(stderr, "%s", error->message);
    return 1;
}

static bool append_application_path(struct buffer *path, const char *application_id,
                                    const char *end, struct error *error)
{
    return buffer_append_text(path, "/v1/applications/", error) &&
           question_append_escaped(path, application_id, error) &&
           buffer_append_text(path, end, error);
}

static bool append_status_path(struct buffer *path, const char *application_id, struct error *error)
{
    if (application_id == NULL)
        return buffer_append_text(path, "/v1/status", error);
    return append_application_path(path, application_id, "", error);
}

typedef void (*overview_writer)(struct buffer *out, const struct json_value *document,
                                int64_t now_ms);

static void print_overview(overview_writer write, const struct json_value *document)
{
    struct buffer text;
    buffer_init(&text, ROWS_BYTES_MAX);
    write(&text, document, clock_wall_ms());
    (void)fputs(text.bytes, stdout);
    buffer_fini(&text);
}

int command_status(const struct config *config, const struct command_arguments *arguments)
{
    struct error error;
    struct buffer path;
    buffer_init(&path, QUESTION_PATH_BYTES_MAX);
    AUTO(json) *answer = NULL;
    if (append_status_path(&path, arguments->id, &error))
        answer = question_ask_json(config, path.bytes, NULL, &error);
    buffer_fini(&path);
    if (answer == NULL)
        return fail(arguments->id, &error);
    if (arguments->is_json)
        print_json(json_root(answer));
    else
        print_overview(arguments->id != NULL ? overview_write_application : overview_write,
                       json_root(answer));
    return 0;
}

/* POST to it, or `method`. False: `error` was printed. */
static bool change(const struct config *config, const struct command_arguments *arguments,
                   const char *method, const char *end, struct buffer *answer_body)
{
    struct error error;
    struct buffer path;
    struct blocking_answer answer;
    buffer_init(&path, QUESTION_PATH_BYTES_MAX);
    buffer_init(&answer.body, 0);
    bool is_done =
        append_application_path(&path, arguments->id, end, &error) &&
        question_ask_api(config, method, path.bytes, method == NULL ? "{}" : NULL, &answer, &error);
    if (!is_done)
        (void)fail(arguments->id, &error);
    *answer_body = answer.body;
    buffer_fini(&path);
    return is_done;
}

/* What was asked for is done; whether it can be sent now is only for the person who asked. */
static void print_replayed(const struct config *config, const char *application_id)
{
    struct error error;
    AUTO(json) *status = question_ask_json(config, "/v1/status", NULL, &error);
    const struct overview_hold *hold = status != NULL ? overview_hold(json_root(status)) : NULL;
    if (hold != NULL)
        print_format(stdout, "%s will be sent %s, because %s", application_id, hold->until,
                     hold->why);
    else
        print_format(stdout, "%s is sent again", application_id);
}

int command_replay(const struct config *config, const struct command_arguments *arguments)
{
    struct buffer answer;
    bool is_done = change(config, arguments, NULL, "/replay", &answer);
    if (is_done && arguments->is_json)
        print_lines(stdout, answer.bytes);
    else if (is_done)
        print_replayed(config, arguments->id);
    buffer_fini(&answer);
    return is_done ? 0 : 1;
}

enum knowledge { NOT_TOLD, UNKNOWN, WAITING, SENT };

static enum knowledge knowledge_of(const struct json_value *application)
{
    if (strcmp(row_text(application, "code"), "application_unknown") == 0)
        return UNKNOWN;
    bool is_sent = strcmp(row_text(application, "state"), "delivered") == 0;
    return is_sent ? SENT : WAITING;
}

/* The answer to DELETE does not tell: it is the same after a repetition. NOT_TOLD: nobody answers,
 * and then the DELETE says so. */
static enum knowledge look_for(const struct config *config, const char *application_id)
{
    struct error error;
    struct buffer path;
    struct blocking_answer answer = {.status = 0};
    buffer_init(&path, QUESTION_PATH_BYTES_MAX);
    buffer_init(&answer.body, 0);
    bool is_answered =
        append_application_path(&path, application_id, "", &error) &&
        question_ask(config, &config->listen_address, NULL, path.bytes, NULL, &answer, &error);
    AUTO(json) *json =
        is_answered ? json_parse(answer.body.bytes, answer.body.length, &error) : NULL;
    enum knowledge knowledge = json != NULL ? knowledge_of(json_root(json)) : NOT_TOLD;
    buffer_fini(&answer.body);
    buffer_fini(&path);
    return knowledge;
}

/* A script is not asked. */
static bool is_confirmed(const struct command_arguments *arguments, enum knowledge knowledge)
{
    if (arguments->is_yes || knowledge == NOT_TOLD || knowledge == UNKNOWN || !print_can_ask())
        return true;
    return print_ask(knowledge == SENT ? "Forget %s for good? SEEK has its signal already."
                                       : "Forget %s for good? Its signal is never sent then.",
                     arguments->id);
}

static void print_forgotten(const struct command_arguments *arguments, bool was_known)
{
    struct buffer text;
    buffer_init(&text, QUESTION_PATH_BYTES_MAX);
    if (!arguments->is_json)
        print_format(stdout, was_known ? "%s is forgotten" : "nothing was known of %s",
                     arguments->id);
    else if (buffer_append_text(&text, "{\"applicationId\":", NULL) &&
             json_append_string(&text, arguments->id, strlen(arguments->id), NULL))
        print_format(stdout, "%s,\"forgotten\":%s}", text.bytes, was_known ? "true" : "false");
    buffer_fini(&text);
}

int command_forget(const struct config *config, const struct command_arguments *arguments)
{
    struct buffer answer;
    enum knowledge knowledge = look_for(config, arguments->id);
    if (!is_confirmed(arguments, knowledge))
        return 1;
    /* Also if it is unknown: a spool may have an event of it. */
    bool is_done = change(config, arguments, "DELETE", "", &answer);
    if (is_done)
        print_forgotten(arguments, knowledge != UNKNOWN);
    buffer_fini(&answer);
    return is_done ? 0 : 1;
}

static int post(const struct config *config, const struct command_arguments *arguments,
                const char *path, const char *paused, const char *done)
{
    struct error error;
    AUTO(json) *answer = question_ask_json(config, path, "{}", &error);
    if (answer == NULL)
        return fail(NULL, &error);
    if (arguments->is_json)
        (void)printf("{\"paused\":%s}\n", paused);
    else
        (void)puts(done);
    return 0;
}

int command_pause(const struct config *config, const struct command_arguments *arguments)
{
    return post(
        config, arguments, "/v1/pause", "true",
        "sending is paused for every process on this Redis; `seek-signal resume` ends that");
}

static void print_resumed(const struct config *config)
{
    struct error error;
    struct buffer text;
    AUTO(json) *status = question_ask_json(config, "/v1/status", NULL, &error);
    buffer_init(&text, ROWS_BYTES_MAX);
    if (status != NULL)
        overview_write_resumed(&text, json_root(status));
    (void)fputs(text.bytes, stdout);
    buffer_fini(&text);
}

int command_resume(const struct config *config, const struct command_arguments *arguments)
{
    int status = post(config, arguments, "/v1/resume", "false", "sending is resumed");
    if (status == 0 && !arguments->is_json)
        print_resumed(config);
    return status;
}
