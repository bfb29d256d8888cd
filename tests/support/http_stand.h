/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * An HTTP server to be tested, on a port of its own, in the thread of the test. What it does
 * depends on the path:
 *
 *     /forbidden              401 from `begin`
 *     /hold                   nothing, until http_stand_answer_all
 *     /release                answers what is held, then itself
 *     /big, /static           200 with STAND_BIG_BYTES, copied or not
 *     /headers, /injection    204 with headers, sound or not, and the end of the connection
 *     /fail/reset, close, cut a fault
 *     anything else           200 with what the handler sees
 *
 * Owns:    the server.
 * Threads: one, the test's.
 * Blocks:  up to RAW_WAIT_MS_MAX in the functions that wait; then the test fails.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/net/http_server.h"

#include "tests/support/raw_client.h"

enum {
    STAND_BODY_BYTES_MAX = 1000,
    STAND_HEAD_BYTES_MAX = 4096,
    STAND_BIG_BYTES = 4 * 1024 * 1024,
    STAND_HELD_MAX = 256,
};

#define HOST "Host: localhost\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"
#define POST(path, length, body)                                                                   \
    "POST " path " HTTP/1.1\r\n" HOST "Content-Length: " length "\r\n\r\n" body

struct http_stand {
    struct http_server *server; /* owned */
    uint16_t port;
    struct http_request *held[STAND_HELD_MAX];
    size_t held_count;
    unsigned begun, handled, refused, abandoned, finished; /* calls */
    unsigned last_refusal;
    unsigned notes[HTTP_NOTE_ADDRESS_FULL + 1]; /* by kind */
};

/* With the limits above, 500 connections and a minute for everything. */
struct http_server_options http_stand_options(void);
struct http_stand *http_stand_open(void);
/* 150 ms for a request, one second of idling. */
struct http_stand *http_stand_open_impatient(void);
struct http_stand *http_stand_open_with(struct http_server_options options);
struct http_stand *http_stand_open_at(const char *where, struct http_server_options options);
/* Stops, and expects that nothing is left. */
void http_stand_close(struct http_stand *stand);

struct raw_client *http_stand_connect(struct http_stand *stand);
/* Destroys the client and closes the stand. */
void http_stand_end(struct raw_client *client, struct http_stand *stand);

/* A turn as a loop takes it, at most a few milliseconds long. `context` is the stand. */
void http_stand_serve(void *context);
void http_stand_serve_for(struct http_stand *stand, int64_t duration_ms);
void http_stand_serve_until(struct http_stand *stand, const unsigned *counter, unsigned value);
void http_stand_serve_until_connections(struct http_stand *stand, size_t count);
void http_stand_answer_all(struct http_stand *stand, unsigned status);

/* STAND_BIG_BYTES of the letter z. */
const char *http_stand_big_body(void);
/* 200 with the body "0123456789": to be cut. */
extern const struct http_reply http_stand_cut_reply;

void must_contain(const char *text, const char *part);
void must_end_with(const char *text, const char *end);
