/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Which handler a method and a path lead to. Tables of routes are their users'.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "service/inbound/access.h"

struct call;

enum { ALLOW_BYTES = 64 };

/* The limit of a body without a meaning, that clients send out of habit. */
enum { ROUTE_BODY_IGNORED = 4 * 1024 };

struct route {
    const char *method;
    const char *path;      /* "{id}" stands for one segment that is not empty */
    enum right right;      /* what a caller must have */
    bool is_traced;        /* a call makes a span, given a collector */
    bool is_intake;        /* its 503 means that events are refused */
    size_t body_bytes_max; /* 0: the listener's */
    void (*handle)(struct call *call);
};

enum route_outcome {
    ROUTE_FOUND,
    ROUTE_OPTIONS, /* the path is there, and the method asks what it takes */
    ROUTE_NO_METHOD,
    ROUTE_NO_PATH,
};

struct route_match {
    const struct route *route; /* ROUTE_FOUND */
    const char *id;            /* the segment as sent, inside `path`; NULL without one */
    size_t id_length;
    char allow[ALLOW_BYTES]; /* the header's value, for ROUTE_OPTIONS and ROUTE_NO_METHOD */
};

/* HEAD is found where GET is. */
enum route_outcome routes_find(const struct route *routes, size_t count, const char *method,
                               const char *path, struct route_match *out);
