#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# Five clients take the interim answer 103 for the final one.
#
# Seen 2026-11-29, Debian 12: Python 3.11.2 (urllib), BusyBox 1.35.0 (wget), ruby-httpclient 2.8.3, LuaSocket 3.1.0,
#   Guile 3.0.8 (web client).
# A good guess: a client reads on after any 1xx that it does not know, as RFC 9110 §15.2 demands, and shows the 202. At
#   the most the small ones fail.
# What happens: each stops at the 103: Python raises "HTTP Error 103", BusyBox ends with 1, the others return 103 as the
#   status, without a body. Python and LuaSocket do skip 100.
# Why it matters: a server that sends early hints or 102 to say "still working" during a long `?wait=` breaks these
#   clients in the middle of a success, and they post again. A sidecar should send no interim answer but the 100 that
#   was asked for with Expect.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages python3-minimal=3.11.2 busybox=1:1.35.0 ruby-httpclient=2.8.3 lua-socket=3.1.0 lua5.3=5.3 guile-3.0=3.0.8

final='HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}'
answering 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n' "$final"

cat >post.py <<'END'
import sys, urllib.error, urllib.request
try:
    print(urllib.request.urlopen(sys.argv[1], b"{}", timeout=5).status)
except urllib.error.HTTPError as error:
    print(error)
END
seen "Python's urllib" "HTTP Error 103: Early Hints" "$(/usr/bin/python3 post.py "$url")"

status=0
busybox wget -q -O - --post-data '{}' "$url" 2>out || status=$?
seen "BusyBox" "wget: server returned error: HTTP/1.1 103 Early Hints, exit code 1" "$(cat out), exit code $status"

seen "Ruby's httpclient" "103" "$(ruby -W0 -rhttpclient -e 'puts HTTPClient.new.post(ARGV[0], body: "{}").status' "$url")"
cat >post.lua <<'END'
print((select(2, require("socket.http").request(arg[1], "{}"))))
END
seen "LuaSocket" "103" "$(lua5.3 post.lua "$url")"
seen "Guile" "103" "$(guile --no-auto-compile -c '
    (use-modules (web client) (web response))
    (call-with-values (lambda () (http-post (cadr (command-line)) #:body "{}"))
      (lambda (response body) (display (response-code response))))' "$url")"

answering 'HTTP/1.1 100 Continue\r\n\r\n' "$final"
seen "Python's urllib, 100" "202" "$(/usr/bin/python3 post.py "$url")"
seen "LuaSocket, 100" "202" "$(lua5.3 post.lua "$url")"
finish
