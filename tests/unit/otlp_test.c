/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/random.h"

#include "service/tracing/otlp.h"

#include "tests/support/failing_malloc.h"
#include "tests/support/specification.h"

#define INSTANCE "11111111-2222-4333-8444-555566667777"
#define TRACE_ID "4bf92f3577b34da6a3ce929d0e0e4736"
#define TEXT(key, value) "{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" value "\"}}"
#define NUMBER(key, value) "{\"key\":\"" key "\",\"value\":{\"intValue\":\"" value "\"}}"

void __wrap_uuid_v4(char text[UUID_BYTES]);
void __wrap_uuid_v4(char text[UUID_BYTES])
{
    memcpy(text, INSTANCE, UUID_BYTES);
}

static const struct otlp_source source = {
    .version = "1.2.3",
    .graphql_url = "https://graphql.seek.com/graphql",
    .token_url = "https://auth.seek.com/oauth/token",
};

/* The request for these spans; has to be freed by buffer_fini. */
static void write(const struct otlp_source *from, struct span *const spans[], size_t count,
                  struct buffer *out)
{
    struct otlp otlp;
    struct error error;
    buffer_init(out, 1 << 20);
    assert_true(otlp_init(&otlp, from, &error));
    assert_true(otlp_write(&otlp, spans, count, out, &error));
    AUTO(json) *json = json_parse(out->bytes, out->length, &error);
    if (json == NULL)
        fail_msg("%s in %s", error.message, out->bytes);
    otlp_fini(&otlp);
}

static struct span intake = {
    .kind = SPAN_INTAKE,
    .traceparent = "00-" TRACE_ID "-00f067aa0ba902b7-01",
    .start_us = 1700000000123456,
    .end_us = 1700000000125000,
    .http_status = 202,
    .event_count = 3,
};
static struct span attempt = {
    .kind = SPAN_ATTEMPT,
    .traceparent = "00-" TRACE_ID "-b7ad6b7169203331-01",
    .parent_id = "00f067aa0ba902b7",
    .start_us = 1700000001000000,
    .end_us = 1700000001000001,
    .http_status = 200,
    .attempt = 2,
    .class = "refused",
    .event_id = "0a0b0c0d-1111-4222-8333-444400000000",
    .error_type = "SAID \"NO\"",
};

