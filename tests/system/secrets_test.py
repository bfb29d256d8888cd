# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""No secret leaves: all output of a busy run is searched, at the most talkative log level."""
import base64
import html
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import urllib.parse

import pytest

from fake_seek import ACCESS_TOKEN, refusal
from stand import CLIENT_SECRET, SERVICE, event, eventually, free_port

REDIS_PASSWORD = "redis-password-Kd93mz"
API_KEY = "api-key-Lw82nq-Vb51"
SEEK_TOKEN = "seekToken-Jf71pv"


def run_everything(stand, **settings):
    """Every path that holds a secret in hand: success, each refusal, outages of each dependency."""
    redis = stand.redis()
    redis.cli("CONFIG", "SET", "requirepass", REDIS_PASSWORD)
    sandbox = stand.sandbox("--client-id", "client-1", "--client-secret", CLIENT_SECRET)
    service = stand.service(sandbox, redis_url=f"redis://:{REDIS_PASSWORD}@127.0.0.1:{redis.port}",
                            api_key=API_KEY, log_level="debug", **settings).start()
    key = {"Authorization": f"Bearer {API_KEY}"}

    def post(body, path="/v1/events"):
        return service.post(path, body, key)

    post(event("A-0", SEEK_TOKEN + "-0"))
    for n, kind in enumerate(("forbidden", "bad-user-input", "garbage", "unauthenticated", "reset", "status"), 1):
        sandbox.fault(on="graphql", kind=kind, status=500, count=1)
        post(event(f"A-{n}", f"{SEEK_TOKEN}-{n}"))
    post({"applicationId": "B", "applicationUri": f"https://x.example/?seek-token={SEEK_TOKEN}-uri"})
    post(event("C", SEEK_TOKEN + " with-space"))
    service.call("PUT", "/v1/applications/D/token", {"token": SEEK_TOKEN + "-draft"}, key)
    sandbox.control("POST", "/revoke")
    for kind in ("garbage", "status"):
        sandbox.fault(on="token", kind=kind, status=401, count=1)
    post(event("E", SEEK_TOKEN + "-e"))
    seen = [service.get(path, headers=key).body.decode()
            for path in ("/v1/status", "/metrics", "/readyz", "/v1/applications/A-1", "/v1/applications/D")]
    eventually(lambda: service.get("/v1/applications/E", headers=key).json["state"] == "delivered", "E delivered")
    check = service.run("check")
    seen += [check.stdout, check.stderr]
    access_tokens = [c["accessToken"] for c in sandbox.calls("token") if c.get("accessToken")]
    service.must_stop()
    return service.text(), "".join(seen), access_tokens


def it_keeps_secrets_out_of_all_output(stand):
    log, seen, access_tokens = run_everything(stand)
    for secret in (CLIENT_SECRET, REDIS_PASSWORD, API_KEY, SEEK_TOKEN, *access_tokens):
        assert secret not in log and secret not in seen


def it_hides_credentials_even_when_upstream_is_logged_in_full(stand):
    log, seen, access_tokens = run_everything(stand, log_upstream="full")
    assert "sendSignal" in log and SEEK_TOKEN in log, "the whole requests are there"
    for secret in (CLIENT_SECRET, REDIS_PASSWORD, API_KEY, *access_tokens):
        assert secret not in log and secret not in seen


@pytest.mark.parametrize("setting", ["graphql_url", "token_url", "audience"])
@pytest.mark.parametrize("command", ["check", "serve"])
def it_takes_no_credentials_in_a_url_and_shows_none(command, setting, stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url)
    done = service.run(command, **{setting: f"https://user:{CLIENT_SECRET}@seek.example/graphql"})
    assert done.returncode == 2 and "user and password in a URL are not supported" in done.stderr
    assert CLIENT_SECRET not in done.stdout + done.stderr


@pytest.mark.parametrize("url", [
    f"redis://user:{REDIS_PASSWORD}@127.0.0.1:1", f"redis://user:{REDIS_PASSWORD}@nobody.invalid", f"unix://:{REDIS_PASSWORD}@/none",
    f"redis+sentinel://user:{REDIS_PASSWORD}@127.0.0.1:1/name?sentinelPassword={REDIS_PASSWORD}", f"redis:/user:{REDIS_PASSWORD}@host",
    f"redis://user:{REDIS_PASSWORD}/@host"], ids=range(6))
