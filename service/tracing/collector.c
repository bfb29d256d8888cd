/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One request at a time: there is one thread, which has nothing else to do, and what it waits for
 * costs only room in the queue of spans.
 */
#include "service/tracing/collector.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/ascii.h"
#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/random.h"
#include "lib/base/redaction.h"
#include "lib/net/event_loop.h"
#include "lib/net/http_client.h"
#include "lib/net/http_head.h"

#include "service/domain/retry_policy.h"
#include "service/domain/upstream_reply.h"
#include "service/tracing/pair_list.h"

enum {
    HEADERS_MAX = 32,
    HEADER_BYTES_MAX = SECRET_BYTES_MAX + 2 * HEADERS_MAX,
    ANSWER_BYTES_MAX = 64 * 1024,
    CONNECTION_LIFE_S = 300,
    WORDS_MAX = 160, /* of the collector's, in a log line */
};

#define RUNS INT64_MAX

enum verdict_of_collector { TAKEN, REFUSED, WORTH_REPEATING };

struct collector {
    struct collector_options options;
    struct event_loop *loop; /* owned, as the next; event_loop_wake: any thread */
    struct http_client *http;
    _Atomic int64_t stop_at_ms;
    int64_t quiet_until_ms; /* nothing is sent before */
    unsigned failures;      /* in a row */
    /* Of the request on its way. */
    bool is_answered;
    enum verdict_of_collector verdict;
    int64_t retry_after_ms; /* -1: not named */
    size_t rejected;
    struct error reason;
};

/* --- headers ------------------------------------------------------------------------- */

struct collector_header_lines {
    struct buffer text; /* each line with its NUL */
    const char *list[HEADERS_MAX + 2];
};

/* RFC 9110 sections 5.1 and 5.5. */
static bool is_header(const struct pair *pair)
{
    for (const char *c = pair->value; *c != '\0'; c++) {
        if (ascii_is_control(*c))
            return false;
    }
    return http_name_is_valid(pair->key);
}

static bool append_header(struct buffer *text, const struct pair *pair, struct error *error)
{
    if (!is_header(pair))
        return error_set(error, ERROR_CONFIG, "a name or value that no HTTP header may have");
    /* Without a value libcurl would drop the line: a semicolon instead of the colon keeps it. */
    const char *separator = pair->value[0] != '\0' ? ": " : ";";
    return buffer_append_format(text, error, "%s%s%s", pair->key, separator, pair->value) &&
           buffer_append(text, "", 1, error);
}

static bool append_pairs(struct buffer *text, const char *rest, size_t *count, struct error *error)
{
    struct pair pair;
    enum pair_outcome outcome;
    bool is_fine = true;
    while (is_fine && (outcome = pair_list_next(&rest, &pair)) == PAIR_READ) {
        is_fine = ++*count <= HEADERS_MAX
                      ? append_header(text, &pair, error)
                      : error_set(error, ERROR_CONFIG, "more than %d headers", HEADERS_MAX);
    }
    explicit_bzero(&pair, sizeof pair);
    if (is_fine && outcome == PAIR_MALFORMED)
        return error_set(error, ERROR_CONFIG,
                         "not of the form key=value,key2=value2 with percent-encoded values");
    return is_fine;
}

static void header_lines_fini(struct collector_header_lines *lines)
{
    buffer_wipe(&lines->text);
    buffer_fini(&lines->text);
}

/* To be finished in any case. */
static bool header_lines_init(struct collector_header_lines *lines, struct secret *headers,
                              struct error *error)
{
    static const char content_type[] = "Content-Type: application/json";
    *lines = (struct collector_header_lines){.list = {content_type}};
    buffer_init(&lines->text, HEADER_BYTES_MAX);
    if (headers == NULL)
        return true;
    struct buffer value;
    size_t count = 0;
    buffer_init(&value, SECRET_BYTES_MAX);
    bool is_fine = secret_read(headers, &value, error) &&
                   append_pairs(&lines->text, value.bytes, &count, error);
    buffer_wipe(&value);
    buffer_fini(&value);
    const char *line = lines->text.bytes;
    for (size_t i = 0; is_fine && i < count; i++, line += strlen(line) + 1)
        lines->list[1 + i] = line;
    return is_fine;
}

