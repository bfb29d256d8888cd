/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Arguments in, exit status out: 0 fine, 2 a setting or argument is wrong, 1 anything else.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/core_dump.h"
#include "lib/base/log.h"

#include "service/command/command_table.h"
#include "service/command/printing.h"
#include "service/command/usage.h"
#include "service/config/config.h"
#include "service/serve/app.h"

extern char **environ;

enum {
    EXIT_FINE = 0,
    EXIT_FAILED = 1,
    EXIT_SETTING = 2,
    PROBLEMS_BYTES_MAX = 65536,
    LAST_LINES_MS = 1000, /* at the end, for whoever reads the log */
};

static bool is_serve(const struct command_row *row)
{
    return row == command_table_serve();
}

static void configure_log(int level, int format)
{
    if (format == CONFIG_LOG_FORMAT_AUTO)
        format = isatty(STDERR_FILENO) ? LOG_FORMAT_TEXT : LOG_FORMAT_JSON;
    log_configure((enum log_level)level, (enum log_format)format);
}

/* Each line of `sentences`, which is used up: a line of the log where the service has one that is
 * read by a machine, else as it is, for whoever has typed a command. */
static void report(const struct command_row *row, struct buffer *sentences, enum log_level level,
                   const char *event)
{
    if (!is_serve(row) || (isatty(STDERR_FILENO) && log_format() == LOG_FORMAT_TEXT)) {
        log_plain(sentences->bytes);
        return;
    }
    char *rest = NULL;
    for (const char *sentence = strtok_r(sentences->bytes, "\n", &rest); sentence != NULL;
         sentence = strtok_r(NULL, "\n", &rest))
        log_at(level, event, sentence);
}

/* A command prints its own answer: lines of a log beside it would say the same again. */
static int level_of(const struct command_row *row, const struct config *config)
{
    bool is_logging = is_serve(row) || config->log_level == LOG_DEBUG;
    return is_logging ? (int)config->log_level : LOG_OFF;
}

static int read_config_and_run(const struct command_row *row, int count, char *arguments[],
                               const struct command_arguments *taken)
{
    struct buffer problems;
    buffer_init(&problems, PROBLEMS_BYTES_MAX);
    int format;
    AUTO(config) *config =
        config_read(row->need, count, arguments, (const char *const *)environ, &problems, &format);
    int status = EXIT_SETTING;
    if (config == NULL) {
        configure_log(LOG_INFO, format);
        report(row, &problems, LOG_ERROR, "start_failed");
    } else {
        configure_log(level_of(row, config), format);
        report(row, &config->warnings, LOG_WARN, "setting_doubtful");
        status = is_serve(row) ? app_serve(config) : row->run(config, taken);
    }
    buffer_fini(&problems);
    return status;
}

/* The service does not wait for whoever reads what it says, from its first word to its last. A
 * command does, as one is used to from commands. */
static int run_command(const struct command_row *row, int count, char *arguments[],
                       const struct command_arguments *taken)
{
    struct error error;
    if (is_serve(row) && !log_start(&error)) {
        log_error("start_failed", error.message);
        return EXIT_FAILED;
    }
    int status = read_config_and_run(row, count, arguments, taken);
    log_stop(LAST_LINES_MS);
    return status;
}

static bool is_help_flag(const char *argument)
{
    return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

/* Where help is asked for; 0: nowhere. After a command only directly after it, and never by the
 * word alone: an application may have the id `help`. Without a command it may follow settings. */
static int find_help(int argc, char *argv[])
{
    int count = argc - 1;
    char **rest = argv + 1;
    if (count > 0 && strcmp(rest[0], "help") == 0)
        return 1;
    if (count > 0 && rest[0][0] != '-') {
        bool is_known = command_table_find(&count, &rest) != NULL;
        if (!is_known) /* `dead -h`: the first word of some */
            count--;
        return count > 0 && is_help_flag(argv[argc - count]) ? argc - count : 0;
    }
    for (int i = 1; i < argc; i++)
        if (is_help_flag(argv[i]))
            return i;
    return 0;
}

static int run(int argc, char *argv[])
{
    const struct command_row *row = command_table_serve();
    configure_log(LOG_INFO, CONFIG_LOG_FORMAT_AUTO); /* until the settings are read */
    if (!core_dump_forbid())                         /* before there is any secret in here */
        log_warn("cores_allowed",
                 "Core dumps could not be switched off, and they would hold secrets");
    int help = find_help(argc, argv);
    if (help > 0) {
        usage_print(help - 1, argv + 1, argv[help + 1]);
        return EXIT_FINE;
    }
    int count = argc - 1;
    char **arguments = argv + 1;
    bool is_version = count > 0 && strcmp(arguments[0], "--version") == 0;
    if (count > 0 && strncmp(arguments[0], "--", 2) != 0)
        row = command_table_find(&count, &arguments);
    if (row == NULL) {
        usage_refuse(argv[1], argv[2]);
        return EXIT_SETTING;
    }
    if (is_version || (row->run == NULL && !is_serve(row))) {
        (void)puts("seek-signal " SEEK_SIGNAL_VERSION);
        return EXIT_FINE;
    }
    struct command_arguments taken;
    struct error error;
    if (!command_arguments_take(row->takes, &count, arguments, &taken, &error)) {
        print_format(stderr, "%s: %s", row->name, error.message);
        return EXIT_SETTING;
    }
    log_name_journal(config_variable("JOURNAL_STREAM", (const char *const *)environ));
    return run_command(row, count, arguments, &taken);
}

/* What is opened next would get the number of one that is closed, and errors would be written to a
 * connection. Reading and writing fail as before. */
static void fill_standard_descriptors(void)
{
    static const int modes[] = {
        [STDIN_FILENO] = O_WRONLY, [STDOUT_FILENO] = O_RDONLY, [STDERR_FILENO] = O_RDONLY};
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", modes[fd]); /* the lowest number that is free */
}

/* Nothing ends by SIGPIPE: neither what prints to a reader who has left, nor what writes to a Redis
 * over TLS that has. */
int main(int argc, char *argv[])
{
    (void)signal(SIGPIPE, SIG_IGN);
    fill_standard_descriptors();
    return print_end(run(argc, argv));
}