def it_shows_no_password_of_a_redis_that_it_does_not_reach(url, stand, sandbox):
    service = stand.service(sandbox, redis_url=url, log_level="debug")
    check = service.run("check")
    assert check.returncode != 0 and REDIS_PASSWORD not in check.stdout + check.stderr
    stray = service.run("serve", url)
    assert stray.returncode == 2 and REDIS_PASSWORD not in stray.stdout + stray.stderr
    if check.returncode == 1:
        service.start(is_ready=False)
        eventually(lambda: service.logs("intake_unavailable") or service.logs("redis_lost"), "it says that Redis is away")
        seen = service.get("/readyz").body.decode() + service.get("/v1/status").body.decode()
        service.must_stop()
        assert REDIS_PASSWORD not in seen + service.text()


def it_shows_no_secret_in_the_process_list(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, client_secret=None)
    service.spawn([SERVICE, "serve", "--client-secret", CLIENT_SECRET], service.environment())
    eventually(lambda: service.logs("listening"), "listening")
    listed = subprocess.run(["ps", "-o", "args=", "-p", str(service.child.pid)], capture_output=True, text=True)
    assert "serve" in listed.stdout and CLIENT_SECRET not in listed.stdout
    service.must_stop()


def redis_child(service):
    """The pid of the private Redis."""
    def found():
        children = pathlib.Path(f"/proc/{service.child.pid}/task/{service.child.pid}/children").read_text().split()
        return [int(pid) for pid in children if pathlib.Path(f"/proc/{pid}/comm").read_text() == "redis-server\n"]
    return eventually(found, "a private Redis")[0]


def cores(*directories):
    return [path for directory in directories for path in pathlib.Path(directory).rglob("*") if path.name.startswith("core")]


@pytest.fixture
def cores_wanted():
    """As whoever looks for a bug may have it: no limit. Where the kernel puts them is as it is."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except ValueError:
        pytest.skip("cores may not be switched on here")
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


def memory_of(pid):
    """All that a process could write to, as a core would show it."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            area, mode = line.split()[:2]
            if mode.startswith("rw") and "[v" not in line:
                begin, end = (int(edge, 16) for edge in area.split("-"))
                memory.seek(begin)
                yield memory.read(end - begin)


def it_tells_the_private_redis_no_secret_of_its_environment(stand, sandbox, tmp_path, monkeypatch):
    """Redis overwrites what /proc/PID/environ shows, so its environment is written down on the way to it."""
    seen, program = tmp_path / "environment", tmp_path / "bin" / "redis-server"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nenv >{seen}\nexec {shutil.which("redis-server")} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    for name, value in (("LANG", "C.UTF-8"), ("AWS_SECRET_ACCESS_KEY", "of-somebody-else-Vb51"),
                        ("OTEL_EXPORTER_OTLP_HEADERS", f"authorization={API_KEY}")):
        monkeypatch.setenv(name, value)
    service = stand.service(sandbox, data_dir=tmp_path / "data", api_key=API_KEY).start()
    variables = {line.split("=", 1)[0] for line in seen.read_text().splitlines()}
    assert {"PATH", "LANG"} <= variables <= {"PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "LD_PRELOAD",
                                             "PWD", "OLDPWD", "SHLVL", "_"}, "the last four are the shell's"
    memory = b"".join(memory_of(redis_child(service)))
    for secret in (CLIENT_SECRET, API_KEY, "of-somebody-else"):
        assert secret.encode() not in memory, secret
    service.must_stop()


def it_lets_the_private_redis_inherit_no_descriptor(stand, sandbox, tmp_path):
    service = stand.service(sandbox, data_dir=tmp_path / "data").start()
    child = redis_child(service)
    opened = {os.readlink(path) for path in pathlib.Path(f"/proc/{child}/fd").iterdir()}
    inside = (str(tmp_path / "data"), "/dev/")
    assert {target for target in opened if target.startswith("/") and not target.startswith(inside)} == set(), opened
    ours = {os.readlink(path) for path in pathlib.Path(f"/proc/{service.child.pid}/fd").iterdir()}
    assert {target for target in ours & opened if target.startswith(("socket:", "pipe:"))} == set()
    service.must_stop()


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGQUIT], ids=lambda number: number.name)
def it_leaves_no_core_of_the_private_redis(number, stand, sandbox, tmp_path, cores_wanted, monkeypatch):
    monkeypatch.chdir(tmp_path)
    service = stand.service(sandbox, data_dir=tmp_path / "data").start()
    service.must_post(event("A-1", SEEK_TOKEN))
    child = redis_child(service)
    limits = pathlib.Path(f"/proc/{child}/limits").read_text()
    assert re.search(r"^Max core file size +1 +1 ", limits, re.M), "neither a file nor a program gets any"
    os.kill(child, number)
    eventually(lambda: service.logs("embedded_redis_died"), "it died")
    assert cores(tmp_path, ".") == []
    eventually(lambda: service.get("/readyz").status == 200, "ready again")
    service.must_stop()


