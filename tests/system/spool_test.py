# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The spool: with Redis away, intake goes on, and nothing that was acknowledged is lost."""
import http.client
import pathlib
import shutil
import signal
import threading
import time

from stand import TOKEN, call, event, eventually, free_port


def spooling_service(stand, redis, sandbox, **settings):
    settings = {"spool_dir": f"{stand.directory}/spool"} | settings
    return stand.service(sandbox, redis_url=redis.url, **settings)


def start(stand, redis, sandbox, **settings):
    """Ready by the spool it would be at once; here with Redis too."""
    service = spooling_service(stand, redis, sandbox, **settings).start()
    eventually(lambda: service.get("/v1/status").json["store"]["ready"], "Redis is connected")
    return service


def spool_files(stand, pattern="journal-*"):
    return sorted(pathlib.Path(stand.directory, "spool").glob(pattern))


def lose(redis, service):
    redis.kill()
    eventually(lambda: service.get("/v1/status").json["store"]["ready"] is False, "the service has noticed")


def must_be_drained(service):
    eventually(lambda: service.get("/v1/status").json["spool"]["bytes"] == 0, "the spool is drained")


# --- what it is for ---

def it_takes_events_while_redis_is_away_and_delivers_them_when_it_is_back(stand, redis, sandbox):
    service = start(stand, redis, sandbox)
    lose(redis, service)
    answer = service.must_post(event("A-1", completedAt="2026-01-02T03:04:05.678Z"))
    assert (answer["result"], answer["state"], answer["durability"]) == ("accepted", "pending", "spool")
    batch = service.must_post([event("A-2", "seek-token-2"), event("A-3", "not valid"), event("A-4", "t-4")])["results"]
    assert [result.get("durability", result["status"]) for result in batch] == ["spool", 422, "spool"]
    assert service.call("PUT", "/v1/applications/A-5/token", {"token": "seek-token-5"}).status == 204
    status = service.get("/v1/status").json
    assert status["spool"]["records"] == 4 and status["spool"]["able"] and status["ready"]
    assert service.metric("seek_signal_spool_records") == 4
    redis.start()
    signals = sandbox.must_receive(TOKEN)
    assert signals[0]["timestamp"] == "2026-01-02T03:04:05.678Z"
    sandbox.must_receive("seek-token-2")
    sandbox.must_receive("t-4")
    must_be_drained(service)
    assert service.must_become("A-1", "delivered")["eventId"] == answer["eventId"]
    service.must_become("A-5", "draft")
    assert service.must_post({"applicationId": "A-5"})["durability"] == "fsync"
    sandbox.must_receive("seek-token-5")
    assert service.metric('seek_signal_spool_drained_total{result="applied"}') == 4
    for name in ("spool_begins", "spool_drained"):
        service.must_log(name)
    assert service.must_post(event("A-1"), status=200)["result"] == "duplicate"
    service.must_stop()
    for secret in (TOKEN, "seek-token-2", "seek-token-5"):
        assert secret not in service.text()


def it_is_ready_by_the_spool_and_says_so(stand, redis, sandbox):
    service = start(stand, redis, sandbox)
    assert "warning" not in service.get("/readyz").json
    lose(redis, service)
    answer = service.get("/readyz")
    assert answer.status == 200 and "kept in the spool" in answer.json["warning"]
    assert "Redis is away" in answer.json["warning"]
    assert "spool" in [loop["name"] for loop in service.get("/livez").json["loops"]]
    service.must_stop()


def it_starts_without_redis(stand, redis, sandbox):
    redis.kill()
    service = spooling_service(stand, redis, sandbox).start()
    assert service.get("/startupz").status == 200
    assert service.must_log("ready")[0]["durability"] == "spool"
    assert service.must_post(event("A-1"))["durability"] == "spool"
    service.must_stop()
    service.must_log("spool_holds")  # the end tells what waits
    service.start()
    assert service.must_post(event("A-2", "t-2"))["durability"] == "spool"
    assert service.must_post(event("A-3", "t-3"))["durability"] == "spool"
    service.must_log("spool_begins", 2)  # once in each run, whatever the one before has left
    redis.start()
    sandbox.must_receive(TOKEN)
    service.must_stop()


