/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * SEEK's authorization server: gives access tokens for client credentials and knows them again.
 *
 * Owns:    the access tokens given out, in a ring of ACCESS_TOKENS_MAX: one more makes the oldest
 *          unknown.
 * Threads: one at a time.
 * Blocks:  never, but for the kernel's random numbers.
 */
#pragma once

#include <stdint.h>

#include "lib/base/ownership.h"

#include "service/sandbox/answer.h"
#include "service/sandbox/behaviour.h"
#include "service/sandbox/incoming.h"

struct oauth;

enum { ACCESS_TOKENS_MAX = 4096 };

enum oauth_verdict {
    OAUTH_LIVE,
    OAUTH_PLAYGROUND,
    OAUTH_MISSING, /* no Authorization header */
    OAUTH_INVALID, /* another scheme, never given, revoked */
    OAUTH_EXPIRED,
};

MUST_CHECK struct oauth *oauth_create(struct error *error);
void oauth_destroy(struct oauth *oauth); /* accepts NULL */
DEFINE_AUTO(oauth);

/* POST /oauth/token. */
void oauth_answer(struct oauth *oauth, const struct behaviour *behaviour,
                  const struct incoming *incoming, struct sandbox_answer *answer);
/* `authorization` is the header's value, or NULL. */
enum oauth_verdict oauth_check(const struct oauth *oauth, const char *authorization,
                               int64_t now_ms);
/* No access token is known any more. */
void oauth_revoke_all(struct oauth *oauth);
