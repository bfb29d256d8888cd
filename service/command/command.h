/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The commands of the binary besides `serve`. Each prints for a person, or JSON with --json, and
 * returns the exit status: 0 fine, 2 a setting is wrong, 1 anything else.
 *
 * Owns: nothing. Threads: the only one. Blocks: for seconds, on the network.
 */
#pragma once

#include "service/command/arguments.h"
#include "service/config/config.h"

/* check.c. Tries Redis, the access token and SEEK's `{ version }` for real; a line each. */
int command_check(const struct config *config, const struct command_arguments *arguments);

/* move.c. All that one Redis keeps to another one. */
int command_move(const struct config *config, const struct command_arguments *arguments);

/* All others ask the service that runs with these settings: running.c, for the dead dead.c and
 * dead_walk.c. */

/* Exit 0 when it is ready: for HEALTHCHECK in images without a shell. */
int command_health(const struct config *config, const struct command_arguments *arguments);
/* What it says of itself, or of one application. */
int command_status(const struct config *config, const struct command_arguments *arguments);
int command_dead_list(const struct config *config, const struct command_arguments *arguments);
int command_dead_replay(const struct config *config, const struct command_arguments *arguments);
int command_dead_forget(const struct config *config, const struct command_arguments *arguments);
/* One application: sends it again, forgets it for good. */
int command_replay(const struct config *config, const struct command_arguments *arguments);
int command_forget(const struct config *config, const struct command_arguments *arguments);
int command_pause(const struct config *config, const struct command_arguments *arguments);
int command_resume(const struct config *config, const struct command_arguments *arguments);
/* tail.c. Follows what happens to signals, a line each, until it is ended. */
int command_tail(const struct config *config, const struct command_arguments *arguments);
