/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/serve/announcement.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include "service/config/config.h"
#include "service/inbound/health.h"
#include "service/inbound/intake_pool.h"
#include "service/inbound/ops_server.h"
#include "service/inbound/service_view.h"
#include "service/outbound/worker_pool.h"

enum { LISTENER_BYTES = HOST_PORT_BYTES };

static void describe(const struct listen_address *address, uint16_t port, char text[LISTENER_BYTES])
{
    if (address->is_unix)
        (void)snprintf(text, LISTENER_BYTES, "unix:%s", address->host);
    else
        host_port_write(address->host, port, text);
}

static void announce_proxies(const struct config *config)
{
    if (config->graphql_proxy != NULL || config->token_proxy != NULL)
        log_info("proxy_used", "SEEK is reached through a proxy that the environment names",
                 LOG_TEXT("seek", config->graphql_proxy), LOG_TEXT("issuer", config->token_proxy));
}

void announce_listening(const struct config *config, const struct intake_pool *intake,
                        const struct ops_server *ops_server)
{
    char api[LISTENER_BYTES], ops[LISTENER_BYTES];
    describe(&config->listen_address, intake_pool_port(intake), api);
    describe(&config->ops_listen_address, ops_server_port(ops_server), ops);
    log_info("listening", "The listeners are open", LOG_TEXT("api", api), LOG_TEXT("ops", ops),
             LOG_TEXT("api_addresses", intake_pool_places(intake)),
             LOG_TEXT("ops_addresses", ops_server_places(ops_server)),
             LOG_TEXT("tls", config->tls_cert_file != NULL ? "api" : "none"),
             LOG_TEXT("version", SEEK_SIGNAL_VERSION));
    announce_proxies(config);
    if (config->tls_cert_file == NULL && !listen_address_is_local(&config->listen_address))
        log_warn("listening_plain",
                 "Other machines reach the API without TLS, so the network in between can read "
                 "keys and seek-tokens. Set SEEK_SIGNAL_TLS_CERT_FILE and "
                 "SEEK_SIGNAL_TLS_KEY_FILE, or let a proxy in front end TLS",
                 LOG_TEXT("api", api));
}

bool announce_ready(const struct service_view *view, int64_t started_at_ms)
{
    struct intake_pool_status intake;
    struct health ready;
    int64_t now_ms = clock_monotonic_ms();
    health_look(HEALTH_READY, view, now_ms, &ready);
    if (!ready.is_fine)
        return false;
    intake_pool_status(view->intake_pool, &intake);
    const struct durability spool = {.level = DURABILITY_SPOOL};
    bool is_redis_ready = intake.threads_ready == intake.threads;
    log_info(
        "ready", "Events can be accepted durably",
        LOG_TEXT("durability", durability_name(is_redis_ready ? intake.health.durability : spool)),
        LOG_INT("after_ms", now_ms - started_at_ms));
    return true;
}

void announce_stopped(const struct worker_pool_end *end)
{
    if (end->unrecorded == 0)
        log_info("stopped", "Everything acknowledged is stored", LOG_INT("signals_cut", end->cut));
    else
        log_warn("stopped",
                 "Everything acknowledged is stored. Signals without a recorded outcome are sent "
                 "again when their leases end, those that SEEK has accepted for the second time",
                 LOG_INT("signals_cut", end->cut), LOG_INT("unrecorded", end->unrecorded),
                 LOG_INT("repeats", end->repeats));
}
