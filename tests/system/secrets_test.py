# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""No secret leaves: all output of a busy run is searched, at the most talkative log level."""
import subprocess

import pytest

from stand import CLIENT_SECRET, event, eventually

REDIS_PASSWORD = "redis-password-Kd93mz"
API_KEY = "api-key-Lw82nq"
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
    from stand import SERVICE
    service.spawn([SERVICE, "serve", "--client-secret", CLIENT_SECRET], service.environment())
    eventually(lambda: service.logs("listening"), "listening")
    listed = subprocess.run(["ps", "-o", "args=", "-p", str(service.child.pid)], capture_output=True, text=True)
    assert "serve" in listed.stdout and CLIENT_SECRET not in listed.stdout
    service.must_stop()
