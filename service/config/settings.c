/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/config/settings.h"

#include <assert.h>
#include <string.h>

#include "lib/base/ascii.h"

#include "service/config/config.h"
#include "service/store/shard.h"

static const struct setting_choice log_levels[] = {
    {"debug", LOG_DEBUG}, {"info", LOG_INFO}, {"warn", LOG_WARN}, {"error", LOG_ERROR}, {NULL, 0},
};
static const struct setting_choice log_formats[] = {
    {"auto", CONFIG_LOG_FORMAT_AUTO},
    {"json", LOG_FORMAT_JSON},
    {"text", LOG_FORMAT_TEXT},
    {NULL, 0},
};
static const struct setting_choice upstream_logs[] = {{"off", false}, {"full", true}, {NULL, 0}};
static const struct setting_choice booleans[] = {{"false", false}, {"true", true}, {NULL, 0}};
static const struct setting_choice exporters[] = {{"otlp", true}, {"none", false}, {NULL, 0}};
static const struct setting_choice protocols[] = {{"http/json", OTEL_HTTP_JSON},
                                                  {"http/protobuf", OTEL_HTTP_PROTOBUF},
                                                  {"grpc", OTEL_GRPC},
                                                  {NULL, 0}};
static const struct setting_choice compressions[] = {{"none", false}, {"gzip", true}, {NULL, 0}};
static const struct setting_choice samplers[] = {
    {"always_on", SAMPLER_ALWAYS},
    {"always_off", SAMPLER_NEVER},
    {"traceidratio", SAMPLER_RATIO},
    {"parentbased_always_on", OTEL_PARENTBASED + SAMPLER_ALWAYS},
    {"parentbased_always_off", OTEL_PARENTBASED + SAMPLER_NEVER},
    {"parentbased_traceidratio", OTEL_PARENTBASED + SAMPLER_RATIO},
    {NULL, 0},
};

#define FIELD(name) offsetof(struct config, name)
#define TEXT(name, field, preset) name, SETTING_TEXT, FIELD(field), preset, 0, 0, NULL
#define PATH(name, field, preset) name, SETTING_PATH, FIELD(field), preset, 0, 0, NULL
#define ADDRESS(name, field, preset) name, SETTING_ADDRESS, FIELD(field), preset, 0, 0, NULL
#define URL(name, field, preset) name, SETTING_URL, FIELD(field), preset, 0, 0, NULL
#define NUMBER(name, field, preset, min, max)                                                      \
    name, SETTING_NUMBER, FIELD(field), preset, min, max, NULL
#define CHOICE(name, field, preset, choices)                                                       \
    name, SETTING_CHOICE, FIELD(field), preset, 0, 0, choices
#define DURABILITY(name, field, preset) name, SETTING_DURABILITY, FIELD(field), preset, 0, 0, NULL
#define SECRET(name, field) name, SETTING_SECRET, FIELD(field), NULL, 0, 0, NULL
enum { OPTIONAL = false, REQUIRED = true, ADVANCED = false, BASIC = true };

