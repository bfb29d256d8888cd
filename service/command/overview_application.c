/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "service/command/figures.h"
#include "service/command/overview.h"
#include "service/command/rows.h"

/* --- the state, and what to do --- */

static const struct state_row {
    const char *state, *words;
} states[] = {
    {"draft", "a draft: its seek-token is stored, and nothing is sent before its event is posted"},
    {"pending", "pending: its signal waits for an attempt"},
    {"sending", "being sent: an attempt is in progress"},
    {"delivered", "delivered: SEEK has its signal"},
};

/* Of a dead one, by the class of its last outcome. */
static const struct state_row deaths[] = {
    {"refused", "dead: SEEK refused its signal"},
    {"damaged", "dead: another program has changed its data in Redis"},
};

static const char *words_of(const char *state, const char *class)
{
    for (size_t i = 0; i < sizeof deaths / sizeof deaths[0]; i++)
        if (strcmp(state, "dead") == 0 && strcmp(class, deaths[i].state) == 0)
            return deaths[i].words;
    if (strcmp(state, "dead") == 0)
        return "dead: its event grew too old to be tried again";
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        if (strcmp(state, states[i].state) == 0)
            return states[i].words;
    return state;
}

/* Of a dead one, by code, or else by class. */
static const struct death_advice {
    const char *name, *text;
} advices[] = {
    {"FORBIDDEN", "ask SEEK to set up the relationship with this hirer"},
    {"BAD_USER_INPUT", "check how the ATS takes the seek-token from the link. If it posts a new "
                       "one, that is sent without a replay"},
    {"LEASE_EXPIRED", "find out why processes die"},
    {"DAMAGED", "find out which other program writes to Redis. A replay repairs what it can"},
    {"transient", "remove the cause"},
    {"throttled", "remove the cause"},
    {"auth", "look at the access token: `seek-signal check`"},
    {"misconfigured", "look at GRAPHQL_URL and at proxies: `seek-signal check`"},
    {"unreadable", "look at GRAPHQL_URL and at proxies: `seek-signal check`"},
};

static const char *advice_for(const char *code, const char *class)
{
    const char *const keys[] = {code, class};
    for (size_t key = 0; key < 2; key++)
        for (size_t i = 0; i < sizeof advices / sizeof advices[0]; i++)
            if (strcmp(keys[key], advices[i].name) == 0)
                return advices[i].text;
    return "remove the cause";
}

/* "A-1001", or "ID" for one that a shell would not take as it stands. */
static const char *typed(const char *id)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return id[0] != '-' && id[strspn(id, plain)] == '\0' ? id : "ID";
}

static void write_state(struct buffer *out, const struct json_value *application)
{
    const struct json_value *error = json_member(application, "lastError");
    const char *id = row_text(application, "applicationId");
    const char *state = row_text(application, "state");
    const char *class = row_text(error, "class"), *code = row_text(error, "code");
    const char *message = row_text(error, "message"), *name = code[0] != '\0' ? code : class;
    bool is_dead = strcmp(state, "dead") == 0;
    row_say(out, "%s is %s.", id, words_of(state, class));
    (void)!buffer_append_text(out, "\n", NULL);
    if (name[0] == '\0' || strcmp(state, "delivered") == 0)
        return;
    row_say(out, "  %s%s%s%s", is_dead ? "" : "Last failure: ", name,
            message[0] != '\0' ? ": " : "", message);
    (void)!buffer_append_text(out, "\n", NULL);
    if (!is_dead)
        return;
    row_say(out,
            "  Next: %s. Then `seek-signal replay %s` sends it again. More: %s in "
            "docs/troubleshooting.md.",
            advice_for(code, class), typed(id), name);
    (void)!buffer_append_text(out, "\n", NULL);
}

/* --- times --- */

static void write_times(struct buffer *out, const struct json_value *application, int64_t now_ms)
{
    static const struct {
        const char *member, *label;
    } rows[] = {{"tokenReceivedAt", "Seek-token"},
                {"acceptedAt", "Accepted"},
                {"completedAt", "Completed"},
                {"lastAttemptAt", "Last attempt"},
                {"nextAttemptAt", "Next attempt"},
                {"deliveredAt", "Delivered"},
                {"diedAt", "Died"},
                {"replayedAt", "Replayed"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char moment[FIGURE_BYTES];
        const char *text = row_text(application, rows[i].member);
        figure_moment(text, now_ms, moment);
        if (text[0] != '\0')
            row_add(out, rows[i].label, "%s", moment);
    }
}

/* --- attempts --- */

static void write_attempts(struct buffer *out, const struct json_value *application, int64_t now_ms)
{
    const struct json_value *history = json_member(application, "history");
    size_t count = json_array_length(history);
    int64_t attempts = row_number(application, "attempts");
    row_add(out, "Attempts", "%" PRId64 "%s", attempts,
            count > 0 && (int64_t)count < attempts ? ", of which these are known:"
            : count > 0                            ? ", the newest first:"
                                                   : "");
    for (size_t i = 0; i < count; i++) {
        const struct json_value *attempt = json_array_item(history, i);
        const char *code = row_text(attempt, "code");
        char number[32], began[FIGURE_BYTES];
        (void)snprintf(number, sizeof number, "%" PRId64, row_number(attempt, "attempt"));
        figure_moment(row_text(attempt, "at"), now_ms, began);
        row_add(out, "", "%-3s  %-43s  %s%s%s", number, began, row_text(attempt, "class"),
                code[0] != '\0' ? ", " : "", code);
    }
}

/* --- for SEEK's support --- */

static void write_ids(struct buffer *out, const struct json_value *application)
{
    const struct json_value *ids = json_member(application, "requestIds");
    const struct {
        const char *member, *label;
    } rows[] = {{"eventId", "Event id"},
                {"tokenFingerprint", "Fingerprint"},
                {"traceparent", "Traceparent"}};
    for (size_t i = 0; i < json_array_length(ids); i++) {
        struct json_text id = {"", 0};
        (void)json_text(json_array_item(ids, i), &id);
        row_add(out, i == 0 ? "Request ids" : "", "%s", id.bytes);
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *text = row_text(application, rows[i].member);
        if (text[0] != '\0')
            row_add(out, rows[i].label, "%s", text);
    }
}

void overview_write_application(struct buffer *out, const struct json_value *application,
                                int64_t now_ms)
{
    write_state(out, application);
    (void)!buffer_append_text(out, "\n", NULL);
    write_times(out, application, now_ms);
    write_attempts(out, application, now_ms);
    if (json_array_length(json_member(application, "requestIds")) > 0)
        (void)!buffer_append_text(out,
                                  "\nSEEK's support asks for the request ids, the newest "
                                  "first:\n",
                                  NULL);
    write_ids(out, application);
}
