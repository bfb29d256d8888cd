#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# Six HTTP clients send an IPv6 address in Host without its brackets, and five cannot post to one.
#
# Seen 2026-11-30, Debian 12: Tcl 8.6.13 (http 2.9.8), LuaSocket 3.1.0, ruby-rest-client 2.1.0, Racket 8.7, Nim 1.6.10 and
#   Pike 8.0; ruby-http 4.4.1, Furl 3.14, treq 22.2.0, Emacs 28.2 (url) and SWI-Prolog 9.0.4. Beside them curl 7.88.1, Python
#   3.11.2 (urllib), HTTP::Tiny of Perl 5.36 and Guile 3.0.8.
# A good guess: http://[::1]:8787/ is as old as these clients. They connect to ::1 and send "Host: [::1]:8787", since RFC 9112
#   §3.2 has Host equal to that part of the URL.
# What happens: the first six send "Host: ::1:8787", which is the address ::1:8787 to who reads it strictly. The next five
#   look for a host named "[::1]", or call the URL malformed, and never connect. The last four do as the guess says.
# Why it matters: a server that compares Host with its own names, against DNS rebinding, refuses honest programs. A sidecar
#   that listens at ::1 only is out of reach for some languages. Take both forms, and recommend 127.0.0.1.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages tcl8.6=8.6.13 tcl=8.6.13 lua5.3=5.3.6 lua-socket=3.1.0 ruby-rest-client=2.1.0 racket=8.7 nim=1.6.10 pike8.0=8.0.1738 gcc=4:12 \
    ruby=1:3.1 ruby-http=4.4.1 libfurl-perl=3.14 python3-treq=22.2.0 emacs-nox=1:28.2 swi-prolog-nox=9.0.4 curl=7.88.1 \
    python3-minimal=3.11.2 guile-3.0=3.0.8

cat >server.py <<'END'
import http.server, socket, threading

class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        with open("host", "w") as file:
            file.write(self.headers["Host"].replace(str(self.server.server_port), "PORT"))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass

class Server(http.server.HTTPServer):
    address_family = socket.AF_INET6

server = Server(("::1", 0), Handler)
too = http.server.HTTPServer(("127.0.0.1", server.server_port), Handler)
threading.Thread(target=too.serve_forever, daemon=True).start()
with open("port", "w") as file:
    file.write(str(server.server_port))
server.serve_forever()
END
in_background python3 server.py
port=$(port_file port)

cat >post.tcl <<'END'
package require http
http::geturl [lindex $argv 0] -query "{}" -type application/json
END
cat >post.lua <<'END'
local ltn12 = require "ltn12"
require "socket.http".request { url = arg[1], method = "POST", headers = { ["content-length"] = "2" }, source = ltn12.source.string("{}") }
END
cat >post.rkt <<'END'
#lang racket/base
(require net/url)
(void (post-pure-port (string->url (vector-ref (current-command-line-arguments) 0)) #"{}"))
END
cat >post.nim <<'END'
import httpclient, os
discard newHttpClient().request(paramStr(1), httpMethod = HttpPost, body = "{}")
END
cat >post.pike <<'END'
int main(int count, array(string) words) { Protocols.HTTP.do_method("POST", words[1], 0, ([]), 0, "{}"); return 0; }
END
cat >post.py <<'END'
import sys, treq
from twisted.internet import task

task.react(lambda reactor: treq.post(sys.argv[1], data=b"{}"))
END
cat >post.el <<'END'
(let ((url-request-method "POST") (url-request-data "{}")) (url-retrieve-synchronously (car command-line-args-left) t t 5))
END
cat >post.pl <<'END'
:- use_module(library(http/http_open)).
main :- current_prolog_flag(argv, [Url | _]), http_open(Url, Stream, [post(atom('application/json', '{}'))]), close(Stream).
:- initialization(main, main).
END
cat >furl.pl <<'END'
use Furl;
Furl->new->post($ARGV[0], [], "{}");
END
cat >tiny.pl <<'END'
use HTTP::Tiny;
HTTP::Tiny->new->post($ARGV[0], {content => "{}"});
END
cat >post.scm <<'END'
(use-modules (web client))
(http-post (cadr (command-line)) #:body "{}")
END
nim c --hints:off --warnings:off --out:nim_client post.nim >nim.log 2>&1
unset http_proxy HTTP_PROXY all_proxy ALL_PROXY
export HOME=$PWD

# host_of COMMAND...: what the server has in Host, or "nothing"; a client that gets nowhere with this address has to with the other.
host_of() {
    local address
    for address in "[::1]" 127.0.0.1; do
        rm -f host
        timeout 20 "$@" "http://$address:$port/v1/events" >client.log 2>&1 </dev/null || true
        [ -s host ] && break
    done
    case $(cat host) in
    127.0.0.1:PORT) echo nothing ;;
    *) cat host ;;
    esac
}

seen "Tcl" "::1:PORT" "$(host_of tclsh post.tcl)"
seen "LuaSocket" "::1:PORT" "$(host_of lua5.3 post.lua)"
seen "rest-client" "::1:PORT" "$(host_of ruby -W0 -rrest-client -e 'RestClient.post(ARGV[0], "{}")')"
seen "Racket" "::1:PORT" "$(host_of racket post.rkt)"
seen "Nim" "::1:PORT" "$(host_of ./nim_client)"
seen "Pike" "::1:PORT" "$(host_of pike8.0 post.pike)"

seen "http.rb" nothing "$(host_of ruby -W0 -rhttp -e 'HTTP.post(ARGV[0], body: "{}")')"
seen "Furl" nothing "$(host_of perl furl.pl)"
seen "treq" nothing "$(host_of /usr/bin/python3 post.py)"
seen "Emacs" nothing "$(host_of emacs -Q --batch -l post.el)"
seen "SWI-Prolog" nothing "$(host_of swipl post.pl)"

seen "curl" "[::1]:PORT" "$(host_of curl -s -g --noproxy '*' -d '{}')"
seen "urllib" "[::1]:PORT" "$(host_of /usr/bin/python3 -c 'import sys, urllib.request as u; u.urlopen(sys.argv[1], b"{}")')"
seen "HTTP::Tiny" "[::1]:PORT" "$(host_of perl tiny.pl)"
seen "Guile" "[::1]:PORT" "$(host_of guile --no-auto-compile post.scm)"
finish
