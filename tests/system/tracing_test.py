# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""A trace goes through from the ATS to SEEK, and its spans reach a collector, or do not and nobody waits."""
import http.server
import json
import threading
import time

import pytest

from stand import TOKEN, call, event, eventually

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
SERVER, CLIENT, FAILED = 2, 3, 2  # as OTLP numbers them


class Collector:
    """Takes OTLP/HTTP requests in JSON, or answers what it is told."""

    def __init__(self, status=200):
        self.requests, self.status = [], status
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.requests.append((self.path, dict(self.headers), json.loads(body)))
                self.send_response(collector.status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def spans(self, name=None):
        """All spans so far, their attributes as a plain dictionary."""
        found = []
        for _, _, body in list(self.requests):
            for resource in body["resourceSpans"]:
                for scope in resource["scopeSpans"]:
                    found += [span | {"attributes": plain(span["attributes"])} for span in scope["spans"]]
        return [span for span in found if name is None or span["name"] == name]

    def must_have(self, name, count=1):
        eventually(lambda: len(self.spans(name)) >= count, f"{count} spans {name}")
        assert len(self.spans(name)) == count
        return self.spans(name)


def plain(attributes):
    values = {}
    for attribute in attributes:
        (kind, value), = attribute["value"].items()
        values[attribute["key"]] = int(value) if kind == "intValue" else value
    return values


@pytest.fixture
def collector():
    collector = Collector()
    yield collector
    collector.close()


def start(stand, redis, sandbox, collector, **settings):
    return stand.service(sandbox, redis_url=redis.url, otel_exporter_otlp_endpoint=collector.url,
                         **{"otel_bsp_schedule_delay": 50} | settings).start()


def sent_traceparents(sandbox):
    return [c["traceparent"] for c in sandbox.calls("graphql") if c.get("seekToken") == TOKEN]


def it_passes_a_traceparent_on_as_it_came_without_a_collector(service, sandbox):
    service.must_post(event("A-1"), headers={"traceparent": TRACEPARENT})
    service.must_become("A-1", "delivered")
    assert sent_traceparents(sandbox) == [TRACEPARENT]
    assert b"seek_signal_spans_total" not in call(service.ops, "GET", "/metrics").body


def it_traces_an_event_from_the_ats_to_every_attempt(stand, redis, sandbox, collector):
    service = start(stand, redis, sandbox, collector)
    sandbox.fault(on="graphql", kind="status", status=503, count=1)
    answer = service.must_post(event("A-1"), headers={"traceparent": TRACEPARENT})
    service.must_become("A-1", "delivered")
    intake, = collector.must_have("POST /v1/events")
    first, second = collector.must_have("POST sendSignal", 2)

    assert (intake["traceId"], intake["parentSpanId"], intake["kind"]) == (TRACE, PARENT, SERVER)
    assert intake["attributes"] == {
        "http.request.method": "POST", "http.route": "/v1/events", "url.path": "/v1/events", "url.scheme": "http",
        "http.response.status_code": 202, "seek_signal.event_count": 1, "seek_signal.event_id": answer["eventId"]}
    assert "status" not in intake
    for attempt in (first, second):
        assert (attempt["traceId"], attempt["parentSpanId"], attempt["kind"]) == (TRACE, intake["spanId"], CLIENT)
        assert int(intake["startTimeUnixNano"]) <= int(attempt["startTimeUnixNano"]) <= int(attempt["endTimeUnixNano"])
    host, port = sandbox.address.split(":")
    always = {"http.request.method": "POST", "graphql.operation.type": "mutation", "server.address": host,
              "server.port": int(port), "url.full": f"http://{sandbox.address}/graphql",
              "seek_signal.event_id": answer["eventId"]}
    assert first["attributes"] == always | {"http.response.status_code": 503, "seek_signal.attempt": 1,
                                            "seek_signal.class": "transient", "error.type": "503"}
    assert first["status"] == {"code": FAILED}
    assert second["attributes"] == always | {"http.response.status_code": 200, "seek_signal.attempt": 2,
                                             "http.request.resend_count": 1, "seek_signal.class": "delivered"}
    assert "status" not in second
    assert sent_traceparents(sandbox) == [f"00-{TRACE}-{attempt['spanId']}-01" for attempt in (first, second)]
    service.must_stop()


def it_keeps_the_trace_through_a_restart(stand, redis, sandbox, collector):
    service = start(stand, redis, sandbox, collector)
    assert service.post("/v1/pause", {}).status == 204
    service.must_post(event("A-1"), headers={"traceparent": TRACEPARENT})
    intake, = collector.must_have("POST /v1/events")
    service.kill()
    service.start()
    assert service.post("/v1/resume", {}).status == 204
    service.must_become("A-1", "delivered")
    attempt, = collector.must_have("POST sendSignal")
    assert (attempt["traceId"], attempt["parentSpanId"]) == (TRACE, intake["spanId"])
    service.must_stop()


def it_begins_a_trace_where_the_ats_has_none(stand, redis, sandbox, collector):
    service = start(stand, redis, sandbox, collector)
    service.must_post(event("A-1"))
    service.must_become("A-1", "delivered")
    intake, = collector.must_have("POST /v1/events")
    attempt, = collector.must_have("POST sendSignal")
    token, = collector.must_have("POST access token")
    assert "parentSpanId" not in intake and "parentSpanId" not in token
    assert (attempt["traceId"], attempt["parentSpanId"]) == (intake["traceId"], intake["spanId"])
    assert token["traceId"] != intake["traceId"]
    assert token["attributes"]["http.response.status_code"] == 200
    service.must_stop()


def it_makes_one_span_of_a_batch(stand, redis, sandbox, collector):
    service = start(stand, redis, sandbox, collector)
    own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    cloud = {"specversion": "1.0", "id": "1", "source": "/ats", "type": "application.completed", "traceparent": own,
             "data": event("A-3")}
    service.post("/v1/events", json.dumps([event("A-1"), event("A-2"), {}]), {"Content-Type": "application/json"})
    service.post("/v1/events", json.dumps(cloud), {"Content-Type": "application/cloudevents+json"})
    attempts = collector.must_have("POST sendSignal", 3)
    batch, single = sorted(collector.must_have("POST /v1/events", 2), key=lambda s: -s["attributes"]["seek_signal.event_count"])
    assert batch["attributes"]["seek_signal.event_count"] == 3
    assert "seek_signal.event_id" not in batch["attributes"]
    parents = [(a["traceId"], a["parentSpanId"]) for a in attempts]
    assert parents.count((batch["traceId"], batch["spanId"])) == 2
    assert tuple(own.split("-")[1:3]) in parents, "an event's own trace counts"
    assert single["traceId"] not in [trace for trace, _ in parents]
    service.must_stop()


def it_leaves_unsampled_traces_out_and_says_so_to_seek(stand, redis, sandbox, collector):
    service = start(stand, redis, sandbox, collector)
    service.must_post(event("A-1"), headers={"traceparent": f"00-{TRACE}-{PARENT}-00"})
    service.must_become("A-1", "delivered")
    service.must_stop()
    assert {span["name"] for span in collector.spans()} == {"POST access token"}
    (sent,) = sent_traceparents(sandbox)
    assert sent.startswith(f"00-{TRACE}-") and PARENT not in sent and sent.endswith("-00")


def it_makes_refusals_and_seeks_words_visible(stand, redis, sandbox, collector):
    service = start(stand, redis, sandbox, collector, api_key="the-key-of-a-test")
    key = {"Authorization": "Bearer the-key-of-a-test"}
    assert service.post("/v1/events", event("A-1")).status == 401
    sandbox.fault(on="graphql", kind="forbidden", count=1)
    assert service.post("/v1/events", event("A-1"), key).status == 202
    attempt, = collector.must_have("POST sendSignal")
    refused, accepted = collector.must_have("POST /v1/events", 2)
    assert refused["attributes"]["http.response.status_code"] == 401 and "status" not in refused
    assert accepted["attributes"]["http.response.status_code"] == 202
    assert attempt["attributes"]["error.type"] == "FORBIDDEN"
    assert attempt["attributes"]["seek_signal.class"] == "refused"
    assert attempt["status"] == {"code": FAILED}
    service.must_stop()


def it_says_who_it_is_and_hides_who_applied(stand, redis, sandbox, collector):
    service = start(stand, redis, sandbox, collector, otel_service_name="my-sidecar",
                    otel_resource_attributes="deployment.environment=te%20st",
                    otel_exporter_otlp_headers="x-api-key=hunter2", log_level="debug")
    service.must_post(event("application-1"), path="/v1/events?wait=20s", status=200)
    service.must_stop()
    path, headers, body = collector.requests[0]
    assert path == "/v1/traces"
    assert headers["Content-Type"] == "application/json" and headers["x-api-key"] == "hunter2"
    resource = plain(body["resourceSpans"][0]["resource"]["attributes"])
    assert resource["service.name"] == "my-sidecar" and resource["deployment.environment"] == "te st"
    everything = json.dumps([body for _, _, body in collector.requests])
    assert "sendSignal" in everything
    for secret in ("application-1", TOKEN, "hunter2", service.settings["client_secret"]):
        assert secret not in everything
    assert "hunter2" not in service.text()


def it_does_not_wait_for_a_collector_that_is_down(stand, redis, sandbox, collector):
    collector.close()
    service = start(stand, redis, sandbox, collector, otel_bsp_max_queue_size=4, otel_bsp_max_export_batch_size=2,
                    otel_bsp_export_timeout=200)
    for n in range(50):
        service.must_post(event(f"A-{n}"))
    for n in range(50):
        service.must_become(f"A-{n}", "delivered")
    assert call(service.ops, "GET", "/livez").status == 200 and service.get("/readyz").status == 200
    service.must_log("spans_lost")
    eventually(lambda: service.metric('seek_signal_spans_total{result="failed"}') > 0, "the loss is counted")
    eventually(lambda: service.metric('seek_signal_spans_total{result="dropped"}') > 0, "also what found no place")
    assert service.metric('seek_signal_spans_total{result="exported"}') == 0
    began = time.monotonic()
    service.must_stop()
    assert time.monotonic() - began < 15
    service.must_log("spans_lost")


def it_sends_what_waits_at_the_end(stand, redis, sandbox, collector):
    service = start(stand, redis, sandbox, collector, otel_bsp_schedule_delay=3600000)
    service.must_post(event("A-1"))
    service.must_become("A-1", "delivered")
    assert collector.spans() == []
    service.must_stop()
    assert len(collector.spans("POST sendSignal")) == 1


def it_goes_on_with_what_it_cannot_do(stand, redis, sandbox, collector):
    service = start(stand, redis, sandbox, collector, otel_exporter_otlp_protocol="grpc", otel_sdk_disabled="perhaps")
    service.must_post(event("A-1"))
    service.must_become("A-1", "delivered")
    service.must_stop()
    assert collector.requests == []
    assert "OTEL_EXPORTER_OTLP_PROTOCOL=grpc: only http/json is spoken" in service.text()
    assert "OTEL_SDK_DISABLED=perhaps" in service.text()


def it_tries_the_collector_when_it_checks(stand, redis, sandbox, collector):
    service = stand.service(sandbox, redis_url=redis.url, otel_exporter_otlp_endpoint=collector.url)
    fine = service.run("check")
    assert fine.returncode == 0 and "ok    collector     takes spans" in fine.stdout
    assert collector.requests[0][2] == {"resourceSpans": []}
    collector.status = 401
    note = service.run("check")
    assert note.returncode == 0, "no signal depends on it"
    assert "note  collector     the collector answers HTTP 401; signals are sent without it" in note.stdout
