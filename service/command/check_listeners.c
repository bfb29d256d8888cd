/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Whether the service could listen, without a look at the port: the service may run.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/net/listener.h"

#include "service/command/check_parts.h"
#include "service/config/config.h"

/* Of a directory in /run systemd makes at the start what the unit asks for, and removes it. */
static bool is_made_at_the_start(const char *path)
{
    char directory[HOST_BYTES];
    const char *slash = strrchr(path, '/');
    (void)snprintf(directory, sizeof directory, "%.*s", (int)(slash - path), path);
    return strncmp(path, "/run/", strlen("/run/")) == 0 && access(directory, F_OK) != 0;
}

static bool check_listener(const char *name, const char *setting,
                           const struct listen_address *address)
{
    struct error error;
    if (address->is_unix && is_made_at_the_start(address->host)) {
        check_note(name, "%s: its directory is not there; RuntimeDirectory= of the unit makes it",
                   setting);
        return true;
    }
    if (!listener_try(address, &error))
        return check_report(false, name, "%s", error.message);
    return check_report(true, name, "%s: %s", setting,
                        address->is_unix ? "its directory is there"
                                         : "this machine has the address; the port is not tried");
}

bool check_listeners(const struct config *config)
{
    bool is_fine = check_listener("LISTEN", config->listen, &config->listen_address);
    return check_listener("OPS_LISTEN", config->ops_listen, &config->ops_listen_address) && is_fine;
}
