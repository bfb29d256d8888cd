/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Arguments in, exit status out: 0 fine, 2 a setting or argument is wrong, 1 anything else.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"

#include "service/app.h"
#include "service/command/command.h"
#include "service/config.h"

extern char **environ;

enum { EXIT_FINE = 0, EXIT_SETTING = 2, PROBLEMS_BYTES_MAX = 65536 };

static int serve(const struct config *config, const struct command_arguments *arguments)
{
    (void)arguments;
    return app_serve(config);
}

/* clang-format off */
static const struct command_row {
    const char *name;
    int (*run)(const struct config *config, const struct command_arguments *arguments);
    enum config_need need;
    unsigned takes;
    const char *brief; /* how --help names it; NULL: only `--help all` does */
    const char *full;  /* with everything it takes */
    const char *help;
} commands[] = {
    {"serve", serve, CONFIG_NEED_ALL, TAKES_NOTHING,
     "serve", "serve", "run the service (default)"},
    {"check", command_check, CONFIG_NEED_ALL, TAKES_NOTHING,
     "check", "check", "try settings, Redis, access token and SEEK for real"},
    {"health", command_health, CONFIG_NEED_ADDRESS, TAKES_NOTHING,
     "health", "health", "exit 0 when the running service is ready"},
    {"status", command_status, CONFIG_NEED_ADDRESS, TAKES_ID | TAKES_JSON,
     "status [ID]", "status [ID] [--json]", "what the running service says, or of one application"},
    {"dead list", command_dead_list, CONFIG_NEED_ADDRESS, TAKES_CODE | TAKES_LIMIT | TAKES_JSON,
     "dead list|show|replay", "dead list [--code CODE] [--limit N] [--json]", "what SEEK refused, or what grew too old"},
    {"dead show", command_status, CONFIG_NEED_ADDRESS, NEEDS_ID | TAKES_JSON,
     NULL, "dead show ID [--json]", "one of them"},
    {"dead replay", command_dead_replay, CONFIG_NEED_ADDRESS, TAKES_CODE | TAKES_DRY_RUN | TAKES_PER_SECOND | TAKES_JSON,
     NULL, "dead replay [--code CODE] [--dry-run] [--per-second N] [--json]", "send them again"},
    {"pause", command_pause, CONFIG_NEED_ADDRESS, TAKES_NOTHING,
     "pause, resume", "pause", "stop and restart sending for all on this Redis; events are still taken"},
    {"resume", command_resume, CONFIG_NEED_ADDRESS, TAKES_NOTHING,
     NULL, "resume", "end a pause"},
    {"version", NULL, CONFIG_NEED_ADDRESS, TAKES_NOTHING,
     "version", "version", "print the version"},
};
/* clang-format on */

static void print_usage(FILE *stream, bool is_all)
{
    (void)fputs("usage: seek-signal [COMMAND] [--setting VALUE]...\n", stream);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        const struct command_row *row = &commands[i];
        if (is_all)
            (void)fprintf(stream, "  %-64s %s\n", row->full, row->help);
        else if (row->brief != NULL)
            (void)fprintf(stream, "  %-22s %s\n", row->brief, row->help);
    }
    (void)fprintf(stream,
                  "settings, default, meaning (SEEK_SIGNAL_REDIS_URL=… or --redis-url …; secrets "
                  "also …_FILE)%s\n",
                  is_all ? "" : "; `--help all`: everything");
    config_print_help(stream, is_all);
}

static bool begins_with_word(const char *name, const char *word)
{
    size_t length = strcspn(name, " ");
    return strlen(word) == length && strncmp(name, word, length) == 0;
}

/* The commands that begin with `word`, and what they take. 0: there is none. */
static unsigned print_commands(FILE *stream, const char *word)
{
    unsigned count = 0, takes = TAKES_NOTHING;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        const struct command_row *row = &commands[i];
        if (!begins_with_word(row->name, word))
            continue;
        (void)fprintf(stream, "  seek-signal %s\n      %s\n", row->full, row->help);
        takes |= row->takes;
        count++;
    }
    command_arguments_print_help(stream, takes);
    return count;
}

/* `dead --help` is about `dead`, everything else about the whole. */
static void print_help(int count, char *arguments[], bool is_all)
{
    if (count == 0 || arguments[0][0] == '-' || print_commands(stdout, arguments[0]) == 0)
        print_usage(stdout, is_all);
}

static int refuse_command(const char *word)
{
    (void)fprintf(stderr, "%s: unknown command: see `seek-signal --help`\n", word);
    (void)print_commands(stderr, word); /* perhaps its second word is missing or mistyped */
    return EXIT_SETTING;
}

/* Takes one word, or two, off the arguments. */
static const struct command_row *find_command(int *count, char **arguments[])
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        const char *second = strchr(commands[i].name, ' ');
        size_t length =
            second != NULL ? (size_t)(second - commands[i].name) : strlen(commands[i].name);
        int words = second != NULL ? 2 : 1;
        if (*count < words || strlen((*arguments)[0]) != length ||
            strncmp(commands[i].name, (*arguments)[0], length) != 0 ||
            (second != NULL && strcmp(second + 1, (*arguments)[1]) != 0))
            continue;
        *count -= words;
        *arguments += words;
        return &commands[i];
    }
    return NULL;
}

static void configure_log(const struct config *config)
{
    int format = config->log_format;
    if (format == CONFIG_LOG_FORMAT_AUTO)
        format = isatty(STDERR_FILENO) ? LOG_FORMAT_TEXT : LOG_FORMAT_JSON;
    log_configure((enum log_level)config->log_level, (enum log_format)format);
}

static int read_config_and_run(const struct command_row *row, int count, char *arguments[],
                               const struct command_arguments *taken)
{
    struct buffer problems;
    buffer_init(&problems, PROBLEMS_BYTES_MAX);
    AUTO(config) *config =
        config_read(row->need, count, arguments, (const char *const *)environ, &problems);
    int status = EXIT_SETTING;
    if (config == NULL) {
        (void)fputs(problems.bytes, stderr);
    } else {
        (void)fputs(config->warnings.bytes, stderr);
        configure_log(config);
        status = row->run(config, taken);
    }
    buffer_fini(&problems);
    return status;
}

static bool is_help(const char *argument)
{
    return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0 ||
           strcmp(argument, "help") == 0;
}

int main(int argc, char *argv[])
{
    const struct command_row *row = &commands[0];
    for (int i = 1; i < argc; i++) {
        if (is_help(argv[i])) {
            print_help(i - 1, argv + 1, i + 1 < argc && strcmp(argv[i + 1], "all") == 0);
            return EXIT_FINE;
        }
    }
    int count = argc - 1;
    char **arguments = argv + 1;
    bool is_version = count > 0 && strcmp(arguments[0], "--version") == 0;
    if (count > 0 && strncmp(arguments[0], "--", 2) != 0)
        row = find_command(&count, &arguments);
    if (row == NULL)
        return refuse_command(argv[1]);
    if (is_version || row->run == NULL) {
        (void)puts("seek-signal " SEEK_SIGNAL_VERSION);
        return EXIT_FINE;
    }
    struct command_arguments taken;
    struct error error;
    if (!command_arguments_take(row->takes, &count, arguments, &taken, &error)) {
        (void)fprintf(stderr, "%s: %s\n", row->name, error.message);
        return EXIT_SETTING;
    }
    return read_config_and_run(row, count, arguments, &taken);
}
