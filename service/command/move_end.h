/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One end of `move`, --from or --to: its settings and its store.
 *
 * Owns:    its URL and its store; the settings are borrowed.
 * Threads: one, the loop's.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/secret.h"

#include "service/config/config.h"
#include "service/serve/redis_location.h"

struct event_loop;
struct store;

enum { MOVE_WHERE_BYTES = 512 };

struct move_end {
    const char *name;     /* of its option */
    struct config config; /* the settings as they are for it; what it points to is borrowed */
    struct secret *url;   /* owned */
    char where[MOVE_WHERE_BYTES]; /* that URL without user and password, cut; and the prefix */
    struct redis_location location;
    struct store *store; /* owned */
};

/* Overwrites what others see of the arguments. NULL: nothing. */
void move_end_hide(char *argument);
/* One of the two; the URL is hidden behind it. */
MUST_CHECK bool move_end_read_url(struct move_end *end, char *url, const char *file,
                                  struct error *error);
/* `prefix`, `shards`: NULL, 0: as the settings have it. */
MUST_CHECK bool move_end_read(struct move_end *end, char *prefix, int64_t shards,
                              struct error *error);
MUST_CHECK bool move_end_open(struct move_end *end, struct event_loop *loop, bool is_source,
                              struct error *error);
void move_end_close(struct move_end *end);
