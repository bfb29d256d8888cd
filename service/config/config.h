/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The settings: one table in settings.c from which environment, flags, defaults, --help and
 * docs/settings.md follow.
 *
 * Owns:    its strings and secrets. Read once at the start, then const for everybody.
 * Threads: any reads. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/ownership.h"
#include "lib/base/secret.h"
#include "lib/net/listener.h"

#include "service/store/store.h"
#include "service/tracing/tracer.h"

/* Those of OpenTelemetry's variables that are no option of the tracer themselves. */
struct config_otel {
    char *endpoint, *traces_endpoint; /* owned, as all strings here; NULL: unset */
    char *resource_attributes, *sampler_argument;
    int protocol, is_compressed, is_exporting, is_disabled;
    int sampler; /* an enum sampler_rule, and OTEL_PARENTBASED */
};
enum { OTEL_HTTP_JSON, OTEL_HTTP_PROTOBUF, OTEL_GRPC };
enum { OTEL_PARENTBASED = 16 };

struct config {
    char *listen, *ops_listen; /* owned, as all strings here */
    struct listen_address listen_address, ops_listen_address;
    struct secret *api_key; /* NULL: none */
    struct secret *api_read_key;
    char *tls_cert_file, *tls_key_file; /* of the API listener; both or neither */
    char *tls_client_ca_file;           /* NULL: no certificates are asked for */
    struct secret *redis_url;           /* NULL: embedded */
    char *redis_prefix;
    uint32_t redis_shards;                  /* 0: as many as are usual there */
    char *redis_ca_file;                    /* NULL: the system's */
    char *redis_cert_file, *redis_key_file; /* both or neither */
    char *data_dir;
    struct durability durability;
    char *spool_dir; /* NULL: no spool */
    uint32_t spool_bytes_max;
    char *graphql_url, *token_url, *audience;
    char *environment; /* of SEEK: the first and the last of these */
    struct secret *client_id, *client_secret;
    char *user_agent, *accept_language;
    char *ca_file; /* for SEEK; NULL: the system's */
    uint32_t workers, max_in_flight, max_per_second, refusals_max;
    uint32_t request_timeout_ms, retry_base_ms, retry_max_ms, retry_max_age_s, token_ttl_s;
    uint32_t intake_threads; /* never 0 after config_read */
    uint32_t bodies_bytes_max;
    uint32_t max_body_bytes, max_header_bytes, max_connections, max_connections_per_address;
    uint32_t idle_timeout_s, read_timeout_ms, max_batch, shutdown_delay_s, shutdown_timeout_s;
    char *notify_url; /* NULL: nobody is told */
    struct secret *notify_secret;
    int log_level;  /* enum log_level */
    int log_format; /* enum log_format, or CONFIG_LOG_FORMAT_AUTO */
    int is_upstream_logged;
    struct config_otel otel;
    struct tracer_options tracing; /* owned, what of it is settings; collector.url NULL: off */
    char *traces_url;              /* that URL */
    char *graphql_proxy, *token_proxy, *traces_proxy,
        *notify_proxy;         /* for texts: "host:port (HTTPS_PROXY)" */
    const char *notify_socket; /* borrowed: $NOTIFY_SOCKET, not a setting of ours; NULL: none */
    int64_t watchdog_ms;       /* $WATCHDOG_USEC, as above; 0: nobody watches */
    struct buffer warnings;    /* one sentence per line: settings that look mistyped */
};

enum { CONFIG_LOG_FORMAT_AUTO = -1 };

enum config_need {
    CONFIG_NEED_ALL,     /* to serve: credentials must be there */
    CONFIG_NEED_REDIS,   /* to go to the data itself: whose it is, under which keys, counts too */
    CONFIG_NEED_ADDRESS, /* to talk to a running service: only the listeners and the API key count
                          */
};

/* Reads environment and `--name value` / `--name=value` flags (a flag wins; an empty value counts
 * as unset). All mistakes are collected in `problems`, one sentence per line, each naming the
 * setting and the remedy; NULL then, with the warnings in front. `out_log_format` says also then in
 * which form they are to be told; it may be NULL. The values of secret flags are overwritten in
 * `arguments`, so that ps(1) does not show them. */
MUST_CHECK struct config *config_read(enum config_need need, int argument_count,
                                      char *const arguments[], const char *const environment[],
                                      struct buffer *problems, int *out_log_format);
void config_destroy(struct config *config); /* accepts NULL */
DEFINE_AUTO(config);

/* A variable that is no setting of ours but says how we are run, as the service manager's; NULL
 * when it is unset or empty. Borrowed from the environment. */
const char *config_variable(const char *name, const char *const environment[]);

/* config_help.c. The settings as --help shows them: the basic ones fit a screen, `is_all` shows
 * every one. */
void config_print_help(FILE *stream, bool is_all);
/* The rows of docs/settings.md, a line for each setting; the document groups them by topic. */
void config_print_markdown(FILE *stream);
/* The entries of the settings in seek-signal(1). */
void config_print_manual(FILE *stream);
