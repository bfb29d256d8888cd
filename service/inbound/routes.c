/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/routes.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char id_pattern[] = "{id}";

static bool path_matches(const char *pattern, const char *path, struct route_match *match)
{
    assert(pattern[0] == '/');
    match->id = NULL;
    match->id_length = 0;
    while (*pattern != '\0') {
        if (*pattern == '{' && strncmp(pattern, id_pattern, sizeof id_pattern - 1) == 0) {
            match->id = path;
            match->id_length = strcspn(path, "/");
            if (match->id_length == 0)
                return false;
            path += match->id_length;
            pattern += sizeof id_pattern - 1;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

static bool method_matches(const char *route_method, const char *method)
{
    return strcmp(route_method, method) == 0 ||
           (strcmp(route_method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

static void allow_add(char allow[ALLOW_BYTES], const char *method)
{
    size_t length = strlen(allow);
    int added = snprintf(allow + length, ALLOW_BYTES - length, "%s%s%s", length > 0 ? ", " : "",
                         method, strcmp(method, "GET") == 0 ? ", HEAD" : "");
    assert(added > 0 && (size_t)added < ALLOW_BYTES - length);
}

static void note_allowed(const struct route *routes, size_t count, const char *path,
                         struct route_match *out)
{
    struct route_match tried;
    for (size_t i = 0; i < count; i++)
        if (path_matches(routes[i].path, path, &tried))
            allow_add(out->allow, routes[i].method);
    if (out->allow[0] != '\0')
        allow_add(out->allow, "OPTIONS");
}

static const struct route *find(const struct route *routes, size_t count, const char *method,
                                const char *path, struct route_match *out)
{
    for (size_t i = 0; i < count; i++)
        if (method_matches(routes[i].method, method) && path_matches(routes[i].path, path, out))
            return &routes[i];
    return NULL;
}

enum route_outcome routes_find(const struct route *routes, size_t count, const char *method,
                               const char *path, struct route_match *out)
{
    *out = (struct route_match){.route = NULL};
    const struct route *route = find(routes, count, method, path, out);
    out->route = route;
    if (route != NULL) {
        assert((out->id == NULL) == (out->id_length == 0));
        return ROUTE_FOUND;
    }
    out->id = NULL;
    note_allowed(routes, count, path, out);
    if (out->allow[0] == '\0')
        return ROUTE_NO_PATH;
    return strcmp(method, "OPTIONS") == 0 ? ROUTE_OPTIONS : ROUTE_NO_METHOD;
}
