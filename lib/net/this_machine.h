/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * "Is it this machine?", for hosts as they are written in settings, URLs and Host headers: the one
 * answer for who may be spoken to without TLS, listened for without a key, and reached without a
 * proxy. Addresses of 127.0.0.0/8 in any form, ::1, IPv4 inside of IPv6, and the names that mean
 * them everywhere: localhost, what ends in .localhost (RFC 6761), and Debian's ip6-localhost and
 * ip6-loopback; each also with the dot at the end of a full name.
 *
 * Owns: nothing. Threads: any. Blocks: never: nothing is resolved.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* `host` without a port; an IPv6 address with or without brackets. */
bool this_machine_is_host(const char *host, size_t length);