static void writes_the_documented_request(void **state)
{
    (void)state;
    struct span *const spans[] = {&intake, &attempt};
    struct buffer seen;
    write(&source, spans, 2, &seen);
    assert_string_equal(seen.bytes,
                        "{\"resourceSpans\":[{\"resource\":{\"attributes\":[ " TEXT(
                            "service.name", "seek-signal") "," TEXT("service.version",
                                                                    "1.2.3") "," TEXT("service."
                                                                                      "instance.id",
                                                                                      INSTANCE) "]}"
                                                                                                ","
                                                                                                "\""
                                                                                                "sc"
                                                                                                "op"
                                                                                                "eS"
                                                                                                "pa"
                                                                                                "ns"
                                                                                                "\""
                                                                                                ":["
                                                                                                "{"
                                                                                                "\""
                                                                                                "sc"
                                                                                                "op"
                                                                                                "e"
                                                                                                "\""
                                                                                                ":{"
                                                                                                "\""
                                                                                                "na"
                                                                                                "me"
                                                                                                "\""
                                                                                                ":"
                                                                                                "\""
                                                                                                "se"
                                                                                                "ek"
                                                                                                "-"
                                                                                                "si"
                                                                                                "gn"
                                                                                                "al"
                                                                                                "\""
                                                                                                ","
                                                                                                "\""
                                                                                                "ve"
                                                                                                "rs"
                                                                                                "io"
                                                                                                "n"
                                                                                                "\""
                                                                                                ":"
                                                                                                "\""
                                                                                                "1."
                                                                                                "2."
                                                                                                "3"
                                                                                                "\""
                                                                                                "},"
                                                                                                "\""
                                                                                                "sp"
                                                                                                "an"
                                                                                                "s"
                                                                                                "\""
                                                                                                ":["
                                                                                                "{"
                                                                                                "\""
                                                                                                "tr"
                                                                                                "ac"
                                                                                                "eI"
                                                                                                "d"
                                                                                                "\""
                                                                                                ":"
                                                                                                "\"" TRACE_ID
                                                                                                "\""
                                                                                                ","
                                                                                                "\""
                                                                                                "sp"
                                                                                                "an"
                                                                                                "Id"
                                                                                                "\""
                                                                                                ":"
                                                                                                "\""
                                                                                                "00"
                                                                                                "f0"
                                                                                                "67"
                                                                                                "aa"
                                                                                                "0b"
                                                                                                "a9"
                                                                                                "02"
                                                                                                "b7"
                                                                                                "\""
                                                                                                ","
                                                                                                "\""
                                                                                                "na"
                                                                                                "me"
                                                                                                "\""
                                                                                                ":"
                                                                                                "\""
                                                                                                "PO"
                                                                                                "ST"
                                                                                                " "
                                                                                                "/v"
                                                                                                "1/"
                                                                                                "ev"
                                                                                                "en"
                                                                                                "ts"
                                                                                                "\""
                                                                                                ","
                                                                                                "\""
                                                                                                "ki"
                                                                                                "nd"
                                                                                                "\""
                                                                                                ":2"
                                                                                                ","
                                                                                                "\""
                                                                                                "st"
                                                                                                "ar"
                                                                                                "tT"
                                                                                                "im"
                                                                                                "eU"
                                                                                                "ni"
                                                                                                "xN"
                                                                                                "an"
                                                                                                "o"
                                                                                                "\""
                                                                                                ":"
                                                                                                "\""
                                                                                                "17"
                                                                                                "00"
                                                                                                "00"
                                                                                                "00"
                                                                                                "00"
                                                                                                "12"
                                                                                                "34"
                                                                                                "56"
                                                                                                "00"
                                                                                                "0"
                                                                                                "\""
                                                                                                ","
                                                                                                "\""
                                                                                                "en"
                                                                                                "dT"
                                                                                                "im"
                                                                                                "eU"
                                                                                                "ni"
                                                                                                "xN"
                                                                                                "an"
                                                                                                "o"
                                                                                                "\""
                                                                                                ":"
                                                                                                "\""
                                                                                                "17"
                                                                                                "00"
                                                                                                "00"
                                                                                                "00"
                                                                                                "00"
                                                                                                "12"
                                                                                                "50"
                                                                                                "00"
                                                                                                "00"
                                                                                                "0"
                                                                                                "\""
                                                                                                ","
                                                                                                "\""
                                                                                                "at"
                                                                                                "tr"
                                                                                                "ib"
                                                                                                "ut"
                                                                                                "es"
                                                                                                "\""
                                                                                                ":"
                                                                                                "[" TEXT("http."
                                                                                                         "request."
                                                                                                         "method",
                                                                                                         "POST") "," TEXT("http.route",
                                                                                                                          "/v1/events") "," TEXT("url.path", "/v1/events") "," TEXT("url.scheme", "http") "," NUMBER("http.response.status_code", "202") "," NUMBER("seek_signal.event_count", "3") "]},"
                                                                                                                                                                                                                                                                                                    "{\"traceId\":\"" TRACE_ID "\",\"spanId\":\"b7ad6b7169203331\","
                                                                                                                                                                                                                                                                                                    "\"parentSpanId\":\"00f067aa0ba902b7\",\"name\":\"POST sendSignal\",\"kind\":3,"
                                                                                                                                                                                                                                                                                                    "\"startTimeUnixNano\":\"1700000001000000000\",\"endTimeUnixNano\":\"1700000001000001000\","
                                                                                                                                                                                                                                                                                                    "\"attributes\":[" TEXT(
                                                                                                                                                                                                                                                                                                        "http.request.method", "POST") "," TEXT("graphql.operation.type",
                                                                                                                                                                                                                                                                                                                                                "mutation") "," TEXT("url.full", "https://graphql.seek.com/graphql") "," TEXT("server.address",
                                                                                                                                                                                                                                                                                                                                                                                                                              "graphql.seek.com") "," NUMBER("server.port",
                                                                                                                                                                                                                                                                                                                                                                                                                                                             "443") "," NUMBER("http.response.status_code",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                               "200") "," NUMBER("http.request.resend_count",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                 "1") "," NUMBER("seek_signal.attempt",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                 "2") "," TEXT("seek_signal.event_id",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                               "0a0b0c0d-1111-4222-8333-444400000000") "," TEXT("seek_signal.class", "refused") "," TEXT("error.type", "SAID \\\"NO\\\"") "],"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                          "\"status\":{\"code\":2}}]}]}]}");
    buffer_fini(&seen);
}

