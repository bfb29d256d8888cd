/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The way to the receiver of notifications: one request at a time, signed, and when the next one
 * may go. What its answers mean is Standard Webhooks': any 2xx is a yes, 410 wants no more, and
 * everything else is repeated.
 *
 * Owns:    its connection; the event loop that it is watched in is borrowed.
 * Threads: one, the loop's.
 * Blocks:  never, but as secret_read does.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/base/ownership.h"
#include "lib/base/secret.h"

#include "service/notification/notification.h"

struct event_loop;
struct receiver;

enum {
    RECEIVER_REFUSALS_MAX = 5,       /* of one notification, in a row */
    RECEIVER_QUIET_MAX_MS = 3600000, /* of a Retry-After */
};

struct receiver_options { /* borrowed: outlive it */
    const char *url;
    const char *proxy; /* as http_transfer has it */
    struct secret *secret;
    const char *ca_file; /* NULL: the system's */
    const char *user_agent;
    uint32_t timeout_ms; /* one request, connecting included */
    uint32_t pause_base_ms, pause_max_ms;
};

enum receiver_verdict {
    RECEIVER_TOOK,
    RECEIVER_FAILED,  /* it is repeated after a pause */
    RECEIVER_REFUSED, /* its content, so often that repeating it helps nobody */
    RECEIVER_GONE,    /* 410: nothing is sent any more */
};

/* `reason`: for people; "" when it took it. */
typedef void (*receiver_done)(void *context, enum receiver_verdict verdict, const char *reason);

MUST_CHECK struct receiver *receiver_create(const struct receiver_options *options,
                                            struct event_loop *loop, receiver_done done,
                                            void *context, struct error *error);
void receiver_destroy(struct receiver *receiver); /* accepts NULL */
DEFINE_AUTO(receiver);

/* Nothing is on its way, no pause is kept, and it is not gone. */
bool receiver_is_free(const struct receiver *receiver, int64_t now_ms);
bool receiver_is_sending(const struct receiver *receiver);
/* Why it does not take what it is sent; "": it does, as far as is known. */
const char *receiver_reason(const struct receiver *receiver);
/* While receiver_is_free. `done` is called from receiver_turn, or at once when it cannot be sent.
 */
void receiver_send(struct receiver *receiver, const char id[NOTIFICATION_ID_BYTES],
                   const struct buffer *body, int64_t now_ms);
int64_t receiver_timeout_ms(const struct receiver *receiver); /* -1: no limit */
void receiver_turn(struct receiver *receiver);                /* after each poll */
