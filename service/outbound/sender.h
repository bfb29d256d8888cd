/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Sends what one worker has claimed, and judges the outcome: each attempt goes from sending to
 * finished.
 *
 * Owns:    nothing.
 * Threads: one, the worker's.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/net/http_client.h"

#include "service/outbound/attempt.h"
#include "service/outbound/authorizer.h"
#include "service/outbound/worker_shared.h"

struct sender {
    struct worker_shared *shared; /* all borrowed: outlive us */
    struct http_client *http;
    struct attempts *attempts;     /* `owner` of each is the sender */
    struct authorizer *authorizer; /* prepared before each sender_send */
    bool is_cut;
};

/* Takes over one of the gate's places. False: it was not sent, nothing has changed. */
MUST_CHECK bool sender_send(struct sender *sender, struct attempt *attempt, struct error *error);
/* Ends what is on its way; it is retried at once, by whoever runs then. */
void sender_cut(struct sender *sender);
