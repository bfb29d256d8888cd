/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The state that the calls of SEEK's endpoints and the control API share.
 *
 * Owns:    its members.
 * Threads: one, the loop's.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>

#include "service/sandbox/behaviour.h"
#include "service/sandbox/fault_script.h"
#include "service/sandbox/ledger.h"
#include "service/sandbox/oauth.h"
#include "service/sandbox/waiting.h"

struct state {
    struct behaviour behaviour;
    struct oauth *oauth;         /* owned */
    struct fault_script *script; /* owned */
    struct ledger *ledger;       /* owned */
    struct waiting waiting;      /* calls whose answer is not due */
};
