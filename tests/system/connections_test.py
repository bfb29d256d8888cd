# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Connections that SEEK's servers tire of: what they surely did not process goes again at once, and nobody is to blame."""
import pytest

from closing_seek import ClosingSeek
from stand import event, eventually


@pytest.fixture
def front(stand):
    fronts = []

    def make(protocol, script):
        fronts.append(ClosingSeek(stand.directory, protocol, script))
        return fronts[-1]

    yield make
    for each in fronts:
        each.close()


def must_blame_nobody(service, count):
    """`count` signals, each delivered by its first attempt. A handshake that a busy machine does not end in five seconds is another matter."""
    for n in range(count):
        service.must_become(f"A-{n}", "delivered", patience=150)
    retried = [line for line in service.logs("signal_retry") if "connection timeout" not in line["detail"]]
    assert not retried, retried
    assert service.metric("seek_signal_attempts_total{class=\"transient\"}") == len(service.logs("signal_retry"))
    assert not service.logs("breaker_opened")


@pytest.mark.parametrize("what", ["refuse", "goaway"])
def it_sends_again_at_once_what_an_http2_server_did_not_process(what, stand, redis, front):
    seek = front("h2", lambda connection, request: what if request % 3 == 0 else "answer")
    service = stand.service(redis_url=redis.url, **seek.settings(retry_base_ms=60000, retry_max_ms=60000)).start()
    for n in range(20):
        service.must_post(event(f"A-{n}", f"token-{n}"))
        service.must_become(f"A-{n}", "delivered")
    must_blame_nobody(service, 20)
    signals = [token for token in seek.processed if token]
    assert sorted(signals) == sorted(f"token-{n}" for n in range(20)), "each once"
    assert service.metric("seek_signal_resent_total") == seek.seen - 20 >= 5
    resent = [line["request_id"] for line in service.must_log("signal_resent", seek.seen - 20)]
    assert len(set(resent)) == len(resent) and all(line[28:30] != "00" for line in resent), "a request id of its own"
    service.must_stop()


def it_sends_again_at_once_when_many_are_refused_together(stand, redis, front):
    seek = front("h2", lambda connection, request: "goaway" if request == 10 else "answer")
    service = stand.service(redis_url=redis.url, workers=1, max_in_flight=20, **seek.settings(retry_base_ms=60000, retry_max_ms=60000)).start()
    service.must_post([event(f"A-{n}", f"token-{n}") for n in range(100)])
    must_blame_nobody(service, 100)
    service.must_stop()


def it_gives_up_at_once_on_a_server_that_processes_nothing(stand, redis, front):
    seek = front("h2", lambda connection, request: "refuse")
    service = stand.service(redis_url=redis.url, **seek.settings(retry_base_ms=60000, retry_max_ms=60000)).start()
    service.must_post(event("A-1"))
    application = eventually(lambda: (a := service.application("A-1")).get("lastError") and a, "the attempt ends")
    assert application["lastError"]["code"] == "NOT_SENT" and application["attempts"] == 1
    assert seek.seen == 11, "ten times more, not for ever"
    service.must_stop()


def it_does_not_repeat_at_once_what_a_server_may_have_processed(stand, front):
    """A reset tells nothing: the next attempt is one of its own, with a pause."""
    for protocol in ("h2", "http/1.1"):
        seek = front(protocol, lambda connection, request: "reset" if request == 2 else "answer")
        redis = stand.redis(name=f"redis-{protocol[-1]}")  # each SEEK has its own
        service = stand.service(redis_url=redis.url, name=f"service-{protocol[-1]}", **seek.settings()).start()
        for n in range(2):
            service.must_post(event(f"{protocol[-1]}-{n}", f"token-{protocol[-1]}-{n}"))
            application = service.must_become(f"{protocol[-1]}-{n}", "delivered")
        assert application["attempts"] == 2 and service.metric("seek_signal_resent_total") == 0
        service.must_stop()


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def it_notices_a_close_notify_before_it_sends(version, stand, redis, front):
    import ssl
    seek = front("http/1.1", lambda connection, request: "answer-close")
    seek.tls.minimum_version = seek.tls.maximum_version = ssl.TLSVersion.TLSv1_2 if version == "TLSv1.2" else ssl.TLSVersion.TLSv1_3
    service = stand.service(redis_url=redis.url, **seek.settings(retry_base_ms=60000, retry_max_ms=60000)).start()
    for n in range(6):
        service.must_post(event(f"A-{n}", f"token-{n}"))
        service.must_become(f"A-{n}", "delivered")
        eventually(lambda n=n: seek.closed == n + 1, "the close arrives while nobody looks")
    must_blame_nobody(service, 6)
    assert len([token for token in seek.processed if token]) == seek.seen == 6, "none was sent into a closed connection"
    assert set(seek.versions) == {version}
    service.must_stop()


@pytest.mark.parametrize("protocol, end", [("h2", "answer-goaway"), ("http/1.1", "answer")])
def it_uses_a_connection_for_many_signals(protocol, end, stand, redis, front):
    """Looking for the end of a connection ends none that is fine."""
    seek = front(protocol, lambda connection, request: end if request == 50 else "answer")
    service = stand.service(redis_url=redis.url, workers=1, max_in_flight=1, **seek.settings()).start()
    for n in range(100):
        service.must_post(event(f"A-{n}", f"token-{n}"))
    must_blame_nobody(service, 100)
    assert seek.connections <= 4
    service.must_stop()