def it_does_not_wait_for_what_it_cannot_see(stand, redis, sandbox):
    service = start(stand, redis, sandbox)
    service.must_post(event("A-1", "old"))
    service.must_become("A-1", "delivered")
    lose(redis, service)
    began = time.monotonic()
    answer = service.must_post(event("A-1", "new"), path="/v1/events?wait=20s")
    assert answer["state"] == "pending" and time.monotonic() - began < 15
    redis.start()
    sandbox.must_receive("new")
    service.must_stop()


def it_refuses_what_only_redis_knows(stand, redis, sandbox):
    service = start(stand, redis, sandbox)
    service.call("PUT", "/v1/applications/A-1/token", {"token": "t-1"})
    service.must_post(event("A-9", "t-9"))
    service.must_become("A-9", "delivered")
    lose(redis, service)
    for method, path, body in (("POST", "/v1/events", {"applicationId": "A-1"}), ("GET", "/v1/applications/A-9", None),
                               ("DELETE", "/v1/applications/A-9", None), ("POST", "/v1/applications/A-9/replay", None)):
        answer = service.call(method, path, body)
        assert answer.status == 503 and answer.json["code"] == "store_unavailable", (method, path, answer)
    mixed = service.must_post([{"applicationId": "A-1"}, event("A-2", "t-2")])["results"]
    assert [result["status"] for result in mixed] == [503, 202]
    service.must_stop()
    assert service.logs("intake_unavailable") == [], "events are taken all this time"


def it_lets_what_needs_the_stored_seek_token_wait_for_the_drain(stand, redis, sandbox):
    """The draft's seek-token was acknowledged; a 409 now, or its older one, would be wrong for good."""
    service = start(stand, redis, sandbox)
    lose(redis, service)
    assert service.call("PUT", "/v1/applications/A-1/token", {"token": "t-1"}).status == 204
    redis.arguments = "--maxmemory", "1"  # the drain is refused, and Redis is there
    redis.start()
    eventually(lambda: "maxmemory" in (service.get("/v1/status").json["store"]["reason"] or ""), "the intake has Redis again")
    answer = service.post("/v1/events", {"applicationId": "A-1"})
    assert answer.status == 503 and "spool" in answer.json["detail"], answer
    assert service.call("DELETE", "/v1/applications/A-1").status == 503
    redis.cli("CONFIG", "SET", "maxmemory", "0")
    eventually(lambda: service.post("/v1/events", {"applicationId": "A-1"}).status in (200, 202), "it is taken")
    sandbox.must_receive("t-1")
    assert service.call("DELETE", "/v1/applications/A-1").status == 204
    service.must_stop()


def it_takes_what_a_full_redis_refuses(stand, redis, sandbox):
    service = start(stand, redis, sandbox)
    redis.cli("CONFIG", "SET", "maxmemory", "1")
    assert service.must_post(event("A-1"))["durability"] == "spool"
    redis.cli("CONFIG", "SET", "maxmemory", "0")
    sandbox.must_receive(TOKEN)
    service.must_stop()


def it_does_not_put_an_older_seek_token_over_a_newer_one(stand, redis, sandbox):
    """Two services, one of which comes late with what it spooled."""
    late = start(stand, redis, sandbox, name="late")
    lose(redis, late)
    late.must_post(event("A-1", "older"))
    late.kill()
    redis.start()
    service = stand.service(sandbox, redis_url=redis.url).start()
    service.must_post(event("A-1", "newer"))
    service.must_become("A-1", "delivered")
    late.start()
    must_be_drained(late)
    assert redis.application("A-1")["token"] == "newer" and redis.application("A-1")["state"] == "delivered"
    assert late.metric('seek_signal_spool_drained_total{result="superseded"}') == 1
    assert late.must_log("spool_superseded")[0]["application"] == "A-1"
    late.must_stop()
    service.must_stop()
    assert sandbox.signals("older") == []


