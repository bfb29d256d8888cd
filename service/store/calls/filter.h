/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Which applications a listing, a replay or a forgetting is about.
 *
 * Owns: nothing: texts are borrowed. Threads: any. Blocks: never.
 */
#pragma once

#include <stdint.h>

struct store_filter {
    const char *class, *code; /* of the last outcome, in any case of its letters; NULL or "": any */
    /* How the last outcome's message and the id begin, byte for byte; NULL or "": any. */
    const char *message, *id_prefix;
    /* When it died (of what is not dead: was accepted), in ms since 1970: from `since_ms` on and
     * before `until_ms`. 0: any time. */
    int64_t since_ms, until_ms;
};

struct script_call;
/* An argument: empty for 0. */
void filter_add_time(struct script_call *call, int64_t time_ms);
/* The arguments message and id_prefix. */
void filter_add_beginnings(struct script_call *call, const struct store_filter *filter);
/* The latest death that counts: that of the answer before, or, when there is none yet (-1), by
 * `until_ms`; -1: all until now. */
int64_t filter_latest_death_ms(const struct store_filter *filter, int64_t known_ms);
