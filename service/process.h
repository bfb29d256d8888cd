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
/* With exit status 1, and nothing freed: some thread may be using it. The private Redis gets its
 * SIGTERM from the kernel. */
_Noreturn void process_end_at_once(const char *reason);
/* Raises the limit of file descriptors to what is wanted, as far as the hard limit allows. Returns
 * for how many connections there are some beside the others; a shortfall is logged. */
size_t process_reserve_descriptors(size_t connections, size_t others);
/* SIGTERM and SIGINT wait for the descriptor that main reads; `out_signals` is that set. */
void process_block_signals(sigset_t *out_signals);