def it_does_not_take_a_late_command_for_a_later_event(stand, redis, sandbox):
    """What lay before a Redis that stood still is taken when it goes on. By then something newer may be in a spool."""
    services = [start(stand, redis, sandbox, name=f"service-{n}", spool_dir=f"{stand.directory}/spool-{n}") for n in range(2)]
    redis.send(signal.SIGSTOP)
    services[1].must_post(event("A-0", "t-0"))  # so that it has noticed, and sends Redis nothing more
    first, second = (service.must_post(event("A-1", token)) for service, token in zip(services, ("t-1", "t-2")))
    assert first["durability"] == second["durability"] == "spool"
    services[0].must_stop()  # its command is still there, but the newer seek-token will be drained first
    redis.send(signal.SIGCONT)
    sandbox.must_receive("t-2")
    must_be_drained(services[1])
    services[0].start()
    must_be_drained(services[0])
    assert redis.application("A-1")["token"] == "t-2"
    assert services[0].must_become("A-1", "delivered")["attempts"] == 1
    services[0].must_stop()
    services[1].must_stop()


# --- full, damaged, in use ---

def it_says_503_when_it_is_full(stand, redis, sandbox):
    service = start(stand, redis, sandbox, spool_bytes_max=65536)
    lose(redis, service)
    tokens = [f"t-{n}-" + "x" * 4000 for n in range(20)]
    statuses = [service.post("/v1/events", event(f"A-{n}", token)).status for n, token in enumerate(tokens)]
    taken = statuses.count(202)
    assert statuses == [202] * taken + [503] * (20 - taken) and 10 < taken < 17
    answer = service.post("/v1/events", event("A-x", tokens[-1]))
    assert answer.json["retryable"] and answer.headers["Retry-After"]
    ready = service.get("/readyz")
    assert ready.status == 503 and "full" in ready.json["detail"]
    redis.start()
    for token in tokens[:taken]:
        sandbox.must_receive(token)
    must_be_drained(service)
    assert service.get("/readyz").status == 200
    service.must_stop()


def it_is_not_ready_when_its_directory_is_gone(stand, redis, sandbox):
    service = start(stand, redis, sandbox)
    shutil.rmtree(f"{stand.directory}/spool")
    assert service.must_post(event("A-1"))["durability"] == "fsync", "Redis is enough"
    lose(redis, service)
    answer = service.post("/v1/events", event("A-2", "t-2"))
    assert answer.status == 503 and "spool" in answer.json["detail"]
    eventually(lambda: service.get("/readyz").status == 503, "not ready")
    assert f"cannot write to {stand.directory}/spool: " in service.get("/readyz").json["detail"]
    assert service.must_log("spool_refuses")[0]["directory"] == f"{stand.directory}/spool"
    redis.start()
    eventually(lambda: service.get("/readyz").status == 200, "ready with Redis")
    service.must_stop()


def it_says_at_the_start_what_is_wrong(stand, redis, sandbox):
    service = start(stand, redis, sandbox)
    other = spooling_service(stand, redis, sandbox, name="other")
    done = other.run("serve")
    assert done.returncode == 1 and "another process uses the directory" in done.stderr
    done = other.run("serve", spool_dir=str(service.log_path))
    assert done.returncode == 1 and "Not a directory" in done.stderr
    done = other.run("serve", spool_dir=f"{stand.directory}/x", durability="replicas:1")
    assert done.returncode == 2 and "SEEK_SIGNAL_SPOOL_DIR" in done.stderr
    service.must_stop()


def it_loses_one_event_to_a_flipped_bit_and_a_torn_tail_to_nobody(stand, redis, sandbox):
    service = start(stand, redis, sandbox)
    lose(redis, service)
    for n in range(3):
        service.must_post(event(f"A-{n}", f"t-{n}"))
    service.kill()
    (path,) = spool_files(stand)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data + data[:20])
    service.start()
    assert service.must_log("spool_damaged")[0]["segment"] == 0
    assert service.must_log("spool_torn")[0]["bytes"] == 20
    redis.start()
    sandbox.must_receive("t-0")
    sandbox.must_receive("t-2")
    set_aside = eventually(lambda: spool_files(stand, "corrupt-*"), "the segment is set aside")
    assert b"t-1" in set_aside[0].read_bytes()
    assert spool_files(stand) == []
    service.must_stop()


