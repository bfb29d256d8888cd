/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/api.h"

#include "service/inbound/endpoints.h"

enum {
    OPEN = false, /* a probe has no key, and the contract is no secret */
    KEYED = true,
    UNTRACED = false,
    TRACED = true,
    WHOLE = 0,          /* the listener's own limit */
    SMALL = 16 * 1024,  /* a seek-token in a URL, escaped twice over */
    IGNORED = 4 * 1024, /* a body without a meaning, sent by a client out of habit */
};

/* clang-format off */
/* The first four are those of the ops listener. */
const struct route api_routes[] = {
    /* method   path                               key    trace     body     handler */
    {"GET",    "/livez",                           OPEN,  UNTRACED, IGNORED, livez_get},
    {"GET",    "/readyz",                          OPEN,  UNTRACED, IGNORED, readyz_get},
    {"GET",    "/startupz",                        OPEN,  UNTRACED, IGNORED, startupz_get},
    {"GET",    "/metrics",                         OPEN,  UNTRACED, IGNORED, metrics_get},
    {"GET",    "/",                                OPEN,  UNTRACED, IGNORED, page_get},
    {"GET",    "/openapi.yaml",                    OPEN,  UNTRACED, IGNORED, contract_get},
    {"POST",   "/v1/events",                       KEYED, TRACED,   WHOLE,   events_post},
    {"PUT",    "/v1/applications/{id}/token",      KEYED, UNTRACED, SMALL,   token_put},
    {"GET",    "/v1/applications",                 KEYED, UNTRACED, IGNORED, applications_get},
    {"GET",    "/v1/applications/{id}",            KEYED, UNTRACED, IGNORED, application_get},
    {"DELETE", "/v1/applications/{id}",            KEYED, UNTRACED, IGNORED, application_delete},
    {"POST",   "/v1/applications/{id}/replay",     KEYED, UNTRACED, IGNORED, replay_post},
    {"POST",   "/v1/replay",                       KEYED, UNTRACED, SMALL,   replay_dead_post},
    {"POST",   "/v1/pause",                        KEYED, UNTRACED, IGNORED, pause_post},
    {"POST",   "/v1/resume",                       KEYED, UNTRACED, IGNORED, resume_post},
    {"GET",    "/v1/status",                       KEYED, UNTRACED, IGNORED, status_get},
};
/* clang-format on */
const size_t api_route_count = sizeof api_routes / sizeof api_routes[0];
const size_t ops_route_count = 4;
