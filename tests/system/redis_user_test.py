# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""What the Redis user may do: the documented rule is what the scripts and the inspection need, and no more; what is missing is named."""
import os
import pathlib
import re
import subprocess

import pytest
from stand import ROOT, call, event, eventually

STORE = pathlib.Path(ROOT) / "service" / "store"
OF_A_MOVE = {"SCAN", "DBSIZE"}  # move_out.lua alone, which no service runs
CALLED = re.compile(r"redis\.p?call\('([A-Z]+)'")


def of_scripts():
    commands = set()
    for path in STORE.glob("calls/*.lua"):
        commands.update(CALLED.findall(path.read_text()))
    return commands - OF_A_MOVE


def of_the_trial():
    return set(re.findall(r"\{'([A-Z]+)'", (STORE / "calls" / "trial.lua").read_text()))


def of_connections():
    """Plain commands, in the questions, in front of each connection, and behind a write that is waited for."""
    inspection = (STORE / "inspection.c").read_text()
    plain = set(re.findall(r'PLAIN, 0,\s*\{"([A-Z]+)"', inspection)) | {"EVAL", "EVALSHA"}
    confirmations = set(re.findall(r'\{"([A-Z]+)", confirmation', (STORE / "confirmation.c").read_text()))
    return plain | confirmations - {"CONFIG"} | {"WAIT", "SELECT", "SCRIPT|LOAD", "CLIENT|SETNAME"}


def documented():
    text = (pathlib.Path(ROOT) / "docs" / "operating.md").read_text()
    return re.search(r"^ACL SETUSER (.*)$", text, re.M).group(1).replace("PASSWORD", "password-1").split()


def allowed():
    return {word[1:].upper() for word in documented() if word.startswith("+")}


@pytest.fixture
def user(redis):
    assert redis.cli("ACL", "SETUSER", *documented()) == "OK"
    return f"redis://seek-signal:password-1@127.0.0.1:{redis.port}"


def it_tries_every_command_of_the_scripts():
    assert of_scripts() == of_the_trial()


def it_documents_every_command_and_no_other():
    assert allowed() == of_scripts() | of_connections() - {"CONFIG", "WAITAOF"}


@pytest.mark.parametrize("command", ["CONFIG GET requirepass", "CONFIG SET dir /tmp", "FLUSHALL", "FLUSHDB", "SWAPDB 0 1", "FUNCTION FLUSH",
                                     "SCRIPT FLUSH", "KEYS *", "SCAN 0", "MONITOR", "SHUTDOWN", "DEBUG SLEEP 0", "CLIENT KILL ID 1",
                                     "CLIENT LIST", "ACL LIST", "REPLICAOF NO ONE", "SAVE", "GET other:key", "DEL other:key"])
def it_gives_no_other_right(redis, user, command):
    assert "has no permissions" in redis.cli("ACL", "DRYRUN", "seek-signal", *command.split())


def it_delivers_with_the_documented_rights(stand, redis, sandbox, user):
    service = stand.service(sandbox, redis_url=user + "/1").start()
    service.must_post(event("A-1"))
    service.must_become("A-1", "delivered")
    service.must_stop()


def it_says_why_it_promises_less_than_fsync(stand, redis, sandbox, user):
    why = "Redis does not show its appendfsync: grant its user CONFIG GET"
    assert redis.cli("CONFIG", "GET", "appendfsync").split()[-1] == "always"
    done = stand.service(sandbox, redis_url=user).run("check")
    assert done.returncode == 0 and f'at the level "redis"; note: {why}' in done.stdout, done.stdout
    service = stand.service(sandbox, redis_url=user).start()
    line = eventually(lambda: service.logs("redis_ready"), "it is connected")[0]
    assert line["message"].startswith(why) and line["level"] == "warn"
    service.must_stop()
    assert why not in stand.service(sandbox, redis_url=user, durability="redis").run("check").stdout, "somebody has decided that"
    redis.cli("ACL", "SETUSER", "seek-signal", "+config|get")
    assert 'at the level "fsync"\n' in stand.service(sandbox, redis_url=user).run("check").stdout


