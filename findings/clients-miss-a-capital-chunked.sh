#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# Six HTTP clients take the sizes of the chunks for part of the answer if "Chunked" has a capital.
#
# Seen 2026-11-30, Debian 12: Nim 1.6.10, Crystal 1.6.0, Guile 3.0.8, Furl 3.14, php-symfony-http-client 5.4.53 (its
#   NativeHttpClient) and OCaml's cohttp 4.0.0. Beside them curl 7.88.1, LuaSocket 3.1.0, Tcl 8.6.13 (http 2.9.8) and
#   HTTP::Tiny of Perl 5.36.
# A good guess: "Transfer-Encoding: Chunked" is the same as "chunked", since RFC 9112 §7 has the names of transfer codings in
#   any case of letters. A client that does not know the coding raises an error, since it cannot know where the answer ends.
# What happens: the six report 202 as a success, and a body that begins with "8", the size of the chunk in a line of its own,
#   and ends with "0". If "chunked" is in small letters, they give the JSON alone. So do the other four in both cases.
# Why it matters: the error comes from the JSON parser, or never if the caller looks at the status alone: "8" at the beginning
#   is JSON for some parsers. A server should write the word in small letters, and send Content-Length where it knows it.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages nim=1.6.10 crystal=1.6.0 guile-3.0=3.0.8 libfurl-perl=3.14 php-cli=2:8.2 php-symfony-http-client=5.4.53 \
    libcohttp-lwt-unix-ocaml-dev=4.0.0 ocaml-findlib=1.9 curl=7.88.1 lua5.3=5.3.6 lua-socket=3.1.0 tcl8.6=8.6.13 tcl=8.6.13 gcc=4:12

cat >server.py <<'END'
import http.server

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.close_connection = True
        if "Content-Length" in self.headers:
            self.rfile.read(int(self.headers["Content-Length"]))
        else:  # in chunks, until the last one
            while int(self.rfile.readline(), 16) > 0:
                self.rfile.readline()
            self.rfile.readline()
        self.send_response(202)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", self.path.lstrip("/"))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b'8\r\n{"ok":1}\r\n0\r\n\r\n')
END
http_server server.py

cat >post.nim <<'END'
import httpclient, os, strutils
let answer = newHttpClient().request(paramStr(1), httpMethod = HttpPost, body = "{}")
echo answer.status.split[0], " ", answer.body
END
cat >post.cr <<'END'
require "http/client"
answer = HTTP::Client.post(ARGV[0], body: "{}")
puts "#{answer.status_code} #{answer.body}"
END
cat >post.scm <<'END'
(use-modules (web client) (web response) (rnrs bytevectors))
(call-with-values
  (lambda () (http-post (cadr (command-line)) #:body "{}" #:decode-body? #f))
  (lambda (answer body) (format #t "~a ~a\n" (response-code answer) (utf8->string body))))
END
cat >furl.pl <<'END'
use Furl;
my $answer = Furl->new->post($ARGV[0], [], "{}");
print $answer->code, " ", $answer->content, "\n";
END
cat >post.php <<'END'
<?php
require '/usr/share/php/Symfony/Component/HttpClient/autoload.php';
$client = new Symfony\Component\HttpClient\NativeHttpClient();
$answer = $client->request('POST', $argv[1], ['body' => '{}']);
echo $answer->getStatusCode(), ' ', $answer->getContent(), "\n";
END
cat >post.ml <<'END'
open Lwt.Infix

let () =
  Lwt_main.run
    ( Cohttp_lwt_unix.Client.post ~body:(`String "{}") (Uri.of_string Sys.argv.(1)) >>= fun (answer, body) ->
      Cohttp_lwt.Body.to_string body >|= fun text ->
      Printf.printf "%d %s\n" (Cohttp.Code.code_of_status (Cohttp.Response.status answer)) text )
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
cat >tiny.pl <<'END'
use HTTP::Tiny;
my $answer = HTTP::Tiny->new->post($ARGV[0], {content => "{}"});
print "$answer->{status} $answer->{content}\n";
END
export HOME=$PWD
unset http_proxy HTTP_PROXY all_proxy ALL_PROXY
nim c --hints:off --warnings:off --out:nim_client post.nim >nim.log 2>&1
crystal build post.cr -o crystal_client >crystal.log 2>&1
ocamlfind ocamlopt -thread -package cohttp-lwt-unix -linkpkg post.ml -o cohttp_client >ocaml.log 2>&1

# answer_to CODING COMMAND...: the status and the body, its line ends as blanks
answer_to() { "${@:2}" "$url/$1" 2>client.log | tr -s '\r\n' ' ' | sed 's/ $//'; }

for client in "Nim:./nim_client" "Crystal:./crystal_client" "Guile:guile --no-auto-compile post.scm" "Furl:perl furl.pl" \
    "Symfony:php post.php" "cohttp:./cohttp_client"; do
    read -ra command <<<"${client#*:}"
    seen "${client%%:*}, Chunked" '202 8 {"ok":1} 0' "$(answer_to Chunked "${command[@]}")"
    seen "${client%%:*}, chunked" '202 {"ok":1}' "$(answer_to chunked "${command[@]}")"
done
for client in "LuaSocket:lua5.3 post.lua" "Tcl:tclsh post.tcl" "HTTP::Tiny:perl tiny.pl"; do
    read -ra command <<<"${client##*:}"
    seen "${client%:*}, Chunked" '202 {"ok":1}' "$(answer_to Chunked "${command[@]}")"
done
seen "curl, Chunked" '202 {"ok":1}' "202 $(curl -s --noproxy '*' -d '{}' "$url/Chunked")"
finish
