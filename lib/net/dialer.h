/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The way to an open stream: resolves the name in the background, tries every address in turn, ends
 * with TLS if asked to.
 *
 * Owns:    the lookup and the stream until it is taken; the event loop that they are watched in is
 *          borrowed and outlives them.
 * Threads: one, the loop's.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/ownership.h"
#include "lib/net/stream.h"

struct dialer;
struct event_loop;

struct dialer_target { /* all borrowed for dialer_start, the files until the dialer's end */
    const char *host;  /* the path for a unix socket */
    uint16_t port;
    bool is_unix, is_tls;
    struct tls_files tls; /* with is_tls */
    size_t first;         /* which of the name's addresses to try first; counts round */
    int64_t lookup_ms;    /* for the name; the next attempt takes what comes later */
    int64_t step_ms;      /* for each address, with TLS */
};

MUST_CHECK struct dialer *dialer_start(const struct dialer_target *target, struct event_loop *loop,
                                       int64_t now_ms, struct error *error);
void dialer_destroy(struct dialer *dialer); /* accepts NULL */
DEFINE_AUTO(dialer);

/* Call it once at the start, after each poll of the loop and when the deadline passed.
 * STREAM_DONE: take the stream. STREAM_FAILED: every address failed, `error` is the last one's. */
enum stream_status dialer_turn(struct dialer *dialer, int64_t now_ms, struct error *error);
struct stream *dialer_take(struct dialer *dialer);
/* Puts in front of an error of dialer_turn whom it is about. */
void dialer_name_peer(const struct dialer *dialer, struct error *error);
int64_t dialer_deadline_ms(const struct dialer *dialer);