@pytest.mark.parametrize("program", ["service", "check", "sandbox"])
def it_leaves_no_core_of_its_own(program, stand, redis, sandbox, tmp_path, cores_wanted, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if program == "sandbox":
        process = stand.sandbox()
    elif program == "check":
        process = stand.service(sandbox, redis_url=redis.url)
        sandbox.fault(on="token", kind="hang", count=1)
        process.spawn([SERVICE, "check"], process.environment())
        eventually(lambda: sandbox.calls("token"), "it holds the client secret")
    else:
        process = stand.service(sandbox, redis_url=redis.url).start()
    assert re.search(r"^Max core file size +1 +1 ", pathlib.Path(f"/proc/{process.child.pid}/limits").read_text(), re.M)
    assert os.stat(f"/proc/{process.child.pid}/environ").st_uid == 0, "nobody else may read or attach"
    os.kill(process.child.pid, signal.SIGSEGV)
    process.child.wait(timeout=30)
    assert cores(tmp_path, ".") == []


# --- what others repeat ------------------------------------------------------------------------------

SPECIAL_SECRET = 'q7Rt/2+x&Yz"9\\Lm<0>Kd=%4p~W'
SPELLINGS = {
    "itself": lambda s: s,
    "capitals": str.upper,
    "cut": lambda s: s[:12],
    "percent": lambda s: urllib.parse.quote(s, safe=""),
    "percent-twice": lambda s: urllib.parse.quote(urllib.parse.quote(s, safe=""), safe=""),
    "form": urllib.parse.quote_plus,
    "html": html.escape,
    "json": lambda s: json.dumps(s).replace("/", "\\/"),
    "json-twice": lambda s: json.dumps(json.dumps(s)),
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64-of-both": lambda s: base64.b64encode(f"client-1:{s}".encode()).decode(),
    "base64url-cut": lambda s: base64.urlsafe_b64encode(f"x{s}".encode()).decode()[:24],
    "hex": lambda s: s.encode().hex(),
}


def must_not_show(secret, text):
    """No spelling of it, nor eight characters of one."""
    for name, spell in SPELLINGS.items():
        spelt = spell(secret)
        for n in range(len(spelt) - 11):
            assert spelt[n:n + 12].lower() not in text.lower(), (name, spelt[n:n + 12])


@pytest.mark.parametrize("spelling", SPELLINGS)
def it_shows_no_client_secret_that_the_issuer_repeats(spelling, stand, redis, fake_seek):
    words = SPELLINGS[spelling](SPECIAL_SECRET)
    fake_seek.answers["/oauth/token"] = (401, {}, json.dumps({"error": "invalid_client", "error_description": f"no client with {words}"}).encode())
    service = stand.service(redis_url=redis.url, graphql_url=f"http://{fake_seek.address}/graphql", token_url=f"http://{fake_seek.address}/oauth/token",
                            client_secret=SPECIAL_SECRET, log_level="debug", log_upstream="full")
    check = service.run("check")
    service.start()
    service.must_post(event("A-1"))
    error = eventually(lambda: service.get("/v1/status").json["accessToken"].get("lastError"), "the status says why")
    assert "401" in error and "invalid_client" in error and "invalid_client" in check.stdout
    service.must_stop()
    must_not_show(SPECIAL_SECRET, check.stdout + check.stderr + error + service.text())


def it_shows_no_client_secret_in_place_of_an_error_code(stand, redis, fake_seek):
    fake_seek.answers["/oauth/token"] = (401, {}, json.dumps({"error": f"no_such_client: {SPECIAL_SECRET}"}).encode())
    service = stand.service(redis_url=redis.url, token_url=f"http://{fake_seek.address}/oauth/token", client_secret=SPECIAL_SECRET)
    check = service.run("check")
    assert "HTTP status 401" in check.stdout
    must_not_show(SPECIAL_SECRET, check.stdout + check.stderr)


@pytest.mark.parametrize("spelling", SPELLINGS)
def it_shows_no_seek_token_or_access_token_that_seek_repeats(spelling, stand, redis, fake_seek):
    spell = SPELLINGS[spelling]
    token = 'sk/Tq9+x&Vb"4\\Nm<7>Pd=(2p~Z'
    fake_seek.answers["/graphql"] = lambda body: refusal("FORBIDDEN" if "F" in body["variables"]["input"]["token"] else spell(token)[:60],
                                                         f"see {spell(body['variables']['input']['token'])}, and {spell(ACCESS_TOKEN)}")
    service = stand.service(redis_url=redis.url, graphql_url=f"http://{fake_seek.address}/graphql", token_url=f"http://{fake_seek.address}/oauth/token",
                            log_level="debug", retry_base_ms="60000", retry_max_ms="60000").start()
    service.must_post([event("A-1", token), event("A-2", token + "F")])
    dead = service.must_become("A-2", "dead")
    assert dead["lastError"]["code"] == "FORBIDDEN" and dead["lastError"]["message"]
    waiting = eventually(lambda: (a := service.application("A-1"))["attempts"] == 1 and a.get("lastError") and a, "tried once")
    shown = service.run("status", "A-2", listen=service.address).stdout + service.run("dead", "list", listen=service.address).stdout
    service.must_stop()
    for secret in (token, ACCESS_TOKEN):
        must_not_show(secret, json.dumps([dead, waiting]) + shown + service.text())


def it_hides_a_repeated_access_token_even_when_upstream_is_logged_in_full(stand, redis, fake_seek):
    fake_seek.answers["/graphql"] = b'{"errors":[{"message":"%s","extensions":{"code":"FORBIDDEN"}}]}' % ACCESS_TOKEN.replace("/", "\\/").encode()
    service = stand.service(redis_url=redis.url, graphql_url=f"http://{fake_seek.address}/graphql", token_url=f"http://{fake_seek.address}/oauth/token",
                            log_upstream="full").start()
    service.must_post(event("A-1"))
    service.must_become("A-1", "dead")
    service.must_stop()
    eventually(lambda: service.logs("upstream_answer"), "it is logged")
    must_not_show(ACCESS_TOKEN, service.text())


# --- what steers a terminal --------------------------------------------------------------------------

STEERING = "\x1b[2J\x1b[31m\r\nok    SEEK          forged\n\u202e\u2066\u2028\u200b\u009b1m\ufeff\x07"


def must_not_steer(text, expected):
    assert expected in text, text
    found = [c for c in text if c != "\n" and (ord(c) < 32 or 0x7f <= ord(c) < 0xa0 or c in "\u202e\u2066\u2028\u200b\ufeff")]
    assert not found and "\nok    SEEK          forged" not in text, text


def it_prints_nothing_that_steers_a_terminal(stand, redis, fake_seek):
    settings = dict(redis_url=redis.url, graphql_url=f"http://{fake_seek.address}/graphql", token_url=f"http://{fake_seek.address}/oauth/token")
    fake_seek.answers["/graphql"] = json.dumps({"data": {"version": f"v1{STEERING}"}}).encode()
    must_not_steer(stand.service(**settings).run("check").stdout, "version v1")
    fake_seek.answers["/oauth/token"] = (401, {}, json.dumps({"error": f"e{STEERING}", "error_description": f"d{STEERING}"}).encode())
    must_not_steer(stand.service(**settings).run("check").stdout, "401, e")


@pytest.mark.parametrize("form", ["text", "json"])
def it_logs_and_tells_nothing_that_steers_a_terminal(form, stand, redis, fake_seek):
    fake_seek.answers["/graphql"] = refusal("FORBIDDEN", f"no{STEERING}")
    service = stand.service(redis_url=redis.url, graphql_url=f"http://{fake_seek.address}/graphql", token_url=f"http://{fake_seek.address}/oauth/token",
                            listen=f"127.0.0.1:{free_port()}", ops_listen=f"127.0.0.1:{free_port()}", log_format=form, log_upstream="full")
    service.spawn([SERVICE, "serve"], service.environment())
    service.address = service.settings["listen"]
    eventually(lambda: service.run("health").returncode == 0, "ready")
    service.must_post(event("A \u202e1", "token"))
    service.must_become(urllib.parse.quote("A \u202e1"), "dead")
    for command in (["status", "A \u202e1"], ["status", "A \u202e1", "--json"], ["dead", "list"], ["dead", "list", "--json"]):
        must_not_steer(service.run(*command).stdout, "no\\u001b")
    for command in (["status", f"none{STEERING}"], [f"unknown{STEERING}"], ["serve", f"x{STEERING}"], ["serve", f"--x{STEERING}"], ["status", "--code", "x"]):
        must_not_steer(service.run(*command).stderr, "")
    must_not_steer(service.run("check", listen=f"x{STEERING}").stderr, "LISTEN")
    service.must_stop()
    must_not_steer(service.text(), "no\\u001b")
