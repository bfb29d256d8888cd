/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/dead_filter.h"

#include <assert.h>
#include <string.h>

#include "lib/base/json.h"

#include "service/domain/moment.h"
#include "service/store/shard.h"

/* The year 2100: what is later was not written by us. */
#define REPLAY_NEXT_DUE_US_MAX INT64_C(4102444800000000)

/* Both calls have these; a replay has two more. */
#define REMEDY                                                                                     \
    "Send {\"state\":\"dead\"} and, as wanted, code, class, message, prefix, since, until, dryRun"

/* Its remedy follows from the call. */
static bool refuse(struct problem *problem, enum problem_code code, const char *field,
                   const char *detail)
{
    *problem = (struct problem){.code = code, .field = field, .detail = detail};
    return false;
}

static bool refuse_value(struct problem *problem, const char *field, const char *detail)
{
    return refuse(problem, PROBLEM_REPLAY_INVALID, field, detail);
}

/* Beside each reader: `now_ms`, which only times need. */
static bool read_state(const struct json_value *root, int64_t now_ms, struct dead_filter *out,
                       struct problem *problem)
{
    struct json_text text;
    (void)now_ms;
    if (!json_has_member(root, "state"))
        return out->is_dry ||
               refuse_value(problem, "state",
                            "state is missing. It may be left out where dryRun is true.");
    return (json_member_text(root, "state", &text) && strcmp(text.bytes, "dead") == 0) ||
           refuse_value(problem, "state",
                        "This call works only on dead applications: state must be \"dead\".");
}

static bool copy_text(const struct json_value *root, const char *name, char *out, size_t size)
{
    struct json_text text;
    if (!json_member_text(root, name, &text) || text.length == 0 || text.length >= size)
        return false;
    assert(strlen(text.bytes) == text.length); /* a zero byte is no JSON here */
    memcpy(out, text.bytes, text.length + 1);
    return true;
}

static bool read_word(const struct json_value *root, const char *name, char word[DEAD_FILTER_BYTES],
                      struct problem *problem)
{
    return copy_text(root, name, word, DEAD_FILTER_BYTES) ||
           refuse_value(problem, name, "This is not a text of 1 to 127 bytes.");
}

static bool read_code(const struct json_value *root, int64_t now_ms, struct dead_filter *out,
                      struct problem *problem)
{
    (void)now_ms;
    return read_word(root, "code", out->code, problem);
}

static bool read_class(const struct json_value *root, int64_t now_ms, struct dead_filter *out,
                       struct problem *problem)
{
    (void)now_ms;
    return read_word(root, "class", out->class, problem);
}

static bool read_message(const struct json_value *root, int64_t now_ms, struct dead_filter *out,
                         struct problem *problem)
{
    (void)now_ms;
    return copy_text(root, "message", out->message, sizeof out->message) ||
           refuse_value(problem, "message", "This is not a text of 1 to 2047 bytes.");
}

static bool read_prefix(const struct json_value *root, int64_t now_ms, struct dead_filter *out,
                        struct problem *problem)
{
    (void)now_ms;
    return copy_text(root, "prefix", out->prefix, sizeof out->prefix) ||
           refuse_value(problem, "prefix", "This is not a text of 1 to 256 bytes.");
}

static bool read_time(const struct json_value *root, const char *name, int64_t now_ms,
                      int64_t *out_ms, struct problem *problem)
{
    struct json_text text;
    return (json_member_text(root, name, &text) && moment_parse(text.bytes, now_ms, out_ms)) ||
           refuse_value(problem, name,
                        "This is not a time: send RFC 3339, such as 2026-01-02T03:04:05Z, or how "
                        "long ago, such as 2h or 7d.");
}

static bool read_since(const struct json_value *root, int64_t now_ms, struct dead_filter *out,
                       struct problem *problem)
{
    return read_time(root, "since", now_ms, &out->since_ms, problem);
}

static bool read_until(const struct json_value *root, int64_t now_ms, struct dead_filter *out,
                       struct problem *problem)
{
    return read_time(root, "until", now_ms, &out->until_ms, problem);
}

static bool read_dry_run(const struct json_value *root, int64_t now_ms, struct dead_filter *out,
                         struct problem *problem)
{
    (void)now_ms;
    const struct json_value *value = json_member(root, "dryRun");
    char storage[sizeof "false"];
    struct buffer text;
    buffer_init_fixed(&text, storage, sizeof storage);
    if (json_type(value) != JSON_BOOLEAN || !json_write(&text, value, NULL))
        return refuse_value(problem, "dryRun", "dryRun is neither true nor false.");
    out->is_dry = strcmp(text.bytes, "true") == 0;
    return true;
}

static bool read_per_second(const struct json_value *root, int64_t now_ms, struct dead_filter *out,
                            struct problem *problem)
{
    (void)now_ms;
    return (json_member_integer(root, "perSecond", &out->per_second) && out->per_second >= 1 &&
            out->per_second <= REPLAY_PER_SECOND_MAX) ||
           refuse_value(problem, "perSecond", "perSecond is not a number from 1 to 100000.");
}

