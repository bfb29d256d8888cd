/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/announcement.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include "service/config.h"
#include "service/inbound/health.h"
#include "service/inbound/intake_pool.h"
#include "service/inbound/service_view.h"
#include "service/outbound/worker_pool.h"

enum { LISTENER_BYTES = 300 };

static void describe(const struct listen_address *address, uint16_t port, char text[LISTENER_BYTES])
{
    if (address->is_unix)
        (void)snprintf(text, LISTENER_BYTES, "unix:%s", address->host);
    else
        (void)snprintf(text, LISTENER_BYTES,
                       strchr(address->host, ':') != NULL ? "[%s]:%u" : "%s:%u", address->host,
                       (unsigned)port);
}

void announce_listening(const struct config *config, uint16_t api_port, uint16_t ops_port)
{
    char api[LISTENER_BYTES], ops[LISTENER_BYTES];
    describe(&config->listen_address, api_port, api);
    describe(&config->ops_listen_address, ops_port, ops);
    log_info("listening", "events are taken", LOG_TEXT("api", api), LOG_TEXT("ops", ops),
             LOG_TEXT("version", SEEK_SIGNAL_VERSION));
}

bool announce_ready(const struct service_view *view, int64_t started_at_ms)
{
    struct intake_pool_status intake;
    struct health ready;
    int64_t now_ms = clock_monotonic_ms();
    health_look(HEALTH_READY, view, now_ms, &ready);
    if (!ready.is_fine)
        return false;
    intake_pool_status(view->intake_pool, &intake);
    const struct durability spool = {.level = DURABILITY_SPOOL};
    bool is_redis_ready = intake.threads_ready == intake.threads;
    log_info(
        "ready", "events can be accepted durably",
        LOG_TEXT("durability", durability_name(is_redis_ready ? intake.health.durability : spool)),
        LOG_INT("after_ms", now_ms - started_at_ms));
    return true;
}

void announce_stopped(const struct worker_pool_end *end)
{
    if (end->unrecorded == 0)
        log_info("stopped", "everything acknowledged is stored", LOG_INT("signals_cut", end->cut));
    else
        log_warn("stopped",
                 "everything acknowledged is stored; what Redis did not record is sent again when "
                 "its lease ends, what SEEK has accepted for the second time",
                 LOG_INT("signals_cut", end->cut), LOG_INT("unrecorded", end->unrecorded),
                 LOG_INT("repeats", end->repeats));
}
