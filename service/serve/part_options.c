/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/serve/part_options.h"

#include "service/config/config.h"
#include "service/serve/redis_location.h"

enum {
    BREAKER_FAILURES = 10,
    BREAKER_SILENCE_MS = 1000,
    BREAKER_WAIT_MS = 500, /* SEEK's return is seen within BREAKER_WAIT_MAX_MS */
    BREAKER_WAIT_MAX_MS = 2000,
    ACCESS_TOKEN_RETRY_BASE_MS = 500,
    ACCESS_TOKEN_RETRY_MAX_MS = 15000,
};

/* How many nodes a cluster has is not known at the start; few have more. */
enum {
    PROCESS_DESCRIPTORS = 128, /* half of them connections to OPS_LISTEN */
    THREAD_DESCRIPTORS = 12,   /* loops, listeners, the issuer, a search for Redis or a name */
    CLUSTER_NODES = 16,
};

size_t part_options_descriptors(const struct config *config, const struct redis_location *location)
{
    size_t nodes = location->map == NULL ? 1 : CLUSTER_NODES;
    if (nodes > location->shard_count)
        nodes = location->shard_count;
    size_t threads = (size_t)config->workers + config->intake_threads;
    return PROCESS_DESCRIPTORS + config->max_in_flight + threads * (THREAD_DESCRIPTORS + nodes);
}

struct access_token_options part_options_for_access_token(const struct config *config)
{
    return (struct access_token_options){
        .audience = config->audience,
        .client_id = config->client_id,
        .client_secret = config->client_secret,
        .retry_base_ms = ACCESS_TOKEN_RETRY_BASE_MS,
        .retry_max_ms = ACCESS_TOKEN_RETRY_MAX_MS,
        .outage_max_ms = BREAKER_WAIT_MAX_MS,
        .refresh_timeout_ms = 2 * (int64_t)config->request_timeout_ms,
    };
}

struct sending_gate_options part_options_for_gate(const struct config *config)
{
    return (struct sending_gate_options){
        .in_flight_max = config->max_in_flight,
        .per_second_max = config->max_per_second,
        .refusals_max = config->refusals_max,
        .breaker_failures = BREAKER_FAILURES,
        .breaker_silence_ms = BREAKER_SILENCE_MS,
        .breaker_wait_ms = BREAKER_WAIT_MS,
        .breaker_wait_max_ms = BREAKER_WAIT_MAX_MS,
    };
}

struct worker_pool_options part_options_for_workers(const struct config *config,
                                                    struct redis_location *location)
{
    return (struct worker_pool_options){
        .worker_count = config->workers,
        .in_flight_max = config->max_in_flight,
        .graphql_url = config->graphql_url,
        .token_url = config->token_url,
        .user_agent = config->user_agent,
        .accept_language = config->accept_language,
        .graphql_proxy = config->graphql_proxy,
        .token_proxy = config->token_proxy,
        .ca_file = config->ca_file,
        .request_timeout_ms = config->request_timeout_ms,
        .retry_base_ms = config->retry_base_ms,
        .retry_max_ms = config->retry_max_ms,
        .retry_age_max_ms = (int64_t)config->retry_max_age_s * 1000,
        .is_upstream_logged = config->is_upstream_logged != 0,
        /* Nobody is told what workers write, so they go on where an acknowledgement would not be
         * durable enough. */
        .store = redis_location_store_options(location, config,
                                              (struct durability){.level = DURABILITY_ANY}),
    };
}

struct intake_pool_options part_options_for_intake(const struct config *config,
                                                   struct redis_location *location)
{
    return (struct intake_pool_options){
        .listen_address = &config->listen_address,
        .thread_count = config->intake_threads,
        .body_bytes_max = config->max_body_bytes,
        .bodies_bytes_max = config->bodies_bytes_max,
        .header_bytes_max = config->max_header_bytes,
        .connections_per_address_max = config->max_connections_per_address,
        .idle_timeout_s = config->idle_timeout_s,
        .read_timeout_ms = config->read_timeout_ms,
        .batch_max = config->max_batch,
        .store = redis_location_store_options(location, config, config->durability),
        .access = {.api_key = config->api_key,
                   .read_key = config->api_read_key,
                   .takes_certificates = config->tls_client_ca_file != NULL},
    };
}
