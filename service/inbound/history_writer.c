/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/history_writer.h"

#include <assert.h>

#include "service/inbound/inbound_metrics.h"
#include "service/inbound/service_view.h"
#include "service/outbound/worker_pool.h"
#include "service/store/store.h"

void history_writer_init(struct history_writer *writer, struct store *store,
                         const struct metric *metrics, const struct service_view *view)
{
    assert(store != NULL && metrics != NULL && view != NULL);
    *writer = (struct history_writer){.store = store, .metrics = metrics, .view = view};
}

static struct history_counts count(const struct history_writer *writer)
{
    struct history_counts now = {
        .accepted = metric_value(&writer->metrics[INBOUND_EVENTS + INTAKE_ACCEPTED]) +
                    metric_value(&writer->metrics[INBOUND_EVENTS + INTAKE_REPLACED]),
    };
    if (writer->view->worker_pool != NULL) {
        struct worker_pool_status workers;
        worker_pool_status(writer->view->worker_pool, &workers);
        now.delivered = (int64_t)workers.delivered;
        now.retried = (int64_t)workers.retried;
        now.dead = (int64_t)workers.died;
    }
    return now;
}

static void take(void *context, const struct store_failure *failure)
{
    struct history_writer *writer = context;
    assert(writer->is_under_way);
    writer->is_under_way = false;
    /* Nothing was done by a call that was refused; of one without an answer nobody knows. */
    if (failure->status == STORE_OK || failure->status == STORE_UNAVAILABLE)
        writer->told = writer->asked;
}

static void add(struct history_writer *writer, int64_t now_ms)
{
    assert(!writer->is_under_way);
    struct history_counts now = count(writer), told = writer->told;
    assert(now.accepted >= told.accepted && now.delivered >= told.delivered);
    struct history_counts more = {
        .accepted = now.accepted - told.accepted,
        .delivered = now.delivered - told.delivered,
        .retried = now.retried - told.retried,
        .dead = now.dead - told.dead,
    };
    writer->next_at_ms = now_ms + HISTORY_INTERVAL_MS;
    if (more.accepted + more.delivered + more.retried + more.dead == 0)
        return;
    struct error error; /* the store tells once why Redis is away */
    writer->asked = now;
    writer->is_under_way = store_history_add(writer->store, &more, take, writer, &error);
}

void history_writer_turn(struct history_writer *writer, int64_t now_ms)
{
    if (writer->store != NULL && !writer->is_under_way && now_ms >= writer->next_at_ms)
        add(writer, now_ms);
}

bool history_writer_is_ending(struct history_writer *writer, int64_t now_ms)
{
    if (writer->store != NULL && !writer->is_under_way && !writer->has_ended) {
        writer->has_ended = true;
        add(writer, now_ms);
    }
    return writer->is_under_way;
}
