/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * An application's hash by the names of its fields, and as versions with layout 1 wrote it.
 *
 * Owns: nothing. Threads: one. Blocks: for a redis-cli.
 */
#pragma once

struct redis_server;

/* Its value in plain text, whether it lies in `p` or is a field of its own; "": it is not there.
 * Valid until the next call. Not for the history. */
const char *stored_field(struct redis_server *server, const char *id, const char *field);

/* Each of them a field of its own, without `p`. */
void stored_spread(struct redis_server *server, const char *id);
