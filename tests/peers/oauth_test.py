# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Issuers of access tokens. SEEK documents a JSON body; OAuth 2.0 itself has a form, and two of these take nothing else: their
words must reach whoever looks for the reason."""
import os

import pytest

from programs import NodeServer, node_ready, pinned
from stand import CLIENT_SECRET, call, event, eventually

# What each says of a JSON body; None: it takes it.
PEERS = {"oauth2-mock-server": None, "oidc-provider": "invalid_request", "@node-oauth/oauth2-server": "invalid_request"}


@pytest.fixture
def issuer(stand):
    def start(peer):
        node_ready()
        server = stand.add(NodeServer(stand.directory, "issuer", "issuer.mjs", peer, environment=os.environ | {"CLIENT_SECRET": CLIENT_SECRET}))
        return server, f"http://127.0.0.1:{server.said[0]}{server.said[1]}"
    return start


@pytest.mark.parametrize("peer", [peer for peer, words in PEERS.items() if words is None])
def it_sends_with_the_access_token_of(peer, issuer, stand, redis, sandbox, seen):
    server, url = issuer(peer)
    service = stand.service(sandbox, redis_url=redis.url, token_url=url).start()
    check = service.run("check")
    assert "ok    access token" in check.stdout, check.stdout
    # The sandbox knows no access token but its own; that SEEK was asked with this one is what there is to see.
    service.must_post(event("A-1"))
    application = eventually(lambda: (a := service.application("A-1")).get("lastError") and a, "tried once")
    assert application["lastError"]["code"] == "UNAUTHENTICATED", application
    assert service.get("/v1/status").json["accessToken"].get("lastError") is None
    seen(f"{peer} {pinned(peer)}", "a token request with a JSON body", "an access token, sent to SEEK with the signal")
    service.must_stop()


@pytest.mark.parametrize("peer", [peer for peer, words in PEERS.items() if words is not None])
def it_tells_the_operator_what_was_said_by(peer, issuer, stand, redis, sandbox, seen):
    server, url = issuer(peer)
    service = stand.service(sandbox, redis_url=redis.url, token_url=url).start()
    service.must_post(event("A-1"))
    said = eventually(lambda: service.get("/v1/status").json["accessToken"].get("lastError"), "the status says why")
    assert PEERS[peer] in said and "HTTP status 400" in said, said
    line = eventually(lambda: service.logs("access_token_failed"), "so does the log")[0]
    assert PEERS[peer] in line["detail"], line
    check = service.run("check")
    assert check.returncode == 1, check.stdout
    [failed] = [line for line in check.stdout.splitlines() if line.startswith("FAIL  access token")]
    assert PEERS[peer] in failed, failed
    words = said.split(PEERS[peer], 1)[1].strip(" :")
    assert words and words in failed and words in line["detail"], "its description too, in all three"
    assert CLIENT_SECRET not in service.text() + check.stdout + said
    assert service.application("A-1")["state"] == "pending" and service.application("A-1")["attempts"] == 0, "it waits, unspent"
    seen(f"{peer} {pinned(peer)}", "a token request with a JSON body", f"nothing is sent; log, status and check say: HTTP status 400, {PEERS[peer]}: {words}")
    service.settings["token_url"] = f"http://{sandbox.address}/oauth/token"
    service.must_stop()
    service.start()
    service.must_become("A-1", "delivered")
    service.must_stop()


@pytest.mark.parametrize("peer", ["oauth2-mock-server"])
def it_says_what_is_in_a_refusal_without_an_error_code(peer, issuer, stand, redis, sandbox, seen):
    """Its refusals are problem documents, here for a path that it does not have."""
    server, url = issuer(peer)
    url = url.removesuffix("/token") + "/nowhere"
    assert call(url.split("/")[2], "POST", "/nowhere", {}).status == 404
    service = stand.service(sandbox, redis_url=redis.url, token_url=url).start()
    service.must_post(event("A-1"))
    said = eventually(lambda: service.get("/v1/status").json["accessToken"].get("lastError"), "the status says why")
    assert "HTTP status 404" in said, said
    seen(f"{peer} {pinned(peer)}", "a wrong path in TOKEN_URL", f"nothing is sent; the status says: {said}")
    service.must_stop()
