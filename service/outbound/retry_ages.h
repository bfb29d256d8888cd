/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The oldest of the signals that this process tried and that will be tried again, by the outcome of
 * their last attempt: one that always fails hides behind all those that are delivered.
 *
 * Each is forgotten when it is delivered or dead, and some time after its next attempt was due:
 * then another process has it, or a newer seek-token has replaced it.
 *
 * Owns:    the few oldest of each class. Threads: any. Blocks: for its lock, moments.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/mutex.h"

#include "service/domain/upstream_reply.h"

enum { RETRY_AGES_KEPT = 8 /* of each class */ };

struct retry_ages {
    /* Any thread, holding shared.lock. */
    struct {
        struct mutex lock;
        struct retry_age {
            uint32_t id; /* checksum of the application's */
            int64_t accepted_at_ms;
            int64_t forget_at_ms; /* 0: an empty place */
        } kept[VERDICT_CLASS_COUNT][RETRY_AGES_KEPT];
    } shared;
};

void retry_ages_init(struct retry_ages *ages);
void retry_ages_fini(struct retry_ages *ages);
/* An attempt ended with `class`, and the next one is due in `delay_ms`. `age_ms` is since the event
 * was accepted or last replayed. Times are of the monotonic clock. */
void retry_ages_note(struct retry_ages *ages, const char *application_id, enum verdict_class class,
                     int64_t age_ms, int64_t delay_ms, int64_t now_ms);
/* It is delivered or dead. */
void retry_ages_forget(struct retry_ages *ages, const char *application_id);
/* While sending is held no attempt comes, and none is missed. */
void retry_ages_hold(struct retry_ages *ages, int64_t now_ms);
/* 0: there is none. */
int64_t retry_ages_oldest_ms(struct retry_ages *ages, enum verdict_class class, int64_t now_ms);
