# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""A Redis that is there and does not work: it loads, cannot save, was demoted, or its file ends in the middle."""
import itertools
import os
import shutil
import signal
import threading

from stand import event, eventually


def must_be_refused(service, reason):
    """Of events and of readiness, for a reason that a person can use."""
    numbers = itertools.count()  # the same one again is a duplicate, once it is stored, and needs no write
    answer = eventually(lambda: (a := service.post("/v1/events", event(f"A-r{next(numbers)}"))).status == 503 and a, "503")
    assert answer.headers["Retry-After"] and answer.json["retryable"] is True
    eventually(lambda: (a := service.get("/readyz")).status == 503 and reason in a.json["detail"],
               f"not ready, because {reason!r}")
    assert service.get("/livez").status == 200


def must_recover(service, sandbox, token):
    eventually(lambda: service.get("/readyz").status == 200, "ready by itself")
    eventually(lambda: service.post("/v1/events", event(f"A-{token}", token)).status in (200, 202), "it is taken")
    sandbox.must_receive(token)


def it_waits_while_redis_loads(service, redis, sandbox):
    sandbox.fault(on="graphql", kind="status", status=503, count=0)
    service.must_post([event(f"A-{n}", f"t-{n}") for n in range(200)])
    redis.cli("BGREWRITEAOF")
    eventually(lambda: "aof_rewrite_in_progress:0" in redis.cli("INFO", "persistence"), "its file is one of keys")
    redis.kill()
    sandbox.clear_faults()
    redis.arguments += ("--key-load-delay", "10000", "--loading-process-events-interval-bytes", "1024")  # 2 s
    starting = threading.Thread(target=redis.start)
    starting.start()
    must_be_refused(service, "still loading")
    starting.join()
    must_recover(service, sandbox, "t-new")
    for n in range(200):
        service.must_become(f"A-{n}", "delivered")


def it_waits_while_redis_cannot_save_a_snapshot(stand, sandbox):
    redis = stand.redis("--save", "3600 1")
    service = stand.service(sandbox, redis_url=redis.url).start()
    service.must_post(event("A-1", "t-1"))
    obstacle = redis.directory / "dump.rdb"
    obstacle.mkdir()
    redis.cli("BGSAVE")
    must_be_refused(service, "cannot save to its disk")
    obstacle.rmdir()
    redis.cli("BGSAVE")
    must_recover(service, sandbox, "t-2")
    sandbox.must_receive("t-1")
    service.must_stop()


def it_waits_while_redis_is_a_replica(service, redis, sandbox):
    """One address and no Sentinel: whoever demoted it has to say where the master is, or promote it again."""
    service.must_post(event("A-1", "t-1"))
    service.must_become("A-1", "delivered")
    redis.cli("REPLICAOF", "127.0.0.1", "1")
    must_be_refused(service, "a replica")
    redis.cli("REPLICAOF", "NO", "ONE")
    must_recover(service, sandbox, "t-2")
    assert redis.application("A-1")["state"] == "delivered"


def private_file(directory):
    [file] = (directory / "appendonlydir").glob("*.incr.aof")
    return file


def it_starts_with_half_a_command_at_the_end_of_the_private_file(stand, sandbox, tmp_path):
    """The machine died while Redis wrote: nobody was promised what was not written whole."""
    service = stand.service(sandbox, data_dir=tmp_path / "data").start()
    service.must_post(event("A-1", "t-1"))
    service.must_become("A-1", "delivered")
    service.kill()
    file = private_file(tmp_path / "data")
    file.write_bytes(file.read_bytes() + b"*3\r\n$3\r\nSET\r\n$20\r\nseek-sig")
    service.start()
    assert service.must_post(event("A-1", "t-1"), status=200)["result"] == "duplicate"
    service.must_stop()


def it_says_that_the_private_file_is_damaged_and_keeps_it(stand, sandbox, tmp_path):
    service = stand.service(sandbox, data_dir=tmp_path / "data").start()
    service.must_post(event("A-1", "t-1"))
    service.must_become("A-1", "delivered")
    service.must_stop(signal.SIGTERM)
    file = private_file(tmp_path / "data")
    whole = file.read_bytes()
    file.write_bytes(whole + b"what is no command\r\n" * 3)
    service.start(is_ready=False)
    service.must_log("embedded_redis_died")
    must_be_refused(service, "Redis is away")
    service.must_log("embedded_redis_died")  # once, though it is tried again
    assert "Bad file format" in (tmp_path / "data" / "redis.log").read_text(), "and where the log says to look, the reason"
    assert file.read_bytes().startswith(whole), "nothing is thrown away"
    os.truncate(file, len(whole))
    must_recover(service, sandbox, "t-2")
    assert service.application("A-1")["state"] == "delivered"
    service.must_stop()


def it_is_restored_from_a_dump_as_documented(stand, sandbox):
    """operating.md: the services are stopped, since one that runs writes into the empty Redis at once."""
    redis = stand.redis()
    service = stand.service(sandbox, redis_url=redis.url).start()
    service.call("POST", "/v1/pause", {})
    service.must_post([event(f"A-{n}", f"t-{n}") for n in range(3)])
    service.must_stop()
    assert redis.cli("SAVE") == "OK"
    size, backup = redis.cli("DBSIZE"), (redis.directory / "dump.rdb").read_bytes()

    def begin_with_the_dump(*arguments):
        redis.must_stop()
        shutil.rmtree(redis.directory / "appendonlydir")
        (redis.directory / "dump.rdb").write_bytes(backup)
        redis.arguments = arguments
        redis.start()

    begin_with_the_dump()
    assert redis.cli("DBSIZE") == "0", "it is ignored while appendonly is yes"
    service.start()
    eventually(lambda: redis.cli("DBSIZE") != "0", "a service writes its keys at once")
    service.must_stop()

    begin_with_the_dump("--appendonly", "no")
    assert redis.cli("DBSIZE") == size
    assert redis.cli("CONFIG", "SET", "appendonly", "yes") == "OK"
    eventually(lambda: "aof_rewrite_in_progress:0" in redis.cli("INFO", "persistence"), "its file is written")
    redis.must_stop()
    redis.arguments = ()
    redis.start()
    assert redis.cli("DBSIZE") == size
    service.start()
    assert service.get("/v1/status").json["sending"]["paused"] is True
    service.call("POST", "/v1/resume", {})
    for number in range(3):
        sandbox.must_receive(f"t-{number}")
