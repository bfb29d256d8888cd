/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What the service manager (systemd) is told: ready, alive, stopping.
 *
 * Owns:    nothing.
 * Threads: main.
 * Blocks:  at most a second per message; never without a manager that asked for messages.
 */
#pragma once

#include <stdint.h>

struct service_view;

struct supervision {
    const char *socket_name; /* borrowed: $NOTIFY_SOCKET; NULL: nobody asked */
    int64_t alive_at_ms;     /* when it was last told */
};

void supervision_ready(const struct supervision *supervision);
void supervision_stopping(const struct supervision *supervision);
/* Call often. Says nothing while a loop hangs (as /livez would), so that the manager's watchdog
 * ends a service that runs but works no more. */
void supervision_alive(struct supervision *supervision, const struct service_view *view,
                       int64_t now_ms);
