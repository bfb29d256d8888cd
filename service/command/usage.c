/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/command/usage.h"

#include <stdbool.h>
#include <string.h>

#include "lib/base/manual.h"

#include "service/command/command_table.h"
#include "service/command/printing.h"

static void print_usage(FILE *stream, bool is_all)
{
    (void)fputs("usage: seek-signal [COMMAND] [--setting VALUE]...\n", stream);
    for (size_t i = 0; i < command_row_count; i++) {
        const struct command_row *row = &command_rows[i];
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
    for (size_t i = 0; i < command_row_count; i++)
        manual_entry(stream, command_rows[i].full, "", command_rows[i].help);
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

/* The commands that begin with `word`, and what they take. 0: there is none. */
static unsigned print_commands(FILE *stream, const char *word)
{
    unsigned count = 0, takes = TAKES_NOTHING;
    for (size_t i = 0; i < command_row_count; i++) {
        const struct command_row *row = &command_rows[i];
        if (!command_row_begins_with(row, word))
            continue;
        (void)fprintf(stream, "  seek-signal %s\n      %s\n", row->full, row->help);
        takes |= row->takes;
        count++;
    }
    command_arguments_print_help(stream, takes);
    return count;
}

void usage_print(int count, char *arguments[], const char *of_what)
{
    bool is_all = of_what != NULL && strcmp(of_what, "all") == 0;
    const char *command = count > 0 ? arguments[0] : of_what;
    if (of_what != NULL && strcmp(of_what, "man") == 0)
        print_manual(stdout);
    else if (command == NULL || command[0] == '-' || print_commands(stdout, command) == 0)
        print_usage(stdout, is_all);
}

void usage_refuse(const char *first, const char *second)
{
    bool is_known = false;
    for (size_t i = 0; i < command_row_count; i++)
        is_known |= command_row_begins_with(&command_rows[i], first);
    bool is_second = is_known && second != NULL;
    const char *guess =
        is_second ? command_table_guess(first, second) : command_table_guess(NULL, first);
    if (is_second && guess != NULL)
        print_format(stderr, "%s: unknown command after %s: did you mean `seek-signal %s`?", second,
                     first, guess);
    else if (is_second)
        print_format(stderr, "%s: unknown command after %s: see `seek-signal --help`", second,
                     first);
    else if (guess != NULL)
        print_format(stderr, "%s: unknown command: did you mean `seek-signal %s`?", first, guess);
    else
        print_format(stderr, "%s: unknown command: see `seek-signal --help`", first);
    (void)print_commands(stderr, first);
}
