# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The self-test: behind the back of a healthy service something is lost, overtaken or repeated. The referee must say so."""
import copy
import time

import proof
import stand

ENOUGH = 20  # applications to choose from: some are posted again or replaced before all clients have stopped


def is_sure(posts):
    """One after the other, each answered: their order is known."""
    return all(post.is_acknowledged and not post.loose and post.form == "event" for post in posts)


def is_taken(run_, token):
    return any(call.token == token and call.is_delivered for call in list(run_.witness.calls))


def owed(run_, least_tokens=1):
    """Applications whose newest seek-token is acknowledged and not delivered."""
    return [posts for posts in list(run_.record.posts.values())
            if posts and is_sure(posts) and "refused" not in posts[-1].token
            and len({post.token for post in posts}) >= least_tokens and not is_taken(run_, posts[-1].token)]


def during_an_outage(change, least_tokens=1):
    """SEEK fails until there are signals that are owed; then nothing more is posted, and `change` has Redis for itself."""
    def tamper(run_):
        run_.world.sandbox.fault(kind="status", status=503, count=0)
        stand.eventually(lambda: len(owed(run_, least_tokens)) >= ENOUGH, "signals are owed")
        run_.stopping.set()
        for thread in run_.clients:
            thread.join()
        with run_.witness.lock:
            run_.witness.read()
        change(run_.world.redis, owed(run_, least_tokens)[0])
        run_.end()
    return tamper


def delete(redis, posts):
    assert redis.cli("DEL", f"seek-signal:{{0}}:app:{posts[-1].application}") == "1"


def put_to_sleep(redis, posts):
    """Not while an attempt is out: its settlement would wake it again."""
    script = "return redis.call('HEXISTS', KEYS[1], 'lease') == 0 and redis.call('ZREM', KEYS[2], ARGV[1]) or 0"
    application = posts[-1].application
    stand.eventually(lambda: redis.cli("EVAL", script, 2, f"seek-signal:{{0}}:app:{application}", "seek-signal:{0}:due",
                                       application) == "1", "it rests between two attempts")


def turn_back(redis, posts):
    redis.cli("HSET", f"seek-signal:{{0}}:app:{posts[-1].application}", "token", posts[0].token)


def send(run_, token):
    """To SEEK, without the service."""
    address = run_.world.sandbox.address
    grant = {"audience": "https://graphql.seek.com", "client_id": "any", "client_secret": "any",
             "grant_type": "client_credentials"}
    access = stand.call(address, "POST", "/oauth/token", grant).json["access_token"]
    body = {"query": "mutation ($input: SendSignalInput!) { sendSignal(input: $input) }",
            "variables": {"input": {"typeCode": "ApplicationComplete", "token": token, "timestamp": "2026-01-02T03:04:05.678Z"}}}
    headers = {"Authorization": f"Bearer {access}", "User-Agent": "tampering/1",
               "X-Request-Id": f"tampering-{time.monotonic_ns()}"}
    assert "errors" not in stand.call(address, "POST", "/graphql", body, headers).json


def after_the_end(choose):
    def tamper(run_):
        run_.end()
        run_.witness.read()
        send(run_, choose(run_))
        run_.witness.read()
    return tamper


def an_older_one(run_):
    return next(posts[0].token for posts in run_.record.posts.values()
                if is_sure(posts) and posts[0].ended < posts[-1].began and posts[0].token != posts[-1].token
                and all(is_taken(run_, post.token) for post in posts))


def a_delivered_one(run_):
    return next(posts[0].token for posts in run_.record.posts.values()
                if is_sure(posts) and len(posts) == 1 and is_taken(run_, posts[0].token))


TAMPERINGS = [
    # what is done, how, which finding must come of it
    ("nothing", lambda run_: run_.end(), None),
    ("an acknowledged application is deleted", during_an_outage(delete), "lost"),
    ("an entry of due is removed: a wake-up is lost", during_an_outage(put_to_sleep), "lost"),
    ("an older seek-token is put in the newer one's place", during_an_outage(turn_back, least_tokens=2), "lost"),
    ("an older seek-token is sent after the newer one", after_the_end(an_older_one), "out of order"),
    ("a delivered seek-token is sent again", after_the_end(a_delivered_one), "duplicate"),
]


def run(options):
    options = copy.copy(options)
    options.minutes, options.fault_rows = 0.07, []
    failed = 0
    for what, tamper, expected in TAMPERINGS:
        with proof.running(options) as run_:
            run_.post()
            tamper(run_)
            run_.judge()
            kinds = {kind for kind, _ in run_.findings}
        is_right = expected in kinds if expected else not kinds
        failed += not is_right
        print(f"{'ok    ' if is_right else 'MISSED'} {what}: {', '.join(sorted(kinds)) or 'nothing was found'}", flush=True)
        if not is_right:
            print("\n".join(f"       {kind}: {text}" for kind, text in run_.findings[:5]))
    print(f"self-test: {len(TAMPERINGS) - failed} of {len(TAMPERINGS)} as expected")
    return 1 if failed else 0
