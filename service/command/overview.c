/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/command/overview.h"

#include <inttypes.h>
#include <string.h>

#include "service/command/figures.h"
#include "service/command/overview_figures.h"
#include "service/command/rows.h"

static const struct json_value *sending_of(const struct json_value *status)
{
    return json_member(status, "sending");
}

/* --- what can be wrong --- */

static bool is_draining(const struct json_value *status)
{
    return json_is_true(json_member(status, "draining"));
}

static void say_draining(struct buffer *out, const struct json_value *status, int64_t now_ms)
{
    (void)status, (void)now_ms;
    row_say(out, "Stopping: signals in progress are finished first.");
}

static bool is_store_unfit(const struct json_value *status)
{
    return !json_is_true(json_member(json_member(status, "store"), "ready"));
}

/* Most reasons name Redis in their first words, so that they can stand alone. */
static void say_store_unfit(struct buffer *out, const struct json_value *status, int64_t now_ms)
{
    (void)now_ms;
    const char *reason = row_text(json_member(status, "store"), "reason");
    bool is_spooling = json_is_true(json_member(json_member(status, "spool"), "able"));
    row_say(out, "%s. %s.", reason[0] != '\0' ? reason : "Redis has not answered yet",
            is_spooling ? "Events are kept on this machine's disk meanwhile, and nothing is sent"
                        : "Events get 503 meanwhile, and nothing is sent");
}

static bool is_moved(const struct json_value *status)
{
    return row_text(sending_of(status), "movedTo")[0] != '\0';
}

static bool is_paused(const struct json_value *status)
{
    return json_is_true(json_member(sending_of(status), "paused"));
}

static bool is_moved_away(const struct json_value *status)
{
    return is_moved(status) && is_paused(status);
}

static void say_moved_away(struct buffer *out, const struct json_value *status, int64_t now_ms)
{
    (void)now_ms;
    row_say(out, "Moved: the signals of this Redis are sent from %s now.",
            row_text(sending_of(status), "movedTo"));
}

static bool is_moved_and_resumed(const struct json_value *status)
{
    return is_moved(status) && !is_paused(status);
}

static void say_moved_and_resumed(struct buffer *out, const struct json_value *status,
                                  int64_t now_ms)
{
    (void)now_ms;
    row_say(out,
            "Moved to %s, but sending here was resumed: an older seek-token may be sent after a "
            "newer one.",
            row_text(sending_of(status), "movedTo"));
}

static bool is_only_paused(const struct json_value *status)
{
    return is_paused(status) && !is_moved(status);
}

static void say_paused(struct buffer *out, const struct json_value *status, int64_t now_ms)
{
    char since[FIGURE_BYTES];
    figure_moment(row_text(sending_of(status), "pausedSince"), now_ms, since);
    row_say(out, "Sending is paused, since %s. Events are still accepted.", since);
}

static bool is_seek_down(const struct json_value *status)
{
    const char *breaker = row_text(sending_of(status), "breaker");
    return strcmp(breaker, "open") == 0 || strcmp(breaker, "probing") == 0;
}

static void say_seek_down(struct buffer *out, const struct json_value *status, int64_t now_ms)
{
    (void)status, (void)now_ms;
    row_say(out, "SEEK is down, and sending is on hold. Events are still accepted.");
}

static bool is_token_failing(const struct json_value *status, bool is_valid)
{
    const struct json_value *token = json_member(status, "accessToken");
    return row_number(token, "failingForMs") >= 0 &&
           json_is_true(json_member(token, "valid")) == is_valid;
}

static bool has_no_access_token(const struct json_value *status)
{
    return is_token_failing(status, false);
}

/* SEEK may have revoked the one that is used: then nothing is sent. */
static bool is_token_not_renewed(const struct json_value *status)
{
    return is_token_failing(status, true);
}

static void say_token_failing(struct buffer *out, const struct json_value *status, int64_t now_ms)
{
    char time[FIGURE_BYTES];
    (void)now_ms;
    figure_duration(row_number(json_member(status, "accessToken"), "failingForMs"), time);
    if (has_no_access_token(status))
        row_say(out, "No access token can be fetched for %s, and sending is on hold.", time);
    else
        row_say(out,
                "No new access token can be fetched for %s. The last one is used while SEEK "
                "accepts it.",
                time);
}

static bool is_throttled(const struct json_value *status)
{
    return row_number(sending_of(status), "throttledForMs") > 0;
}

