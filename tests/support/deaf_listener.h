/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A listener whose backlog is full: it drops SYNs until somebody accepts.
 *
 * Owns:    its sockets.
 * Threads: one at a time.
 * Blocks:  never.
 */
#pragma once

#include <netinet/in.h>
#include <stdint.h>

struct deaf_listener {
    struct sockaddr_in address;
    int fd;
    int fillers[4];
};

/* `port` 0: any, which `address` tells then. */
void deaf_listener_start(struct deaf_listener *deaf, uint32_t host, uint16_t port);
void deaf_listener_stop(struct deaf_listener *deaf);
