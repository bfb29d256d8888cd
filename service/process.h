/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What `serve` asks of the kernel for the process as a whole.
 *
 * Owns: nothing. Threads: main, before the first other thread; process_end_at_once: any.
 * Blocks: never.
 */
#pragma once

#include <signal.h>
#include <stddef.h>

/* Cores would hold access tokens and seek-tokens. */
void process_forbid_cores(void);
/* Up to `wanted` file descriptors, as far as the hard limit allows; a shortfall is logged. */
void process_raise_descriptor_limit(size_t wanted);
/* With exit status 1, and nothing freed: some thread may be using it. The private Redis gets its
 * SIGTERM from the kernel. */
_Noreturn void process_end_at_once(const char *reason);
/* SIGTERM and SIGINT wait for the descriptor that main reads; `out_signals` is that set. */
void process_block_signals(sigset_t *out_signals);
