/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/redis_greeting.h"

#include <stdio.h>
#include <string.h>

static const char CLIENT_NAME[] = "seek-signal"; /* shown by CLIENT LIST */

size_t redis_greetings(const struct redis_url *url, char database_text[11],
                       struct redis_greeting out[REDIS_GREETINGS_MAX])
{
    size_t count = 0;
    (void)snprintf(database_text, 11, "%u", url->database);
    if (url->password[0] != '\0' && url->user[0] != '\0')
        out[count++] = (struct redis_greeting){
            3, {"AUTH", url->user, url->password}, "Redis refused the user or password"};
    else if (url->password[0] != '\0')
        out[count++] =
            (struct redis_greeting){2, {"AUTH", url->password}, "Redis refused the password"};
    if (url->database != 0)
        out[count++] = (struct redis_greeting){
            2, {"SELECT", database_text}, "Redis refused the database number"};
    /* An ACL may forbid CLIENT: the name is for operators only. */
    out[count++] = (struct redis_greeting){3, {"CLIENT", "SETNAME", CLIENT_NAME}, NULL};
    return count;
}

/* Answers that mean "not you", whichever command they answer. */
static const struct refusal {
    const char *prefix;
    const char *reason;
} refusals[] = {
    {"NOAUTH", "Redis demands a password"},
    {"DENIED", "Redis is in protected mode: set a password there, or bind it to loopback only"},
    {"ERR max number of clients", "Redis has its maximum of clients (maxclients)"},
};

const char *redis_greeting_refusal(const struct redis_greeting *greeting,
                                   const struct redis_reply *reply)
{
    enum redis_type type = redis_reply_type(reply);
    if (type == REDIS_TYPE_TEXT)
        return NULL;
    if (type != REDIS_TYPE_ERROR)
        return "the peer is not Redis"; /* an echo, say: TCP can even connect to itself */
    const char *text = redis_reply_text(reply, NULL);
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (strncmp(text, refusals[i].prefix, strlen(refusals[i].prefix)) == 0)
            return refusals[i].reason;
    return greeting->refused;
}
