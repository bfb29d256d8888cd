/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/api.h"

#include "service/inbound/endpoints.h"

enum {
    OPEN = false, /* a probe has no key, and the contract is no secret */
    KEYED = true,
    WHOLE = 0,          /* the listener's own limit */
    SMALL = 16 * 1024,  /* a seek-token in a URL, escaped twice over */
    IGNORED = 4 * 1024, /* a body without a meaning, sent by a client out of habit */
};

/* clang-format off */
/* The first four are those of the ops listener. */
const struct route api_routes[] = {
    /* method   path                               key    body     handler */
    {"GET",    "/livez",                           OPEN,  IGNORED, livez_get},
    {"GET",    "/readyz",                          OPEN,  IGNORED, readyz_get},
    {"GET",    "/startupz",                        OPEN,  IGNORED, startupz_get},
    {"GET",    "/metrics",                         OPEN,  IGNORED, metrics_get},
    {"GET",    "/",                                OPEN,  IGNORED, page_get},
    {"GET",    "/openapi.yaml",                    OPEN,  IGNORED, contract_get},
    {"POST",   "/v1/events",                       KEYED, WHOLE,   events_post},
    {"PUT",    "/v1/applications/{id}/token",      KEYED, SMALL,   token_put},
    {"GET",    "/v1/applications",                 KEYED, IGNORED, applications_get},
    {"GET",    "/v1/applications/{id}",            KEYED, IGNORED, application_get},
    {"DELETE", "/v1/applications/{id}",            KEYED, IGNORED, application_delete},
    {"POST",   "/v1/applications/{id}/replay",     KEYED, IGNORED, replay_post},
    {"POST",   "/v1/replay",                       KEYED, SMALL,   replay_dead_post},
    {"POST",   "/v1/pause",                        KEYED, IGNORED, pause_post},
    {"POST",   "/v1/resume",                       KEYED, IGNORED, resume_post},
    {"GET",    "/v1/status",                       KEYED, IGNORED, status_get},
};
/* clang-format on */
const size_t api_route_count = sizeof api_routes / sizeof api_routes[0];
const size_t ops_route_count = 4;
