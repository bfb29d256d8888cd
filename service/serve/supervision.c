/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/serve/supervision.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/notify.h"

#include "service/inbound/health.h"

enum { ALIVE_EVERY_MS = 5000, LOOK_EVERY_MS = 1000 };

static bool report(struct supervision *supervision, const char *lines)
{
    struct error error;
    bool is_told = notify_send(supervision->socket_name, lines, &error);
    if (!is_told && !supervision->is_failing)
        log_warn("notify_failed", error.message);
    if (is_told && supervision->is_failing)
        log_info("notify_works", "The service manager can be notified again");
    supervision->is_failing = !is_told;
    return is_told;
}

static void report_status(struct supervision *supervision, const struct service_view *view,
                          int64_t now_ms)
{
    char status[SUPERVISION_STATUS_BYTES], lines[SUPERVISION_STATUS_BYTES + sizeof "STATUS="];
    struct health health;
    supervision->looked_at_ms = now_ms;
    health_look(HEALTH_READY, view, now_ms, &health);
    (void)snprintf(status, sizeof status, "%s%s%.250s",
                   health.is_fine ? "Events can be accepted durably." : "Not ready:",
                   health.detail[0] != '\0' ? " " : "", health.detail);
    status[strcspn(status, "\n")] = '\0'; /* each line is a statement of its own */
    if (strcmp(status, supervision->status) == 0)
        return;
    (void)snprintf(lines, sizeof lines, "STATUS=%s", status);
    if (report(supervision, lines))
        (void)memcpy(supervision->status, status, sizeof status);
}

static int64_t alive_every_ms(const struct supervision *supervision)
{
    return supervision->alive_every_ms > 0 ? supervision->alive_every_ms : ALIVE_EVERY_MS;
}

static void report_alive(struct supervision *supervision, const struct service_view *view,
                         int64_t now_ms)
{
    struct health health;
    health_look(HEALTH_LIVE, view, now_ms, &health);
    if (health.is_fine && report(supervision, "WATCHDOG=1"))
        supervision->alive_at_ms = now_ms;
}

void supervision_turn(struct supervision *supervision, const struct service_view *view,
                      int64_t now_ms)
{
    if (supervision->socket_name == NULL)
        return;
    if (supervision->is_ready && !supervision->is_ready_told)
        supervision->is_ready_told = report(supervision, "READY=1");
    if (supervision->is_stopping && !supervision->is_stopping_told)
        supervision->is_stopping_told =
            report(supervision, "STOPPING=1\nSTATUS=Signals in progress are finished first.");
    if (!supervision->is_stopping && now_ms - supervision->looked_at_ms >= LOOK_EVERY_MS)
        report_status(supervision, view, now_ms);
    if (now_ms - supervision->alive_at_ms >= alive_every_ms(supervision))
        report_alive(supervision, view, now_ms);
}

int64_t supervision_timeout_ms(const struct supervision *supervision, int64_t now_ms)
{
    if (supervision->socket_name == NULL || supervision->alive_every_ms == 0 ||
        supervision->is_failing)
        return -1;
    int64_t due_ms = supervision->alive_at_ms + supervision->alive_every_ms;
    return due_ms > now_ms ? due_ms - now_ms : 0;
}