/* clang-format off */
const struct setting settings[] = {
    {SECRET("CLIENT_ID", client_id), REQUIRED, BASIC, "client id from SEEK's developer dashboard"},
    {SECRET("CLIENT_SECRET", client_secret), REQUIRED, BASIC, "its client secret"},
    {TEXT("USER_AGENT", user_agent, "seek-signal/" SEEK_SIGNAL_VERSION), OPTIONAL, BASIC, "name/version of your software, as SEEK asks"},
    {ADDRESS("LISTEN", listen, "127.0.0.1:8787"), OPTIONAL, BASIC, "address for events and operators' calls: host:port or unix:/path"},
    {ADDRESS("OPS_LISTEN", ops_listen, "127.0.0.1:8788"), OPTIONAL, BASIC, "address for probes and metrics"},
    {SECRET("API_KEY", api_key), OPTIONAL, BASIC, "bearer key of 8 characters or more; needed if LISTEN is not local"},
    {SECRET("API_READ_KEY", api_read_key), OPTIONAL, ADVANCED, "bearer key that may read but not change anything; needs API_KEY"},
    {SECRET("REDIS_URL", redis_url), OPTIONAL, BASIC, "redis:// unix:// redis+sentinel:// redis+cluster:// …; unset: private, in DATA_DIR"},
    {PATH("DATA_DIR", data_dir, "/var/lib/seek-signal"), OPTIONAL, BASIC, "data directory of the private Redis"},
    {DURABILITY("DURABILITY", durability, "any"), OPTIONAL, BASIC, "least level to accept: " DURABILITY_NAMES},
    {PATH("SPOOL_DIR", spool_dir, NULL), OPTIONAL, BASIC, "directory that keeps events while Redis is away; unset: 503 then"},
    {NUMBER("WORKERS", workers, "4", 1, 64), OPTIONAL, BASIC, "threads that send: one for every 64 in flight, the others in reserve"},
    {NUMBER("MAX_IN_FLIGHT", max_in_flight, "64", 1, 4096), OPTIONAL, BASIC, "signals that are sent at once"},
    {NUMBER("PAUSE_AFTER_REFUSALS", refusals_max, "100", 0, 1000000), OPTIONAL, ADVANCED, "number of refusals in a row, for one reason, after which sending is paused until `seek-signal resume`; 0: never"},
    {NUMBER("MAX_PER_SECOND", max_per_second, "0", 0, 100000), OPTIONAL, BASIC, "signals per second; 0: no limit"},
    {CHOICE("LOG_LEVEL", log_level, "info", log_levels), OPTIONAL, BASIC, "lowest level in the log: debug, info, warn, error"},
    {CHOICE("LOG_FORMAT", log_format, "auto", log_formats), OPTIONAL, BASIC, "json, text; auto: text on a terminal"},
    {CHOICE("LOG_UPSTREAM", is_upstream_logged, "off", upstream_logs), OPTIONAL, ADVANCED, "full: whole requests and answers of SEEK, without credentials"},
    {URL("GRAPHQL_URL", graphql_url, "https://graphql.seek.com/graphql"), OPTIONAL, ADVANCED, "URL that signals are sent to"},
    {URL("TOKEN_URL", token_url, "https://auth.seek.com/oauth/token"), OPTIONAL, ADVANCED, "URL that gives access tokens"},
    {TEXT("AUDIENCE", audience, "https://graphql.seek.com"), OPTIONAL, ADVANCED, "audience of access tokens; https://test.graphql.seek.com: the Playground"},
    {TEXT("ACCEPT_LANGUAGE", accept_language, "en-AU"), OPTIONAL, ADVANCED, "language of SEEK's messages"},
    {PATH("TLS_CERT_FILE", tls_cert_file, NULL), OPTIONAL, ADVANCED, "certificate of LISTEN, followed by those up to its authority; PEM"},
    {PATH("TLS_KEY_FILE", tls_key_file, NULL), OPTIONAL, ADVANCED, "key of TLS_CERT_FILE; PEM"},
    {PATH("TLS_CLIENT_CA_FILE", tls_client_ca_file, NULL), OPTIONAL, ADVANCED, "authority of clients' certificates, each as good as the API key; PEM"},
    {PATH("CA_FILE", ca_file, NULL), OPTIONAL, ADVANCED, "certificates to trust for SEEK and NOTIFY_URL; unset: the system's"},
    {TEXT("REDIS_PREFIX", redis_prefix, SHARD_PREFIX_DEFAULT), OPTIONAL, ADVANCED, "prefix of all keys in Redis; another one for each GRAPHQL_URL and AUDIENCE"},
    {NUMBER("REDIS_SHARDS", redis_shards, "0", 0, 256), OPTIONAL, ADVANCED, "number of shards of the data in Redis, set before the first event; 0: 64 on a cluster, 1 otherwise"},
    {PATH("REDIS_CA_FILE", redis_ca_file, NULL), OPTIONAL, ADVANCED, "certificates to trust for rediss://; unset: the system's"},
    {PATH("REDIS_CERT_FILE", redis_cert_file, NULL), OPTIONAL, ADVANCED, "certificate for rediss:// servers that ask for one, with its chain; PEM"},
    {PATH("REDIS_KEY_FILE", redis_key_file, NULL), OPTIONAL, ADVANCED, "key of REDIS_CERT_FILE; PEM"},
    {NUMBER("SPOOL_BYTES_MAX", spool_bytes_max, "268435456", 65536, 4294967295), OPTIONAL, ADVANCED, "size at which the spool is full: 503"},
    {NUMBER("REQUEST_TIMEOUT_MS", request_timeout_ms, "10000", 100, 120000), OPTIONAL, ADVANCED, "time for one attempt, including the connection"},
    {NUMBER("RETRY_BASE_MS", retry_base_ms, "1000", 1, 3600000), OPTIONAL, ADVANCED, "upper bound of the first pause"},
    {NUMBER("RETRY_MAX_MS", retry_max_ms, "900000", 1, 86400000), OPTIONAL, ADVANCED, "upper bound of every pause"},
    {NUMBER("RETRY_MAX_AGE_S", retry_max_age_s, "1209600", 1, 31536000), OPTIONAL, ADVANCED, "age at which a failing signal is dead; 14 days"},
    {NUMBER("TOKEN_TTL_S", token_ttl_s, "15552000", 1, 63072000), OPTIONAL, ADVANCED, "time for which drafts and delivered applications are kept; 180 days"},
    {URL("NOTIFY_URL", notify_url, NULL), OPTIONAL, ADVANCED, "URL that gets a CloudEvent for each dead signal, and if sending stalls or resumes"},
    {SECRET("NOTIFY_SECRET", notify_secret), OPTIONAL, ADVANCED, "key that signs these (Standard Webhooks): whsec_… or 24 characters or more"},
    {NUMBER("INTAKE_THREADS", intake_threads, "0", 0, 64), OPTIONAL, ADVANCED, "threads that take events; 0: one per two processors"},
    {NUMBER("MAX_BODY_BYTES", max_body_bytes, "4194304", 1024, 67108864), OPTIONAL, ADVANCED, "size of a request body"},
    {NUMBER("BODIES_BYTES_MAX", bodies_bytes_max, "50331648", 1048576, 4294967295), OPTIONAL, ADVANCED, "memory for the bodies of all requests together; 503 beyond"},
    {NUMBER("MAX_HEADER_BYTES", max_header_bytes, "8192", 2048, 262144), OPTIONAL, ADVANCED, "size of request line and headers, plus 64 for each header; each connection takes this much memory"},
    {NUMBER("MAX_CONNECTIONS", max_connections, "1024", 1, 65536), OPTIONAL, ADVANCED, "connections to LISTEN"},
    {NUMBER("MAX_CONNECTIONS_PER_ADDRESS", max_connections_per_address, "0", 0, 65536), OPTIONAL, ADVANCED, "connections of one client address to each intake thread; 0: no limit"},
    {NUMBER("MAX_BATCH", max_batch, "1000", 1, 10000), OPTIONAL, ADVANCED, "events in one request"},
    {NUMBER("IDLE_TIMEOUT_S", idle_timeout_s, "75", 1, 3600), OPTIONAL, ADVANCED, "time after which a silent connection is closed"},
    {NUMBER("READ_TIMEOUT_MS", read_timeout_ms, "10000", 100, 600000), OPTIONAL, ADVANCED, "time from the first to the last byte of a request"},
    {NUMBER("SHUTDOWN_DELAY_S", shutdown_delay_s, "5", 0, 3600), OPTIONAL, ADVANCED, "time for which the service works normally after SIGTERM, if other machines reach LISTEN"},
    {NUMBER("SHUTDOWN_TIMEOUT_S", shutdown_timeout_s, "20", 0, 3600), OPTIONAL, ADVANCED, "time for signals in progress at SIGTERM"},
    /* OpenTelemetry's, which have no prefix of ours. */
    {TEXT("OTEL_EXPORTER_OTLP_ENDPOINT", otel.endpoint, NULL), OPTIONAL, ADVANCED, "collector's base URL: spans go to its /v1/traces; unset: no tracing"},
    {TEXT("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", otel.traces_endpoint, NULL), OPTIONAL, ADVANCED, "whole URL for spans instead"},
    {SECRET("OTEL_EXPORTER_OTLP_HEADERS", tracing.collector.headers), OPTIONAL, ADVANCED, "headers for the collector: name=value,name2=value2, percent-encoded"},
    {CHOICE("OTEL_EXPORTER_OTLP_PROTOCOL", otel.protocol, "http/json", protocols), OPTIONAL, ADVANCED, "http/json is used, whichever is named; grpc: no tracing"},
    {CHOICE("OTEL_EXPORTER_OTLP_COMPRESSION", otel.is_compressed, "none", compressions), OPTIONAL, ADVANCED, "none"},
    {NUMBER("OTEL_EXPORTER_OTLP_TIMEOUT", tracing.collector.timeout_ms, "10000", 1, 2147483647), OPTIONAL, ADVANCED, "milliseconds for one request"},
    {PATH("OTEL_EXPORTER_OTLP_CERTIFICATE", tracing.collector.ca_file, NULL), OPTIONAL, ADVANCED, "certificates to trust for the collector; unset: the system's"},
    {PATH("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", tracing.collector.client_certificate, NULL), OPTIONAL, ADVANCED, "certificate to show to the collector"},
    {PATH("OTEL_EXPORTER_OTLP_CLIENT_KEY", tracing.collector.client_key, NULL), OPTIONAL, ADVANCED, "its key"},
    {CHOICE("OTEL_TRACES_EXPORTER", otel.is_exporting, "otlp", exporters), OPTIONAL, ADVANCED, "otlp, none"},
    {CHOICE("OTEL_SDK_DISABLED", otel.is_disabled, "false", booleans), OPTIONAL, ADVANCED, "true: no tracing"},
    {TEXT("OTEL_SERVICE_NAME", tracing.source.service_name, NULL), OPTIONAL, ADVANCED, "service.name; unset: seek-signal"},
    {TEXT("OTEL_RESOURCE_ATTRIBUTES", otel.resource_attributes, NULL), OPTIONAL, ADVANCED, "attributes of every span: key=value,key2=value2, percent-encoded"},
    {CHOICE("OTEL_TRACES_SAMPLER", otel.sampler, "parentbased_always_on", samplers), OPTIONAL, ADVANCED, "always_on, always_off, traceidratio, parentbased_…"},
    {TEXT("OTEL_TRACES_SAMPLER_ARG", otel.sampler_argument, NULL), OPTIONAL, ADVANCED, "for …traceidratio: 0 to 1; unset: 1"},
    {NUMBER("OTEL_BSP_SCHEDULE_DELAY", tracing.delay_ms, "5000", 1, 2147483647), OPTIONAL, ADVANCED, "milliseconds that a span waits for others at most"},
    {NUMBER("OTEL_BSP_EXPORT_TIMEOUT", tracing.collector.budget_ms, "30000", 1, 2147483647), OPTIONAL, ADVANCED, "milliseconds for a request and its repetitions"},
    {NUMBER("OTEL_BSP_MAX_QUEUE_SIZE", tracing.queue_max, "2048", 1, 1048576), OPTIONAL, ADVANCED, "spans that may wait; further ones are dropped"},
    {NUMBER("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", tracing.batch_max, "512", 1, 4096), OPTIONAL, ADVANCED, "spans in one request"},
};
/* clang-format on */
const size_t setting_count = sizeof settings / sizeof settings[0];

const char setting_credentials_remedy[] =
    "user and password in a URL are not supported: remove them, up to the @";

const char *setting_shown(const char *value)
{
    return strchr(value, '@') == NULL ? value : "(hidden)";
}

bool setting_is_standard(const struct setting *setting)
{
    return strncmp(setting->name, "OTEL_", 5) == 0;
}

const char *setting_prefix(const struct setting *setting)
{
    return setting_is_standard(setting) ? "" : SETTING_PREFIX;
}

void setting_flag(const struct setting *setting, char text[SETTING_FLAG_BYTES])
{
    size_t length = strlen(setting->name);
    assert(length < SETTING_FLAG_BYTES);
    for (size_t i = 0; i <= length; i++) {
        text[i] = ascii_lower(setting->name[i]);
        if (text[i] == '_')
            text[i] = '-';
    }
}
