/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>
#include <strings.h>

#include "lib/base/ascii.h"

#include "service/config/config.h"
#include "service/config/config_reading.h"
#include "service/config/settings.h"

static bool is_every_ipv4(const char *host)
{
    return strcmp(host, "0.0.0.0") == 0;
}

/* Whether the second listener would find the port taken by the first. */
static bool are_one_place(const struct listen_address *a, const struct listen_address *b)
{
    if (a->is_unix || b->is_unix)
        return a->is_unix && b->is_unix && strcmp(a->host, b->host) == 0;
    if (a->port != b->port || a->port == 0)
        return false;
    bool is_ipv4_each = ascii_is_digit(a->host[0]) && ascii_is_digit(b->host[0]) &&
                        strchr(a->host, ':') == NULL && strchr(b->host, ':') == NULL;
    return strcasecmp(a->host, b->host) == 0 || strcmp(a->host, "::") == 0 ||
           strcmp(b->host, "::") == 0 ||
           (is_ipv4_each && (is_every_ipv4(a->host) || is_every_ipv4(b->host)));
}

void config_listeners_finish(struct reading *reading)
{
    const struct config *config = reading->config;
    if (config->listen == NULL || config->ops_listen == NULL ||
        !are_one_place(&config->listen_address, &config->ops_listen_address))
        return;
    config_note(reading->problems,
                SETTING_PREFIX "LISTEN=%s and " SETTING_PREFIX
                               "OPS_LISTEN=%s are the same place: give each a port or socket of "
                               "its own",
                config->listen, config->ops_listen);
}
