/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/command/dead.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"

#include "service/command/command.h"
#include "service/command/printing.h"
#include "service/command/question.h"
#include "service/domain/moment.h"

enum { LIST_LIMIT_DEFAULT = 50, LIST_PAGE_MAX = 200 };

int dead_fail(const struct error *error)
{
    print_progress_end();
    print_format(stderr, "%s", error->message);
    return 1;
}

const char *dead_cursor(const struct json_value *answer)
{
    struct json_text cursor;
    return json_member_text(answer, "cursor", &cursor) ? cursor.bytes : NULL;
}

/* --- what is asked for --- */

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

bool dead_read_times(const struct command_arguments *arguments, struct dead_times *out)
{
    return read_time("--since", arguments->since, out->since) &&
           read_time("--until", arguments->until, out->until);
}

/* --- list --- */

struct dead_listing {
    const struct command_arguments *arguments;
    struct dead_times times;
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
           append_parameter(path, "message", listing->arguments->message, error) &&
           append_parameter(path, "prefix", listing->arguments->prefix, error) &&
           append_parameter(path, "since", listing->times.since, error) &&
           append_parameter(path, "until", listing->times.until, error) &&
           append_parameter(path, "order", listing->arguments->is_latest ? "desc" : NULL, error) &&
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

bool dead_is_filtered(const struct command_arguments *arguments)
{
    return arguments->code != NULL || arguments->class != NULL || arguments->message != NULL ||
           arguments->prefix != NULL || arguments->since != NULL || arguments->until != NULL;
}

bool dead_count(const struct config *config, int64_t *out, struct error *error)
{
    *out = -1;
    AUTO(json) *status = question_ask_json(config, "/v1/status", NULL, error);
    if (status != NULL)
        (void)json_member_integer(json_member(json_root(status), "signals"), "dead", out);
    return status != NULL;
}

/* Beside the list, for who sees only a part of it. */
static void print_rest(const struct config *config, const struct dead_listing *listing,
                       int64_t shown)
{
    struct error error;
    int64_t total = -1;
    const char *first = listing->arguments->is_latest ? "latest" : "earliest";
    const char *other = listing->arguments->is_latest ? "" : ", or --latest for the latest ones";
    if (!dead_is_filtered(listing->arguments))
        (void)!dead_count(config, &total, &error);
    if (total > shown)
        (void)fprintf(stderr,
                      "these are the %s %" PRId64 " of %" PRId64 " dead applications; for more: "
                      "--limit %" PRId64 "%s\n",
                      first, shown, total, 10 * shown, other);
    else
        (void)fprintf(stderr, "these are the %s %" PRId64 "; for more: --limit %" PRId64 "%s\n",
                      first, shown, 10 * shown, other);
}

/* Beside the list, so that a program reads only rows. */
static void print_total(const struct dead_listing *listing, int64_t shown)
{
    (void)fprintf(stderr, "%" PRId64 " dead application%s%s, the %s first\n", shown,
                  shown == 1 ? "" : "s",
                  dead_is_filtered(listing->arguments) ? " of this filter" : "",
                  listing->arguments->is_latest ? "latest" : "earliest");
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
            return dead_fail(&error);
        json_destroy(page);
        page = next;
        const struct json_value *applications = json_member(json_root(page), "applications");
        size_t count = json_array_length(applications);
        if (count > 0)
            print_page(applications, listing->arguments->is_json, shown == 0);
        if (!print_flush())
            return 1;
        shown += (int64_t)count;
        cursor = dead_cursor(json_root(page));
    } while (cursor != NULL && shown < limit);
    if (shown == 0)
        (void)fputs("no dead applications\n", stderr);
    else if (cursor != NULL)
        print_rest(config, listing, shown);
    else if (!listing->arguments->is_json)
        print_total(listing, shown);
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
            (void)dead_fail(&error);
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
    if (!dead_read_times(arguments, &listing.times))
        return 2;
    if (listing.format == NULL)
        return list_for_people(config, &listing);
    if (strcmp(listing.format, "csv") == 0 || strcmp(listing.format, "ndjson") == 0)
        return download(config, &listing);
    print_format(stderr, "--format: %s is neither csv nor ndjson", listing.format);
    return 2;
}