def it_names_each_command_that_is_missing(stand, redis, sandbox, user):
    service = stand.service(sandbox, redis_url=user).start()
    for command in sorted(allowed() - {"WAIT", "SELECT", "CLIENT|SETNAME"}):
        redis.cli("ACL", "SETUSER", "seek-signal", "-" + command.lower())
        redis.cli("CLIENT", "KILL", "USER", "seek-signal")

        def is_named():
            answer = call(service.ops, "GET", "/readyz")
            found = re.search(r"the Redis user may not run ([^:]+): grant", answer.body.decode())
            return answer.status == 503 and found and command in found.group(1).upper()
        eventually(is_named, f"{command} is named", patience=30)
        redis.cli("ACL", "SETUSER", "seek-signal", "+" + command.lower())
        eventually(lambda: call(service.ops, "GET", "/readyz").status == 200, f"ready again with {command}", patience=30)
    service.must_stop()


def it_names_the_keys_that_are_missing(stand, redis, sandbox, user):
    redis.cli("ACL", "SETUSER", "seek-signal", "resetkeys", "~other:*")
    service = stand.service(sandbox, redis_url=user).start(is_ready=False)
    eventually(lambda: "the Redis user may not do this" in call(service.ops, "GET", "/readyz").body.decode(), "it is told", patience=30)
    service.must_stop()


def it_refuses_another_environment(stand, redis, sandbox):
    one = stand.service(sandbox, redis_url=f"redis://127.0.0.1:{redis.port}").start()
    two = stand.service(sandbox, redis_url=f"redis://127.0.0.1:{redis.port}", audience="https://test.graphql.seek.com").start(is_ready=False)
    eventually(lambda: "or set another REDIS_PREFIX" in call(two.ops, "GET", "/readyz").body.decode(), "it says why", patience=30)
    assert "https://test.graphql.seek.com" in call(two.ops, "GET", "/readyz").body.decode()
    two.must_stop()
    two = stand.service(sandbox, redis_url=f"redis://127.0.0.1:{redis.port}", redis_prefix="staging",
                        audience="https://test.graphql.seek.com").start()
    two.must_stop()
    one.must_stop()
    assert redis.cli("EXISTS", "staging:{0}:environment") == "1"


def it_closes_the_user_of_everybody_as_documented(stand, sandbox, tmp_path):
    """`default` lets everybody in, whatever password another user has."""
    text = (pathlib.Path(ROOT) / "docs" / "operating.md").read_text()
    (line,) = re.findall(r"^ACL SETUSER default (.*)$", text, re.M)
    (tmp_path / "users.acl").touch()
    redis = stand.redis("--aclfile", str(tmp_path / "users.acl"))
    assert redis.cli("ACL", "SETUSER", *documented()) == "OK"

    def ask(*words, **variables):
        done = subprocess.run(["redis-cli", "-p", str(redis.port), *words], env=os.environ | variables, capture_output=True, text=True, timeout=30)
        return done.stdout.strip()

    assert ask("PING") == "PONG", "nobody is asked for a password yet"
    assert redis.cli("ACL", "SETUSER", "default", *line.split()) == "OK"
    assert ask("PING").startswith("NOAUTH")
    assert ask("CONFIG", "GET", "requirepass", REDISCLI_AUTH="ADMIN-PASSWORD").split() == ["requirepass"]
    assert ask("ACL", "SAVE", REDISCLI_AUTH="ADMIN-PASSWORD") == "OK"
    redis.kill()
    redis.begin()
    eventually(lambda: ask("PING", REDISCLI_AUTH="ADMIN-PASSWORD") == "PONG", "it has the users again")
    assert ask("PING").startswith("NOAUTH")
    service = stand.service(sandbox, redis_url=f"redis://seek-signal:password-1@127.0.0.1:{redis.port}").start()
    service.must_post(event("A-1"))
    service.must_become("A-1", "delivered")
