/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Calls that came over HTTP/1.1, and what each ending of an answer is there.
 *
 * Owns:    nothing. Threads: one, the loop's. Blocks: as http_request_fail does.
 */
#pragma once

#include "service/sandbox/caller.h"

struct http_request;

/* The request's user data belongs to it from here. */
struct caller http1_caller(struct http_request *request);
/* The request is over. Accepts one that no exchange had. */
void http1_caller_end(struct http_request *request);
