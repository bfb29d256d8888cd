/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * PUT /v1/applications/{id}/token: keeps the seek-token of an application that is not complete yet.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"

#include "service/domain/seek_token.h"
#include "service/inbound/call.h"
#include "service/inbound/endpoints.h"
#include "service/inbound/outage.h"
#include "service/inbound/service_view.h"
#include "service/inbound/spool_batch.h"

/* Serializers write null for what is not there. */
static bool is_given(const struct json_value *root, const char *name)
{
    return json_type(json_member(root, name)) != JSON_NULL;
}

static bool check_members(const struct json_value *root, const char *body, size_t length,
                          struct rejection *rejection)
{
    static const char *const members[] = {"token", "applicationUri"};
    if (json_type(root) != JSON_OBJECT)
        return rejection_set(rejection, REJECTED_NOT_AN_OBJECT, "",
                             "Send {\"token\": \"…\"} or {\"applicationUri\": \"https://…\"}.",
                             "The body is not a JSON object.");
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (json_repeats_member(body, length, members[i]))
            return rejection_set(rejection, REJECTED_REPEATED_MEMBER, members[i],
                                 "Send each member once.", "%s is there more than once.",
                                 members[i]);
    if (is_given(root, "token") && is_given(root, "applicationUri"))
        return rejection_set(rejection, REJECTED_TOKEN_AND_URI, "applicationUri",
                             "Send token or applicationUri, not both.", "The body has both.");
    return true;
}

/* Appends the seek-token to `out`. */
static bool read_seek_token(const struct json_value *root, struct buffer *out,
                            struct rejection *rejection)
{
    struct json_text text;
    if (is_given(root, "applicationUri")) {
        if (!json_member_text(root, "applicationUri", &text))
            return rejection_set(rejection, REJECTED_APPLICATION_URI, "applicationUri",
                                 "Send the whole URL that the candidate arrived with.",
                                 "applicationUri is not a string.");
        return seek_token_from_uri(text.bytes, text.length, out, rejection);
    }
    if (!is_given(root, "token"))
        return seek_token_refuse_none(rejection, "token", "The body gives no seek-token.");
    if (!json_member_text(root, "token", &text))
        return rejection_set(rejection, REJECTED_TOKEN, "token",
                             "Send the value of the URL parameter seek-token.",
                             "token is not a string.");
    if (!seek_token_check(text.bytes, text.length, rejection))
        return false;
    return buffer_append(out, text.bytes, text.length, NULL) || rejection_out_of_memory(rejection);
}

/* Perhaps the seek-token is among the other members. */
static void hint_at_others(const struct json_value *root, struct rejection *rejection)
{
    size_t others = json_member_count(root) - json_has_member(root, "token") -
                    json_has_member(root, "applicationUri");
    size_t length = strlen(rejection->detail);
    if (rejection->code == REJECTED_NO_TOKEN && others > 0)
        (void)snprintf(rejection->detail + length, sizeof rejection->detail - length,
                       " The body has members with other names: the seek-token is read from token "
                       "or applicationUri.");
}

static bool parse_body(struct call *call, struct buffer *seek_token, struct rejection *rejection)
{
    size_t length;
    const char *body = call_body(call, &length);
    struct error error;
    AUTO(json) *json = json_parse(body, length, &error);
    if (json == NULL)
        return error.kind == ERROR_MEMORY
                   ? rejection_out_of_memory(rejection)
                   : rejection_set(rejection, REJECTED_NOT_JSON, "", "Send one JSON object.",
                                   "Not JSON: %s.", error.message);
    const struct json_value *root = json_root(json);
    if (!check_members(root, body, length, rejection))
        return false;
    if (read_seek_token(root, seek_token, rejection))
        return true;
    hint_at_others(root, rejection);
    return false;
}

/* A seek-token on its way to Redis, or, when Redis is away, to the spool. */
struct keeping {
    struct call_work work;
    struct call *call; /* borrowed: owns us */
    int64_t stamp_us;  /* with a spool: when it came */
    char event_id[ATTEMPT_ID_BYTES];
    char seek_token[];
};

static void destroy(struct call_work *work)
{
    free(work);
}

static void finish(struct keeping *keeping, const struct store_failure *failure)
{
    struct call *call = keeping->call;
    if (failure->status == STORE_OK) {
        outage_note_stored(call);
        call_answer_empty(call, 204);
    } else {
        call_refuse_store(call, failure);
    }
    call_release(call);
}

static void take_spooled(void *context, size_t index, const struct batch_result *result)
{
    (void)index;
    finish(context, result->failure);
}

static bool spool(struct keeping *keeping)
{
    const struct call *call = keeping->call;
    const struct drain_record record = {
        .kind = DRAIN_DRAFT,
        .application_id = call->application_id,
        .seek_token = keeping->seek_token,
        .event_id = keeping->event_id,
        .stamp_us = keeping->stamp_us,
    };
    struct error error;
    return call->context->spool != NULL &&
           spool_batch_add(call->context->spool, &record, take_spooled, keeping, 0, &error);
}

/* An application that owed its signal already owes it with this seek-token now. */
static void take_kept(void *context, const struct store_failure *failure)
{
    struct keeping *keeping = context;
    if (failure->status == STORE_OK)
        service_view_note_due(keeping->call->context->view, true);
    bool is_known = failure->status == STORE_OK || failure->status == STORE_DAMAGED;
    if (is_known || !spool(keeping))
        finish(keeping, failure);
}

static void keep(struct call *call, const struct buffer *seek_token)
{
    assert(call->work == NULL && call->application_id_length > 0);
    struct keeping *keeping = calloc(1, sizeof *keeping + seek_token->length + 1);
    if (keeping == NULL) {
        call_answer_out_of_memory(call);
        return;
    }
    keeping->work.destroy = destroy;
    keeping->call = call;
    call->work = &keeping->work;
    call_make_event_id(keeping->event_id);
    memcpy(keeping->seek_token, seek_token->bytes, seek_token->length);
    uint32_t life = 0;
    if (call->context->spool != NULL) {
        keeping->stamp_us = spool_stamp(spool_batch_spool(call->context->spool));
        life = spool_life(spool_batch_spool(call->context->spool));
    }
    struct error error;
    const struct accept_item item = {
        .application_id = call->application_id,
        .seek_token = keeping->seek_token,
        .event_id = keeping->event_id,
        .came_us = keeping->stamp_us,
        .life = life,
    };
    call_start(call,
               store_put_token(call->context->store, &item, take_kept, keeping, &error) ||
                   spool(keeping),
               &error);
}

void token_put(struct call *call)
{
    if (!call_is_json(call))
        return;
    struct buffer seek_token;
    struct rejection rejection;
    buffer_init(&seek_token, SEEK_TOKEN_BYTES_MAX);
    if (parse_body(call, &seek_token, &rejection)) {
        keep(call, &seek_token);
    } else {
        const struct problem problem = problem_from_rejection(&rejection);
        call_refuse(call, &problem);
    }
    buffer_fini(&seek_token);
}