bool collector_check_headers(struct secret *headers, struct error *error)
{
    struct collector_header_lines lines;
    bool is_fine = header_lines_init(&lines, headers, error);
    header_lines_fini(&lines);
    return is_fine;
}

/* --- what came of a request ------------------------------------------------------------ */

/* A number is a string in protobuf's JSON, and may be a number all the same. */
static int64_t count_of(const struct json_value *object, const char *name)
{
    struct json_text text;
    int64_t count = 0;
    if (json_member_text(object, name, &text))
        return strtoll(text.bytes, NULL, 10);
    (void)json_member_integer(object, name, &count);
    return count;
}

/* A collector that repeats the headers that it got repeats what authorises us. */
static bool may_show(struct secret *headers, const struct json_text *words)
{
    struct buffer value;
    buffer_init(&value, SECRET_BYTES_MAX);
    bool is_known = headers == NULL || secret_read(headers, &value, NULL);
    const char *const secrets[] = {value.bytes};
    const struct redaction redaction = {secrets, 1};
    bool may = is_known && !redaction_is_needed(&redaction, words->bytes, words->length);
    buffer_wipe(&value);
    buffer_fini(&value);
    return may;
}

/* What cannot be read says nothing of spans that were not taken. */
static void read_partial_success(struct collector *collector, const struct http_exchange *exchange)
{
    AUTO(json) *json = json_parse(exchange->body, exchange->body_length, NULL);
    const struct json_value *root = json != NULL ? json_root(json) : NULL;
    const struct json_value *partial =
        json_type(root) == JSON_OBJECT ? json_member(root, "partialSuccess") : NULL;
    if (json_type(partial) != JSON_OBJECT)
        return;
    int64_t rejected = count_of(partial, "rejectedSpans");
    struct json_text words = {"", 0};
    (void)json_member_text(partial, "errorMessage", &words);
    collector->rejected = rejected > 0 ? (size_t)rejected : 0;
    if (!may_show(collector->options.headers, &words))
        words = (struct json_text){"(its text repeats our headers)", 30};
    if (rejected > 0)
        (void)error_set(&collector->reason, ERROR_PROTOCOL, "the collector rejects spans: %.*s",
                        WORDS_MAX, words.bytes);
}

/* OTLP/HTTP: these statuses, and requests without an answer, are repeated; nothing else is. */
static enum verdict_of_collector verdict_on(const struct http_exchange *exchange)
{
    if (exchange->outcome == HTTP_ANSWER_TOO_LARGE)
        return REFUSED; /* whatever it was, it was an answer */
    if (exchange->outcome != HTTP_ANSWERED)
        return WORTH_REPEATING;
    if (exchange->status >= 200 && exchange->status <= 299)
        return TAKEN;
    switch (exchange->status) {
    case 429:
    case 502:
    case 503:
    case 504:
        return WORTH_REPEATING;
    default:
        return REFUSED;
    }
}

static void on_answered(void *context, const struct http_exchange *exchange)
{
    struct collector *collector = context;
    collector->is_answered = true;
    collector->verdict = verdict_on(exchange);
    collector->rejected = 0;
    collector->retry_after_ms = -1;
    collector->reason = (struct error){.kind = ERROR_NONE};
    if (collector->verdict == TAKEN)
        read_partial_success(collector, exchange);
    else if (exchange->outcome != HTTP_ANSWERED)
        (void)error_set(&collector->reason, ERROR_IO, "%s", exchange->detail);
    else
        (void)error_set(&collector->reason, ERROR_PROTOCOL, "the collector answers HTTP %u",
                        exchange->status);
    if (exchange->retry_after != NULL)
        collector->retry_after_ms = retry_after_parse_ms(exchange->retry_after, clock_wall_ms());
}

/* --- waiting --------------------------------------------------------------------------- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

bool collector_is_stopping(const struct collector *collector)
{
    return atomic_load(&collector->stop_at_ms) != RUNS;
}

/* One turn. False: the time is up. */
static bool turn(struct collector *collector, int64_t until_ms)
{
    int64_t left_ms = earlier(until_ms, atomic_load(&collector->stop_at_ms)) - clock_monotonic_ms();
    if (left_ms <= 0)
        return false;
    int64_t wait_ms = http_client_timeout_ms(collector->http);
    event_loop_poll(collector->loop, clock_sooner_ms(wait_ms, left_ms));
    http_client_turn(collector->http);
    return true;
}

