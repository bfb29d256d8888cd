/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * `dead list`, `dead replay` and `dead forget`: what SEEK refused, or what grew too old.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"

#include "service/command/command.h"
#include "service/command/printing.h"
#include "service/command/question.h"
#include "service/domain/moment.h"

enum { LIST_LIMIT_DEFAULT = 50, LIST_PAGE_MAX = 200 };

static int fail(const struct error *error)
{
    print_progress_end();
    print_format(stderr, "%s", error->message);
    return 1;
}

/* NULL at the end. */
static const char *cursor_of(const struct json_value *answer)
{
    struct json_text cursor;
    return json_member_text(answer, "cursor", &cursor) ? cursor.bytes : NULL;
}

/* --- what is asked for --- */

/* How long ago counts from when the command began, for all pages alike. */
struct times {
    char since[RFC3339_BYTES], until[RFC3339_BYTES]; /* "": not given */
};

static bool read_time(const char *name, const char *text, char out[RFC3339_BYTES])
{
    int64_t ms;
    out[0] = '\0';
    if (text == NULL)
        return true;
    if (!moment_parse(text, clock_wall_ms(), &ms)) {
        print_format(
            stderr,
            "%s: %s is not a time: give 2026-01-02T03:04:05Z, or how long ago, such as 2h or 7d",
            name, text);
        return false;
    }
    rfc3339_format(ms, out);
    return true;
}

static bool read_times(const struct command_arguments *arguments, struct times *out)
{
    return read_time("--since", arguments->since, out->since) &&
           read_time("--until", arguments->until, out->until);
}

/* --- list --- */

struct dead_listing {
    const struct command_arguments *arguments;
    struct times times;
    const char *format; /* NULL: JSON pages */
    int64_t limit;
};

static bool append_parameter(struct buffer *path, const char *name, const char *value,
                             struct error *error)
{
    if (value == NULL || value[0] == '\0')
        return true;
    return buffer_append_format(path, error, "&%s=", name) &&
           question_append_escaped(path, value, error);
}

static bool append_list_path(struct buffer *path, const struct dead_listing *listing, int64_t left,
                             const char *cursor, struct error *error)
{
    return buffer_append_format(path, error, "/v1/applications?state=dead&limit=%" PRId64,
                                left < LIST_PAGE_MAX ? left : LIST_PAGE_MAX) &&
           append_parameter(path, "code", listing->arguments->code, error) &&
           append_parameter(path, "class", listing->arguments->class, error) &&
           append_parameter(path, "since", listing->times.since, error) &&
           append_parameter(path, "until", listing->times.until, error) &&
           append_parameter(path, "format", listing->format, error) &&
           append_parameter(path, "cursor", cursor, error);
}

