/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/command/arguments.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/ascii.h"
#include "lib/base/manual.h"

#include "service/config/settings.h"

enum option_type { OPTION_FLAG, OPTION_TEXT, OPTION_NUMBER };

#define FIELD(name) offsetof(struct command_arguments, name)

static const struct option {
    const char *name;
    unsigned takes;
    enum option_type type;
    size_t offset; /* of the field in struct command_arguments */
    const char *help;
} options[] = {
    /* clang-format off */
    {"--json", TAKES_JSON, OPTION_FLAG, FIELD(is_json), "print JSON, for programs"},
    {"--code", TAKES_CODE, OPTION_TEXT, FIELD(code), "only applications that died with this code, such as FORBIDDEN"},
    {"--class", TAKES_FILTER, OPTION_TEXT, FIELD(class), "only applications that died of this class: refused, transient, damaged, ..."},
    {"--id", TAKES_TAIL, OPTION_TEXT, FIELD(id), "only this application"},
    {"--event", TAKES_TAIL, OPTION_TEXT, FIELD(event), "only this event: event_accepted, signal_delivered, signal_retry, signal_dead, ..."},
    {"--class", TAKES_TAIL, OPTION_TEXT, FIELD(class), "only attempts that ended with this class: refused, transient, throttled, ..."},
    {"--since", TAKES_FILTER, OPTION_TEXT, FIELD(since), "only applications that died then or later: 2026-01-02T03:04:05Z, or a time ago: 2h, 7d"},
    {"--until", TAKES_FILTER, OPTION_TEXT, FIELD(until), "only applications that died before then"},
    {"--all", TAKES_ALL, OPTION_FLAG, FIELD(is_all), "all dead applications, without a filter"},
    {"--format", TAKES_FORMAT, OPTION_TEXT, FIELD(format), "csv or ndjson, for a download; all of them unless --limit is given"},
    {"--limit", TAKES_LIMIT, OPTION_NUMBER, FIELD(limit), "at most this number; default 50"},
    {"--dry-run", TAKES_DRY_RUN, OPTION_FLAG, FIELD(is_dry_run), "only count them, and change nothing"},
    {"--from", TAKES_MOVE, OPTION_TEXT, FIELD(from), "URL of the Redis to move from, of every kind that REDIS_URL can be"},
    {"--to", TAKES_MOVE, OPTION_TEXT, FIELD(to), "URL of the Redis to move to"},
    {"--from-file", TAKES_MOVE, OPTION_TEXT, FIELD(from_file), "file with that URL, since others see a command's arguments"},
    {"--to-file", TAKES_MOVE, OPTION_TEXT, FIELD(to_file), "the same of the target"},
    {"--from-prefix", TAKES_MOVE, OPTION_TEXT, FIELD(from_prefix), "its REDIS_PREFIX, if not the setting's"},
    {"--to-prefix", TAKES_MOVE, OPTION_TEXT, FIELD(to_prefix), "the same of the target"},
    {"--from-shards", TAKES_MOVE, OPTION_NUMBER, FIELD(from_shards), "its REDIS_SHARDS; default 1, on a cluster 64"},
    {"--to-shards", TAKES_MOVE, OPTION_NUMBER, FIELD(to_shards), "the same of the target"},
    {"--follow", TAKES_MOVE, OPTION_FLAG, FIELD(is_following), "go on with what still comes, until SIGTERM or SIGINT"},
    {"--abandon", TAKES_MOVE, OPTION_FLAG, FIELD(is_abandoning), "give up a move from there: --from sends again what it still has; only once --to sends nothing more"},
    {"--per-second", TAKES_PER_SECOND, OPTION_NUMBER, FIELD(per_second), "this number a second; default 20"},
    /* clang-format on */
};

void command_arguments_print_help(FILE *stream, unsigned takes)
{
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if ((takes & options[i].takes) != 0)
            (void)fprintf(stream, "  %-14s %s\n", options[i].name, options[i].help);
    }
}

void command_arguments_print_manual(FILE *stream)
{
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        manual_entry(stream, options[i].name, "", options[i].help);
}

static const struct option *find_option(unsigned takes, const char *argument)
{
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        size_t length = strlen(options[i].name);
        bool is_named = strncmp(options[i].name, argument, length) == 0 &&
                        (argument[length] == '\0' || argument[length] == '=');
        if (is_named && (takes & options[i].takes) != 0)
            return &options[i];
    }
    return NULL;
}

static bool read_number(const char *name, const char *text, int64_t *out, struct error *error)
{
    enum { NUMBER_MAX = 1000000000 };
    char *end;
    long long number = ascii_is_digit(text[0]) ? strtoll(text, &end, 10) : 0;
    if (number < 1 || number > NUMBER_MAX || *end != '\0')
        return error_set(error, ERROR_CONFIG, "%s: %s is not a number of 1 or more", name, text);
    *out = number;
    return true;
}

/* `*next` is the argument behind the option, which it may take as its value. */
static bool read_option(const struct option *option, char *arguments[], int count, int *next,
                        struct command_arguments *out, struct error *error)
{
    char *value = strchr(arguments[*next - 1], '=');
    void *field = (char *)out + option->offset;
    if (option->type == OPTION_FLAG) {
        *(bool *)field = true;
        return value == NULL || error_set(error, ERROR_CONFIG, "%s takes no value", option->name);
    }
    if (value != NULL)
        value++;
    else if (*next < count)
        value = arguments[(*next)++];
    if (value == NULL || value[0] == '\0')
        return error_set(error, ERROR_CONFIG, "%s needs a value", option->name);
    if (option->type == OPTION_NUMBER)
        return read_number(option->name, value, field, error);
    *(char **)field = value;
    return true;
}

/* A setting's value is its own, whatever it looks like. */
static void keep_setting(char *arguments[], int count, int *next, int *kept)
{
    char *name = arguments[*next - 1];
    arguments[(*kept)++] = name;
    if (strchr(name, '=') == NULL && *next < count)
        arguments[(*kept)++] = arguments[(*next)++];
}

static bool take_id(unsigned takes, const char *argument, struct command_arguments *out,
                    struct error *error)
{
    if ((takes & (TAKES_ID | NEEDS_ID)) == 0 || out->id != NULL)
        return error_set(error, ERROR_CONFIG, "%s: this command takes no such argument",
                         setting_shown(argument));
    out->id = argument;
    return true;
}

bool command_arguments_take(unsigned takes, int *count, char *arguments[],
                            struct command_arguments *out, struct error *error)
{
    int kept = 0;
    *out = (struct command_arguments){.id = NULL};
    for (int next = 0; next < *count;) {
        char *argument = arguments[next++];
        const struct option *option = find_option(takes, argument);
        if (option != NULL) {
            if (!read_option(option, arguments, *count, &next, out, error))
                return false;
        } else if (strncmp(argument, "--", 2) == 0) {
            keep_setting(arguments, *count, &next, &kept);
        } else if (!take_id(takes, argument, out, error)) {
            return false;
        }
    }
    *count = kept;
    if ((takes & NEEDS_ID) != 0 && out->id == NULL)
        return error_set(error, ERROR_CONFIG, "the application's id is missing");
    return true;
}
