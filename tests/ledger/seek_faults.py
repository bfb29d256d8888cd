# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""What happens to SEEK, played by the sandbox."""
from injection import Fault
from world import CALM

SLOW_MS = 5000  # longer than an attempt may take

ERRORS = [{"kind": "unauthenticated"}, {"kind": "internal"}, {"kind": "unknown-code"},
          {"kind": "missing-code"}, {"kind": "garbage"}, {"kind": "empty"}, {"kind": "content-type"},
          {"kind": "graphql-error", "code": "SOMETHING_NEW", "message": "new"}]
CUTS = [{"kind": "reset"}, {"kind": "reset-after"}, {"kind": "cut-body"}, {"kind": "truncated-json"}]
DELAYS = [{"kind": "slow", "latencyMs": SLOW_MS}, {"kind": "hang"}, {"kind": "timeout-after"}]
STATUSES = [{"kind": "status", "status": 503}, {"kind": "status", "status": 504, "taken": True},
            {"kind": "status", "status": 502, "body": "none"}, {"kind": "status", "status": 404}]
THROTTLES = [{"kind": "rate-limited"}, {"kind": "status", "status": 429, "retryAfter": 1}]
REFUSALS = [{"kind": "bad-user-input"}, {"kind": "forbidden"}]


def spoil(kinds, probability):
    def inject(it):
        chosen = it.random.sample(kinds, it.random.randint(1, len(kinds)))
        with it.disturbance("seek"):
            it.world.sandbox.control("POST", "/faults", [kind | {"probability": probability} for kind in chosen])
            it.hold()
            it.world.rules()
    return inject


FAILS = {"kind": "status", "status": 503, "count": 0}  # before the refusals: a busy machine takes its time to end a sandbox


def restart_seek(it):
    """Refused connections. First everything fails, so that the ledger, which ends with the process, can be read."""
    with it.disturbance("seek"):
        it.world.rules(FAILS)
        with it.world.witness.closing():
            it.world.sandbox.must_stop()
            it.hold()
            it.world.sandbox.start()
        it.world.rules()


def expire_certificate(it):
    sandbox, witness = it.world.sandbox, it.world.witness
    with it.disturbance("seek"):
        it.world.rules(FAILS)
        with witness.closing(), sandbox.started_with("--tls-expired"):
            sandbox.must_stop()
            sandbox.start()
        it.hold()
        with witness.closing():
            sandbox.must_stop()
            sandbox.start()
        it.world.rules()


def fail_seek(it):
    with it.disturbance("seek"):
        it.world.sandbox.fault(**it.random.choice([{"kind": "status", "status": 503}, {"kind": "reset"},
                                                   {"kind": "hang"}]), count=0)
        it.hold()
        it.world.rules()


def slow_seek(it):
    """Within the time that an attempt has: what dies now dies in the middle of one."""
    with it.disturbance("seek"):
        it.world.sandbox.settings(latencyMs=100, latencyJitterMs=600)
        it.hold()
        it.world.sandbox.settings(**CALM)


def fail_tokens(it):
    kind = it.random.choice([{"kind": "hang"}, {"kind": "status", "status": 503}, {"kind": "reset"}, {"kind": "garbage"},
                             {"kind": "slow", "latencyMs": SLOW_MS}, {"kind": "status", "status": 401}])
    with it.disturbance("seek"):
        it.world.sandbox.fault(on="token", count=0, **kind)
        it.world.sandbox.control("POST", "/revoke")
        it.hold()
        it.world.rules()


def revoke_tokens(it):
    with it.disturbance("seek"):
        it.world.sandbox.control("POST", "/revoke")


def expire_tokens(it):
    with it.disturbance("seek"):
        it.world.sandbox.settings(expiresIn=1)
        it.world.sandbox.control("POST", "/revoke")
        it.hold()
        it.world.sandbox.settings(expiresIn=1800)
        it.world.sandbox.control("POST", "/revoke")


FAULTS = [
    #     name              lane       inject             least most long
    Fault("seek-errors",    "seek",    spoil(ERRORS, 0.5), 1.0,  2.5, 10, "GraphQL errors, answers that are none"),
    Fault("seek-cuts",      "seek",    spoil(CUTS, 0.3),   1.0,  2.5, 10, "resets before and after the signal was taken"),
    Fault("seek-delays",    "seek",    spoil(DELAYS, 0.1), 1.0,  2.5, 10, "no answer in time, the signal taken or not"),
    Fault("seek-statuses",  "seek",    spoil(STATUSES, 0.5), 1.0, 2.5, 10, "404, 502, 503, 504 with the signal taken"),
    Fault("seek-throttle",  "seek",    spoil(THROTTLES, 0.3), 0.5, 2.0, 10, "429 with Retry-After, RATE_LIMITED without"),
    Fault("seek-refusals",  "seek",    spoil(REFUSALS, 0.2), 0.5, 1.5,  5, "refusals, which no repetition changes"),
    Fault("seek-restart",   "seek",    restart_seek,       0.5,  2.0, 60, "nobody listens at SEEK's address"),
    Fault("seek-expired",   "seek",    expire_certificate, 0.5,  2.0, 10, "SEEK's certificate has expired"),
    Fault("seek-outage",    "seek",    fail_seek,          1.0,  3.0, 60, "every call fails"),
    Fault("seek-slow",      "seek",    slow_seek,          2.0,  4.0, 20, "slow answers, within the time-out"),
    Fault("token-outage",   "seek",    fail_tokens,        1.0,  3.0, 30, "no access token can be had"),
    Fault("token-revoked",  "seek",    revoke_tokens,      0.0,  0.0,  0, "the access tokens are revoked"),
    Fault("token-expiry",   "seek",    expire_tokens,      2.0,  4.0, 10, "access tokens live for a second"),
]