static struct json *ask_page(const struct config *config, const struct dead_listing *listing,
                             int64_t left, const char *cursor, struct error *error)
{
    struct buffer path;
    buffer_init(&path, QUESTION_PATH_BYTES_MAX);
    struct json *page = NULL;
    if (append_list_path(&path, listing, left, cursor, error))
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

static int list_for_people(const struct config *config, const struct dead_listing *listing)
{
    struct error error;
    AUTO(json) *page = NULL;
    const char *cursor = NULL;
    int64_t limit = listing->limit > 0 ? listing->limit : LIST_LIMIT_DEFAULT, shown = 0;
    do {
        struct json *next = ask_page(config, listing, limit - shown, cursor, &error);
        if (next == NULL)
            return fail(&error);
        json_destroy(page);
        page = next;
        const struct json_value *applications = json_member(json_root(page), "applications");
        size_t count = json_array_length(applications);
        if (count > 0)
            print_page(applications, listing->arguments->is_json, shown == 0);
        if (!print_flush())
            return 1;
        shown += (int64_t)count;
        cursor = cursor_of(json_root(page));
    } while (cursor != NULL && shown < limit);
    if (shown == 0)
        (void)fputs("no dead applications\n", stderr);
    else if (cursor != NULL)
        (void)fprintf(stderr, "there are more: --limit %" PRId64 "\n", 10 * limit);
    return 0;
}

/* Rows are lines: what would end one in the middle is not in them. */
static int64_t count_lines(const struct buffer *text)
{
    int64_t count = 0;
    for (size_t i = 0; i < text->length; i++)
        count += text->bytes[i] == '\n';
    return count;
}

/* The cursor of the next page stands last in its URL. "": that was all. */
static void read_next_cursor(const char *link, char *out, size_t size)
{
    static const char name[] = "cursor=";
    const char *begin = strstr(link, name);
    begin = begin != NULL ? begin + sizeof name - 1 : "";
    (void)snprintf(out, size, "%.*s", (int)strcspn(begin, "&>"), begin);
}

/* Page by page, as the service writes it. */
static int download(const struct config *config, const struct dead_listing *listing)
{
    char cursor[1024] = "";
    int64_t left = listing->limit > 0 ? listing->limit : INT64_MAX;
    bool is_titled = strcmp(listing->format, "csv") == 0, is_fine;
    do {
        struct error error;
        struct blocking_answer answer;
        struct buffer path;
        buffer_init(&path, QUESTION_PATH_BYTES_MAX);
        buffer_init(&answer.body, 0);
        is_fine = append_list_path(&path, listing, left, cursor, &error) &&
                  question_ask_api(config, NULL, path.bytes, NULL, &answer, &error);
        if (is_fine) {
            (void)fwrite(answer.body.bytes, 1, answer.body.length, stdout);
            left -= count_lines(&answer.body) - is_titled;
            is_titled = false;
            read_next_cursor(answer.link, cursor, sizeof cursor);
        } else {
            (void)fail(&error);
        }
        buffer_fini(&answer.body);
        buffer_fini(&path);
    } while (is_fine && print_flush() && cursor[0] != '\0' && left > 0);
    return is_fine ? 0 : 1;
}

int command_dead_list(const struct config *config, const struct command_arguments *arguments)
{
    struct dead_listing listing = {
        .arguments = arguments, .format = arguments->format, .limit = arguments->limit};
    if (!read_times(arguments, &listing.times))
        return 2;
    if (listing.format == NULL)
        return list_for_people(config, &listing);
    if (strcmp(listing.format, "csv") == 0 || strcmp(listing.format, "ndjson") == 0)
        return download(config, &listing);
    print_format(stderr, "--format: %s is neither csv nor ndjson", listing.format);
    return 2;
}

/* --- replay and forget --- */

struct walk {
    const struct command_arguments *arguments;
    struct times times;
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

static void print_walk(const struct walk *walk)
{
    const struct {
        const char *member, *would, *nothing;
    } words[] = {{"replayed", "would be sent again", "nothing to send again"},
                 {"forgotten", "would be forgotten", "nothing to forget"}};
    const char *member = words[walk->is_forgetting].member, *verb = walk->done == 1 ? "is" : "are";
    if (walk->arguments->is_json)
        (void)printf("{\"matched\":%" PRId64 ",\"%s\":%" PRId64 ",\"dryRun\":%s}\n", walk->matched,
                     member, walk->done, walk->arguments->is_dry_run ? "true" : "false");
    else if (walk->arguments->is_dry_run)
        (void)printf("%" PRId64 " %s\n", walk->matched, words[walk->is_forgetting].would);
    else if (walk->done == 0)
        (void)puts(words[walk->is_forgetting].nothing);
    else if (walk->is_forgetting)
        (void)printf("%" PRId64 " %s forgotten\n", walk->done, verb);
    else
        (void)printf("%" PRId64 " %s sent again, the last one at %s\n", walk->done, verb,
                     walk->last_due_at);
}

/* --- before it begins --- */

static bool is_filtered(const struct command_arguments *arguments)
{
    return arguments->code != NULL || arguments->class != NULL || arguments->since != NULL ||
           arguments->until != NULL;
}

/* A filter that was forgotten must not mean everything. */
static bool is_everything(const struct command_arguments *arguments)
{
    return !arguments->is_all && !arguments->is_dry_run && !is_filtered(arguments);
}

/* A script says itself that it means everything. */
static bool is_asked_rightly(const struct command_arguments *arguments, const char *name)
{
    if (arguments->is_all && is_filtered(arguments)) {
        print_format(stderr, "%s: --all cannot be combined with a filter", name);
        return false;
    }
    if (!is_everything(arguments) || print_can_ask())
        return true;
    print_format(stderr,
                 "%s: give --code, --class, --since or --until; or --all for every dead "
                 "application",
                 name);
    return false;
}

/* False: the service gives no answer. -1: it does not know. */
static bool count_dead(const struct config *config, int64_t *out, struct error *error)
{
    *out = -1;
    AUTO(json) *status = question_ask_json(config, "/v1/status", NULL, error);
    if (status != NULL)
        (void)json_member_integer(json_member(json_root(status), "signals"), "dead", out);
    return status != NULL;
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
        !read_times(arguments, &walk.times))
        return 2;
    if (!count_dead(config, &walk.dead, &error))
        return fail(&error);
    if (!is_confirmed(&walk))
        return 1;
    do {
        print_progress(walk.looked, walk.dead);
        struct json *next = ask_piece(config, &walk, cursor, &error);
        if (next == NULL) {
            int status = fail(&error);
            if (answer != NULL)
                print_walk(&walk); /* what was done stays so */
            return status;
        }
        json_destroy(answer);
        answer = next;
        take_answer(&walk, json_root(answer));
        cursor = cursor_of(json_root(answer));
    } while (cursor != NULL);
    print_progress_end();
    print_walk(&walk);
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
