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
#include "service/config.h"

/* Tries Redis, the access token and SEEK's `{ version }` for real; a line each. */
int command_check(const struct config *config, const struct command_arguments *arguments);

/* All others ask the service that runs with these settings. */

/* Exit 0 when it is ready: for HEALTHCHECK in images without a shell. */
int command_health(const struct config *config, const struct command_arguments *arguments);
/* What it says of itself, or of one application. */
int command_status(const struct config *config, const struct command_arguments *arguments);
int command_dead_list(const struct config *config, const struct command_arguments *arguments);
int command_dead_replay(const struct config *config, const struct command_arguments *arguments);
int command_pause(const struct config *config, const struct command_arguments *arguments);
int command_resume(const struct config *config, const struct command_arguments *arguments);
