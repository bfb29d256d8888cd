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

enum { EXIT_FINE = 0, EXIT_ELSE = 1, EXIT_SETTING = 2, PROBLEMS_BYTES_MAX = 65536 };

enum command { COMMAND_SERVE, COMMAND_CHECK, COMMAND_HEALTH, COMMAND_STATUS, COMMAND_VERSION };

static const struct command_row {
    const char *name;
    enum command command;
    enum config_need need;
    bool takes_id;
    const char *synopsis;
    const char *help;
} commands[] = {
    {"serve", COMMAND_SERVE, CONFIG_NEED_ALL, false, "serve", "run the service (default)"},
    {"check", COMMAND_CHECK, CONFIG_NEED_ALL, false, "check",
     "try settings, Redis, access token and SEEK for real"},
    {"health", COMMAND_HEALTH, CONFIG_NEED_ADDRESS, false, "health",
     "exit 0 when the running service is ready"},
    {"status", COMMAND_STATUS, CONFIG_NEED_ADDRESS, true, "status [ID]",
     "what the running service says, or of one application"},
    {"version", COMMAND_VERSION, CONFIG_NEED_ADDRESS, false, "version", "print the version"},
};

static void print_usage(FILE *stream, bool is_all)
{
    (void)fputs("usage: seek-signal [COMMAND] [--setting VALUE]...\n", stream);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        (void)fprintf(stream, "  %-14s %s\n", commands[i].synopsis, commands[i].help);
    (void)fprintf(stream,
                  "settings, default, meaning (SEEK_SIGNAL_REDIS_URL=… or --redis-url …; secrets "
                  "also …_FILE)%s\n",
                  is_all ? "" : "; `--help all`: every one");
    config_print_help(stream, is_all);
}

static const struct command_row *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

static int run(enum command command, const struct config *config, const char *application_id)
{
    switch (command) {
    case COMMAND_SERVE:
        return app_serve(config);
    case COMMAND_CHECK:
        return command_check(config);
    case COMMAND_HEALTH:
        return command_health(config);
    case COMMAND_STATUS:
        return command_status(config, application_id);
    case COMMAND_VERSION:
        break; /* needs no settings: answered before they are read */
    }
    return EXIT_ELSE;
}

static void configure_log(const struct config *config)
{
    int format = config->log_format;
    if (format == CONFIG_LOG_FORMAT_AUTO)
        format = isatty(STDERR_FILENO) ? LOG_FORMAT_TEXT : LOG_FORMAT_JSON;
    log_configure((enum log_level)config->log_level, (enum log_format)format);
}

static int read_config_and_run(const struct command_row *row, int count, char *arguments[],
                               const char *application_id)
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
        status = run(row->command, config, application_id);
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
    int next = 1;
    const struct command_row *row = &commands[0];
    for (int i = 1; i < argc; i++) {
        if (is_help(argv[i])) {
            print_usage(stdout, i + 1 < argc && strcmp(argv[i + 1], "all") == 0);
            return EXIT_FINE;
        }
    }
    if (next < argc && strcmp(argv[next], "--version") == 0)
        row = find_command("version");
    else if (next < argc && strncmp(argv[next], "--", 2) != 0)
        row = find_command(argv[next++]);
    if (row == NULL) {
        (void)fprintf(stderr, "%s: unknown command: see `seek-signal --help`\n", argv[1]);
        return EXIT_SETTING;
    }
    if (row->command == COMMAND_VERSION) {
        (void)puts("seek-signal " SEEK_SIGNAL_VERSION);
        return EXIT_FINE;
    }
    const char *application_id = NULL;
    if (row->takes_id && next < argc && strncmp(argv[next], "--", 2) != 0)
        application_id = argv[next++];
    return read_config_and_run(row, argc - next, argv + next, application_id);
}
