#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# curl --retry prints the answer of each attempt, one after the other.
#
# Seen 2026-11-30: curl 7.88.1 (Debian 12).
# A good guess: `curl --retry 3 … | jq -r .code` gets the answer of the last attempt, which is also the one that the
#   exit code and `%{http_code}` belong to.
# What happens: standard output has the bodies of all attempts, with nothing between them, and curl ends with 0. With
#   `--output FILE` the file has the last one.
# Why it matters: the first problem document is taken for the result of a post that has succeeded, or the two together
#   are not JSON. Use `--output`, or `--fail`, which prints no body of a refusal.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages curl=7.88.1 jq=1.6

cat >server.py <<'END'
# Refuses the first request for each path, and accepts the second.
import http.server

class Handler(http.server.BaseHTTPRequestHandler):
    met = set()

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"code":"accepted"}' if self.path in self.met else b'{"code":"busy"}'
        self.send_response(202 if self.path in self.met else 503)
        self.met.add(self.path)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
END
http_server server.py
post() { curl -s --noproxy '*' --retry 1 --data '{}' "$@"; }
seen "to standard output" '{"code":"busy"}{"code":"accepted"}' "$(post "$url/a")"
seen "through jq" "busy,accepted" "$(post "$url/b" | jq -r .code | paste -sd,)"
post --output answer "$url/c"
seen "to a file" '{"code":"accepted"}' "$(cat answer)"
seen "with --fail" '{"code":"accepted"}' "$(post --fail "$url/d")"
finish
