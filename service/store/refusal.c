/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Redis puts its error words in front ("READONLY You can't write…"), behind "ERR", or into the
 * middle of a sentence about a script ("ERR Error running script (call to f_…): @user_script:7:
 * -READONLY …"). So the words are searched anywhere.
 */
#include "service/store/refusal.h"

#include <stdio.h>
#include <string.h>

#define MAY_NOT                                                                                    \
    "the Redis user may not do this: it needs ~seek-signal:* +@read +@write +@scripting "          \
    "+@connection +info +time"

/* clang-format off */
static const struct refusal refusals[] = {
    {"READONLY",    "Redis is a replica and takes no writes", true},
    {"UNBLOCKED",   "Redis is not the master any more", true},
    {"cannot be used with replica", "Redis is a replica: the master's address is needed", true},
    {"LOADING",     "Redis is still loading its data", true},
    {"MASTERDOWN",  "Redis is a replica that has lost its master", true},
    {"MOVED",       "Redis is a cluster, and the data is on another of its servers", false},
    {"CLUSTERDOWN", "Redis is a cluster that is down", true},
    {"OOM",         "Redis is at its maxmemory: give it more, or let the queue drain", false},
    {"MISCONF",     "Redis cannot save to its disk and refuses writes: see its log", false},
    {"NOREPLICAS",  "Redis has fewer good replicas than its min-replicas-to-write", false},
    {"BUSY",        "Redis is busy with a script that does not end", false},
    {"NOPERM",      MAY_NOT, false},
    {"The user executing the script", MAY_NOT, false},
    {"NOAUTH",      "Redis wants a password", true},
    {NULL,          NULL, false},
};
/* clang-format on */

const struct refusal *refusal_of(const char *answer)
{
    const struct refusal *row = refusals;
    while (row->word != NULL && strstr(answer, row->word) == NULL)
        row++;
    return row;
}

void refusal_describe(const char *answer, char *text, size_t text_bytes)
{
    const struct refusal *row = refusal_of(answer);
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
