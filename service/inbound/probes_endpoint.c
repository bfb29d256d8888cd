/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * /livez, /readyz, /startupz and /metrics, on both listeners.
 */
#include "lib/base/clock.h"

#include "service/inbound/call.h"
#include "service/inbound/endpoints.h"
#include "service/inbound/health.h"
#include "service/inbound/metrics_page.h"

static void answer_probe(struct call *call, enum health_probe probe)
{
    int64_t now_ms = clock_monotonic_ms();
    struct health health;
    health_look(probe, call->context->view, now_ms, &health);
    struct buffer *body = call_scratch(call);
    if (!health_write(body, probe, call->context->view, now_ms, &health, NULL)) {
        call_answer_out_of_memory(call);
    } else if (health.is_fine) {
        call_answer_json(call, 200, body);
    } else {
        const struct problem problem = {.code = health.code, .detail = health.detail};
        call_refuse_written(call, &problem, body);
    }
}

void livez_get(struct call *call)
{
    answer_probe(call, HEALTH_LIVE);
}

void readyz_get(struct call *call)
{
    answer_probe(call, HEALTH_READY);
}

void startupz_get(struct call *call)
{
    answer_probe(call, HEALTH_STARTED);
}

void metrics_get(struct call *call)
{
    struct buffer *body = call_scratch(call);
    if (!metrics_page_write(body, call->context->view, NULL)) {
        call_answer_out_of_memory(call);
        return;
    }
    call_answer(call, &(struct answer){.status = 200,
                                       .content_type = "text/plain; version=0.0.4; charset=utf-8",
                                       .body = body->bytes,
                                       .body_length = body->length});
}
