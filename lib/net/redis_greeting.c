/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/redis_greeting.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char CLIENT_NAME[] = "seek-signal"; /* shown by CLIENT LIST */

static void compose(struct redis_greetings *greetings, const struct redis_url *url)
{
    struct redis_greeting *out = greetings->items;
    size_t count = 0;
    (void)snprintf(greetings->database_text, sizeof greetings->database_text, "%u", url->database);
    if (url->password[0] != '\0' && url->user[0] != '\0')
        out[count++] = (struct redis_greeting){
            3, {"AUTH", url->user, url->password}, "Redis refused the user or password"};
    else if (url->password[0] != '\0')
        out[count++] =
            (struct redis_greeting){2, {"AUTH", url->password}, "Redis refused the password"};
    if (url->database != 0)
        out[count++] = (struct redis_greeting){
            2, {"SELECT", greetings->database_text}, "Redis refused the database number"};
    /* An ACL may forbid CLIENT: the name is for operators only. */
    out[count++] = (struct redis_greeting){3, {"CLIENT", "SETNAME", CLIENT_NAME}, NULL};
    assert(count <= REDIS_GREETINGS_MAX);
    greetings->count = count;
    greetings->answered = 0;
}

bool redis_greetings_send(struct redis_greetings *greetings, const struct redis_url *url,
                          struct redis_pipeline *pipeline, redis_done done, void *context,
                          struct error *error)
{
    compose(greetings, url);
    bool is_sent = true;
    for (size_t i = 0; is_sent && i < greetings->count; i++)
        is_sent = redis_pipeline_send(pipeline, greetings->items[i].argument_count,
                                      greetings->items[i].arguments, NULL, done, context, error);
    return is_sent;
}

/* Answers that mean "not you", whichever command they answer. */
static const struct greeting_refusal {
    const char *prefix;
    const char *reason;
} refusals[] = {
    {"NOAUTH", "Redis demands a password"},
    {"DENIED", "Redis is in protected mode: set a password there, or bind it to loopback only"},
    {"ERR max number of clients", "Redis has reached its maximum number of clients (maxclients)"},
};

const char *redis_greetings_refusal(struct redis_greetings *greetings,
                                    const struct redis_reply *reply)
{
    assert(greetings->answered < greetings->count);
    const struct redis_greeting *greeting = &greetings->items[greetings->answered++];
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

/* A Redis that speaks TLS hangs up on who does not, without a word. */
const char *redis_greetings_hint(const struct redis_greetings *greetings,
                                 const struct redis_url *url)
{
    assert(greetings->count > 0);
    bool was_silent = greetings->answered == 0 && url->scheme == REDIS_TCP;
    return was_silent ? " before any answer; does the port speak TLS? Then use rediss://" : "";
}

bool redis_greetings_are_done(const struct redis_greetings *greetings)
{
    assert(greetings->count > 0);
    return greetings->answered == greetings->count;
}
