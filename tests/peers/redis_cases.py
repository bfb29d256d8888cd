# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""What is asked of each Redis and its relatives. A group names its servers by a fixture `kind`, an object with `title`,
`command` and `sentinel` (command lines), `has_waitaof` and whether that tells the truth (`is_waitaof_true`), and takes these cases over."""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import threading
import time

import pytest

from programs import debian_version, is_listening, program
from stand import ROOT, Process, Redis, Sentinel, call, event, eventually, free_port

BUSY = 60  # seconds
IDLE_S = 10  # what is in between ends a silent connection after so long

# What managed services take away from their customers, beside CONFIG.
FORBIDDEN = ["CONFIG", "DEBUG", "MONITOR", "SHUTDOWN", "SAVE", "BGSAVE", "BGREWRITEAOF", "REPLICAOF", "SLAVEOF", "MIGRATE", "SYNC", "PSYNC", "MODULE", "ACL"]


class Server(Redis):
    """One of this kind."""

    def __init__(self, stand, kind, *arguments, **options):
        self.kind = kind
        super().__init__(stand.directory, *arguments, **options)

    def spawn(self, arguments, environment=None):
        super().spawn([*self.kind.command, *arguments[1:]], environment)


class Watcher(Sentinel):
    """A sentinel of this kind."""

    def __init__(self, stand, kind, *arguments):
        self.kind = kind
        super().__init__(stand.directory, *arguments)

    def spawn(self, arguments, environment=None):
        super().spawn([*self.kind.sentinel, arguments[1], "--sentinel"], environment)


@pytest.fixture
def server(stand, kind):
    def start(*arguments, **options):
        return stand.add(Server(stand, kind, *arguments, **options))
    return start


def must_deliver(service, sandbox, first, count):
    names = [f"A-{first + n}" for n in range(count)]
    service.must_post([event(name, f"t-{name}") for name in names])
    for name in names:
        service.must_become(name, "delivered", BUSY)


LEVELS = {"appendfsync always": ["--appendfsync", "always"], "appendfsync everysec": ["--appendfsync", "everysec"], "no append-only file": ["--appendonly", "no"]}


@pytest.mark.parametrize("setting", LEVELS)
def it_names_the_level_that_is_reached(setting, kind, server, sandbox, stand, seen):
    redis = server(*LEVELS[setting])
    service = stand.service(sandbox, redis_url=redis.url).start()
    level = service.must_post(event("A-1"))["durability"]
    assert level == "fsync" if setting.endswith("always") else level in ("redis", "fsync"), level
    assert level == "redis" if "no " in setting else level, level
    service.must_become("A-1", "delivered")
    check = service.run("check")
    assert check.returncode == 0, check.stdout
    seen(kind.title, f"`{setting}`" if setting.startswith("append") else setting, f"202 says `{level}`")
    service.must_stop()


@pytest.mark.parametrize("policy", ["everysec", "no"])
def it_promises_no_sync_that_has_not_happened(policy, kind, server, sandbox, stand, seen):
    """Valkey's WAITAOF says yes up to a second before the sync, and that of Redis 7.2 and 7.4; a Redis that leaves the sync to the system knows nothing of it."""
    redis = server("--appendfsync", policy)
    service = stand.service(sandbox, redis_url=redis.url, durability="fsync").start(is_ready=False)
    if kind.is_waitaof_true and policy == "everysec":
        eventually(lambda: service.get("/readyz").status == 200, "ready", BUSY)
        began = time.monotonic()
        levels = {service.must_post(event(f"A-{n}", f"t-{n}"))["durability"] for n in range(3)}
        assert levels == {"fsync"} and time.monotonic() - began > 1, "each waits for a sync, and there is one a second"
        saw = "202 says `fsync`, once the second's sync is over"
    else:
        reason = eventually(lambda: (a := service.get("/readyz")).status == 503 and "appendfsync" in a.body.decode() and a.json["detail"], "not ready", BUSY)
        assert service.post("/v1/events", event("A-1")).status == 503
        check = service.run("check")
        assert check.returncode == 1 and "appendfsync" in check.stdout, check.stdout
        saw = f"not ready: {reason}"
    service.must_stop()
    seen(kind.title, f"`appendfsync {policy}`, `DURABILITY=fsync`", saw)


def it_waits_once_for_many_writes(kind, server, sandbox, stand):
    """Each wait for a file that is synced each second takes up to a second, and no answer may take two."""
    if not kind.is_waitaof_true:
        pytest.skip("it is ready for no fsync with everysec")
    redis = server("--appendfsync", "everysec")
    service = stand.service(sandbox, redis_url=redis.url, durability="fsync", redis_shards="8").start(is_ready=False)
    eventually(lambda: service.get("/readyz").status == 200, "ready", BUSY)
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        puts = list(pool.map(lambda n: call(service.address, "PUT", f"/v1/applications/A-{n}/token", {"token": f"t-{n}"}).status, range(10)))
    assert puts == [204] * 10
    assert call(service.address, "POST", "/v1/pause").status == 204
    assert not service.logs("redis_lost")
    service.must_stop()


