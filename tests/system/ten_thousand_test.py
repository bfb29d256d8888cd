# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Ten thousand events, posted concurrently in every form, repeated and replaced: each application's newest token
reaches SEEK exactly once, and none is missing."""
import concurrent.futures
import http.client
import json
import os
import random
import time

from stand import eventually

APPLICATIONS = int(os.environ.get("SEEK_SIGNAL_TEST_APPLICATIONS", "10000"))
THREADS = 16


def requests(random_):
    """The posts of one client thread's applications, in order: (content type, body, newest token by id)."""
    shares = [[] for _ in range(THREADS)]
    for n in range(APPLICATIONS):
        shares[n % THREADS].append(n)
    for share in shares:
        events = []
        for n in share:
            events.append((n, f"token-{n}-a"))
            if random_.random() < 0.1:
                events.append((n, f"token-{n}-a"))
            if random_.random() < 0.1:
                events.append((n, f"token-{n}-b"))
        yield events


def posts(events, random_):
    while events:
        form = random_.choice(("single", "batch", "ndjson"))
        size = 1 if form == "single" else random_.randint(2, 50)
        chunk, events = events[:size], events[size:]
        bodies = [{"applicationId": f"A-{n}", "token": token} for n, token in chunk]
        if form == "single":
            yield "application/json", json.dumps(bodies[0])
        elif form == "batch":
            yield "application/json", json.dumps(bodies)
        else:
            yield "application/x-ndjson", "\n".join(map(json.dumps, bodies))


def client(address, events, seed):
    random_ = random.Random(seed)
    connection = http.client.HTTPConnection(address, timeout=60)
    answers = 0
    for content_type, body in posts(events, random_):
        connection.request("POST", "/v1/events", body, {"Content-Type": content_type})
        response = connection.getresponse()
        assert response.status in (200, 202), (response.status, response.read())
        response.read()
        answers += 1
    connection.close()
    return answers


def it_delivers_each_newest_token_exactly_once(service, sandbox):
    seed = int(os.environ.get("SEEK_SIGNAL_TEST_SEED", str(random.randrange(1 << 32))))
    print(f"seed {seed}")
    random_ = random.Random(seed)
    shares = list(requests(random_))
    newest = {n: token for share in shares for n, token in share}
    idle_kib = service.resident_kib()
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        answers = sum(pool.map(client, [service.address] * THREADS, shares, range(seed, seed + THREADS)))
    posted = time.monotonic() - began
    eventually(lambda: service.get("/v1/status").json["signals"]["due"] == 0, "nothing is due", patience=180)
    delivered = time.monotonic() - began
    taken = {}
    for call in sandbox.calls("graphql"):
        assert call["outcome"] == "delivered", call
        taken[call["seekToken"]] = taken.get(call["seekToken"], 0) + 1
    missing = [token for token in newest.values() if token not in taken]
    repeated = {token: count for token, count in taken.items() if count != 1}
    assert not missing and not repeated
    older = len(taken) - len(newest)
    print(f"{sum(map(len, shares))} events of {len(newest)} applications in {answers} requests: posted in {posted:.1f} s, "
          f"delivered after {delivered:.1f} s; {older} older tokens had gone out before their successor came; "
          f"resident memory {idle_kib} KiB idle, {service.resident_kib()} KiB afterwards; "
          f"start to ready {service.must_log('ready')[0]['after_ms']} ms")
