/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * `health`, `status`, `pause` and `resume`: the service that runs with the same settings.
 */
#include <stdio.h>

#include "service/command/command.h"
#include "service/command/printing.h"
#include "service/command/question.h"

int command_health(const struct config *config, const struct command_arguments *arguments)
{
    struct blocking_answer answer;
    struct error error;
    int status = 1;
    (void)arguments;
    if (!question_ask(config, &config->ops_listen_address, "/readyz", NULL, &answer, &error))
        (void)fprintf(stderr, "%s\n", error.message);
    else
        status = answer.status == 200 ? 0 : 1;
    (void)fwrite(answer.body.bytes, 1, answer.body.length, stdout);
    buffer_fini(&answer.body);
    return status;
}

static bool append_status_path(struct buffer *path, const char *application_id, struct error *error)
{
    if (application_id == NULL)
        return buffer_append_text(path, "/v1/status", error);
    return buffer_append_text(path, "/v1/applications/", error) &&
           question_append_escaped(path, application_id, error);
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
    if (answer == NULL) {
        (void)fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    if (arguments->is_json)
        print_json(json_root(answer));
    else
        print_members(json_root(answer));
    return 0;
}

static int tell(const struct config *config, const char *path, const char *done)
{
    struct error error;
    AUTO(json) *answer = question_ask_json(config, path, "{}", &error);
    if (answer == NULL) {
        (void)fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    (void)puts(done);
    return 0;
}

int command_pause(const struct config *config, const struct command_arguments *arguments)
{
    (void)arguments;
    return tell(
        config, "/v1/pause",
        "sending is paused for every process on this Redis; `seek-signal resume` ends that");
}

int command_resume(const struct config *config, const struct command_arguments *arguments)
{
    (void)arguments;
    return tell(config, "/v1/resume", "sending goes on");
}
