#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# Python's requests with max_retries repeats an answered PUT, and sleeps for as long as Retry-After says.
#
# Seen 2026-11-29: requests 2.28.1 with urllib3 1.26.12 (Debian 12).
# A good guess: HTTPAdapter(max_retries=2) is for connections that fail, as its documentation says; a request that got
#   an answer is not sent again, and `timeout` bounds how long the call takes.
# What happens: a PUT that is answered 503 with Retry-After is sent three times, with the pauses that the server asks
#   for, whatever `timeout` is. Without Retry-After it is sent once, and a POST always is.
# Why it matters: `PUT /v1/applications/{id}/token` in the request of a candidate stands still while the store is away.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages python3-requests=2.28.1 python3-urllib3=1.26.12

cat >call.py <<'END'
import sys, time, requests
from requests.adapters import HTTPAdapter

session = requests.Session()
session.trust_env = False
session.mount("http://", HTTPAdapter(max_retries=2))
started = time.monotonic()
answer = session.request(sys.argv[1], sys.argv[2], json={"token": "a"}, timeout=0.5)
print(answer.status_code, "after", round(time.monotonic() - started), "s")
END
with="HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
without="HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
answering "$with"
seen "PUT, Retry-After: 1" "503 after 2 s" "$(/usr/bin/python3 call.py PUT "$url")"
seen "how often" 3 "$(wc -l <requests)"
: >requests
seen "POST, Retry-After: 1" "503 after 0 s" "$(/usr/bin/python3 call.py POST "$url")"
seen "how often" 1 "$(wc -l <requests)"
answering "$without"
seen "PUT, no Retry-After" "503 after 0 s" "$(/usr/bin/python3 call.py PUT "$url")"
seen "how often" 1 "$(wc -l <requests)"
finish
