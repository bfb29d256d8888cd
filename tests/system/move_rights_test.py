# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""`seek-signal move` with a Redis user who may not do all that it needs."""
import time

from redis_user_test import documented

STAYS_PAUSED = "sending at --from stays paused"


def it_changes_nothing_without_its_rights(stand, redis, sandbox):
    assert redis.cli("ACL", "SETUSER", *documented()) == "OK"
    target = stand.redis(name="target")
    old = stand.service(sandbox, redis_url=f"redis://seek-signal:password-1@127.0.0.1:{redis.port}").start()
    for missing in ("scan", "dbsize"):
        redis.cli("ACL", "SETUSER", "seek-signal", "+scan", "+dbsize", f"-{missing}")
        started = time.monotonic()
        done = old.run("move", "--from", old.settings["redis_url"], "--to", target.url, timeout=120)
        assert done.returncode == 1 and time.monotonic() - started < 20, "it is not tried for a minute"
        assert done.stderr.startswith("move: --from: the Redis user may not "), done
        assert done.stderr.endswith("; a move needs +scan +dbsize at --from as well\n") and STAYS_PAUSED not in done.stderr, done
        sending = old.get("/v1/status").json["sending"]
        assert sending["paused"] is False and sending["movedTo"] is None
    redis.cli("ACL", "SETUSER", "seek-signal", "+scan", "+dbsize")
    done = old.run("move", "--from", old.settings["redis_url"], "--to", target.url, timeout=120)
    assert done.returncode == 0 and done.stdout == "0 applications are moved\n--from is empty\n" and done.stderr == "", done
    old.must_stop()
