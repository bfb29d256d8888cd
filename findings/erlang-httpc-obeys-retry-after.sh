#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# Erlang's httpc repeats a POST for as long as a server answers 503 with Retry-After, whatever its timeout is.
#
# Seen 2026-11-30: erlang-inets 25.2.3 (inets 8.2.2, Debian 12).
# A good guess: httpc returns the 503 to its caller, as it returns a 429. It has no option for retries, and `timeout`
#   bounds the call.
# What happens: with Retry-After: 1 httpc waits a second and posts again, 24 times in 25 s when the server went on so.
#   With a timeout of one second the caller gets the 202 after three. With "120", without the header or with 429 it
#   gets the first answer at once.
# Why it matters: a process of the ATS that posts this way stands still while the server behind the sidecar is away, and
#   its own count of attempts stays at one. Call httpc in a process of its own, and end that from outside.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages erlang-base=1:25.2.3 erlang-inets=1:25.2.3

cat >server.py <<'END'
# Answers the first three requests for a path as the path says, /STATUS/RETRY-AFTER, and the others with 202.
import http.server

class Handler(http.server.BaseHTTPRequestHandler):
    posts = {}

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.posts[self.path] = self.posts.get(self.path, 0) + 1
        _, status, after = self.path.split("/")
        self.send_response(int(status) if self.posts[self.path] <= 3 else 202)
        if after:
            self.send_header("Retry-After", after)
        self.send_header("Content-Length", "1")
        self.end_headers()
        self.wfile.write(b"%d" % self.posts[self.path])
END
http_server server.py

cat >post.escript <<'END'
#!/usr/bin/env escript
main([Url]) ->
    {ok, _} = application:ensure_all_started(inets),
    Begun = erlang:monotonic_time(second),
    {ok, {{_, Status, _}, _, Body}} =
        httpc:request(post, {Url, [], "application/json", "{}"}, [{timeout, 1000}], []),
    Over = case erlang:monotonic_time(second) - Begun > 1 of true -> "later than"; false -> "within" end,
    io:format("~p, ~s post(s), ~s the timeout~n", [Status, Body, Over]).
END
post() { escript post.escript "$url/$1"; }
seen "503, Retry-After: 1" "202, 4 post(s), later than the timeout" "$(post 503/1)"
seen "503, Retry-After: 120" "503, 1 post(s), within the timeout" "$(post 503/120)"
seen "503, no Retry-After" "503, 1 post(s), within the timeout" "$(post 503/)"
seen "429, Retry-After: 1" "429, 1 post(s), within the timeout" "$(post 429/1)"
finish
