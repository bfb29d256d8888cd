/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/wrong_keys.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/log.h"

#include "service/inbound/call.h"
#include "service/inbound/inbound_metrics.h"

enum {
    DELAY_MS = 1000,
    QUIET_MS = 60000,           /* then there are no more */
    BODY_BYTES_MAX = 16 * 1024, /* what somebody may have read here who has no key */
};

void wrong_keys_init(struct wrong_keys *keys, size_t max)
{
    *keys = (struct wrong_keys){.waiting.duration_ms = DELAY_MS, .max = max > 0 ? max : 1};
}

static bool has_short_body(const struct call *call)
{
    const char *length = http_request_header(call->request, "Content-Length");
    if (http_request_header(call->request, "Transfer-Encoding") != NULL)
        return false;
    return length == NULL || strtoull(length, NULL, 10) <= BODY_BYTES_MAX;
}

bool wrong_keys_note(struct wrong_keys *keys, struct call *call, int64_t now_ms)
{
    assert(call->is_key_wrong);
    keys->since_told++;
    keys->last_ms = now_ms;
    if (call->context->metrics != NULL)
        metric_add(&call->context->metrics[INBOUND_WRONG_KEYS], 1);
    if (!keys->is_told) {
        call_note_who(call);
        log_warn("wrong_keys",
                 "A caller sends a wrong key. Each such answer is delayed by a second. The next "
                 "line about it comes after a minute without wrong keys",
                 LOG_TEXT("address", call->peer), LOG_TEXT("request_id", call->request_id));
    }
    keys->is_told = true;
    /* Its place is taken now: more of them may be on their way in than there is room for. */
    call->is_delayed = keys->count < keys->max && has_short_body(call);
    if (call->is_delayed)
        keys->count++;
    return call->is_delayed;
}

void wrong_keys_delay(struct wrong_keys *keys, struct call *call, int64_t now_ms)
{
    assert(call->is_key_wrong && call->is_delayed);
    assert(call->delay.queue == NULL);
    deadline_set(&call->delay, &keys->waiting, now_ms);
}

void wrong_keys_forget(struct wrong_keys *keys, struct call *call)
{
    if (!call->is_delayed)
        return;
    assert(keys->count > 0);
    deadline_clear(&call->delay);
    call->is_delayed = false;
    keys->count--;
}

static struct call *call_of(struct deadline *delay)
{
    return (struct call *)(void *)((char *)delay - offsetof(struct call, delay));
}

struct call *wrong_keys_take_due(struct wrong_keys *keys, int64_t now_ms)
{
    if (keys->is_told && now_ms - keys->last_ms > QUIET_MS) {
        log_info("wrong_keys_over", "No wrong key has come for a minute",
                 LOG_INT("calls", (int64_t)keys->since_told));
        keys->is_told = false;
        keys->since_told = 0;
    }
    struct deadline *due = deadline_queue_take_due(&keys->waiting, now_ms);
    if (due == NULL)
        return NULL;
    struct call *call = call_of(due);
    wrong_keys_forget(keys, call);
    return call;
}

int64_t wrong_keys_timeout_ms(const struct wrong_keys *keys, int64_t now_ms)
{
    return deadline_queue_wait_ms(&keys->waiting, now_ms);
}
