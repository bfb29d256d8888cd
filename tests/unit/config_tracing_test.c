/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * OpenTelemetry's variables, as they become the tracer's options.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "service/config/config.h"

#include "tests/support/specification.h"

enum { VARIABLES_MAX = 8 };

#define BASE "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318"

/* With credentials and BASE in front; there is no problem that would end the start. */
static struct config *read_all(const char *const variables[])
{
    const char *environment[VARIABLES_MAX + 4] = {"SEEK_SIGNAL_CLIENT_ID=id",
                                                  "SEEK_SIGNAL_CLIENT_SECRET=secret", BASE};
    for (size_t i = 0; variables[i] != NULL; i++)
        environment[3 + i] = variables[i];
    struct buffer problems;
    buffer_init(&problems, 65536);
    struct config *config = config_read(CONFIG_NEED_ALL, 0, NULL, environment, &problems, NULL);
    assert_string_equal(problems.bytes, "");
    buffer_fini(&problems);
    assert_non_null(config);
    return config;
}
#define READ(...) read_all((const char *const[]){__VA_ARGS__, NULL})

static const char *url_of(const struct config *config)
{
    return config->tracing.collector.url != NULL ? config->tracing.collector.url : "none";
}

static void is_off_unless_asked_for(void **state)
{
    (void)state;
    static const char *const environment[] = {"SEEK_SIGNAL_CLIENT_ID=id",
                                              "SEEK_SIGNAL_CLIENT_SECRET=secret",
                                              "OTEL_SERVICE_NAME=x", NULL};
    struct buffer problems;
    buffer_init(&problems, 65536);
    AUTO(config) *config = config_read(CONFIG_NEED_ALL, 0, NULL, environment, &problems, NULL);
    assert_non_null(config);
    assert_string_equal(url_of(config), "none");
    assert_string_equal(config->warnings.bytes, "");
}

static void knows_the_standards_defaults(void **state)
{
    (void)state;
    AUTO(config) *config = READ(NULL);
    const struct tracer_options *tracing = &config->tracing;
    assert_string_equal(url_of(config), "http://collector:4318/v1/traces");
    assert_null(tracing->collector.headers);
    assert_null(tracing->collector.ca_file);
    assert_int_equal(tracing->collector.timeout_ms, 10000);
    assert_int_equal(tracing->collector.budget_ms, 30000);
    assert_int_equal(tracing->queue_max, 2048);
    assert_int_equal(tracing->batch_max, 512);
    assert_int_equal(tracing->delay_ms, 5000);
    assert_int_equal(tracing->sampler.rule, SAMPLER_ALWAYS);
    assert_true(tracing->sampler.follows_parent);
    assert_null(tracing->source.service_name);
    assert_string_equal(tracing->source.graphql_url, "https://graphql.seek.com/graphql");
    assert_string_equal(config->warnings.bytes, "");
}

