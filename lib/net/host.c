/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/host.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void host_port_write(const char *host, uint16_t port, char text[HOST_PORT_BYTES])
{
    bool has_colon = strchr(host, ':') != NULL;
    (void)snprintf(text, HOST_PORT_BYTES, has_colon ? "[%s]:%u" : "%s:%u", host, (unsigned)port);
}
