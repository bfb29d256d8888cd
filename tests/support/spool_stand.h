/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A spool in a directory of its own, a Redis that can be killed, and orders to give.
 *
 * Owns:    the server, the directory and the spool.
 * Threads: one; add_event any.
 * Blocks:  in EVENTUALLY, for at most twenty seconds.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/clock.h"
#include "lib/net/event_loop.h"

#include "service/spool/spool.h"

#include "tests/support/redis_server.h"

enum { PATIENCE_MS = 20000, BYTES_MAX = 1 << 20 };

extern struct redis_server *server;
extern struct event_loop *loop;
extern struct spool *spool;
extern _Atomic unsigned due_calls; /* of `due` */
extern unsigned spool_shards;      /* of Redis, for the spools that are made; 0: one */

/* Setup and teardown of a group, and of each test. */
int spool_stand_start(void **state);
int spool_stand_stop(void **state);
int spool_stand_make(void **state);
int spool_stand_clear(void **state);

struct spool *try_to_create(uint64_t bytes_max, struct error *error);
void begin_with(uint64_t bytes_max);
void begin(void); /* a life of the spool */
void end(void);

#define EVENTUALLY(condition)                                                                      \
    do {                                                                                           \
        int64_t deadline_ms_ = clock_monotonic_ms() + PATIENCE_MS;                                 \
        while (!(condition)) {                                                                     \
            if (clock_monotonic_ms() > deadline_ms_)                                               \
                fail_msg("never happened: %s", #condition);                                        \
            event_loop_poll(loop, 5);                                                              \
        }                                                                                          \
    } while (0)

struct spool_status status(void);
bool is_drained(void);
int64_t counted(const char *name, const char *labels);
int64_t drained(const char *result);

void open_order(struct spool_order *order, struct event_loop *woken);
void add_event(struct spool_order *order, const char *id, const char *seek_token);
/* One event in an order of its own; whether it was written. */
bool try_to_write(const char *id, const char *seek_token, struct error *out_error);
void must_write(const char *id, const char *seek_token);
/* What Redis has. */
void must_be(const char *id, const char *state, const char *seek_token);

/* The spool's directory. */
size_t spool_stand_files(const char *prefix, bool are_deleted);
size_t read_file(const char *name, char *bytes, size_t size);
void write_file(const char *name, const char *bytes, size_t length);
