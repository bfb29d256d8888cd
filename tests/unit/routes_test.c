/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "service/inbound/api.h"
#include "service/inbound/routes.h"

#include "tests/support/specification.h"

static enum route_outcome find(const char *method, const char *path, struct route_match *match)
{
    return routes_find(api_routes, api_route_count, method, path, match);
}

static void must_find(const char *method, const char *path, const char *pattern, const char *id)
{
    struct route_match match;
    assert_int_equal(find(method, path, &match), ROUTE_FOUND);
    assert_string_equal(match.route->path, pattern);
    if (id == NULL) {
        assert_null(match.id);
    } else {
        assert_int_equal(match.id_length, strlen(id));
        assert_memory_equal(match.id, id, match.id_length);
    }
}

static void finds_each_route(void **state)
{
    (void)state;
    must_find("POST", "/v1/events", "/v1/events", NULL);
    must_find("GET", "/v1/applications/A-1", "/v1/applications/{id}", "A-1");
    must_find("DELETE", "/v1/applications/A%2F1", "/v1/applications/{id}", "A%2F1");
    must_find("PUT", "/v1/applications/A/token", "/v1/applications/{id}/token", "A");
    must_find("POST", "/v1/applications/A/replay", "/v1/applications/{id}/replay", "A");
    must_find("GET", "/v1/applications/token", "/v1/applications/{id}", "token");
    must_find("GET", "/v1/applications", "/v1/applications", NULL);
    must_find("POST", "/v1/replay", "/v1/replay", NULL);
    must_find("POST", "/v1/pause", "/v1/pause", NULL);
    must_find("POST", "/v1/resume", "/v1/resume", NULL);
    must_find("GET", "/", "/", NULL);
    must_find("GET", "/readyz", "/readyz", NULL);
}

static void finds_nothing_elsewhere(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "",
        "//",
        "/v1",
        "/v1/",
        "/v1/event",
        "/v1/events/",
        "/v1/eventss",
        "/V1/events",
        "//v1/events",
        "/v1/applications/",
        "/v1/applications//token",
        "/v1/applications/A/",
        "/v1/applications/A/toke",
        "/v1/applications/A/tokens",
        "/v1/applications/A/token/",
        "/v1/applications/A/B/token",
        "/v1/replays",
        "/v1/replay/",
    };
    struct route_match match;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        assert_int_equal(find("GET", paths[i], &match), ROUTE_NO_PATH);
}

static void head_goes_with_get(void **state)
{
    (void)state;
    struct route_match match;
    must_find("HEAD", "/livez", "/livez", NULL);
    must_find("HEAD", "/v1/applications/A", "/v1/applications/{id}", "A");
    assert_int_equal(find("HEAD", "/v1/events", &match), ROUTE_NO_METHOD);
}

static void tells_what_is_allowed(void **state)
{
    (void)state;
    static const struct {
        const char *path, *allow;
    } cases[] = {
        {"/v1/events", "POST, OPTIONS"},
        {"/v1/applications/A", "GET, HEAD, DELETE, OPTIONS"},
        {"/v1/applications/A/token", "PUT, OPTIONS"},
        {"/metrics", "GET, HEAD, OPTIONS"},
    };
    struct route_match match;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(find("PATCH", cases[i].path, &match), ROUTE_NO_METHOD);
        assert_string_equal(match.allow, cases[i].allow);
        assert_int_equal(find("OPTIONS", cases[i].path, &match), ROUTE_OPTIONS);
        assert_string_equal(match.allow, cases[i].allow);
    }
    assert_int_equal(find("post", "/v1/events", &match), ROUTE_NO_METHOD);
}

static void ops_routes_change_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < ops_route_count; i++) {
        assert_string_equal(api_routes[i].method, "GET");
        assert_int_not_equal(strncmp(api_routes[i].path, "/v1/", 4), 0);
        assert_int_equal(api_routes[i].right, RIGHT_NONE);
    }
    struct route_match match;
    assert_int_equal(routes_find(api_routes, ops_route_count, "GET", "/v1/status", &match),
                     ROUTE_NO_PATH);
}

static void everything_below_v1_needs_a_right(void **state)
{
    (void)state;
    for (size_t i = 0; i < api_route_count; i++) {
        bool is_below_v1 = strncmp(api_routes[i].path, "/v1/", 4) == 0;
        enum right right = strcmp(api_routes[i].method, "GET") == 0 ? RIGHT_READ : RIGHT_ALL;
        assert_int_equal(api_routes[i].right, is_below_v1 ? right : RIGHT_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("leads each method and path to its endpoint", finds_each_route),
        IT("finds nothing at other paths", finds_nothing_elsewhere),
        IT("answers HEAD wherever there is a GET", head_goes_with_get),
        IT("tells which methods a path has", tells_what_is_allowed),
        IT("offers nothing on the ops listener that reads or changes an application",
           ops_routes_change_nothing),
        IT("asks for a right exactly below /v1: to look for GET, else for everything",
           everything_below_v1_needs_a_right),
    };
    return cmocka_run_group_tests_name("routes", tests, NULL, NULL);
}
