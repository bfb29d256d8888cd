/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Hosts as people write them: names and IP addresses, the latter without brackets.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdint.h>

enum { HOST_BYTES = 256, HOST_PORT_BYTES = HOST_BYTES + sizeof "[]:65535" };

/* "name:port", "127.0.0.1:port" or "[::1]:port". `host` is shorter than HOST_BYTES. */
void host_port_write(const char *host, uint16_t port, char text[HOST_PORT_BYTES]);
