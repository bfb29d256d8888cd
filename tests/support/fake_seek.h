/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * SEEK and the issuer of its access tokens. Both keep what they were sent, answer first what the
 * test says, and then as they should.
 *
 * Owns:    its servers, and a copy of what they saw.
 * Threads: one owner; the servers have their own.
 * Blocks:  stop, until its threads have ended.
 */
#pragma once

#include <stdint.h>

#include "tests/support/fake_http.h"

enum { FAKE_SEEK_ANSWERS_MAX = 160 };

#define ACCESS_TOKEN "access-token-that-nobody-may-see" /* all of them begin so */
#define DELIVERED "{\"data\":{\"sendSignal\":true},\"extensions\":{\"requestLatency\":1}}"
#define ERROR_BODY(code, message)                                                                  \
    "{\"errors\":[{\"message\":\"" message "\",\"extensions\":{\"code\":\"" code "\"}}]}"

struct fake_seek;

struct seen_signal {
    char request_id[64], session_id[64], access_token[64], seek_token[64], timestamp[64];
    int64_t at_ms; /* monotonic */
};

struct fake_seek *fake_seek_start(void);
void fake_seek_stop(struct fake_seek *seek);
const char *fake_seek_graphql_url(const struct fake_seek *seek); /* lives as long as `seek` */
const char *fake_seek_token_url(const struct fake_seek *seek);   /* likewise */

/* The next answers, in the order of the calls: at most FAKE_SEEK_ANSWERS_MAX of each kind. */
void fake_seek_will_answer(struct fake_seek *seek, struct fake_answer answer, unsigned times);
void fake_seek_will_answer_fetch(struct fake_seek *seek, struct fake_answer answer);

/* All access tokens live so long: half an hour unless told. */
void fake_seek_set_token_life(struct fake_seek *seek, int64_t life_ms);
/* Those that were issued before the n-th, which is 1 for the first, are UNAUTHENTICATED. */
void fake_seek_revoke_before(struct fake_seek *seek, unsigned number);

unsigned fake_seek_signals(struct fake_seek *seek); /* so far */
unsigned fake_seek_fetches(struct fake_seek *seek); /* likewise */
/* One that was seen already; lives as long as `seek`. */
const struct seen_signal *fake_seek_signal(struct fake_seek *seek, unsigned index);
/* The last of each kind; valid until the next comes. */
struct fake_request fake_seek_last_signal(struct fake_seek *seek);
const char *fake_seek_last_fetch(struct fake_seek *seek); /* its body */
/* At SEEK itself, without the issuer. */
unsigned fake_seek_connections_peak(struct fake_seek *seek);
