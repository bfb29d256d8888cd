# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The self-test: behind the back of a healthy service something is lost, overtaken or repeated, each with an application of its
own. The referee must say so of these, and nothing of all the others."""
import collections
import copy
import time

import proof
import stand

ENOUGH = 12  # applications to choose from: some are posted again or replaced before all clients have stopped


def is_sure(posts):
    """One after the other, each answered: their order is known."""
    return all(post.is_acknowledged and not post.loose and post.form == "event" for post in posts)


def is_taken(run_, token):
    return any(call.token == token and call.is_delivered for call in list(run_.witness.calls))


def owed(run_, since):
    """The posts of applications whose seek-token was replaced since then, and is not delivered. Not where an older one was posted
    once more behind the newer: that one is known, and owes nothing."""
    return [posts for posts in list(run_.record.posts.values())
            if len(posts) > 1 and is_sure(posts) and "refused" not in posts[-1].token and posts[-1].began > since
            and posts[-1].token not in {post.token for post in posts[:-1]} and not is_taken(run_, posts[-1].token)]


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


def an_older_one(posts, run_):
    """Of one whose newer seek-token SEEK has."""
    is_fit = is_sure(posts) and posts[0].ended < posts[-1].began and posts[0].token != posts[-1].token
    return posts[0].token if is_fit and all(is_taken(run_, post.token) for post in posts) else None


def a_delivered_one(posts, run_):
    return posts[0].token if is_sure(posts) and len(posts) == 1 and is_taken(run_, posts[0].token) else None


DURING_AN_OUTAGE = [
    # what is done with an application whose signal is owed, how, which finding must come of it
    ("an acknowledged application is deleted", delete, "lost"),
    ("an entry of due is removed: a wake-up is lost", put_to_sleep, "lost"),
    ("an older seek-token is put in the newer one's place", turn_back, "lost"),
]
AT_THE_END = [
    # what is sent to SEEK once more, which, what must be found
    ("an older seek-token is sent after the newer one", an_older_one, "out of order"),
    ("a delivered seek-token is sent again", a_delivered_one, "duplicate"),
]


def tamper_during_an_outage(run_, expected):
    """SEEK fails until there are signals that are owed; then nothing more is posted, and Redis is ours."""
    run_.world.sandbox.fault(kind="status", status=503, count=0)
    since = time.monotonic()
    stand.eventually(lambda: len(owed(run_, since)) >= ENOUGH, "signals are owed", patience=60)
    run_.stopping.set()
    for thread in run_.clients:
        thread.join()
    with run_.witness.lock:
        run_.witness.read()
    assert len(owed(run_, since)) >= len(DURING_AN_OUTAGE)
    for posts, (what, change, kind) in zip(owed(run_, since), DURING_AN_OUTAGE):
        change(run_.world.redis, posts)
        expected[posts[-1].application] = what, kind


def tamper_at_the_end(run_, expected):
    run_.witness.read()
    for what, choose, kind in AT_THE_END:
        application, token = next((application, token) for application, posts in run_.record.posts.items()
                                  if application not in expected and (token := choose(posts, run_)))
        send(run_, token)
        expected[application] = what, kind
    run_.witness.read()


def compare(run_, expected):
    """Prints what was found of each, and returns how often that was wrong."""
    applications = {post.token: application for application, posts in run_.record.posts.items() for post in posts}
    found = collections.defaultdict(list)
    for kind, text in run_.findings:
        name = text.split(":", 1)[0]
        found[applications.get(name, name)].append((kind, text))
    failed = 0
    for application, (what, kind) in expected.items():
        kinds = sorted({kind for kind, _ in found.pop(application, ())})
        failed += kind not in kinds
        print(f"{'ok    ' if kind in kinds else 'MISSED'} {what}: {', '.join(kinds) or 'nothing was found'}")
    others = [f"{kind}: {text}" for findings in found.values() for kind, text in findings]
    print("ok     nothing is said of all the others" if not others else "\n       ".join(["WRONG", *others[:5]]))
    return failed + bool(others)


def run(options):
    options = copy.copy(options)
    options.minutes, options.fault_rows = 0.05, []
    expected = {}  # application: what was done with it, which finding must come of it
    with proof.running(options) as run_:
        run_.post()
        tamper_during_an_outage(run_, expected)
        run_.end()
        tamper_at_the_end(run_, expected)
        run_.judge()
        failed = compare(run_, expected)
    print(f"self-test: {'as expected' if failed == 0 else 'failed'}", flush=True)
    return 1 if failed else 0