static void must_have(const struct otlp_source *from, const char *text, bool is_there)
{
    struct span span = attempt;
    struct span *const spans[] = {&span};
    struct buffer seen;
    write(from, spans, 1, &seen);
    if ((strstr(seen.bytes, text) != NULL) != is_there)
        fail_msg("%s should%s be in %s", text, is_there ? "" : " not", seen.bytes);
    buffer_fini(&seen);
}

static void merges_resources(void **state)
{
    (void)state;
    struct otlp_source from = source;
    from.resource_attributes = "service.name=theirs,k8s.pod.name=pod%201";
    must_have(&from, TEXT("service.name", "theirs"), true);
    must_have(&from, TEXT("k8s.pod.name", "pod 1"), true);
    must_have(&from, TEXT("service.version", "1.2.3"), true);
    must_have(&from, TEXT("service.name", "seek-signal"), false);
    from.service_name = "mine";
    must_have(&from, TEXT("service.name", "mine"), true);
    must_have(&from, TEXT("service.name", "theirs"), false);
    from.resource_attributes = "service.version=9,service.instance.id=me,x=\"";
    must_have(&from, TEXT("service.version", "9"), true);
    must_have(&from, TEXT("service.version", "1.2.3"), false);
    must_have(&from, INSTANCE, false);
    must_have(&from, TEXT("x", "\\\""), true);
}

static void names_the_server(void **state)
{
    (void)state;
    static const struct {
        const char *url, *full, *address, *port;
    } cases[] = {
        {"https://h", "https://h", "h", "443"},
        {"http://127.0.0.1:8790/graphql", "http://127.0.0.1:8790/graphql", "127.0.0.1", "8790"},
        {"http://[::1]:8790/graphql", "http://[::1]:8790/graphql", "::1", "8790"},
        {"http://[::1]", "http://[::1]", "::1", "80"},
        {"https://h:1/p?key=hunter2#x", "https://h:1/p", "h", "1"},
        {"https://h?key=hunter2", "https://h", "h", "443"},
        {"https://h/a:9", "https://h/a:9", "h", "443"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[512];
        struct otlp_source from = source;
        from.graphql_url = cases[i].url;
        (void)snprintf(
            expected, sizeof expected,
            TEXT("url.full", "%s") "," TEXT("server.address", "%s") "," NUMBER("server.port", "%s"),
            cases[i].full, cases[i].address, cases[i].port);
        must_have(&from, expected, true);
        must_have(&from, "hunter2", false);
    }
}

static void survives_a_lack_of_memory(void **state)
{
    (void)state;
    struct span *const spans[] = {&intake, &attempt};
    bool has_failed = true;
    for (unsigned n = 0; has_failed; n++) {
        struct otlp otlp;
        struct buffer out;
        struct error error;
        buffer_init(&out, 1 << 20);
        failing_malloc_arm(n);
        bool is_written =
            otlp_init(&otlp, &source, &error) && otlp_write(&otlp, spans, 2, &out, &error);
        has_failed = failing_malloc_disarm();
        assert_true(is_written != has_failed);
        otlp_fini(&otlp);
        buffer_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("writes spans as OTLP has them in JSON", writes_the_documented_request),
        IT("merges what the environment says of the resource", merges_resources),
        IT("names SEEK's server, and no query of a URL", names_the_server),
        IT("survives a lack of memory", survives_a_lack_of_memory),
    };
    return cmocka_run_group_tests_name("otlp", tests, NULL, NULL);
}