static bool read_limit(const struct json_value *root, int64_t now_ms, struct dead_filter *out,
                       struct problem *problem)
{
    (void)now_ms;
    return (json_member_integer(root, "limit", &out->limit) && out->limit >= 1 &&
            out->limit <= DEAD_LIMIT_MAX) ||
           refuse_value(problem, "limit", "limit is not a number from 1 to 10000.");
}

/* null: what the last answer had, for callers that hand it on blindly. */
static bool read_cursor(const struct json_value *root, int64_t now_ms, struct dead_filter *out,
                        struct problem *problem)
{
    struct json_text text;
    (void)now_ms;
    if (json_type(json_member(root, "cursor")) == JSON_NULL)
        return true;
    out->has_cursor = json_member_text(root, "cursor", &text) &&
                      cursor_parse(text.bytes, DEAD_CURSOR_NUMBERS, &out->cursor) &&
                      out->cursor.numbers[DEAD_CURSOR_NEXT_DUE_US] <= REPLAY_NEXT_DUE_US_MAX &&
                      out->cursor.numbers[DEAD_CURSOR_SHARD] < SHARD_COUNT_MAX;
    return out->has_cursor ||
           refuse_value(problem, "cursor", "This cursor does not belong to this call.");
}

static const struct {
    const char *name;
    bool is_required;
    bool is_of_replay; /* alone */
    bool (*read)(const struct json_value *root, int64_t now_ms, struct dead_filter *out,
                 struct problem *problem);
} members[] = {
    {"dryRun", false, false, read_dry_run},
    /* So that an empty object does not mean everything. It asks whether this is a dry run. */
    {"state", true, false, read_state},
    {"code", false, false, read_code},
    {"class", false, false, read_class},
    {"message", false, false, read_message},
    {"prefix", false, false, read_prefix},
    {"since", false, false, read_since},
    {"until", false, false, read_until},
    {"perSecond", false, true, read_per_second},
    {"limit", false, true, read_limit},
    {"cursor", false, false, read_cursor},
};
enum { MEMBERS_COUNT = sizeof members / sizeof members[0] };

static bool is_known(const char *name, bool has_rate)
{
    for (size_t i = 0; i < MEMBERS_COUNT; i++)
        if (strcmp(members[i].name, name) == 0)
            return has_rate || !members[i].is_of_replay;
    return false;
}

/* A name that is too long for the field is in the detail alone. */
static bool refuse_member(const char *name, struct dead_filter *out, struct problem *problem,
                          struct error *detail)
{
    bool has_room = strlen(name) < sizeof out->unknown;
    if (has_room)
        memcpy(out->unknown, name, strlen(name) + 1);
    (void)error_set(detail, ERROR_INVALID, "This call has no member \"%s\".", name);
    return refuse_value(problem, has_room ? out->unknown : NULL, detail->message);
}

static bool check_names(const struct json_value *root, bool has_rate, struct dead_filter *out,
                        struct problem *problem, struct error *detail)
{
    const char *name = NULL;
    const struct json_value *value = NULL;
    for (size_t i = 0; json_member_at(root, i, &name, &value); i++)
        if (!is_known(name, has_rate))
            return refuse_member(name, out, problem, detail);
    return true;
}

static bool read_members(const struct json_value *root, int64_t now_ms, struct dead_filter *out,
                         struct problem *problem)
{
    for (size_t i = 0; i < MEMBERS_COUNT; i++) {
        bool is_read = members[i].is_required || json_has_member(root, members[i].name);
        if (is_read && !members[i].read(root, now_ms, out, problem))
            return false;
    }
    return true;
}

static bool parse(const char *body, size_t length, bool has_rate, int64_t now_ms,
                  struct dead_filter *out, struct problem *problem, struct error *detail)
{
    AUTO(json) *json = json_parse(body, length, detail);
    if (json == NULL)
        return refuse(problem,
                      detail->kind == ERROR_MEMORY ? PROBLEM_OUT_OF_MEMORY : PROBLEM_NOT_JSON, NULL,
                      detail->message);
    const struct json_value *root = json_root(json);
    if (json_type(root) != JSON_OBJECT)
        return refuse(problem, PROBLEM_NOT_AN_OBJECT, NULL, "The body is not a JSON object.");
    for (size_t i = 0; i < MEMBERS_COUNT; i++)
        if (json_repeats_member(body, length, members[i].name))
            return refuse(problem, PROBLEM_REPEATED_MEMBER, members[i].name, "Send it once.");
    return check_names(root, has_rate, out, problem, detail) &&
           read_members(root, now_ms, out, problem);
}

bool dead_filter_parse(const char *body, size_t length, bool has_rate, int64_t now_ms,
                       struct dead_filter *out, struct problem *problem, struct error *detail)
{
    *out = (struct dead_filter){.per_second = REPLAY_PER_SECOND_DEFAULT, .limit = DEAD_LIMIT_MAX};
    if (parse(body, length, has_rate, now_ms, out, problem, detail))
        return true;
    assert(problem->detail != NULL);
    problem->remedy = has_rate ? REMEDY ", perSecond, limit and cursor." : REMEDY " and cursor.";
    return false;
}
