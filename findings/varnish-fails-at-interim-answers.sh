#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# Varnish answers 503 when the server behind it sends an interim answer, even 100.
#
# Seen 2026-11-29, Debian 12: varnish 7.1.1; haproxy 2.6.12 beside it.
# A good guess: a proxy drops or forwards a 1xx of its backend, as RFC 9110 §15.2 demands, and brings the 202 to the
#   client. haproxy does; so did Apache 2.4, Caddy 2.6, lighttpd 1.4, h2o 2.2 and nghttpx 1.52 when tried.
# What happens: varnish gives up at the interim answer and makes a 503 of its own, for 103 and for a 100 that nobody
#   asked for.
# Why it matters: the backend has accepted the event, and the client is told that it has not: each post is repeated
#   for as long as the client has patience. A sidecar may stand behind any proxy: no interim answers but the 100 that
#   Expect asked for.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages varnish=7.1.1 haproxy=2.6.12

free_port() { python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

start_varnish() {
    in_background varnishd -F -j none -a "127.0.0.1:$1" -b "127.0.0.1:$2" -n "$PWD/varnish.$1" -s malloc,16m
}

# through PROXY: starts it in front of $url, waits until a request gets through, and puts a post's status into $status.
through() {
    local port
    port=$(free_port)
    "start_$1" "$port" "${url##*:}"
    for _ in $(seq 100); do
        [ -s requests ] && break
        curl -s -m 2 -o /dev/null "http://127.0.0.1:$port/first" || sleep 0.2
    done
    status=$(curl -s -m 5 -o /dev/null -w '%{http_code}' -d '{}' "http://127.0.0.1:$port/v1/events" || true)
}

final='HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}'
for interim in "103 Early Hints" "100 Continue"; do
    answering "HTTP/1.1 $interim\r\n\r\n" "$final"
    through haproxy
    seen "haproxy, $interim first" "202" "$status"
    : >requests
    through varnish
    seen "varnish, $interim first" "503" "$status"
done
answering "$final"
through varnish
seen "varnish, the 202 alone" "202" "$status"
finish
