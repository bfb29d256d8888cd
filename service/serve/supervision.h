/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The reports to the service manager (systemd): ready, alive, state, stopping. A report that it
 * does not take is repeated at a later turn.
 *
 * Owns:    nothing.
 * Threads: main.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct service_view;

enum { SUPERVISION_STATUS_BYTES = 300 };

struct supervision {
    const char *socket_name; /* borrowed: $NOTIFY_SOCKET; NULL: nobody asked */
    int64_t alive_every_ms;  /* $WATCHDOG_USEC asks for it; 0: it does not */
    bool is_ready;    /* set by the owner, each once: an event could be accepted durably … */
    bool is_stopping; /* … and the service has been told to end */
    bool is_ready_told, is_stopping_told;
    bool is_failing;                       /* and the log has told so */
    int64_t alive_at_ms, looked_at_ms;     /* monotonic */
    char status[SUPERVISION_STATUS_BYTES]; /* told last */
};

/* Call at each turn of the loop. Nothing says that it is alive while a loop hangs (as /livez
 * would), so that the manager's watchdog ends a service that runs but works no more. */
void supervision_turn(struct supervision *supervision, const struct service_view *view,
                      int64_t now_ms);
/* Until the manager wants to hear that the service is alive; -1: it does not. */
int64_t supervision_timeout_ms(const struct supervision *supervision, int64_t now_ms);
