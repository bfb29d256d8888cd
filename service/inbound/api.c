/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/api.h"

#include "service/inbound/endpoints.h"

enum {
    UNTRACED = false,
    TRACED = true,
    OTHER = false,
    INTAKE = true,
    WHOLE = 0,         /* the listener's own limit */
    SMALL = 16 * 1024, /* a seek-token in a URL, escaped twice over */
    IGNORED = ROUTE_BODY_IGNORED,
};

/* clang-format off */
/* The first four are those of the ops listener. A probe has no key, and the contract is no secret. */
const struct route api_routes[] = {
    /* method   path                               right       trace     kind    body     handler */
    {"GET",    "/livez",                           RIGHT_NONE, UNTRACED, OTHER,  IGNORED, livez_get},
    {"GET",    "/readyz",                          RIGHT_NONE, UNTRACED, OTHER,  IGNORED, readyz_get},
    {"GET",    "/startupz",                        RIGHT_NONE, UNTRACED, OTHER,  IGNORED, startupz_get},
    {"GET",    "/metrics",                         RIGHT_NONE, UNTRACED, OTHER,  IGNORED, metrics_get},
    {"GET",    "/",                                RIGHT_NONE, UNTRACED, OTHER,  IGNORED, page_get},
    {"GET",    "/openapi.yaml",                    RIGHT_NONE, UNTRACED, OTHER,  IGNORED, contract_get},
    {"GET",    "/troubleshooting.md",              RIGHT_NONE, UNTRACED, OTHER,  IGNORED, troubleshooting_get},
    {"POST",   "/v1/events",                       RIGHT_ALL,  TRACED,   INTAKE, WHOLE,   events_post},
    {"PUT",    "/v1/applications/{id}/token",      RIGHT_ALL,  UNTRACED, INTAKE, SMALL,   token_put},
    {"GET",    "/v1/applications",                 RIGHT_READ, UNTRACED, OTHER,  IGNORED, applications_get},
    {"GET",    "/v1/applications/{id}",            RIGHT_READ, UNTRACED, OTHER,  IGNORED, application_get},
    {"DELETE", "/v1/applications/{id}",            RIGHT_ALL,  UNTRACED, OTHER,  IGNORED, application_delete},
    {"POST",   "/v1/applications/{id}/replay",     RIGHT_ALL,  UNTRACED, OTHER,  IGNORED, replay_post},
    {"POST",   "/v1/replay",                       RIGHT_ALL,  UNTRACED, OTHER,  SMALL,   replay_dead_post},
    {"POST",   "/v1/forget",                       RIGHT_ALL,  UNTRACED, OTHER,  SMALL,   forget_dead_post},
    {"POST",   "/v1/pause",                        RIGHT_ALL,  UNTRACED, OTHER,  IGNORED, pause_post},
    {"POST",   "/v1/resume",                       RIGHT_ALL,  UNTRACED, OTHER,  IGNORED, resume_post},
    {"GET",    "/v1/status",                       RIGHT_READ, UNTRACED, OTHER,  IGNORED, status_get},
    {"GET",    "/v1/history",                      RIGHT_READ, UNTRACED, OTHER,  IGNORED, history_get},
    {"GET",    "/v1/tail",                         RIGHT_READ, UNTRACED, OTHER,  IGNORED, tail_get},
};
/* clang-format on */
const size_t api_route_count = sizeof api_routes / sizeof api_routes[0];
const size_t ops_route_count = 4;
