/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/supervision.h"

#include "lib/base/log.h"
#include "lib/base/notify.h"

#include "service/inbound/health.h"

enum { ALIVE_EVERY_MS = 5000 }; /* WatchdogSec of seek-signal.service is several times that */

static void tell(const struct supervision *supervision, const char *lines)
{
    struct error error;
    if (!notify_send(supervision->socket_name, lines, &error))
        log_warn("notify_failed", error.message);
}

void supervision_ready(const struct supervision *supervision)
{
    tell(supervision, "READY=1\nSTATUS=Events can be accepted durably.");
}

void supervision_stopping(const struct supervision *supervision)
{
    tell(supervision, "STOPPING=1\nSTATUS=Signals on their way are finished.");
}

void supervision_alive(struct supervision *supervision, const struct service_view *view,
                       int64_t now_ms)
{
    if (supervision->socket_name == NULL || now_ms - supervision->alive_at_ms < ALIVE_EVERY_MS)
        return;
    struct health health;
    health_look(HEALTH_LIVE, view, now_ms, &health);
    if (!health.is_fine)
        return;
    supervision->alive_at_ms = now_ms;
    tell(supervision, "WATCHDOG=1");
}
