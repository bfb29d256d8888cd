# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""A disk that is full: of Redis, of the private Redis, of the spool. What was acknowledged is delivered when there is room."""

from stand import event, eventually


def large(name):
    """Of a few of them a disk that is full to the last page is full."""
    return event(f"A-{name}", f"t-{name}-" + "x" * 3000)


class Posts:
    """What was posted, and which of it was acknowledged."""

    def __init__(self, service):
        self.service, self.count, self.acknowledged = service, 0, []

    def post(self):
        body = large(self.count)
        self.count += 1
        answer = self.service.post("/v1/events", body)
        if answer.status == 202:
            self.acknowledged.append((body["applicationId"], body["token"]))
            return answer.json["durability"]
        assert answer.status == 503 and answer.headers["Retry-After"] and answer.json["retryable"], answer
        return None

    def must_be_refused(self):
        eventually(lambda: self.post() is None, "503")

    def must_be_taken(self, durability="fsync"):
        eventually(lambda: self.post() == durability, f"202 with {durability}")

    def must_all_arrive(self, sandbox):
        for application_id, token in self.acknowledged:
            self.service.must_become(application_id, "delivered")
            assert sandbox.signals(token)


# --- of Redis ---

def it_loses_nothing_when_the_disk_of_redis_is_full(stand, volume, sandbox):
    """With appendfsync always Redis ends at a write that fails, and whoever watches over it starts it again."""
    disk = volume("redis")
    redis = stand.redis()
    service = stand.service(sandbox, redis_url=redis.url).start()
    posts = Posts(service)
    sandbox.settings(latencyMs=50)
    for _ in range(3):
        posts.must_be_taken()
    disk.fill()
    for _ in range(2):
        # The first is refused perhaps since Redis is not connected yet, and what is settled may still find room.
        eventually(lambda: posts.post() is None and not redis.is_running(), "Redis ends")
        eventually(lambda: service.get("/readyz").status == 503, "not ready")
        assert service.metric("seek_signal_ready") == 0
        redis.begin()  # it may end again at once: whoever connects writes
    posts.must_be_refused()
    disk.free()
    redis.kill()
    redis.start()
    posts.must_be_taken()
    eventually(lambda: service.get("/readyz").status == 200, "ready by itself")
    posts.must_all_arrive(sandbox)
    service.must_log("intake_unavailable")
    service.must_log("intake_available")
    service.must_stop()


def it_waits_for_a_redis_that_refuses_for_want_of_disk(stand, volume, sandbox):
    """With appendfsync everysec Redis stays, and goes on by itself."""
    disk = volume("redis")
    redis = stand.redis("--appendfsync", "everysec")
    service = stand.service(sandbox, redis_url=redis.url).start()
    posts = Posts(service)
    posts.must_be_taken("redis")
    disk.fill()
    eventually(lambda: posts.post() is None and service.get("/readyz").status == 503, "refused, and not ready")
    assert "cannot save to its disk" in service.get("/readyz").json["detail"]
    assert service.metric("seek_signal_ready") == 0 and service.get("/livez").status == 200
    disk.free()
    posts.must_be_taken("redis")
    eventually(lambda: service.get("/readyz").status == 200, "ready by itself")
    posts.must_all_arrive(sandbox)
    refusals = eventually(lambda: [line for line in service.logs("redis_refuses") if line["script"] == "accept"], "it is told")
    assert len(refusals) == 1 and "its log" in refusals[0]["message"]
    service.must_stop()


def it_spools_while_the_disk_of_redis_is_full(stand, volume, sandbox):
    disk = volume("redis")
    redis = stand.redis()
    service = stand.service(sandbox, redis_url=redis.url, spool_dir=f"{stand.directory}/spool").start()
    posts = Posts(service)
    posts.must_be_taken()
    disk.fill()
    posts.must_be_taken("spool")
    assert service.get("/readyz").status == 200
    disk.free()
    redis.kill()
    redis.start()
    posts.must_be_taken()
    posts.must_all_arrive(sandbox)
    service.must_stop()


def it_waits_for_room_on_the_disk_of_its_private_redis(stand, volume, sandbox):
    disk = volume("data")
    service = stand.service(sandbox, data_dir=disk.path).start()
    posts = Posts(service)
    for _ in range(3):
        posts.must_be_taken()
    disk.fill()
    posts.must_be_refused()
    answer = eventually(lambda: (a := service.get("/readyz")).status == 503 and "make room" in a.json["detail"] and a,
                        "not ready, with the remedy")
    assert f"its disk is full: make room in {disk.path}" in answer.json["detail"]
    assert service.metric("seek_signal_ready") == 0 and service.get("/livez").status == 200
    posts.must_be_refused()
    [death] = service.must_log("embedded_redis_died")
    assert f"its disk is full: make room in {disk.path}" in death["cause"] and death["directory"] == str(disk.path)
    assert not service.logs("embedded_redis_not_started")
    service.must_log("intake_unavailable")
    disk.free()
    posts.must_be_taken()
    posts.must_all_arrive(sandbox)
    service.must_stop()


# --- of the spool ---

def it_refuses_while_the_disk_of_its_spool_is_full(stand, redis, volume, sandbox):
    disk = volume("spool")
    service = stand.service(sandbox, redis_url=redis.url, spool_dir=disk.path).start()
    posts = Posts(service)
    redis.kill()
    posts.must_be_taken("spool")
    disk.fill()
    posts.must_be_refused()
    for _ in range(20):
        assert posts.post() is None
    answer = eventually(lambda: (a := service.get("/readyz")).status == 503 and a, "not ready")
    assert "No space left" in answer.json["detail"]
    assert service.metric("seek_signal_spool_refused_total") > 20
    [refusal] = service.must_log("spool_refuses")
    assert "No space left" in refusal["detail"]
    disk.free()
    eventually(lambda: service.get("/readyz").status == 200, "ready by itself")
    posts.must_be_taken("spool")
    disk.fill()
    posts.must_be_refused()
    service.kill()  # what is half written is nobody's
    service.start(is_ready=False)
    redis.start()
    disk.free()
    posts.must_be_taken()
    posts.must_all_arrive(sandbox)
    eventually(lambda: service.get("/v1/status").json["spool"]["bytes"] == 0, "the spool is drained")
    assert service.metric("seek_signal_spool_damaged_total") == 0
    service.must_stop()