void collector_wait(struct collector *collector, int64_t until_ms)
{
    if (!collector_is_stopping(collector))
        (void)turn(collector, until_ms);
}

static void wait_through(struct collector *collector, int64_t until_ms)
{
    while (!collector_is_stopping(collector) && turn(collector, until_ms))
        continue;
}

void collector_wake(struct collector *collector)
{
    event_loop_wake(collector->loop);
}

void collector_stop(struct collector *collector, int64_t deadline_ms)
{
    atomic_store(&collector->stop_at_ms, deadline_ms);
    collector_wake(collector);
}

/* --- sending --------------------------------------------------------------------------- */

static bool post(struct collector *collector, const struct buffer *body, int64_t until_ms,
                 const char *const headers[], struct error *error)
{
    const struct http_transfer transfer = {
        .url = collector->options.url,
        .proxy = collector->options.proxy,
        .body = body->bytes,
        .body_length = body->length,
        .headers = headers,
        .user_agent = collector->options.user_agent,
        .timeout_ms = collector->options.timeout_ms,
        .answer_bytes_max = ANSWER_BYTES_MAX,
        .done = on_answered,
        .context = collector,
    };
    collector->is_answered = false;
    if (!http_client_start(collector->http, &transfer, error))
        return false;
    while (!collector->is_answered && turn(collector, until_ms))
        continue;
    if (!collector->is_answered)
        http_client_abort_all(collector->http);
    return true;
}

/* False: nothing was sent, and it would be the same the next time. */
static bool try_once(struct collector *collector, const struct buffer *body, int64_t until_ms,
                     struct error *error)
{
    struct collector_header_lines lines;
    bool is_posted = true;
    if (!header_lines_init(&lines, collector->options.headers, error))
        is_posted = error_wrap(error, "OTEL_EXPORTER_OTLP_HEADERS");
    else
        is_posted = post(collector, body, until_ms, lines.list, error);
    header_lines_fini(&lines);
    return is_posted;
}

/* When the next request may go, this one's repetition or another one. */
static void rest(struct collector *collector)
{
    const struct collector_options *options = &collector->options;
    int64_t pause_ms = retry_policy_backoff_ms(options->pause_base_ms, options->pause_max_ms,
                                               ++collector->failures, random_u64());
    if (collector->retry_after_ms > pause_ms)
        pause_ms = earlier(collector->retry_after_ms, COLLECTOR_QUIET_MAX_MS);
    collector->quiet_until_ms = clock_monotonic_ms() + pause_ms;
}

bool collector_send(struct collector *collector, const struct buffer *body, size_t *out_rejected,
                    struct error *error)
{
    wait_through(collector, collector->quiet_until_ms);
    int64_t until_ms = clock_monotonic_ms() + collector->options.budget_ms;
    for (;;) {
        if (!try_once(collector, body, until_ms, error))
            return false;
        *error = collector->reason;
        switch (collector->verdict) {
        case TAKEN:
            collector->failures = 0;
            *out_rejected = collector->rejected;
            return true;
        case REFUSED:
            collector->failures = 0;
            return false;
        case WORTH_REPEATING:
            rest(collector);
            break;
        }
        if (collector_is_stopping(collector) || collector->quiet_until_ms >= until_ms)
            return false;
        wait_through(collector, collector->quiet_until_ms);
    }
}

/* --- life ------------------------------------------------------------------------------ */

struct collector *collector_create(const struct collector_options *options, struct error *error)
{
    struct collector *collector = calloc(1, sizeof *collector);
    if (collector == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    collector->options = *options;
    atomic_init(&collector->stop_at_ms, RUNS);
    const struct http_client_options http = {
        .ca_file = options->ca_file,
        .client_certificate = options->client_certificate,
        .client_key = options->client_key,
        .connections_max = 1,
        .connection_life_max_s = CONNECTION_LIFE_S,
        .connect_timeout_ms = options->timeout_ms,
    };
    collector->loop = event_loop_create(error);
    if (collector->loop != NULL)
        collector->http = http_client_create(&http, collector->loop, error);
    if (collector->http != NULL)
        return collector;
    collector_destroy(collector);
    return NULL;
}

void collector_destroy(struct collector *collector)
{
    if (collector == NULL)
        return;
    http_client_destroy(collector->http);
    event_loop_destroy(collector->loop);
    free(collector);
}
