/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Objects bound to a scope: destroyed when it is left, unless handed over by name.
 *
 *     AUTO(event) *event = event_create(...);
 *     return queue_push(queue, STEAL(event));
 *
 * AUTO goes over another module's constructor. DEFINE_AUTO(thing) in thing.h declares it and needs
 * a `void thing_destroy(struct thing *)` that accepts NULL.
 *
 * Owns: nothing. Threads: any. Blocks: as the destructors do.
 */
#pragma once

#define DEFINE_AUTO(type)                                                                          \
    static inline void type##_auto_destroy(struct type **object)                                   \
    {                                                                                              \
        type##_destroy(*object);                                                                   \
    }                                                                                              \
    struct type

#define AUTO(type) __attribute__((cleanup(type##_auto_destroy))) struct type

#define STEAL(pointer)                                                                             \
    __extension__({                                                                                \
        __typeof__(pointer) stolen_ = (pointer);                                                   \
        (pointer) = NULL;                                                                          \
        stolen_;                                                                                   \
    })