# --- under load, with everything dying ---

class Client(threading.Thread):
    """Posts ever newer seek-tokens of its applications, each until it is acknowledged."""

    def __init__(self, service, name, kind):
        super().__init__(daemon=True)
        self.service, self.prefix, self.kind = service, name, kind
        self.newest, self.spooled, self.count = {}, 0, 0
        self.is_done = threading.Event()

    def run(self):
        while not self.is_done.is_set():
            self.count += 1
            ids = [f"{self.prefix}-{n}" for n in range(8)]
            tokens = {id: f"{id}-token-{self.count}" for id in ids}
            getattr(self, self.kind)(tokens)
            self.newest |= tokens

    def until_acknowledged(self, method, path, body):
        while True:
            try:
                answer = call(self.service.address, method, path, body)
                if answer.status in (200, 202, 204):
                    self.spooled += answer.body.count(b'"spool"')
                    return
                assert answer.status == 503, answer
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.01)

    def single(self, tokens):
        for id, token in tokens.items():
            self.until_acknowledged("POST", "/v1/events", event(id, token))

    def draft(self, tokens):
        for id, token in tokens.items():
            self.until_acknowledged("PUT", f"/v1/applications/{id}/token", {"token": token})

    def batch(self, tokens):
        """All in one request; what failed is sent again with the rest: repeating does no harm."""
        while True:
            try:
                answer = call(self.service.address, "POST", "/v1/events", [event(*pair) for pair in tokens.items()])
                results = answer.json.get("results", []) if answer.status == 202 else []
                if results and all(result.get("status") in (200, 202) for result in results):
                    self.spooled += answer.body.count(b'"spool"')
                    return
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.01)


def it_loses_nothing_when_redis_and_the_service_die_under_load(stand, redis, sandbox):
    service = start(stand, redis, sandbox, listen=f"127.0.0.1:{free_port()}", request_timeout_ms=1000)
    clients = [Client(service, f"{kind}-{n}", kind) for kind in ("single", "batch", "draft") for n in range(2)]
    for client in clients:
        client.start()

    def progress(rounds=3):
        before = [client.count for client in clients]
        eventually(lambda: all(c.count >= b + rounds for c, b in zip(clients, before)), "everybody is served", 60)

    for _ in range(2):
        progress()
        redis.send(signal.SIGKILL)
        progress()
        service.kill()
        service.start()
        progress()
        redis.kill()  # reaps it
        redis.start()
    progress()
    for client in clients:
        client.is_done.set()
    for client in clients:
        client.join(60)
        assert not client.is_alive()
    must_be_drained(service)
    assert all(client.spooled > 0 for client in clients if client.kind != "draft")
    newest = {kind: {id: token for c in clients if c.kind == kind for id, token in c.newest.items()}
              for kind in ("single", "batch", "draft")}
    for id, token in newest["draft"].items():
        assert redis.application(id)["token"] == token
    completed = newest["single"] | newest["batch"]
    for id in completed:
        service.must_become(id, "delivered", patience=60)
    signals = [c["seekToken"] for c in sandbox.calls("graphql") if c["outcome"] == "delivered"]
    for id, token in completed.items():
        must_be_in_order(signals, id, token)
    service.must_stop()


def must_be_in_order(signals, id, newest):
    """The newest was taken, and nothing older after it."""
    numbers = [int(token.rsplit("-", 1)[1]) for token in signals if token.startswith(f"{id}-token-")]
    assert numbers and numbers[-1] == int(newest.rsplit("-", 1)[1]), (id, newest, numbers)
    assert numbers == sorted(numbers), (id, numbers)
