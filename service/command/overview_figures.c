/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/command/overview_figures.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "service/command/figures.h"
#include "service/command/rows.h"

static bool is_true(const struct json_value *object, const char *name)
{
    return json_is_true(json_member(object, name));
}

/* --- signals --- */

static void write_causes(struct buffer *out, const struct json_value *signals, int64_t dead)
{
    const struct json_value *causes = json_member(signals, "deadBy");
    int64_t counted = row_number(signals, "deadByOf");
    (void)!buffer_append_format(out, NULL, "%-14s", "");
    row_say(out, "%" PRId64 " dead", dead);
    if (counted >= 0 && counted < dead)
        row_say(out, ", of the latest %" PRId64, counted);
    for (size_t i = 0; i < json_array_length(causes); i++) {
        const struct json_value *cause = json_array_item(causes, i);
        const char *code = row_text(cause, "code"), *class = row_text(cause, "class");
        const char *name = code[0] != '\0' ? code : class[0] != '\0' ? class : "of other causes";
        row_say(out, "%s %" PRId64 " %s", i == 0 ? ":" : ",", row_number(cause, "count"), name);
    }
    (void)!buffer_append_text(out, "\n", NULL);
}

static void write_signals(struct buffer *out, const struct json_value *status, int64_t now_ms)
{
    const struct json_value *signals = json_member(status, "signals");
    int64_t due = row_number(signals, "due"), dead = row_number(signals, "dead");
    int64_t age_ms = row_number(signals, "oldestDueAgeMs");
    char age[FIGURE_BYTES];
    (void)now_ms;
    figure_duration(age_ms, age);
    if (due < 0)
        row_add(out, "Signals", "not known, because Redis does not answer");
    else if (due == 0)
        row_add(out, "Signals", "none waits");
    else if (age_ms > 0)
        row_add(out, "Signals", "%" PRId64 " wait%s, the oldest is due for %s", due,
                due == 1 ? "s" : "", age);
    else
        row_add(out, "Signals", "%" PRId64 " wait%s", due, due == 1 ? "s" : "");
    if (dead > 0)
        write_causes(out, signals, dead);
}

/* --- SEEK --- */

