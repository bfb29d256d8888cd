/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Turns Redis's answers to the questions of an inspection into facts.
 *
 * Owns: nothing. Threads: as struct inspection. Blocks: never.
 */
#pragma once

#include "lib/net/redis_client.h"

#include "service/store/inspection.h"

/* One per kind of question; an answer may be an error. */
void inspection_take_info(struct inspection *inspection, const struct redis_reply *reply);
void inspection_take_settings(struct inspection *inspection, const struct redis_reply *reply);
void inspection_take_probe(struct inspection *inspection, const struct redis_reply *reply);
void inspection_take_tried(struct inspection *inspection, const struct redis_reply *reply);
void inspection_take_unknown_script(struct inspection *inspection, const struct redis_reply *reply);
void inspection_take_trial(struct inspection *inspection, const struct redis_reply *reply);
void inspection_take_layout(struct inspection *inspection, const struct redis_reply *reply);
void inspection_take_layout_of(struct inspection *inspection, const struct shard *shard,
                               const struct redis_reply *reply);
void inspection_take_nothing(struct inspection *inspection, const struct redis_reply *reply);
void inspection_take_marked(struct inspection *inspection, const struct redis_reply *reply);
void inspection_take_received(struct inspection *inspection, const struct redis_reply *reply);
void inspection_take_synced(struct inspection *inspection, const struct redis_reply *reply);
void inspection_take_synced_in_time(struct inspection *inspection, const struct redis_reply *reply);
void inspection_take_hash(struct inspection *inspection, enum script script,
                          const struct redis_reply *reply);

/* Whose keys are tried. */
const struct shard *inspection_first_shard(const struct inspection *inspection);