def it_loses_nothing_when_redis_is_killed_and_started(kind, server, sandbox, stand, seen):
    redis = server()
    service = stand.service(sandbox, redis_url=redis.url).start()
    acknowledged, is_over = [], threading.Event()

    def post():
        while not is_over.wait(0.02):
            name = f"A-{len(acknowledged)}"
            if service.post("/v1/events", event(name, f"t-{name}")).status == 202:
                acknowledged.append(name)

    poster = threading.Thread(target=post)
    poster.start()
    try:
        for _ in range(2):
            before = len(acknowledged)
            eventually(lambda: len(acknowledged) > before + 20, "events are taken", BUSY)
            redis.kill()
            redis.start()
        before = len(acknowledged)
        eventually(lambda: len(acknowledged) > before + 20, "and taken again", BUSY)
    finally:
        is_over.set()
        poster.join()
    for name in acknowledged:
        service.must_become(name, "delivered", BUSY)
    seen(kind.title, "killed and started twice under load, `appendfsync always`", "every acknowledged event is delivered")
    service.must_stop()


def least_rights(kind):
    """What docs/operating.md gives the user, and what it names for more than `DURABILITY=redis`."""
    words = (ROOT / "docs" / "operating.md").read_text()
    [line] = re.findall(r"^ACL SETUSER seek-signal (.*)$", words, re.M)
    more = [right for right in re.findall(r"^- `(\+[a-z|]+)`", words, re.M) if kind.has_waitaof or right != "+waitaof"]
    assert "+config|get" in more
    return [*line.replace("PASSWORD", "password-1").split(), *more]


def it_works_with_the_least_rights_that_are_documented(kind, server, sandbox, stand, seen):
    redis = server()
    redis.cli("ACL", "SETUSER", "seek-signal", *least_rights(kind))
    service = stand.service(sandbox, redis_url=f"redis://seek-signal:password-1@127.0.0.1:{redis.port}", listen=f"127.0.0.1:{free_port()}").start()
    must_deliver(service, sandbox, 0, 20)
    assert service.call("PUT", "/v1/applications/D-1/token", {"token": "draft-1"}).status == 204
    assert service.call("DELETE", "/v1/applications/D-1").status == 204
    sandbox.fault(kind="forbidden")
    service.must_post(event("A-dead", "t-dead"))
    service.must_become("A-dead", "dead")
    assert service.get("/v1/applications?state=dead").status == 200
    assert service.post("/v1/replay", {"state": "dead"}).status == 202
    service.must_become("A-dead", "delivered")
    for command in ("pause", "resume", "check"):
        done = service.run(command)
        assert done.returncode == 0, done.stdout + done.stderr
    refused = [line for line in redis.cli("ACL", "LOG").splitlines() if line]
    assert not refused, "\n".join(refused)
    seen(kind.title, "an ACL user with the documented rights", "events, drafts, replay, pause and `check` work; `ACL LOG` is empty")
    service.must_stop()


@pytest.mark.whole
def it_survives_a_failover(kind, server, sandbox, stand, seen):
    master = server(name="master")
    master.cli("CONFIG", "SET", "repl-diskless-sync-delay", "0")
    replica = server("--replicaof", "127.0.0.1", master.port, "--repl-diskless-sync-delay", "0", name="replica")
    eventually(lambda: replica.is_replica_of(master), "the replica follows", BUSY)
    sentinels = [stand.add(Watcher(stand, kind, master, f"sentinel-{n}")) for n in range(3)]
    for sentinel in sentinels:
        eventually(lambda s=sentinel: s.knows(1, 2), "the sentinels know each other", BUSY)
    url = "redis+sentinel://" + ",".join(f"127.0.0.1:{s.port}" for s in sentinels) + "/applications"
    service = stand.service(sandbox, redis_url=url).start()
    must_deliver(service, sandbox, 0, 20)
    master.kill()
    eventually(lambda: sentinels[0].master_port() == replica.port, "a failover", BUSY)
    eventually(lambda: service.post("/v1/events", event("A-after", "t-after")).status in (200, 202), "events are taken again", BUSY)
    service.must_become("A-after", "delivered", BUSY)
    assert service.must_post(event("A-0", "t-A-0"), status=200)["result"] == "duplicate", "what was delivered before is known"
    seen(kind.title, "Sentinel, the master killed", "taken and delivered by the new master, without a restart")
    service.must_stop()