static void say_throttled(struct buffer *out, const struct json_value *status, int64_t now_ms)
{
    char time[FIGURE_BYTES];
    (void)now_ms;
    figure_duration(row_number(sending_of(status), "throttledForMs"), time);
    row_say(out, "SEEK is rate-limiting us. Sending goes on in %s.", time);
}

static const char next_when_resumed[] =
    "Next: `seek-signal pause` stops sending here again. Point clients and services to the new "
    "Redis. To send from here, move back, or `seek-signal move --from URL --abandon`.";

static const char next_without_access_token[] =
    "Next: `seek-signal check`. Compare CLIENT_ID and CLIENT_SECRET with SEEK's developer "
    "dashboard. A new secret that systemd hands over needs a restart of the service.";

/* The first that is true is the state; the others follow it. */
static const struct finding {
    bool (*is_true)(const struct json_value *status);
    void (*say)(struct buffer *out, const struct json_value *status, int64_t now_ms);
    const char *next; /* what to do; NULL: nothing */
    struct overview_hold hold;
} findings[] = {
    {is_draining, say_draining, NULL, {NULL, NULL}},
    {is_store_unfit,
     say_store_unfit,
     "Next: `seek-signal check`. The reason has its row in docs/troubleshooting.md.",
     {NULL, NULL}},
    {is_moved_away,
     say_moved_away,
     "Next: point clients and services to it. To send from here again, move back, or "
     "`seek-signal move --from URL --abandon`.",
     {NULL, NULL}},
    {is_moved_and_resumed, say_moved_and_resumed, next_when_resumed, {NULL, NULL}},
    {is_only_paused,
     say_paused,
     "Next: `seek-signal resume` when the reason is over. The log says who paused it "
     "(pause_asked), or which refusals did (refusals_braked).",
     {"after `seek-signal resume`", "sending is paused"}},
    {is_seek_down,
     say_seek_down,
     "Next: nothing, if the trouble is SEEK's. One request every 2 s checks whether SEEK is back; "
     "then everything that waits is sent. `seek-signal check` tries the way to SEEK.",
     {"when SEEK is back", "SEEK is down"}},
    {has_no_access_token,
     say_token_failing,
     next_without_access_token,
     {"when an access token is there", "none can be fetched now"}},
    {is_token_not_renewed, say_token_failing, next_without_access_token, {NULL, NULL}},
    {is_throttled,
     say_throttled,
     "Next: nothing. If it comes often, set MAX_PER_SECOND.",
     {"when SEEK's rate limit is over", "SEEK is rate-limiting us"}},
};

enum { FINDING_COUNT = sizeof findings / sizeof findings[0] };

const struct overview_hold *overview_hold(const struct json_value *status)
{
    for (size_t i = 0; i < FINDING_COUNT; i++) {
        if (findings[i].hold.until != NULL && findings[i].is_true(status))
            return &findings[i].hold;
    }
    return NULL;
}

static void write_next(struct buffer *out, const char *next)
{
    if (next != NULL)
        (void)!buffer_append_texts(out, NULL, "  ", next, "\n", NULL);
}

void overview_write_resumed(struct buffer *out, const struct json_value *status)
{
    if (!is_moved(status))
        return;
    say_moved_and_resumed(out, status, 0);
    (void)!buffer_append_text(out, "\n", NULL);
    write_next(out, next_when_resumed);
}

/* --- the state --- */

static void write_dead_sentence(struct buffer *out, int64_t dead)
{
    if (dead == 1)
        row_say(out, " 1 application is dead.");
    else if (dead > 1)
        row_say(out, " %" PRId64 " applications are dead.", dead);
}

static void write_state(struct buffer *out, const struct json_value *status, int64_t now_ms)
{
    int64_t dead = row_number(json_member(status, "signals"), "dead");
    bool is_first = true;
    for (size_t i = 0; i < FINDING_COUNT; i++) {
        if (!findings[i].is_true(status))
            continue;
        findings[i].say(out, status, now_ms);
        if (is_first)
            write_dead_sentence(out, dead);
        is_first = false;
        (void)!buffer_append_text(out, "\n", NULL);
        write_next(out, findings[i].next);
    }
    if (is_first) {
        row_say(out, "Working.");
        write_dead_sentence(out, dead);
        (void)!buffer_append_text(out, "\n", NULL);
    }
    if (dead > 0)
        write_next(out, "Next: `seek-signal dead list` shows them, in SEEK's words. Remove the "
                        "cause, then `seek-signal dead replay`.");
}

void overview_write(struct buffer *out, const struct json_value *status, int64_t now_ms)
{
    write_state(out, status, now_ms);
    (void)!buffer_append_text(out, "\n", NULL);
    overview_write_figures(out, status, now_ms);
}
