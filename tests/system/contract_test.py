# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""openapi.yaml is the contract. Every answer that any system test sees is checked against it; here every operation is
called, so that none is only described."""
import contract
from stand import event


def it_is_served_as_it_is_written(service):
    answer = service.get("/openapi.yaml")
    assert answer.body == contract.PATH.read_bytes()


def untyped(node, place=""):
    """Where a choice of values stands without its type: some generators stop there."""
    if isinstance(node, list):
        return [found for number, each in enumerate(node) for found in untyped(each, f"{place}/{number}")]
    if not isinstance(node, dict):
        return []
    here = [place] if {"enum", "const"} & node.keys() and "type" not in node else []
    return here + [found for name, each in node.items() if name not in ("example", "examples", "default") for found in untyped(each, f"{place}/{name}")]


def it_names_the_type_of_each_choice():
    assert untyped({"a": {"enum": ["x"]}, "b": [{"const": 1}]}) == ["/a", "/b/0"]
    assert untyped(contract.document()) == []


def it_describes_every_operation_truly(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, api_key="a-key-for-the-test").start()
    key = {"Authorization": "Bearer a-key-for-the-test"}
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
    service.get("/v1/history", headers=key)
    service.get("/v1/tail", headers=key)
    service.get("/v1/applications?state=due", headers=key)
    service.get("/v1/applications?state=draft", headers=key)
    service.post("/v1/replay", {"state": "dead"}, key)
    service.post("/v1/replay", {"state": "due"}, key)
    service.post("/v1/forget", {"state": "dead"}, key)
    service.post("/v1/pause", {}, key)
    service.post("/v1/pause", {}, key | {"Sec-Fetch-Site": "cross-site"})
    service.post("/v1/resume", {}, key)
    for path in ("/", "/openapi.yaml", "/troubleshooting.md", "/livez", "/readyz", "/startupz", "/metrics"):
        service.get(path)
        service.call("HEAD", path)
    for method, path in (("POST", "/v1/events"), ("PUT", "/v1/applications/A/token"), ("GET", "/v1/applications/A"),
                         ("DELETE", "/v1/applications/A"), ("POST", "/v1/applications/A/replay"), ("GET", "/v1/status"),
                         ("GET", "/v1/applications"), ("POST", "/v1/replay"), ("POST", "/v1/forget"), ("POST", "/v1/pause"), ("POST", "/v1/resume")):
        assert service.call(method, path, b"{}" if method != "GET" else None).status == 401
    called = {operation for operation, _ in contract.seen}
    assert called == {operation for operation, _ in contract.documented()}
    contract.seen.update(before)
    service.must_stop()


ODD = {
    "a compressed body": ({"Content-Encoding": "gzip", "Content-Type": "application/json"}, b"\x1f\x8b\x08\x00"),
    "a body that is no JSON": ({"Content-Type": "application/json"}, b"{"),
    "a body of another type": ({"Content-Type": "text/plain"}, b"hello"),
    "a body without a type": ({}, b"hello"),
    "a body that is too long": ({"Content-Type": "application/json"}, b" " * 5_000_000),
    "a long header": ({"X-Long": "a" * 8_000}, None),
    "a page of another site": ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, None),
    "a foreign host": ({"Host": "rebound.example"}, None),
    "another key": ({"Authorization": "Bearer another-key"}, None),
    "the read-only key": ({"Authorization": "Bearer a-key-to-look"}, None),
    "an odd query": ({}, None),
}


def it_describes_every_answer_to_odd_requests(stand, redis, sandbox):
    """Each answer is looked up in openapi.yaml by `Service.call`; whatever is not described fails there."""
    service = stand.service(sandbox, redis_url=redis.url, api_key="a-key-for-the-test", api_read_key="a-key-to-look").start()
    wrong = []

    def try_it(what, method, path, body, headers):
        try:
            service.call(method.upper(), path, body, {"Authorization": "Bearer a-key-for-the-test"} | headers)
        except (AssertionError, OSError) as error:
            wrong.append(f"{what}: {error!r:.300}")

    for template, method, _ in contract.operations():
        for what, (headers, body) in ODD.items():
            for application in ("A-1", "%00", "%2e%2e") if "{id}" in template else ("A-1",):
                query = "?limit=x&state=x&wait=x&since=x&format=x&a=%zz" if what == "an odd query" else ""
                try_it(what, method, template.replace("{id}", application) + query, body, headers)
    redis.kill()
    for template, method, _ in contract.operations():
        try_it("Redis is away", method, template.replace("{id}", "A-1"), {} if method != "get" else None, {})
    redis.start()
    service.must_stop()
    assert not wrong, "\n".join(wrong)
