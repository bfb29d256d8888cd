/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Which proxies of the environment will be used, and whether they can be: libcurl would say so only
 * when a signal is to be sent, and quote the password then.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/net/http_proxy.h"

#include "service/config/config_reading.h"

/* How texts call the proxy for `url`; `*out` stays NULL when there is none. */
static bool find(const char *url, const char *const environment[], char **out, struct error *error)
{
    struct http_proxy proxy;
    if (url == NULL)
        return true;
    if (!http_proxy_find(url, environment, &proxy, error))
        return false;
    if (proxy.variable == NULL)
        return true;
    return asprintf(out, "%s (%s)", proxy.place, proxy.variable) >= 0 || error_out_of_memory(error);
}

void config_proxy_finish(struct reading *reading, const char *const environment[])
{
    struct config *config = reading->config;
    struct error error;
    /* All are https, so that what is wrong with the one is wrong with the others. */
    if (!find(config->graphql_url, environment, &config->graphql_proxy, &error) ||
        !find(config->token_url, environment, &config->token_proxy, &error) ||
        !find(config->notify_url, environment, &config->notify_proxy, &error))
        config_note(reading->problems, "%s", error.message);
    if (!find(config->tracing.collector.url, environment, &config->traces_proxy, &error)) {
        config_note(&config->warnings, "%s; there is no tracing now", error.message);
        config->tracing.collector.url = NULL;
    }
    config->tracing.collector.proxy = config->traces_proxy;
}