static void finds_the_endpoint(void **state)
{
    (void)state;
    static const struct {
        const char *variable, *url;
    } cases[] = {
        {"OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318/", "http://c:4318/v1/traces"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT=https://c/base", "https://c/base/v1/traces"},
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://t:1/x/", "http://t:1/x/"},
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://t:1", "http://t:1"},
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=", "http://collector:4318/v1/traces"},
        {"OTEL_SDK_DISABLED=true", "none"},
        {"OTEL_SDK_DISABLED=TRUE", "none"},
        {"OTEL_SDK_DISABLED=false", "http://collector:4318/v1/traces"},
        {"OTEL_TRACES_EXPORTER=none", "none"},
        {"OTEL_TRACES_EXPORTER=otlp", "http://collector:4318/v1/traces"},
        {"OTEL_EXPORTER_OTLP_PROTOCOL=http/json", "http://collector:4318/v1/traces"},
        {"OTEL_METRICS_EXPORTER=whatever", "http://collector:4318/v1/traces"},
        {"SEEK_SIGNAL_WORKERS=1", "http://collector:4318/v1/traces"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(config) *config = READ(cases[i].variable);
        assert_string_equal(url_of(config), cases[i].url);
        assert_string_equal(config->warnings.bytes, "");
    }
}

/* OpenTelemetry: a warning, and the default. What cannot work at all is off. */
static void warns_of_mistakes_and_goes_on(void **state)
{
    (void)state;
    static const struct {
        const char *variable, *warning;
        bool is_on;
    } cases[] = {
        {"OTEL_EXPORTER_OTLP_TIMEOUT=soon",
         "OTEL_EXPORTER_OTLP_TIMEOUT=soon: expected a whole number from 1 to 2147483647; used "
         "instead: 10000",
         true},
        {"OTEL_BSP_MAX_QUEUE_SIZE=-1", "used instead: 2048", true},
        {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE=0", "used instead: 512", true},
        {"OTEL_BSP_MAX_QUEUE_SIZE=100", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=512", true},
        {"OTEL_SDK_DISABLED=1", "used instead: false", true},
        {"OTEL_TRACES_EXPORTER=zipkin", "expected one of otlp none; used instead: otlp", true},
        {"OTEL_TRACES_SAMPLER=jaeger_remote", "used instead: parentbased_always_on", true},
        {"OTEL_EXPORTER_OTLP_COMPRESSION=gzip", "without compression", true},
        {"OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", "sent as JSON", true},
        {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=thrift", "used instead: http/json", true},
        {"OTEL_RESOURCE_ATTRIBUTES=a", "none of it is used", true},
        {"OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "http/json is spoken", false},
        {"OTEL_EXPORTER_OTLP_HEADERS=a=b%0d%0aX: y", "no HTTP header", false},
        {"OTEL_EXPORTER_OTLP_HEADERS_FILE=/nonexistent/headers", "/nonexistent/headers", false},
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=collector:4317",
         "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=collector:4317: expected https://host", false},
        {"OTEL_EXPORTER_OTLP_ENDPOINT=http:///v1", ": expected https://host", false},
        {"OTEL_EXPORTER_OTLP_ENDPOINT=ftp://x", ": expected https://host", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(config) *config = READ(cases[i].variable);
        if (strstr(config->warnings.bytes, cases[i].warning) == NULL)
            fail_msg("%s: %s", cases[i].variable, config->warnings.bytes);
        assert_int_equal(config->tracing.collector.url != NULL, cases[i].is_on);
    }
}

static void shows_no_secret(void **state)
{
    (void)state;
    AUTO(config) *config = READ("OTEL_EXPORTER_OTLP_HEADERS=hunter2",
                                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://user:hunter2@host");
    assert_null(strstr(config->warnings.bytes, "hunter2"));
    assert_non_null(strstr(config->warnings.bytes, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=(hidden)"));
    assert_string_equal(url_of(config), "none");
}

static void prefers_what_is_for_traces_only(void **state)
{
    (void)state;
    for (unsigned order = 0; order < 2; order++) {
        static const char *const timeouts[] = {"OTEL_EXPORTER_OTLP_TIMEOUT=1",
                                               "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT=2"};
        static const char *const headers[] = {"OTEL_EXPORTER_OTLP_HEADERS_FILE=/nonexistent",
                                              "OTEL_EXPORTER_OTLP_TRACES_HEADERS=x=y"};
        AUTO(config) *config = READ(timeouts[order], timeouts[1 - order], headers[order],
                                    headers[1 - order], "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE=/ca",
                                    "OTEL_EXPORTER_OTLP_TRACES_UNKNOWN=1");
        assert_int_equal(config->tracing.collector.timeout_ms, 2);
        struct buffer value;
        buffer_init(&value, SECRET_BYTES_MAX);
        assert_true(secret_read(config->tracing.collector.headers, &value, NULL));
        assert_string_equal(value.bytes, "x=y");
        buffer_fini(&value);
        assert_string_equal(config->tracing.collector.ca_file, "/ca");
        assert_string_equal(config->warnings.bytes, "");
    }
}

static void reads_samplers(void **state)
{
    (void)state;
    static const struct {
        const char *name, *argument;
        struct sampler sampler;
        bool is_warned;
    } cases[] = {
        {"always_on", "0.5", {SAMPLER_ALWAYS, false, 1}, false},
        {"always_off", "", {SAMPLER_NEVER, false, 1}, false},
        {"traceidratio", "0.5", {SAMPLER_RATIO, false, 0.5}, false},
        {"traceidratio", "", {SAMPLER_RATIO, false, 1}, false},
        {"traceidratio", "2", {SAMPLER_RATIO, false, 1}, true},
        {"parentbased_always_on", "", {SAMPLER_ALWAYS, true, 1}, false},
        {"parentbased_always_off", "", {SAMPLER_NEVER, true, 1}, false},
        {"ParentBased_TraceIdRatio", "0.25", {SAMPLER_RATIO, true, 0.25}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char name[64], argument[64];
        (void)snprintf(name, sizeof name, "OTEL_TRACES_SAMPLER=%s", cases[i].name);
        (void)snprintf(argument, sizeof argument, "OTEL_TRACES_SAMPLER_ARG=%s", cases[i].argument);
        AUTO(config) *config = READ(name, argument);
        const struct sampler *seen = &config->tracing.sampler, *expected = &cases[i].sampler;
        assert_int_equal(seen->rule, expected->rule);
        assert_int_equal(seen->follows_parent, expected->follows_parent);
        assert_true(seen->ratio >= expected->ratio && seen->ratio <= expected->ratio);
        assert_int_equal(config->warnings.length > 0, cases[i].is_warned);
    }
}

static void is_no_business_of_other_commands(void **state)
{
    (void)state;
    static const char *const environment[] = {BASE, "OTEL_SDK_DISABLED=maybe", NULL};
    struct buffer problems;
    buffer_init(&problems, 65536);
    AUTO(config) *config = config_read(CONFIG_NEED_ADDRESS, 0, NULL, environment, &problems, NULL);
    assert_non_null(config);
    assert_string_equal(config->warnings.bytes, "");
    assert_string_equal(url_of(config), "none");
}

/* They have no prefix of ours, and ours is not theirs. */
static void keeps_the_prefixes_apart(void **state)
{
    (void)state;
    AUTO(config) *config = READ("SEEK_SIGNAL_OTEL_SDK_DISABLED=true", "WORKERS=7");
    assert_string_not_equal(url_of(config), "none");
    assert_non_null(
        strstr(config->warnings.bytes, "SEEK_SIGNAL_OTEL_SDK_DISABLED is not a setting"));
    assert_int_equal(config->workers, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("traces nothing unless there is an endpoint", is_off_unless_asked_for),
        IT("knows OpenTelemetry's defaults", knows_the_standards_defaults),
        IT("finds the endpoint as OpenTelemetry has it", finds_the_endpoint),
        IT("warns of mistakes and goes on", warns_of_mistakes_and_goes_on),
        IT("shows no secret in a warning", shows_no_secret),
        IT("prefers what is for traces only, in any order", prefers_what_is_for_traces_only),
        IT("reads samplers", reads_samplers),
        IT("says nothing where another command is run", is_no_business_of_other_commands),
        IT("keeps the prefixes apart", keeps_the_prefixes_apart),
    };
    return cmocka_run_group_tests_name("config_tracing", tests, NULL, NULL);
}
