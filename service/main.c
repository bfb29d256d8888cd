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
#include "lib/base/manual.h"

#include "service/command/command.h"
#include "service/command/printing.h"
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
    const char *brief_help; /* NULL: `help` */
} commands[] = {
    {"serve", serve, CONFIG_NEED_ALL, TAKES_NOTHING,
     "serve", "serve", "run the service (default)", NULL},
    {"check", command_check, CONFIG_NEED_ALL, TAKES_NOTHING,
     "check", "check", "try settings, Redis, access token, SEEK and NOTIFY_URL for real", NULL},
    {"health", command_health, CONFIG_NEED_ADDRESS, TAKES_NOTHING,
     "health", "health", "exit with 0 if the running service is ready", NULL},
    {"status", command_status, CONFIG_NEED_ADDRESS, TAKES_ID | TAKES_JSON,
     "status [ID], tail", "status [ID] [--json]", "show the running service, or one application", NULL},
    {"tail", command_tail, CONFIG_NEED_ADDRESS, TAKES_TAIL | TAKES_JSON,
     NULL, "tail [--id ID] [--event EVENT] [--class CLASS] [--json]", "follow what happens to signals now, a line each", NULL},
    {"replay", command_replay, CONFIG_NEED_ADDRESS, NEEDS_ID | TAKES_JSON,
     NULL, "replay ID [--json]", "send one application's signal again now", NULL},
    {"forget", command_forget, CONFIG_NEED_ADDRESS, NEEDS_ID | TAKES_JSON,
     NULL, "forget ID [--json]", "forget one application for good", NULL},
    {"dead list", command_dead_list, CONFIG_NEED_ADDRESS, TAKES_FILTER | TAKES_CODE | TAKES_LIMIT | TAKES_JSON | TAKES_FORMAT,
     "dead, replay, forget", "dead list [FILTER] [--limit N] [--json | --format csv|ndjson]", "list dead applications (refused by SEEK, or too old)",
     "dead applications (refused by SEEK, or too old): list, send again, forget"},
    {"dead show", command_status, CONFIG_NEED_ADDRESS, NEEDS_ID | TAKES_JSON,
     NULL, "dead show ID [--json]", "show one of them", NULL},
    {"dead replay", command_dead_replay, CONFIG_NEED_ADDRESS, TAKES_FILTER | TAKES_CODE | TAKES_ALL | TAKES_DRY_RUN | TAKES_PER_SECOND | TAKES_JSON,
     NULL, "dead replay FILTER | --all [--dry-run] [--per-second N] [--json]", "send dead applications again", NULL},
    {"dead forget", command_dead_forget, CONFIG_NEED_ADDRESS, TAKES_FILTER | TAKES_CODE | TAKES_ALL | TAKES_DRY_RUN | TAKES_JSON,
     NULL, "dead forget FILTER | --all [--dry-run] [--json]", "forget dead applications for good (FILTER: --code, --class, --since, --until)", NULL},
    {"pause", command_pause, CONFIG_NEED_ADDRESS, TAKES_NOTHING,
     "pause, resume, move", "pause", "stop sending for every process on this Redis until `resume`; events are still accepted",
     "stop and restart sending for every process on this Redis; move all that it keeps"},
    {"resume", command_resume, CONFIG_NEED_ADDRESS, TAKES_NOTHING,
     NULL, "resume", "restart sending", NULL},
    {"move", command_move, CONFIG_NEED_REDIS, TAKES_MOVE | TAKES_JSON,
     NULL, "move --from URL {--to URL [--follow] | --abandon} [--json]", "move everything from one Redis to another of any kind, while services run", NULL},
    {"version", NULL, CONFIG_NEED_ADDRESS, TAKES_NOTHING,
     "version", "version", "print the version", NULL},
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
            (void)fprintf(stream, "  %-22s %s\n", row->brief,
                          row->brief_help != NULL ? row->brief_help : row->help);
    }
    (void)fprintf(stream,
                  "settings, default, meaning (SEEK_SIGNAL_REDIS_URL=… or --redis-url …; secrets "
                  "also …_FILE)%s\n",
                  is_all ? "" : "; `--help all`: everything");
    config_print_help(stream, is_all);
}

