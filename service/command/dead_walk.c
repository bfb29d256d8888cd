/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * `dead replay` and `dead forget`: piece by piece, as the service answers.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "service/command/command.h"
#include "service/command/dead.h"
#include "service/command/overview.h"
#include "service/command/printing.h"
#include "service/command/question.h"

struct walk {
    const struct command_arguments *arguments;
    struct dead_times times;
    bool is_forgetting;
    int64_t dead; /* when it began; -1: not known */
    int64_t matched, done, looked;
    char last_due_at[32]; /* "": nothing is due */
};

static bool append_text(struct buffer *body, const char *name, const char *text,
                        struct error *error)
{
    return text == NULL || text[0] == '\0' ||
           (buffer_append_format(body, error, ",\"%s\":", name) &&
            json_append_string(body, text, strlen(text), error));
}

static bool append_body(struct buffer *body, const struct walk *walk, const char *cursor,
                        struct error *error)
{
    const struct command_arguments *arguments = walk->arguments;
    return buffer_append_format(body, error, "{\"state\":\"dead\",\"dryRun\":%s",
                                arguments->is_dry_run ? "true" : "false") &&
           append_text(body, "code", arguments->code, error) &&
           append_text(body, "class", arguments->class, error) &&
           append_text(body, "message", arguments->message, error) &&
           append_text(body, "prefix", arguments->prefix, error) &&
           append_text(body, "since", walk->times.since, error) &&
           append_text(body, "until", walk->times.until, error) &&
           (arguments->per_second == 0 ||
            buffer_append_format(body, error, ",\"perSecond\":%" PRId64, arguments->per_second)) &&
           append_text(body, "cursor", cursor, error) && buffer_append_text(body, "}", error);
}

static struct json *ask_piece(const struct config *config, const struct walk *walk,
                              const char *cursor, struct error *error)
{
    struct buffer body;
    buffer_init(&body, QUESTION_PATH_BYTES_MAX);
    struct json *answer = NULL;
    if (append_body(&body, walk, cursor, error))
        answer = question_ask_json(config, walk->is_forgetting ? "/v1/forget" : "/v1/replay",
                                   body.bytes, error);
    buffer_fini(&body);
    return answer;
}

static void add(const struct json_value *answer, const char *name, int64_t *sum)
{
    int64_t number = 0;
    (void)json_member_integer(answer, name, &number);
    *sum += number;
}

static void take_answer(struct walk *walk, const struct json_value *answer)
{
    struct json_text last;
    add(answer, "matched", &walk->matched);
    add(answer, walk->is_forgetting ? "forgotten" : "replayed", &walk->done);
    add(answer, "looked", &walk->looked);
    if (json_member_text(answer, "lastDueAt", &last))
        (void)snprintf(walk->last_due_at, sizeof walk->last_due_at, "%s", last.bytes);
}

/* NULL: what is sent again is sent. */
static const struct overview_hold *find_hold(const struct config *config)
{
    struct error error;
    AUTO(json) *status = question_ask_json(config, "/v1/status", NULL, &error);
    return status != NULL ? overview_hold(json_root(status)) : NULL;
}

static void print_replayed(const struct config *config, const struct walk *walk)
{
    const struct overview_hold *hold = find_hold(config);
    if (hold != NULL)
        (void)printf("%" PRId64 " will be sent %s, because %s\n", walk->done, hold->until,
                     hold->why);
    else
        (void)printf("%" PRId64 " %s sent again, the last one at %s\n", walk->done,
                     walk->done == 1 ? "is" : "are", walk->last_due_at);
}

static void print_walk(const struct config *config, const struct walk *walk)
{
    const struct {
        const char *member, *would, *nothing;
    } words[] = {{"replayed", "would be sent again", "nothing to send again"},
                 {"forgotten", "would be forgotten", "nothing to forget"}};
    const char *member = words[walk->is_forgetting].member;
    if (walk->arguments->is_json)
        (void)printf("{\"matched\":%" PRId64 ",\"%s\":%" PRId64 ",\"dryRun\":%s}\n", walk->matched,
                     member, walk->done, walk->arguments->is_dry_run ? "true" : "false");
    else if (walk->arguments->is_dry_run)
        (void)printf("%" PRId64 " %s\n", walk->matched, words[walk->is_forgetting].would);
    else if (walk->done == 0)
        (void)puts(words[walk->is_forgetting].nothing);
    else if (walk->is_forgetting)
        (void)printf("%" PRId64 " %s forgotten\n", walk->done, walk->done == 1 ? "is" : "are");
    else
        print_replayed(config, walk);
}

/* --- before it begins --- */

/* A filter that was forgotten must not mean everything. */
static bool is_everything(const struct command_arguments *arguments)
{
    return !arguments->is_all && !arguments->is_dry_run && !dead_is_filtered(arguments);
}

/* A script says itself that it means everything. */
static bool is_asked_rightly(const struct command_arguments *arguments, const char *name)
{
    if (arguments->is_all && dead_is_filtered(arguments)) {
        print_format(stderr, "%s: --all cannot be combined with a filter", name);
        return false;
    }
    if (!is_everything(arguments) || print_can_ask())
        return true;
    print_format(stderr,
                 "%s: give --code, --class, --message, --prefix, --since or --until; or --all for "
                 "every dead "
                 "application",
                 name);
    return false;
}

static bool is_confirmed(const struct walk *walk)
{
    char count[32] = "";
    if (!is_everything(walk->arguments) || walk->dead == 0)
        return true;
    if (walk->dead > 0)
        (void)snprintf(count, sizeof count, " %" PRId64, walk->dead);
    return walk->is_forgetting ? print_ask("Forget all%s dead applications for good?", count)
                               : print_ask("Send all%s dead applications again?", count);
}

/* --- the walk --- */

static int run_walk(const struct config *config, const struct command_arguments *arguments,
                    bool is_forgetting)
{
    struct walk walk = {.arguments = arguments, .is_forgetting = is_forgetting};
    struct error error;
    AUTO(json) *answer = NULL;
    const char *cursor = NULL;
    if (!is_asked_rightly(arguments, is_forgetting ? "dead forget" : "dead replay") ||
        !dead_read_times(arguments, &walk.times))
        return 2;
    if (!dead_count(config, &walk.dead, &error))
        return dead_fail(&error);
    if (!is_confirmed(&walk))
        return 1;
    do {
        print_progress(walk.looked, walk.dead);
        struct json *next = ask_piece(config, &walk, cursor, &error);
        if (next == NULL) {
            int status = dead_fail(&error);
            if (answer != NULL)
                print_walk(config, &walk); /* what was done stays so */
            return status;
        }
        json_destroy(answer);
        answer = next;
        take_answer(&walk, json_root(answer));
        cursor = dead_cursor(json_root(answer));
    } while (cursor != NULL);
    print_progress_end();
    print_walk(config, &walk);
    return 0;
}

int command_dead_replay(const struct config *config, const struct command_arguments *arguments)
{
    return run_walk(config, arguments, false);
}

int command_dead_forget(const struct config *config, const struct command_arguments *arguments)
{
    return run_walk(config, arguments, true);
}