def it_works_without_the_commands_that_managed_services_forbid(kind, server, sandbox, stand, seen):
    redis = server(*(word for command in FORBIDDEN for word in ("--rename-command", command, "")))
    service = stand.service(sandbox, redis_url=redis.url).start()
    level = service.must_post(event("A-1"))["durability"]
    must_deliver(service, sandbox, 10, 20)
    check = service.run("check")
    assert check.returncode == 0, check.stdout
    demanding = stand.service(sandbox, name="demanding", redis_url=redis.url, durability="fsync").start(is_ready=False)
    if kind.is_waitaof_true:
        eventually(lambda: demanding.get("/readyz").status == 200, "ready", BUSY)
        assert demanding.must_post(event("A-2", "t-2"))["durability"] == "fsync"
        promised = "with `DURABILITY=fsync` it says `fsync`, by WAITAOF"
    else:
        answer = eventually(lambda: (a := demanding.get("/readyz")).status == 503 and "fsync" in a.body.decode() and a, "not ready, with the reason", BUSY)
        assert answer.json["detail"] and demanding.post("/v1/events", event("A-2", "t-2")).status == 503
        promised = "with `DURABILITY=fsync` it is not ready, and says why"
    demanding.must_stop()
    seen(kind.title, f"without {', '.join(f'`{c}`' for c in FORBIDDEN[:3])} and {len(FORBIDDEN) - 3} more that managed services forbid", f"works, 202 says `{level}`; {promised}")
    service.must_stop()


# --- what stands in between ------------------------------------------------------------------------------------------------


class Stunnel(Process):
    """TLS in front of a Redis, that wants to know who comes; a silent connection is ended."""

    title = "stunnel"

    def __init__(self, stand, redis):
        super().__init__("stunnel", stand.directory)
        self.port = free_port()
        (key, self.ca), (our_key, ours) = self.pair(stand, "stunnel"), self.pair(stand, "ours")
        file = pathlib.Path(stand.directory, "stunnel.conf")
        file.write_text(f"foreground = yes\npid =\n[redis]\naccept = 127.0.0.1:{self.port}\nconnect = 127.0.0.1:{redis.port}\n"
                        f"cert = {self.ca}\nkey = {key}\nverifyPeer = yes\nCAfile = {ours}\nTIMEOUTidle = {IDLE_S}\nTIMEOUTclose = 1\n")
        self.spawn([program("stunnel4"), file])
        self.url = f"rediss://127.0.0.1:{self.port}"
        self.settings = {"redis_ca_file": self.ca, "redis_cert_file": ours, "redis_key_file": our_key}
        self.name_and_version = f"stunnel {debian_version('stunnel4')}, which demands a certificate,"

    @staticmethod
    def pair(stand, name):
        """(key, certificate) that signs itself."""
        key, certificate = f"{stand.directory}/{name}-key.pem", f"{stand.directory}/{name}.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate], check=True, capture_output=True)
        os.chmod(key, 0o600)
        return key, certificate


class Haproxy(Process):
    """TCP in front of a Redis, with HAProxy's usual time-outs."""

    def __init__(self, stand, redis):
        super().__init__("haproxy", stand.directory)
        self.port = free_port()
        file = pathlib.Path(stand.directory, "haproxy.cfg")
        file.write_text(f"global\n  maxconn 200\ndefaults\n  mode tcp\n  timeout connect 5s\n  timeout client {IDLE_S}s\n  timeout server {IDLE_S}s\n"
                        f"listen redis\n  bind 127.0.0.1:{self.port}\n  server one 127.0.0.1:{redis.port}\n")
        self.spawn([program("haproxy"), "-db", "-f", file])
        self.url, self.settings = f"redis://127.0.0.1:{self.port}", {}
        self.name_and_version = f"HAProxy {debian_version('haproxy')}"


@pytest.mark.whole
@pytest.mark.parametrize("between", [Stunnel, Haproxy])
def it_goes_on_behind_what_ends_silent_connections(between, kind, server, sandbox, stand, seen):
    redis = server()
    front = stand.add(between(stand, redis))
    eventually(lambda: is_listening("127.0.0.1", front.port), "the front listens", BUSY)
    service = stand.service(sandbox, redis_url=front.url, **front.settings).start()
    must_deliver(service, sandbox, 0, 20)
    for number in range(2):
        time.sleep(IDLE_S + 2)  # nothing is posted for so long
        assert service.get("/readyz").status == 200
        answer = call(service.address, "POST", "/v1/events", event(f"B-{number}", f"t-{number}"))
        assert answer.status == 202, answer
        service.must_become(f"B-{number}", "delivered", BUSY)
    lost = [line for line in service.logs() if line["event"] in ("redis_lost", "intake_unavailable")]
    assert not lost, lost
    seen(kind.title, f"behind {front.name_and_version} with time-outs of {IDLE_S} s, {IDLE_S + 2} s without an event",
         "the next event is taken at once; no connection is reported as lost")
    service.must_stop()
