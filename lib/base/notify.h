/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Tells a service manager what state the service is in, by the protocol of sd_notify(3): one
 * datagram of NAME=value lines to the socket that the manager named.
 *
 * Owns:    nothing.
 * Threads: any.
 * Blocks:  never; a manager that reads too slowly does not hear it.
 */
#pragma once

#include "lib/base/error.h"

/* `socket_name` is the value of $NOTIFY_SOCKET: a path, or @name in the abstract namespace. NULL:
 * nobody asked; true. */
MUST_CHECK bool notify_send(const char *socket_name, const char *lines, struct error *error);
