/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One non-blocking, pipelined connection to Redis in an event loop; hiredis reads the replies.
 *
 * The connection opens itself again with jittered backoff after it breaks. Commands are only taken
 * while it is open: nothing is queued for a connection that is not there, so a caller never waits
 * without knowing.
 *
 * Owns:    the connection and its pending commands; the event loop that it is watched in is
 *          borrowed.
 * Threads: one, the loop's.
 * Blocks:  never; names are resolved in the background.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/base/ownership.h"
#include "lib/net/redis_url.h"
#include "lib/net/tls.h"

struct event_loop;
struct redis_client;
struct redis_reply; /* never defined: a hiredis reply seen from outside */

enum redis_failure {
    REDIS_OK,
    REDIS_LOST, /* the connection broke or the time-out passed: executed or not, nobody knows */
};

/* `reply` is NULL for REDIS_LOST; an error reply of Redis arrives as REDIS_OK with
 * REDIS_TYPE_ERROR. Borrowed for the call, but for redis_client_keep_reply. May send further
 * commands. Called exactly once per command taken. */
typedef void (*redis_done)(void *context, enum redis_failure failure,
                           const struct redis_reply *reply);

struct redis_client_options {
    /* Gives the address for each connection attempt, so that rotated passwords and moved masters
     * are seen. Sentinels are asked for the master at each attempt. */
    bool (*locate)(void *context, struct redis_url *out, struct error *error);
    /* The connection is open and authenticated; the first commands go here. */
    void (*opened)(void *context);
    /* It broke, or could not be opened; called once per change of state or of reason. `reason` is
     * one sentence part without credentials, with the peer in front if there is one. */
    void (*closed)(void *context, const char *reason);
    void *context;
    unsigned connect_timeout_ms; /* for the name, and again for each address */
    unsigned command_timeout_ms; /* oldest pending command; then the connection is closed as lost */
    unsigned reconnect_min_ms;
    unsigned reconnect_max_ms;
    struct tls_files tls; /* rediss://; borrowed: outlive the client */
};

/* The loop outlives the client. */
MUST_CHECK struct redis_client *redis_client_create(const struct redis_client_options *options,
                                                    struct event_loop *loop, struct error *error);
void redis_client_destroy(
    struct redis_client *client); /* pending commands end REDIS_LOST; accepts NULL */
DEFINE_AUTO(redis_client);

/* Before each poll of the loop: the longest wait until redis_client_turn; -1: no limit. */
int64_t redis_client_timeout_ms(const struct redis_client *client, int64_t now_ms);
/* After each poll: connects, reads, writes, times out, whatever can be done now. */
void redis_client_turn(struct redis_client *client, int64_t now_ms);
bool redis_client_is_open(const struct redis_client *client);
/* The last attempt ended since Redis does not let us in: password, database, number of clients. */
bool redis_client_is_refused(const struct redis_client *client);
const char *redis_client_peer(const struct redis_client *client); /* the last one; "": none yet */
/* Breaks the connection and opens a new one, with the next of its name's addresses if there are
 * several: after READONLY, for a moved master. The next turn does it, so that callbacks may ask for
 * it; from now on nothing can be sent. Does nothing between two attempts. */
void redis_client_reopen(struct redis_client *client, const char *reason);

/* Queues one command and tries to write it at the next turn (or at redis_client_flush). ERROR_IO
 * when the connection is not open, ERROR_MEMORY. Arguments are copied; `lengths` may be
 * NULL for texts. */
MUST_CHECK bool redis_client_send(struct redis_client *client, size_t argument_count,
                                  const char *const arguments[], const size_t lengths[],
                                  redis_done done, void *context, struct error *error);
/* Writes now what the socket takes, saving a turn of the loop. */
void redis_client_flush(struct redis_client *client);
/* Within a redis_done: its reply is the caller's from now on. */
struct redis_reply *redis_client_keep_reply(struct redis_client *client);
void redis_reply_destroy(struct redis_reply *reply); /* accepts NULL */
DEFINE_AUTO(redis_reply);

enum redis_type {
    REDIS_TYPE_NIL,
    REDIS_TYPE_INTEGER,
    REDIS_TYPE_TEXT,
    REDIS_TYPE_ERROR,
    REDIS_TYPE_ARRAY
};
enum redis_type redis_reply_type(const struct redis_reply *reply); /* status counts as text */
int64_t
redis_reply_integer(const struct redis_reply *reply); /* also parses a text; 0 if it is neither */
/* Text or error; "" otherwise. NUL-terminated; `out_length` may be NULL. */
const char *redis_reply_text(const struct redis_reply *reply, size_t *out_length);
size_t redis_reply_length(const struct redis_reply *reply); /* of an array; 0 otherwise */
const struct redis_reply *redis_reply_item(const struct redis_reply *reply, size_t index);
