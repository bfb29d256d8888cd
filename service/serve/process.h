/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The requests of `serve` to the kernel for the process as a whole.
 *
 * Owns: nothing. Threads: main, before the first other thread; process_end_at_once: any.
 * Blocks:
 * never, but process_end_at_once for a moment.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/* With exit status 1, and nothing freed: some thread may be using it. The log has a moment for what
 * waits. The private Redis gets its
 * SIGTERM from the kernel. */
_Noreturn void process_end_at_once(const char *reason);
/* The limit of file descriptors becomes the hard limit. */
void process_raise_descriptors(void);
/* For how many connections there are descriptors beside the others; a shortfall is logged. */
size_t process_fit_connections(size_t connections, size_t others);
/* No signal ends the process by itself, but those that nobody can hold off. `out_signals` are the
 * ones that wait for the descriptor that main reads, the others are ignored. */
void process_take_signals(sigset_t *out_signals);
/* Whether the signal, whose name is written down, asks for the end; another one of the set changes
 * nothing, and is logged. */
enum { PROCESS_SIGNAL_BYTES = 16 };
bool process_is_ended_by(int number, char name[PROCESS_SIGNAL_BYTES]);
