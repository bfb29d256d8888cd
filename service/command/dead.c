/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * `dead list` and `dead replay`: what SEEK refused, or what grew too old.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "service/command/command.h"
#include "service/command/printing.h"
#include "service/command/question.h"

enum { LIST_LIMIT_DEFAULT = 50, LIST_PAGE_MAX = 200 };

static int fail(const struct error *error)
{
    print_progress_end();
    (void)fprintf(stderr, "%s\n", error->message);
    return 1;
}

/* NULL at the end. */
static const char *cursor_of(const struct json_value *answer)
{
    struct json_text cursor;
    return json_member_text(answer, "cursor", &cursor) ? cursor.bytes : NULL;
}

/* --- list --- */

static bool append_list_path(struct buffer *path, const char *code, int64_t limit,
                             const char *cursor, struct error *error)
{
    return buffer_append_format(path, error, "/v1/applications?state=dead&limit=%" PRId64, limit) &&
           (code == NULL || (buffer_append_text(path, "&code=", error) &&
                             question_append_escaped(path, code, error))) &&
           (cursor == NULL || buffer_append_format(path, error, "&cursor=%s", cursor));
}

static struct json *ask_page(const struct config *config, const char *code, int64_t limit,
                             const char *cursor, struct error *error)
{
    struct buffer path;
    buffer_init(&path, QUESTION_PATH_BYTES_MAX);
    struct json *page = NULL;
    if (append_list_path(&path, code, limit, cursor, error))
        page = question_ask_json(config, path.bytes, NULL, error);
    buffer_fini(&path);
    return page;
}

/* A line of JSON per application: a page comes after the other, and none is held back. */
static void print_page(const struct json_value *applications, bool is_json, bool is_first)
{
    static const struct print_column columns[] = {
        {"APPLICATION", "applicationId"}, {"DIED", "diedAt"},
        {"ATTEMPTS", "attempts"},         {"CODE", "lastError.code"},
        {"MESSAGE", "lastError.message"},
    };
    if (!is_json) {
        print_table(applications, columns, sizeof columns / sizeof columns[0], is_first);
        return;
    }
    for (size_t i = 0; i < json_array_length(applications); i++)
        print_json(json_array_item(applications, i));
}

int command_dead_list(const struct config *config, const struct command_arguments *arguments)
{
    struct error error;
    AUTO(json) *page = NULL;
    const char *cursor = NULL;
    int64_t limit = arguments->limit > 0 ? arguments->limit : LIST_LIMIT_DEFAULT, shown = 0;
    do {
        int64_t left = limit - shown;
        struct json *next = ask_page(config, arguments->code,
                                     left < LIST_PAGE_MAX ? left : LIST_PAGE_MAX, cursor, &error);
        if (next == NULL)
            return fail(&error);
        json_destroy(page);
        page = next;
        const struct json_value *applications = json_member(json_root(page), "applications");
        size_t count = json_array_length(applications);
        if (count > 0)
            print_page(applications, arguments->is_json, shown == 0);
        shown += (int64_t)count;
        cursor = cursor_of(json_root(page));
    } while (cursor != NULL && shown < limit);
    if (shown == 0)
        (void)fputs("nothing is dead\n", stderr);
    else if (cursor != NULL)
        (void)fprintf(stderr, "there are more: --limit %" PRId64 "\n", 10 * limit);
    return 0;
}

/* --- replay --- */

struct replay {
    const struct command_arguments *arguments;
    int64_t dead; /* when it began; 0: not known */
    int64_t matched, replayed, looked;
    char last_due_at[32]; /* "": nothing is due */
};

static bool append_replay_body(struct buffer *body, const struct replay *replay, const char *cursor,
                               struct error *error)
{
    const struct command_arguments *arguments = replay->arguments;
    return buffer_append_format(body, error, "{\"state\":\"dead\",\"dryRun\":%s",
                                arguments->is_dry_run ? "true" : "false") &&
           (arguments->code == NULL ||
            (buffer_append_text(body, ",\"code\":", error) &&
             json_append_string(body, arguments->code, strlen(arguments->code), error))) &&
           (arguments->per_second == 0 ||
            buffer_append_format(body, error, ",\"perSecond\":%" PRId64, arguments->per_second)) &&
           (cursor == NULL || buffer_append_format(body, error, ",\"cursor\":\"%s\"", cursor)) &&
           buffer_append_text(body, "}", error);
}

static struct json *ask_replay(const struct config *config, const struct replay *replay,
                               const char *cursor, struct error *error)
{
    struct buffer body;
    buffer_init(&body, QUESTION_PATH_BYTES_MAX);
    struct json *answer = NULL;
    if (append_replay_body(&body, replay, cursor, error))
        answer = question_ask_json(config, "/v1/replay", body.bytes, error);
    buffer_fini(&body);
    return answer;
}

static void add(const struct json_value *answer, const char *name, int64_t *sum)
{
    int64_t number = 0;
    (void)json_member_integer(answer, name, &number);
    *sum += number;
}

static void take_answer(struct replay *replay, const struct json_value *answer)
{
    struct json_text last;
    add(answer, "matched", &replay->matched);
    add(answer, "replayed", &replay->replayed);
    add(answer, "looked", &replay->looked);
    if (json_member_text(answer, "lastDueAt", &last))
        (void)snprintf(replay->last_due_at, sizeof replay->last_due_at, "%s", last.bytes);
}

static void print_replay(const struct replay *replay)
{
    if (replay->arguments->is_json)
        (void)printf("{\"matched\":%" PRId64 ",\"replayed\":%" PRId64 ",\"dryRun\":%s}\n",
                     replay->matched, replay->replayed,
                     replay->arguments->is_dry_run ? "true" : "false");
    else if (replay->arguments->is_dry_run)
        (void)printf("%" PRId64 " would be sent again\n", replay->matched);
    else if (replay->replayed == 0)
        (void)puts("nothing to send again");
    else
        (void)printf("%" PRId64 " are sent again, the last one at %s\n", replay->replayed,
                     replay->last_due_at);
}

static int64_t count_dead(const struct config *config)
{
    struct error error;
    int64_t dead = 0;
    AUTO(json) *status = question_ask_json(config, "/v1/status", NULL, &error);
    if (status != NULL)
        (void)json_member_integer(json_member(json_root(status), "signals"), "dead", &dead);
    return dead;
}

int command_dead_replay(const struct config *config, const struct command_arguments *arguments)
{
    struct replay replay = {.arguments = arguments, .dead = count_dead(config)};
    struct error error;
    AUTO(json) *answer = NULL;
    const char *cursor = NULL;
    do {
        print_progress(replay.looked, replay.dead);
        struct json *next = ask_replay(config, &replay, cursor, &error);
        if (next == NULL) {
            int status = fail(&error);
            print_replay(&replay); /* what was replayed stays so */
            return status;
        }
        json_destroy(answer);
        answer = next;
        take_answer(&replay, json_root(answer));
        cursor = cursor_of(json_root(answer));
    } while (cursor != NULL);
    print_progress_end();
    print_replay(&replay);
    return 0;
}
