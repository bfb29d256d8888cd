#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# Tornado, Furl and cpp-httplib turn an answer with a trailer field into an error, and Emacs puts the field into the body.
#
# Seen 2026-11-30, Debian 12: python3-tornado 6.2.0 (its own client), Furl 3.14, cpp-httplib 0.11.4 and Emacs 28.2 (url).
#   Beside them curl 7.88.1, LuaSocket 3.1.0, Tcl 8.6.13 (http 2.9.8) and Guile 3.0.8.
# A good guess: a client that knows chunks skips the fields behind the last one, if it has no use for them. RFC 9112 §7.1.2
#   has them, gRPC and checksums use them, and even the small clients skip them.
# What happens: Tornado raises 599 "Connection closed", Furl a 500 of its own, and cpp-httplib a failed read; the 202 and its
#   body are lost. Emacs reports the 202, and the body ends with the trailer fields. Without a trailer all four are right.
# Why it matters: the server has done what was asked, and the client is told that there was no answer. It posts again, and a
#   counter of errors rises on one side only. A sidecar should send no trailers, also not behind a proxy that may add some.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages python3-tornado=6.2.0 libfurl-perl=3.14 libcpp-httplib-dev=0.11.4 emacs-nox=1:28.2 g++=4:12 curl=7.88.1 lua5.3=5.3.6 \
    lua-socket=3.1.0 tcl8.6=8.6.13 tcl=8.6.13 guile-3.0=3.0.8

cat >server.py <<'END'
import http.server

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.close_connection = True
        self.rfile.read(int(self.headers["Content-Length"]))
        trailer = b"X-Sum: 1\r\n" if self.path == "/trailer" else b""
        self.send_response(202)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        if trailer:
            self.send_header("Trailer", "X-Sum")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b'8\r\n{"ok":1}\r\n0\r\n' + trailer + b"\r\n")
END
http_server server.py

cat >post.py <<'END'
import sys, tornado.httpclient

client = tornado.httpclient.HTTPClient()
try:
    answer = client.fetch(sys.argv[1], method="POST", body="{}")
    print(answer.code, answer.body.decode())
except tornado.httpclient.HTTPError as error:
    print(error.code, error)
END
cat >post.pl <<'END'
use Furl;
my $answer = Furl->new->post($ARGV[0], [], "{}");
print $answer->code, " ", $answer->content, "\n";
END
cat >post.cpp <<'END'
#include <httplib.h>
#include <iostream>

int main(int, char **words)
{
    httplib::Client client("127.0.0.1", std::stoi(words[1]));
    auto answer = client.Post(words[2], "{}", "application/json");
    if (answer)
        std::cout << answer->status << " " << answer->body << "\n";
    else
        std::cout << "error " << to_string(answer.error()) << "\n";
}
END
cat >post.el <<'END'
(let ((url-request-method "POST") (url-request-data "{}"))
  (with-current-buffer (url-retrieve-synchronously (car command-line-args-left) t t 5)
    (princ (format "%s %s\n" url-http-response-status (buffer-substring url-http-end-of-headers (point-max))))))
END
cat >post.lua <<'END'
local ltn12 = require "ltn12"
local parts = {}
local _, status = require "socket.http".request { url = arg[1], method = "POST", headers = { ["content-length"] = "2" },
                                                  source = ltn12.source.string("{}"), sink = ltn12.sink.table(parts) }
print(status .. " " .. table.concat(parts))
END
cat >post.tcl <<'END'
package require http
set answer [http::geturl [lindex $argv 0] -query "{}" -type application/json]
puts "[http::ncode $answer] [http::data $answer]"
END
cat >post.scm <<'END'
(use-modules (web client) (web response) (rnrs bytevectors))
(call-with-values
  (lambda () (http-post (cadr (command-line)) #:body "{}" #:decode-body? #f))
  (lambda (answer body) (format #t "~a ~a\n" (response-code answer) (utf8->string body))))
END
# shellcheck disable=SC2046 # several options
g++ post.cpp -o httplib_client $(pkg-config --cflags --libs cpp-httplib) -pthread
export HOME=$PWD
unset http_proxy HTTP_PROXY all_proxy ALL_PROXY

# answer_of COMMAND...: in one line
answer_of() { "$@" 2>client.log | tr -s '\r\n' ' ' | sed 's/ $//'; }

right='202 {"ok":1}'
for path in trailer plain; do
    whole() { if [ "$path" = trailer ]; then echo "$1"; else echo "$right"; fi; }
    seen "Tornado, $path" "$(whole '599 Connection closed')" "$(answer_of /usr/bin/python3 post.py "$url/$path")"
    seen "Furl, $path" "$(whole '500 Unexpected EOF while reading content body at post.pl line 2.')" "$(answer_of perl post.pl "$url/$path")"
    seen "cpp-httplib, $path" "$(whole 'error Read')" "$(answer_of ./httplib_client "${url##*:}" "/$path")"
    seen "Emacs, $path" "$(whole '202 {"ok":1}X-Sum: 1')" "$(answer_of emacs -Q --batch -l post.el "$url/$path")"
    seen "LuaSocket, $path" "$right" "$(answer_of lua5.3 post.lua "$url/$path")"
    seen "Tcl, $path" "$right" "$(answer_of tclsh post.tcl "$url/$path")"
    seen "Guile, $path" "$right" "$(answer_of guile --no-auto-compile post.scm "$url/$path")"
done
seen "curl, trailer" "$right" "202 $(curl -s --noproxy '*' -d '{}' "$url/trailer")"
finish
