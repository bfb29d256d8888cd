/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * From OpenTelemetry's variables to the tracer's options. They are often set for everything that
 * runs in a cluster, so what is meant for others, or is wrong, is warned of and does not end the
 * start.
 */
#include <stdlib.h>
#include <string.h>

#include "service/config/config_reading.h"
#include "service/tracing/pair_list.h"

enum { PAUSE_BASE_MS = 1000, PAUSE_MAX_MS = 10000 };

#define ENDPOINT "OTEL_EXPORTER_OTLP_ENDPOINT"
#define TRACES_ENDPOINT "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"

static void warn(struct reading *reading, const char *sentence)
{
    config_note(&reading->config->warnings, "%s", sentence);
}

/* What authorises us goes into the headers, as for every URL of the settings. */
static bool is_url(struct reading *reading, const char *name, const char *value)
{
    struct http_url url;
    struct error error;
    const char *mistake = setting_url_mistake(value, &url, &error);
    if (mistake != NULL)
        config_note(&reading->config->warnings, "%s=%s: %s; there is no tracing now", name,
                    setting_shown(value), mistake);
    return mistake == NULL;
}

static bool are_files(struct reading *reading)
{
    const struct collector_options *collector = &reading->config->tracing.collector;
    const struct {
        const char *name, *path;
    } files[] = {{"CERTIFICATE", collector->ca_file},
                 {"CLIENT_CERTIFICATE", collector->client_certificate},
                 {"CLIENT_KEY", collector->client_key}};
    bool are_fine = true;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (!config_is_no_file(files[i].path))
            continue;
        config_note(&reading->config->warnings,
                    "OTEL_EXPORTER_OTLP_%s=%s: not a regular file; there is no tracing now",
                    files[i].name, files[i].path);
        are_fine = false;
    }
    return are_fine;
}

/* The one for traces is used as it is; to the other one the path is added. */
static bool find_url(struct reading *reading)
{
    static const char path[] = "/v1/traces";
    const struct config_otel *otel = &reading->config->otel;
    const char *name = otel->traces_endpoint != NULL ? TRACES_ENDPOINT : ENDPOINT;
    const char *url = otel->traces_endpoint != NULL ? otel->traces_endpoint : otel->endpoint;
    if (url == NULL || otel->is_disabled || !otel->is_exporting || !is_url(reading, name, url) ||
        !are_files(reading))
        return false;
    size_t length = strlen(url);
    char *whole = malloc(length + sizeof path);
    if (whole == NULL) {
        config_note(reading->problems, "out of memory");
        return false;
    }
    memcpy(whole, url, length + 1);
    if (otel->traces_endpoint == NULL)
        memcpy(whole + length - (url[length - 1] == '/'), path, sizeof path);
    reading->config->traces_url = whole;
    return true;
}

static bool can_speak(struct reading *reading)
{
    const struct config_otel *otel = &reading->config->otel;
    if (otel->is_compressed)
        warn(reading, "OTEL_EXPORTER_OTLP_COMPRESSION=gzip: spans are sent without compression");
    if (otel->protocol == OTEL_HTTP_PROTOBUF)
        warn(reading, "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf: spans are sent as JSON "
                      "(http/json), which collectors take at the same URL");
    if (otel->protocol == OTEL_GRPC)
        warn(reading, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc: only http/json is spoken, so there is no "
                      "tracing now; set OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/json and an "
                      "endpoint for HTTP (port 4318 by custom)");
    return otel->protocol != OTEL_GRPC;
}

static bool has_usable_headers(struct reading *reading)
{
    struct error error;
    if (collector_check_headers(reading->config->tracing.collector.headers, &error))
        return true;
    config_note(&reading->config->warnings,
                "OTEL_EXPORTER_OTLP_HEADERS: %s; there is no tracing now", error.message);
    return false;
}

/* OpenTelemetry: when a part of them cannot be read, none of them count. */
static const char *find_attributes(struct reading *reading)
{
    const char *list = reading->config->otel.resource_attributes;
    if (list == NULL || pair_list_check(list) == PAIR_END)
        return list;
    warn(reading, "OTEL_RESOURCE_ATTRIBUTES: expected key=value,key2=value2 with percent-encoded "
                  "values; none of it is used");
    return NULL;
}

static struct sampler find_sampler(struct reading *reading)
{
    const struct config_otel *otel = &reading->config->otel;
    struct sampler sampler = {.rule = (enum sampler_rule)(otel->sampler % OTEL_PARENTBASED),
                              .follows_parent = otel->sampler >= OTEL_PARENTBASED,
                              .ratio = 1};
    if (sampler.rule == SAMPLER_RATIO && otel->sampler_argument != NULL &&
        !sampler_ratio_parse(otel->sampler_argument, &sampler.ratio))
        config_note(&reading->config->warnings,
                    "OTEL_TRACES_SAMPLER_ARG=%s: expected a number from 0 to 1; 1 is used",
                    otel->sampler_argument);
    return sampler;
}

static void check_batch(struct reading *reading)
{
    struct tracer_options *tracing = &reading->config->tracing;
    if (tracing->batch_max <= tracing->queue_max)
        return;
    config_note(&reading->config->warnings,
                "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=%u: must not be more than "
                "OTEL_BSP_MAX_QUEUE_SIZE=%u, which is used",
                tracing->batch_max, tracing->queue_max);
    tracing->batch_max = tracing->queue_max;
}

void config_tracing_finish(struct reading *reading)
{
    struct config *config = reading->config;
    struct tracer_options *tracing = &config->tracing;
    if (!find_url(reading) || !can_speak(reading) || !has_usable_headers(reading))
        return;
    check_batch(reading);
    tracing->sampler = find_sampler(reading);
    tracing->source.resource_attributes = find_attributes(reading);
    tracing->source.version = SEEK_SIGNAL_VERSION;
    tracing->source.graphql_url = config->graphql_url;
    tracing->source.token_url = config->token_url;
    tracing->collector.user_agent = "seek-signal-otlp-c/" SEEK_SIGNAL_VERSION;
    tracing->collector.pause_base_ms = PAUSE_BASE_MS;
    tracing->collector.pause_max_ms = PAUSE_MAX_MS;
    tracing->collector.url = config->traces_url;
}
