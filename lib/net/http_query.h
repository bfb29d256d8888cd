/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The parameters of a query as HTML forms write them: `a=1&b=x+y`. Bad encoding is
 * taken as it stands.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stddef.h>

/* The room that a query of `length` bytes takes when it is decoded. */
size_t http_query_room(size_t length);
/* Decodes each name and value into `pairs`, in their order and each with a NUL behind it. The bytes
 * that they take. */
size_t http_query_decode(const char *query, char *pairs);
/* The value of the first parameter of that name, "" for one without '='; NULL: there is none. */
const char *http_query_value(const char *pairs, size_t bytes, const char *name);
