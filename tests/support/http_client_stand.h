/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * An HTTP client to be tested, in the thread of the test, and a server that does what the test
 * says. Every function aborts the test with a message when it cannot do its work.
 *
 * Owns:    the program's event loop; the client, the server and a copy of the last request.
 * Threads: one, the test's; the server has its own.
 * Blocks:  up to CLIENT_PATIENCE_MS for the end of a transfer.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/net/event_loop.h"
#include "lib/net/http_client.h"

#include "tests/support/fake_http.h"

enum {
    CLIENT_CONNECTIONS_MAX = 4,
    CLIENT_PATIENCE_MS = 10000,
    CLIENT_TIMEOUT_MS = 5000,
    CLIENT_ANSWER_MAX = 1024, /* bytes of body */
};

struct http_client_stand;

struct http_result { /* an exchange, kept */
    unsigned calls;  /* of the callback */
    enum http_outcome outcome;
    unsigned status;
    size_t body_length;
    char body[CLIENT_ANSWER_MAX + 1], content_type[64], retry_after[64], detail[256];
    int64_t duration_us;
};

/* Around the whole program: libcurl, without a proxy, and the loop of all clients. */
int http_client_stand_begin(void **state);
int http_client_stand_finish(void **state);
struct event_loop *loop_of_clients(void);
/* Around each test; the state is the stand. */
int http_client_stand_set_up(void **state);
int http_client_stand_tear_down(void **state);
#define SCENE(sentence, function)                                                                  \
    IT_WITH(sentence, function, http_client_stand_set_up, http_client_stand_tear_down)

struct http_client *client_of(const struct http_client_stand *stand);
struct fake_http *server_of(const struct http_client_stand *stand);
/* In a buffer that the next call overwrites. */
const char *url_of(const struct http_client_stand *stand);
/* The stand can only be torn down afterwards. */
void destroy_client_of(struct http_client_stand *stand);

/* To all requests from now on. */
void will_answer(struct http_client_stand *stand, struct fake_answer answer);
/* The last request; valid until the next comes. */
struct fake_request last_request(struct http_client_stand *stand);

/* Another client, which trusts the authorities of `ca_file`; NULL: the system's. */
struct http_client *client_trusting(const char *ca_file);
/* GET, with what comes kept in `result`. */
struct http_transfer transfer_to(const char *url, struct http_result *result);
void must_start(struct http_client *client, const struct http_transfer *transfer);
/* Waits for an event, a wake-up or the client's time, at most `timeout_ms`. */
void must_turn(struct http_client *client, int64_t timeout_ms);
void must_finish_all(struct http_client *client);
/* Starts the transfer and waits for its only result. */
struct http_result must_exchange(struct http_client *client, const struct http_transfer *transfer);
/* The same to the stand's server, which gives `answer`. */
struct http_result must_get(struct http_client_stand *stand, struct fake_answer answer);
