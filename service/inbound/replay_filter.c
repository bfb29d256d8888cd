/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/replay_filter.h"

#include <string.h>

#include "lib/base/json.h"

/* The year 2100: what is later was not written by us. */
#define REPLAY_NEXT_DUE_US_MAX INT64_C(4102444800000000)

static bool refuse(struct problem *problem, enum problem_code code, const char *field,
                   const char *detail)
{
    *problem = (struct problem){
        .code = code,
        .field = field,
        .detail = detail,
        .remedy = "Send {\"state\":\"dead\"} and, as wanted, code, dryRun, perSecond and cursor.",
    };
    return false;
}

static bool refuse_value(struct problem *problem, const char *field, const char *detail)
{
    return refuse(problem, PROBLEM_REPLAY_INVALID, field, detail);
}

static bool read_state(const struct json_value *root, struct replay_filter *out,
                       struct problem *problem)
{
    struct json_text text;
    (void)out;
    return (json_member_text(root, "state", &text) && strcmp(text.bytes, "dead") == 0) ||
           refuse_value(problem, "state", "Only what is dead is replayed: state must be \"dead\".");
}

static bool read_code(const struct json_value *root, struct replay_filter *out,
                      struct problem *problem)
{
    struct json_text text;
    if (!json_member_text(root, "code", &text) || text.length == 0 ||
        text.length >= sizeof out->code)
        return refuse_value(problem, "code", "code is not a text of 1 to 127 bytes.");
    memcpy(out->code, text.bytes, text.length + 1);
    return true;
}

static bool read_dry_run(const struct json_value *root, struct replay_filter *out,
                         struct problem *problem)
{
    const struct json_value *value = json_member(root, "dryRun");
    char storage[sizeof "false"];
    struct buffer text;
    buffer_init_fixed(&text, storage, sizeof storage);
    if (json_type(value) != JSON_BOOLEAN || !json_write(&text, value, NULL))
        return refuse_value(problem, "dryRun", "dryRun is neither true nor false.");
    out->is_dry = strcmp(text.bytes, "true") == 0;
    return true;
}

static bool read_per_second(const struct json_value *root, struct replay_filter *out,
                            struct problem *problem)
{
    return (json_member_integer(root, "perSecond", &out->per_second) && out->per_second >= 1 &&
            out->per_second <= REPLAY_PER_SECOND_MAX) ||
           refuse_value(problem, "perSecond", "perSecond is not a number from 1 to 100000.");
}

/* null: what the last answer had, for callers that hand it on blindly. */
static bool read_cursor(const struct json_value *root, struct replay_filter *out,
                        struct problem *problem)
{
    struct json_text text;
    if (json_type(json_member(root, "cursor")) == JSON_NULL)
        return true;
    out->has_cursor = json_member_text(root, "cursor", &text) &&
                      cursor_parse(text.bytes, REPLAY_CURSOR_NUMBERS, &out->cursor) &&
                      out->cursor.numbers[REPLAY_CURSOR_NEXT_DUE_US] <= REPLAY_NEXT_DUE_US_MAX;
    return out->has_cursor ||
           refuse_value(problem, "cursor", "This cursor is not one of a replay.");
}

static const struct {
    const char *name;
    bool is_required;
    bool (*read)(const struct json_value *root, struct replay_filter *out, struct problem *problem);
} members[] = {
    {"state", true, read_state}, /* so that an empty object does not replay everything */
    {"code", false, read_code},
    {"dryRun", false, read_dry_run},
    {"perSecond", false, read_per_second},
    {"cursor", false, read_cursor},
};
enum { MEMBERS_COUNT = sizeof members / sizeof members[0] };

static bool is_known(const char *name)
{
    for (size_t i = 0; i < MEMBERS_COUNT; i++)
        if (strcmp(members[i].name, name) == 0)
            return true;
    return false;
}

static bool read_members(const struct json_value *root, struct replay_filter *out,
                         struct problem *problem)
{
    const char *name = NULL;
    const struct json_value *value = NULL;
    for (size_t i = 0; json_member_at(root, i, &name, &value); i++)
        if (!is_known(name))
            return refuse_value(problem, NULL, "The body has a member that is not known here.");
    for (size_t i = 0; i < MEMBERS_COUNT; i++) {
        bool is_read = members[i].is_required || json_has_member(root, members[i].name);
        if (is_read && !members[i].read(root, out, problem))
            return false;
    }
    return true;
}

bool replay_filter_parse(const char *body, size_t length, struct replay_filter *out,
                         struct problem *problem, struct error *detail)
{
    *out = (struct replay_filter){.per_second = REPLAY_PER_SECOND_DEFAULT};
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
    return read_members(root, out, problem);
}
