/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Redis puts its error words in front ("READONLY You can't write…"), behind "ERR", or into the
 * middle of a sentence about a script ("ERR Error running script (call to f_…): @user_script:7:
 * -READONLY …"). So the words are searched anywhere.
 */
#include "service/store/refusal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define MAY_NOT "the Redis user may not do this: grant what the ACL in docs/operating.md has"

/* clang-format off */
static const struct refusal refusals[] = {
    {"READONLY",    "Redis is a replica and takes no writes", .is_elsewhere = true},
    {"UNBLOCKED",   "Redis is not the master any more", .is_elsewhere = true},
    {"cannot be used with replica", "Redis is a replica: the master's address is needed", .is_elsewhere = true},
    {"LOADING",     "Redis is still loading its data", .is_elsewhere = true},
    {"MASTERDOWN",  "Redis is a replica that has lost its master", .is_elsewhere = true},
    {"MOVED",       "the data has just moved to another node of the cluster", .is_passing = true, .is_of_cluster = true},
    {"CLUSTERDOWN", "Redis is a cluster that is down", .is_of_cluster = true},
    {"TRYAGAIN",    "the data is on its way to another node of the cluster", .is_passing = true},
    {"ASK ",        "the data is on its way to another node of the cluster", .is_passing = true},
    {"non local key", "the data is on its way to another node of the cluster", .is_passing = true},
    {"OOM",         "Redis is at its maxmemory: raise it, since delivering signals frees no memory", .is_of_writes = true},
    {"MISCONF",     "Redis cannot save to its disk and refuses writes: see its log", .is_of_writes = true},
    {"NOREPLICAS",  "Redis has fewer good replicas than its min-replicas-to-write", .is_of_writes = true},
    {.word = "BUSY", .sentence = "Redis is busy with a script that does not end"},
    {"NOPERM",      MAY_NOT, .is_of_rights = true},
    {"The user executing the script", MAY_NOT, .is_of_rights = true}, /* before Redis 8 */
    {"ACL failure in script", MAY_NOT, .is_of_rights = true},         /* Redis 8, Valkey */
    {"NOAUTH",      "Redis wants a password", .is_elsewhere = true},
    {.word = "cluster support disabled", .sentence = "it is no cluster: let REDIS_URL begin with redis://, or rediss:// over TLS"},
    {.word = "unknown command 'CLUSTER'", .sentence = "it does not know CLUSTER SLOTS: of a sentinel let REDIS_URL begin with redis+sentinel://"},
    {.word = NULL},
};
/* clang-format on */

const struct refusal *refusal_of(const char *answer)
{
    const struct refusal *row = refusals;
    while (row->word != NULL && strstr(answer, row->word) == NULL)
        row++;
    assert(row < refusals + sizeof refusals / sizeof refusals[0]);
    return row;
}

/* "… has no permissions to run the 'hset' command". Its length; 0: Redis does not name it. */
static size_t find_forbidden_command(const char *answer, const char **out)
{
    static const char in_front[] = "to run the '";
    const char *found = strstr(answer, in_front);
    if (found == NULL)
        return 0;
    *out = found + sizeof in_front - 1;
    return strcspn(*out, "'");
}

void refusal_describe_commands(const char *names, size_t length, char *text, size_t text_bytes)
{
    (void)snprintf(text, text_bytes,
                   "the Redis user may not run %.*s: grant what the ACL in docs/operating.md has",
                   (int)length, names);
}

void refusal_describe(const char *answer, char *text, size_t text_bytes)
{
    const struct refusal *row = refusal_of(answer);
    const char *command;
    size_t command_length = find_forbidden_command(answer, &command);
    if (row->word != NULL && command_length > 0) {
        refusal_describe_commands(command, command_length, text, text_bytes);
        return;
    }
    if (row->word != NULL) {
        (void)snprintf(text, text_bytes, "%s", row->sentence);
        return;
    }
    const char *arguments = strstr(answer, ", with args");
    size_t length = arguments != NULL ? (size_t)(arguments - answer) : strlen(answer);
    (void)snprintf(text, text_bytes, "Redis answered: %.*s", (int)length, answer);
}

bool refusal_is_unknown_script(const char *answer)
{
    return strncmp(answer, "NOSCRIPT", strlen("NOSCRIPT")) == 0;
}
