/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * SEEK's GraphQL endpoint when nothing is wrong with it: reads a call, checks it as SEEK would and
 * fills the answer.
 *
 * Owns:    a struct graphql_call owns the JSON tree that its texts point into.
 * Threads: one at a time.
 * Blocks:  never.
 */
#pragma once

#include "service/sandbox/answer.h"
#include "service/sandbox/behaviour.h"
#include "service/sandbox/incoming.h"
#include "service/sandbox/oauth.h"
#include "service/sandbox/signal_input.h"

struct graphql_call {
    struct json *json;         /* owned */
    struct signal_input input; /* as far as it could be read, also of a refused call */
};

void graphql_call_fini(struct graphql_call *call);

/* `out` is initialised here. */
void graphql_answer(const struct behaviour *behaviour, const struct oauth *oauth,
                    const struct incoming *incoming, struct graphql_call *out,
                    struct sandbox_answer *answer);