static void print_manual_end(FILE *stream)
{
    manual_section(stream, "SIGNALS");
    manual_entry(stream, "SIGTERM, SIGINT", "",
                 "The service reports not ready. If other machines reach it, it works normally "
                 "for another SEEK_SIGNAL_SHUTDOWN_DELAY_S. It sends what it can within "
                 "SEEK_SIGNAL_SHUTDOWN_TIMEOUT_S, still answers requests meanwhile, and ends. A "
                 "second signal ends it at once.");
    manual_section(stream, "EXIT STATUS");
    manual_entry(stream, "0", "", "success");
    manual_entry(
        stream, "1", "",
        "any other failure, such as a listen address that is in use or does not exist yet");
    manual_entry(stream, "2", "", "a setting or an argument is wrong");
    manual_section(stream, "FILES");
    manual_entry(stream, "/etc/seek-signal/environment", "",
                 "settings of the Debian package's unit, one a line");
    manual_entry(stream, "/etc/seek-signal/client-secret", "",
                 "SEEK's client secret, for the same");
    manual_entry(stream, "/var/lib/seek-signal", "", "data of the private Redis");
    manual_section(stream, "SEE ALSO");
    manual_paragraph(stream, "seek-sandbox(1), systemctl(1), /usr/share/doc/seek-signal/README.md");
}

/* seek-signal(1), from the same tables as the help; the build asks for it. */
static void print_manual(FILE *stream)
{
    manual_begin(stream, "seek-signal", SEEK_SIGNAL_VERSION,
                 "delivers SEEK's application complete signal");
    manual_section(stream, "SYNOPSIS");
    manual_entry(stream, "seek-signal", "[COMMAND] [--setting VALUE]...", "");
    manual_section(stream, "DESCRIPTION");
    manual_paragraph(stream,
                     "A sidecar that tells SEEK about completed job applications. An "
                     "applicant tracking system posts one small JSON document to it. It keeps "
                     "the event in Redis and delivers the signal, with retries.");
    manual_section(stream, "COMMANDS");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        manual_entry(stream, commands[i].full, "", commands[i].help);
    manual_section(stream, "OPTIONS");
    command_arguments_print_manual(stream);
    manual_section(stream, "SETTINGS");
    manual_paragraph(stream, "Each is an environment variable, or a flag, which wins: "
                             "SEEK_SIGNAL_REDIS_URL=... or --redis-url .... A secret can also be "
                             "read from a file, as SEEK_SIGNAL_CLIENT_SECRET_FILE. The default "
                             "is in brackets.");
    config_print_manual(stream);
    print_manual_end(stream);
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

/* `dead --help` and `help dead` are about `dead`, everything else about the whole. `of_what` may be
 * NULL. */
static void print_help(int count, char *arguments[], const char *of_what)
{
    bool is_all = of_what != NULL && strcmp(of_what, "all") == 0;
    const char *command = count > 0 ? arguments[0] : of_what;
    if (of_what != NULL && strcmp(of_what, "man") == 0)
        print_manual(stdout);
    else if (command == NULL || command[0] == '-' || print_commands(stdout, command) == 0)
        print_usage(stdout, is_all);
}

static int refuse_command(const char *word)
{
    print_format(stderr, "%s: unknown command: see `seek-signal --help`", word);
    (void)print_commands(stderr, word); /* perhaps its second word is missing or mistyped */
    return EXIT_SETTING;
}

/* `dead` alone lists. */
static const struct command_row *find_listing(int *count, char **arguments[])
{
    bool is_alone = *count > 0 && strcmp((*arguments)[0], "dead") == 0 &&
                    (*count == 1 || strncmp((*arguments)[1], "--", 2) == 0);
    for (size_t i = 0; is_alone && i < sizeof commands / sizeof commands[0]; i++) {
        if (commands[i].run == command_dead_list) {
            (*count)--;
            (*arguments)++;
            return &commands[i];
        }
    }
    return NULL;
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
    return find_listing(count, arguments);
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
    if (row->run != serve || (isatty(STDERR_FILENO) && log_format() == LOG_FORMAT_TEXT)) {
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
    bool is_logging = row->run == serve || config->log_level == LOG_DEBUG;
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
        status = row->run(config, taken);
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
    if (row->run == serve && !log_start(&error)) {
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
        bool is_known = find_command(&count, &rest) != NULL;
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
    const struct command_row *row = &commands[0];
    configure_log(LOG_INFO, CONFIG_LOG_FORMAT_AUTO); /* until the settings are read */
    if (!core_dump_forbid())                         /* before there is any secret in here */
        log_warn("cores_allowed",
                 "Core dumps could not be switched off, and they would hold secrets");
    int help = find_help(argc, argv);
    if (help > 0) {
        print_help(help - 1, argv + 1, argv[help + 1]);
        return EXIT_FINE;
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
