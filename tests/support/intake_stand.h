/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A running intake in front of a real Redis, and clients of it. Every function aborts the test with
 * a message when it cannot do its work.
 *
 * Owns:    the Redis, the pool and its view.
 * Threads: one at a time; the pool has its own.
 * Blocks:  up to ten seconds for what has to happen.
 */
#pragma once

#include <stdint.h>

#include "service/inbound/intake_pool.h"
#include "service/inbound/service_view.h"

#include "tests/support/raw_client.h"
#include "tests/support/redis_server.h"

struct intake_stand {
    struct redis_server *redis; /* owned */
    struct intake_pool *pool;   /* owned; NULL once stopped */
    struct service_view view;
    struct metric_registry metrics;
    struct intake_pool_options options;
    struct listen_address address;
};

/* Redis runs and nothing else; the options may be changed before intake_stand_start. */
struct intake_stand *intake_stand_create(void);
void intake_stand_start(struct intake_stand *stand); /* waits until it is ready */
/* Creates and starts the pool without waiting. */
void intake_stand_launch(struct intake_stand *stand);
void intake_stand_destroy(struct intake_stand *stand);

/* A connection whose waiting gives the pool time. */
struct raw_client *intake_stand_connect(struct intake_stand *stand);
void intake_stand_send(struct raw_client *client, const char *method, const char *target,
                       const char *headers, const char *body);
/* One request on a connection of its own; the answer, head and body, is valid until the next. */
const char *intake_stand_call(struct intake_stand *stand, const char *method, const char *target,
                              const char *headers, const char *body);
/* POST /v1/events with Content-Type: application/json. */
const char *intake_stand_post(struct intake_stand *stand, const char *body);

int answer_status(const char *answer);
const char *answer_body(const char *answer);
void must_answer(const char *answer, int status, const char *part);
#define must_not_contain(answer, part) assert_null(strstr((answer), (part)))

void must_become_ready(struct intake_stand *stand);
void must_become_unready(struct intake_stand *stand);
/* So many requests are in and not answered. */
void must_hold(struct intake_stand *stand, size_t open_requests);
uint64_t intake_stand_script_calls(struct intake_stand *stand);

#define JSON_TYPE "Content-Type: application/json\r\n"
#define EVENT(id, token) "{\"applicationId\":\"" id "\",\"token\":\"" token "\"}"
