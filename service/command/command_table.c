/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/command/command_table.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "service/command/command.h"
#include "service/config/setting_guess.h"

/* clang-format off */
const struct command_row command_rows[] = {
    {"serve", NULL, CONFIG_NEED_ALL, TAKES_NOTHING,
     "serve", "serve", "run the service (default)", NULL},
    {"check", command_check, CONFIG_NEED_ALL, TAKES_JSON,
     "check", "check [--json]", "try settings, Redis, access token, SEEK and NOTIFY_URL for real", NULL},
    {"health", command_health, CONFIG_NEED_ADDRESS, TAKES_NOTHING,
     "health", "health", "exit with 0 if the running service is ready", NULL},
    {"status", command_status, CONFIG_NEED_ADDRESS, TAKES_ID | TAKES_JSON,
     "status [ID], tail", "status [ID] [--json]", "show the running service, or one application", NULL},
    {"tail", command_tail, CONFIG_NEED_ADDRESS, TAKES_TAIL | TAKES_JSON,
     NULL, "tail [--id ID] [--event EVENT] [--class CLASS] [--json]", "follow what happens to signals now, a line each", NULL},
    {"replay", command_replay, CONFIG_NEED_ADDRESS, NEEDS_ID | TAKES_JSON,
     NULL, "replay ID [--json]", "send one application's signal again now", NULL},
    {"forget", command_forget, CONFIG_NEED_ADDRESS, NEEDS_ID | TAKES_YES | TAKES_JSON,
     NULL, "forget ID [--yes] [--json]", "forget one application for good", NULL},
    {"dead list", command_dead_list, CONFIG_NEED_ADDRESS, TAKES_FILTER | TAKES_CODE | TAKES_LIMIT | TAKES_LATEST | TAKES_JSON | TAKES_FORMAT,
     "dead, replay, forget", "dead list [FILTER] [--latest] [--limit N] [--json | --format csv|ndjson]", "list dead applications (refused by SEEK, or too old)",
     "dead applications (refused by SEEK, or too old): list, send again, forget"},
    {"dead show", command_status, CONFIG_NEED_ADDRESS, NEEDS_ID | TAKES_JSON,
     NULL, "dead show ID [--json]", "show one of them", NULL},
    {"dead replay", command_dead_replay, CONFIG_NEED_ADDRESS, TAKES_FILTER | TAKES_CODE | TAKES_ALL | TAKES_DRY_RUN | TAKES_PER_SECOND | TAKES_JSON,
     NULL, "dead replay FILTER | --all [--dry-run] [--per-second N] [--json]", "send dead applications again", NULL},
    {"dead forget", command_dead_forget, CONFIG_NEED_ADDRESS, TAKES_FILTER | TAKES_CODE | TAKES_ALL | TAKES_DRY_RUN | TAKES_JSON,
     NULL, "dead forget FILTER | --all [--dry-run] [--json]", "forget dead applications for good (FILTER: --code, --class, --message, --prefix, --since, --until)", NULL},
    {"pause", command_pause, CONFIG_NEED_ADDRESS, TAKES_JSON,
     "pause, resume, move", "pause [--json]", "stop sending for every process on this Redis until `resume`; events are still accepted",
     "stop and restart sending for every process on this Redis; move all that it keeps"},
    {"resume", command_resume, CONFIG_NEED_ADDRESS, TAKES_JSON,
     NULL, "resume [--json]", "restart sending", NULL},
    {"move", command_move, CONFIG_NEED_REDIS, TAKES_MOVE | TAKES_JSON,
     NULL, "move --from URL {--to URL [--follow] | --abandon} [--json]", "move everything from one Redis to another of any kind, while services run", NULL},
    {"version", NULL, CONFIG_NEED_ADDRESS, TAKES_NOTHING,
     "version", "version", "print the version", NULL},
};
/* clang-format on */
const size_t command_row_count = sizeof command_rows / sizeof command_rows[0];

const struct command_row *command_table_serve(void)
{
    return &command_rows[0];
}

bool command_row_begins_with(const struct command_row *row, const char *word)
{
    size_t length = strcspn(row->name, " ");
    return strlen(word) == length && strncmp(row->name, word, length) == 0;
}

const char *command_table_guess(const char *first, const char *word)
{
    const char *guess = NULL;
    size_t fewest = SIZE_MAX;
    for (size_t i = 0; i < command_row_count; i++) {
        const char *name = command_rows[i].name, *second = strchr(name, ' ');
        char whole[32];
        (void)snprintf(whole, sizeof whole, "%.*s", (int)strcspn(name, " "), name);
        if (first != NULL && (second == NULL || strcmp(whole, first) != 0))
            continue;
        size_t mistakes = setting_guess_mistakes(word, first != NULL ? second + 1 : whole);
        if (mistakes >= fewest)
            continue;
        fewest = mistakes;
        guess = name;
    }
    return guess;
}

/* `dead` alone lists. */
static const struct command_row *find_listing(int *count, char **arguments[])
{
    bool is_alone = *count > 0 && strcmp((*arguments)[0], "dead") == 0 &&
                    (*count == 1 || strncmp((*arguments)[1], "--", 2) == 0);
    for (size_t i = 0; is_alone && i < command_row_count; i++) {
        if (command_rows[i].run == command_dead_list) {
            (*count)--;
            (*arguments)++;
            return &command_rows[i];
        }
    }
    return NULL;
}

const struct command_row *command_table_find(int *count, char **arguments[])
{
    for (size_t i = 0; i < command_row_count; i++) {
        const char *second = strchr(command_rows[i].name, ' ');
        size_t length =
            second != NULL ? (size_t)(second - command_rows[i].name) : strlen(command_rows[i].name);
        int words = second != NULL ? 2 : 1;
        if (*count < words || strlen((*arguments)[0]) != length ||
            strncmp(command_rows[i].name, (*arguments)[0], length) != 0 ||
            (second != NULL && strcmp(second + 1, (*arguments)[1]) != 0))
            continue;
        *count -= words;
        *arguments += words;
        return &command_rows[i];
    }
    return find_listing(count, arguments);
}
