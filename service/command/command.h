/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The commands of the binary besides `serve`. Each prints for a person and returns the exit status:
 * 0 fine, 2 a setting is wrong, 1 anything else.
 *
 * Owns: nothing. Threads: the only one. Blocks: for seconds, on the network.
 */
#pragma once

#include "service/config.h"

/* Tries Redis, the access token and SEEK's `{ version }` for real; a line each. */
int command_check(const struct config *config);
/* Exit 0 when the service that runs with these settings is ready: for HEALTHCHECK in images without
 * a shell. */
int command_health(const struct config *config);
/* What the running service says of itself, or of one application. */
int command_status(const struct config *config, const char *application_id /* or NULL */);