static const char *breaker_words(const char *breaker)
{
    static const struct {
        const char *name, *words;
    } rows[] = {{"closed", "no outage (the circuit breaker is closed)"},
                {"open", "down (the circuit breaker is open)"},
                {"probing", "down, and one request checks whether it is back"},
                {"unknown", "it was down, and nothing was tried since"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(breaker, rows[i].name) == 0)
            return rows[i].words;
    return breaker;
}

static void write_sending(struct buffer *out, const struct json_value *status, int64_t now_ms)
{
    const struct json_value *sending = json_member(status, "sending");
    const struct json_value *workers = json_member(status, "workers");
    const struct json_value *oldest = json_member(workers, "oldestRetry");
    const char *delivered_at = row_text(workers, "lastDeliveredAt");
    const char *last_error = row_text(sending, "lastError");
    int64_t in_flight = row_number(sending, "inFlight");
    char text[FIGURE_BYTES];
    row_add(out, "SEEK", "%s", breaker_words(row_text(sending, "breaker")));
    if (in_flight > 0)
        row_add(out, "", "%" PRId64 " attempts in progress, at most %" PRId64, in_flight,
                row_number(sending, "inFlightLimit"));
    figure_moment(delivered_at, now_ms, text);
    if (delivered_at[0] != '\0')
        row_add(out, "", "last delivery %s", text);
    if (last_error[0] != '\0')
        row_add(out, "", "last failure %s", last_error);
    figure_duration(row_number(oldest, "ageMs"), text);
    if (json_type(oldest) == JSON_OBJECT)
        row_add(out, "", "oldest signal that is tried again: %s (%s)", text,
                row_text(oldest, "class"));
}

static void write_access_token(struct buffer *out, const struct json_value *status, int64_t now_ms)
{
    const struct json_value *token = json_member(status, "accessToken");
    const char *last_error = row_text(token, "lastError");
    int64_t failing_ms = row_number(token, "failingForMs");
    char text[FIGURE_BYTES];
    (void)now_ms;
    figure_duration(row_number(token, "expiresInMs"), text);
    if (is_true(token, "valid"))
        row_add(out, "Access token", "valid for %s", text);
    else
        row_add(out, "Access token", failing_ms < 0 ? "not fetched yet" : "none");
    figure_duration(failing_ms, text);
    if (failing_ms >= 0)
        row_add(out, "", "fetching fails for %s: %s", text, last_error);
}

/* --- what is stored --- */

static void write_nodes(struct buffer *out, const struct json_value *store)
{
    const struct json_value *nodes = json_member(store, "nodes");
    for (size_t i = 0; i < json_array_length(nodes); i++) {
        const struct json_value *node = json_array_item(nodes, i);
        const char *reason = row_text(node, "reason");
        if (!is_true(node, "ready") || reason[0] != '\0')
            row_add(out, "", "node %s, %" PRId64 " shards: %s", row_text(node, "address"),
                    row_number(node, "shards"), reason[0] != '\0' ? reason : "not ready");
    }
}

static void write_store(struct buffer *out, const struct json_value *status, int64_t now_ms)
{
    const struct json_value *store = json_member(status, "store");
    const char *reason = row_text(store, "reason");
    int64_t shards = row_number(store, "shards"), ahead_ms = 0;
    bool is_ready = is_true(store, "ready");
    char text[FIGURE_BYTES];
    (void)now_ms;
    if (is_ready)
        row_add(out, "Redis", "ready, events are stored at the level %s",
                row_text(store, "durability"));
    else
        row_add(out, "Redis", "not ready");
    if (is_ready && reason[0] != '\0')
        row_add(out, "", "note: %s", reason);
    if (shards > 1)
        row_add(out, "", "%" PRId64 " of %" PRId64 " shards ready",
                row_number(store, "shardsReady"), shards);
    write_nodes(out, store);
    bool is_clock_known = json_member_integer(store, "clockAheadMs", &ahead_ms);
    figure_duration(ahead_ms, text);
    if (is_clock_known && ahead_ms != 0)
        row_add(out, "", "its clock is %s %s", text, ahead_ms > 0 ? "ahead" : "behind");
}

static void write_spool(struct buffer *out, const struct json_value *status, int64_t now_ms)
{
    const struct json_value *spool = json_member(status, "spool");
    const char *reason = row_text(spool, "reason");
    int64_t records = row_number(spool, "records");
    char bytes[FIGURE_BYTES], bytes_max[FIGURE_BYTES], age[FIGURE_BYTES];
    (void)now_ms;
    figure_size(row_number(spool, "bytes"), bytes);
    figure_size(row_number(spool, "bytesMax"), bytes_max);
    figure_duration(row_number(spool, "oldestAgeMs"), age);
    if (records > 0)
        row_add(out, "Spool", "%" PRId64 " event%s wait%s for Redis, the oldest for %s (%s of %s)",
                records, records == 1 ? "" : "s", records == 1 ? "s" : "", age, bytes, bytes_max);
    else
        row_add(out, "Spool", "empty");
    if (reason[0] != '\0')
        row_add(out, "", "%s", reason);
}

/* --- what else there is --- */

static void write_notifications(struct buffer *out, const struct json_value *status, int64_t now_ms)
{
    const struct json_value *notifications = json_member(status, "notifications");
    const char *reason = row_text(notifications, "reason");
    int64_t waiting = row_number(notifications, "waiting");
    char text[FIGURE_BYTES];
    (void)now_ms;
    figure_duration(row_number(notifications, "oldestAgeMs"), text);
    if (!is_true(notifications, "telling"))
        row_add(out, "Notifications", "another process sends them");
    else if (waiting > 0)
        row_add(out, "Notifications", "%" PRId64 " wait%s, the oldest for %s", waiting,
                waiting == 1 ? "s" : "", text);
    else
        row_add(out, "Notifications", waiting == 0 ? "none waits" : "not known");
    if (reason[0] != '\0')
        row_add(out, "", "the last one was not taken: %s", reason);
}

static void write_tls(struct buffer *out, const struct json_value *status, int64_t now_ms)
{
    const struct json_value *tls = json_member(status, "tls");
    const char *reason = row_text(tls, "reason");
    char ends[FIGURE_BYTES];
    figure_moment(row_text(tls, "certificateExpiresAt"), now_ms, ends);
    row_add(out, "TLS", "the certificate ends %s", ends);
    if (reason[0] != '\0')
        row_add(out, "", "the files cannot be used: %s", reason);
}

/* "since its start 3 delivered, 1 retried", without what has not happened. */
static void write_counts(struct buffer *out, const struct json_value *workers)
{
    static const struct {
        const char *member, *name;
    } rows[] = {{"delivered", "delivered"},
                {"retried", "retried"},
                {"died", "died"},
                {"fenced", "outdated outcomes"},
                {"leasesExpired", "leases expired"}};
    const char *separator = "since its start ";
    size_t start = out->length;
    (void)!buffer_append_format(out, NULL, "%-14s", "");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t count = row_number(workers, rows[i].member);
        if (count <= 0)
            continue;
        row_say(out, "%s%" PRId64 " %s", separator, count, rows[i].name);
        separator = ", ";
    }
    if (strcmp(separator, ", ") == 0)
        (void)!buffer_append_text(out, "\n", NULL);
    else
        buffer_truncate(out, start);
}

static void write_process(struct buffer *out, const struct json_value *status, int64_t now_ms)
{
    const struct json_value *intake = json_member(status, "intake");
    const struct json_value *workers = json_member(status, "workers");
    int64_t threads = row_number(workers, "threads");
    int64_t connected = row_number(workers, "threadsConnected");
    char up[FIGURE_BYTES];
    (void)now_ms;
    figure_duration(1000 * row_number(status, "uptimeSeconds"), up);
    row_add(out, "Process", "version %s, up for %s", row_text(status, "version"), up);
    write_counts(out, workers);
    if (connected < threads)
        row_add(out, "", "%" PRId64 " of %" PRId64 " workers connected to Redis", connected,
                threads);
    if (is_true(intake, "full"))
        row_add(out, "", "%" PRId64 " connections, which are all that are allowed",
                row_number(intake, "connections"));
}

void overview_write_figures(struct buffer *out, const struct json_value *status, int64_t now_ms)
{
    static const struct {
        const char *member; /* without it there is nothing to say */
        void (*write)(struct buffer *out, const struct json_value *status, int64_t now_ms);
    } parts[] = {
        {"signals", write_signals},
        {"sending", write_sending},
        {"accessToken", write_access_token},
        {"store", write_store},
        {"spool", write_spool},
        {"notifications", write_notifications},
        {"tls", write_tls},
        {"version", write_process},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (json_has_member(status, parts[i].member))
            parts[i].write(out, status, now_ms);
}
