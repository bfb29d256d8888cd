/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * `health`, `status`, `replay`, `forget`, `pause` and `resume`: the service that runs with the same
 * settings.
 */
#include <stdio.h>
#include <string.h>

#include "service/command/command.h"
#include "service/command/printing.h"
#include "service/command/question.h"

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

/* A pause that `resume` is not to end. What is shown of it may be older than a `resume`. */
static void print_moved(const struct json_value *status, bool is_resumed)
{
    struct json_text where;
    const struct json_value *sending = json_member(status, "sending");
    if (!json_member_text(sending, "movedTo", &where))
        return;
    if (!is_resumed && json_is_true(json_member(sending, "paused")))
        print_format(stdout, "moved: the signals of this Redis are sent from %s now", where.bytes);
    else
        print_format(stdout,
                     "moved to %s, but sending here was resumed: an older seek-token may be sent "
                     "after a newer one. `seek-signal pause` stops sending here again.",
                     where.bytes);
    print_lines(stdout, "Point clients and services to it. To send from here again, move back, or "
                        "`seek-signal move --from URL --abandon`.");
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
        print_members(json_root(answer));
    if (!arguments->is_json)
        print_moved(json_root(answer), false);
    return 0;
}

/* `done`: NULL if there was nothing to do. */
static int change(const struct config *config, const struct command_arguments *arguments,
                  const char *method, const char *end, const char *body, const char *done)
{
    struct error error;
    struct buffer path;
    struct blocking_answer answer;
    buffer_init(&path, QUESTION_PATH_BYTES_MAX);
    buffer_init(&answer.body, 0);
    bool is_done = append_application_path(&path, arguments->id, end, &error) &&
                   question_ask_api(config, method, path.bytes, body, &answer, &error);
    if (!is_done)
        (void)fail(arguments->id, &error);
    else if (!arguments->is_json && done == NULL)
        print_format(stdout, "nothing was known of %s", arguments->id);
    else if (!arguments->is_json)
        print_format(stdout, "%s %s", arguments->id, done);
    else
        print_lines(stdout, answer.body.length > 0 ? answer.body.bytes : "{}");
    buffer_fini(&answer.body);
    buffer_fini(&path);
    return is_done ? 0 : 1;
}

int command_replay(const struct config *config, const struct command_arguments *arguments)
{
    return change(config, arguments, NULL, "/replay", "{}", "is sent again");
}

/* The answer to DELETE does not tell: it is the same after a repetition. False also if nobody
 * answers; then the DELETE says so. */
static bool is_unknown(const struct config *config, const char *application_id)
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
    struct json_text code;
    bool is_unknown = json != NULL && json_member_text(json_root(json), "code", &code) &&
                      strcmp(code.bytes, "application_unknown") == 0;
    buffer_fini(&answer.body);
    buffer_fini(&path);
    return is_unknown;
}

int command_forget(const struct config *config, const struct command_arguments *arguments)
{
    /* Then too: a spool may have an event of it. */
    const char *done = is_unknown(config, arguments->id) ? NULL : "is forgotten";
    return change(config, arguments, "DELETE", "", NULL, done);
}

static int post(const struct config *config, const char *path, const char *done)
{
    struct error error;
    AUTO(json) *answer = question_ask_json(config, path, "{}", &error);
    if (answer == NULL)
        return fail(NULL, &error);
    (void)puts(done);
    return 0;
}

int command_pause(const struct config *config, const struct command_arguments *arguments)
{
    (void)arguments;
    return post(
        config, "/v1/pause",
        "sending is paused for every process on this Redis; `seek-signal resume` ends that");
}

int command_resume(const struct config *config, const struct command_arguments *arguments)
{
    struct error error;
    (void)arguments;
    int status = post(config, "/v1/resume", "sending is resumed");
    AUTO(json) *answer = status == 0 ? question_ask_json(config, "/v1/status", NULL, &error) : NULL;
    if (answer != NULL)
        print_moved(json_root(answer), true);
    return status;
}
