# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""openapi.yaml is the contract. Every answer that any system test sees is checked against it; here every operation is
called, so that none is only described."""
import contract
from stand import call, event


def it_is_served_as_it_is_written(service):
    answer = service.get("/openapi.yaml")
    assert answer.body == contract.PATH.read_bytes()


def it_describes_every_operation_truly(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, api_key="key").start()
    key = {"Authorization": "Bearer key"}
    before = set(contract.seen)
    contract.seen.clear()
    service.post("/v1/events", event("A-1"), key)
    service.post("/v1/events", event("A-1"), key)
    service.post("/v1/events", "{", key | {"Content-Type": "application/json"})
    service.post("/v1/events", {"applicationId": "none"}, key)
    service.post("/v1/events", event("A-1", "a b"), key)
    service.post("/v1/events", [event("A-1"), event("A-2")], key)
    service.post("/v1/events", "x", key | {"Content-Type": "text/plain"})
    service.call("PUT", "/v1/applications/A-3/token", {"token": "t"}, key)
    service.call("PUT", "/v1/applications/A-3/token", {"token": "t t"}, key)
    service.get("/v1/applications/A-1", headers=key)
    service.get("/v1/applications/nobody", headers=key)
    service.post("/v1/applications/nobody/replay", headers=key)
    service.post("/v1/applications/A-3/replay", headers=key)
    service.call("DELETE", "/v1/applications/A-1", headers=key)
    service.get("/v1/status", headers=key)
    service.get("/v1/applications?state=due", headers=key)
    service.get("/v1/applications?state=draft", headers=key)
    service.post("/v1/replay", {"state": "dead"}, key)
    service.post("/v1/replay", {"state": "due"}, key)
    service.post("/v1/pause", {}, key)
    service.post("/v1/pause", {}, key | {"Sec-Fetch-Site": "cross-site"})
    service.post("/v1/resume", {}, key)
    for path in ("/", "/openapi.yaml", "/livez", "/readyz", "/startupz", "/metrics"):
        service.get(path)
        service.call("HEAD", path)
    for method, path in (("POST", "/v1/events"), ("PUT", "/v1/applications/A/token"), ("GET", "/v1/applications/A"),
                         ("DELETE", "/v1/applications/A"), ("POST", "/v1/applications/A/replay"), ("GET", "/v1/status"),
                         ("GET", "/v1/applications"), ("POST", "/v1/replay"), ("POST", "/v1/pause"), ("POST", "/v1/resume")):
        assert service.call(method, path, b"{}" if method != "GET" else None).status == 401
    called = {operation for operation, _ in contract.seen}
    assert called == {operation for operation, _ in contract.documented()}
    contract.seen.update(before)
    service.must_stop()
