#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# LWP, Mojo, neon and cpp-httplib lose an answer with a header of 12 KB, and HTTP::Tiny one with 65 header fields.
#
# Seen 2026-11-30, Debian 12: libwww-perl 6.68 with libnet-http-perl 6.22, Mojo::UserAgent 9.31, neon 0.32.5, cpp-httplib
#   0.11.4 and HTTP::Tiny 0.080 of Perl 5.36. Beside them curl 7.88.1, Tcl 8.6.13 (http 2.9.8), LuaSocket 3.1.0 and Python
#   3.11.2 (urllib).
# A good guess: servers limit heads to 8 KB or so, and clients are more generous: browsers and curl take over 100 KB. Python's
#   limit of 100 fields is known, and nobody else is below that. A client that has a limit reports it, and no answer.
# What happens: a header line of 12 KB is an error in LWP (a 500 of its own), neon and cpp-httplib. 65 fields are one in
#   HTTP::Tiny (599). 101 are in neon and Python. Mojo keeps 202 as the status, and takes the rest of the head for the body:
#   after 12 KB, or 101 fields; only who asks $tx->error learns of it. The others take all of it.
# Why it matters: the post was done. A proxy that adds a long cookie or a policy to its answers makes these clients post again
#   and again, and Mojo's caller sees success with a body that is no JSON. Send small heads: short values, and few of them.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages libwww-perl=6.68 libnet-http-perl=6.22 libmojolicious-perl=9.31 libneon27-dev=0.32.5 libcpp-httplib-dev=0.11.4 gcc=4:12 g++=4:12 \
    pkg-config=1.8 perl=5.36 curl=7.88.1 tcl8.6=8.6.13 tcl=8.6.13 lua5.3=5.3.6 lua-socket=3.1.0 python3-minimal=3.11.2

cat >server.py <<'END'
import http.server

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):  # /FIELDS/BYTES: that many header fields in all, one of them of that length
        self.close_connection = True
        self.rfile.read(int(self.headers["Content-Length"]))
        fields, length = map(int, self.path[1:].split("/"))
        self.send_response_only(202)
        self.send_header("Content-Length", "8")
        self.send_header("Connection", "close")
        self.send_header("X-Policy", "p" * length)
        for number in range(fields - 3):
            self.send_header(f"X-{number}", "v")
        self.end_headers()
        self.wfile.write(b'{"ok":1}')
END
http_server server.py

cat >lwp.pl <<'END'
use LWP::UserAgent;
my $answer = LWP::UserAgent->new->post($ARGV[0], Content => "{}");
print $answer->header("Client-Warning") ? "error " : "", $answer->code, " ", $answer->content;
END
cat >mojo.pl <<'END'
use Mojo::UserAgent;
my $tx = Mojo::UserAgent->new->post($ARGV[0], "{}");
my $body = $tx->res->body;
my $error = $tx->error ? ", " . $tx->error->{message} : "";
print $tx->res->code, " ", $body eq '{"ok":1}' ? $body : "with a part of the head", $error;
END
cat >tiny.pl <<'END'
use HTTP::Tiny;
my $answer = HTTP::Tiny->new->post($ARGV[0], {content => "{}"});
print "$answer->{status} ", $answer->{status} == 599 ? "" : $answer->{content};
END
cat >post.c <<'END'
#include <ne_request.h>
#include <ne_session.h>
#include <ne_socket.h>
#include <ne_uri.h>
#include <stdio.h>

static int print_body(void *context, const char *bytes, size_t length)
{
    (void)context;
    return fwrite(bytes, 1, length, stdout) != length;
}

int main(int count, char **urls)
{
    (void)count;
    ne_uri url;
    ne_sock_init();
    ne_uri_parse(urls[1], &url);
    ne_session *session = ne_session_create("http", url.host, url.port);
    ne_request *request = ne_request_create(session, "POST", url.path);
    ne_set_request_body_buffer(request, "{}", 2);
    ne_add_response_body_reader(request, ne_accept_always, print_body, NULL);
    printf("202 ");
    if (ne_request_dispatch(request) != NE_OK)
        printf("error");
    return 0;
}
END
cat >post.cpp <<'END'
#include <httplib.h>
#include <iostream>

int main(int, char **words)
{
    std::string url = words[1];
    size_t colon = url.rfind(':'), slash = url.find('/', colon);
    httplib::Client client("127.0.0.1", std::stoi(url.substr(colon + 1, slash - colon - 1)));
    auto answer = client.Post(url.substr(slash), "{}", "application/json");
    if (answer)
        std::cout << answer->status << " " << answer->body;
    else
        std::cout << "error";
}
END
cat >post.tcl <<'END'
package require http
set answer [http::geturl [lindex $argv 0] -query "{}" -type application/json]
puts "[http::ncode $answer] [http::data $answer]"
END
cat >post.lua <<'END'
local ltn12 = require "ltn12"
local parts = {}
local _, status = require "socket.http".request { url = arg[1], method = "POST", headers = { ["content-length"] = "2" },
                                                  source = ltn12.source.string("{}"), sink = ltn12.sink.table(parts) }
print(status .. " " .. table.concat(parts))
END
cat >post.py <<'END'
import http.client, sys, urllib.request

try:
    with urllib.request.urlopen(sys.argv[1], b"{}") as answer:
        print(answer.status, answer.read().decode())
except http.client.HTTPException as error:
    print("error")
END
cat >post.sh <<'END'
curl -s --noproxy '*' -d '{}' -w '\n%{http_code}' "$1" | sed 'N; s/\(.*\)\n\(.*\)/\2 \1/'
END
# shellcheck disable=SC2046 # several options
gcc post.c -o neon_client $(pkg-config --cflags --libs neon)
# shellcheck disable=SC2046 # several options
g++ post.cpp -o httplib_client $(pkg-config --cflags --libs cpp-httplib) -pthread
unset http_proxy HTTP_PROXY all_proxy ALL_PROXY

answer_of() { "$@" 2>client.log | sed 's/ $//; s/^202 error$/error/'; }
right='202 {"ok":1}'
# what CLIENT 10_FIELDS LONG 65_FIELDS 101_FIELDS COMMAND...: what comes of each answer
what() {
    local answer sizes=(10/100 10/12000 65/100 101/100) wanted=("${@:2:4}")
    for answer in 0 1 2 3; do
        seen "$1, fields and longest ${sizes[answer]}" "${wanted[answer]}" "$(answer_of "${@:6}" "$url/${sizes[answer]}")"
    done
}
part='202 with a part of the head, Maximum header size exceeded'
what LWP "$right" "error 500 Header line too long (limit is 8192) at /usr/share/perl5/Net/HTTP/Methods.pm line 266." "$right" "$right" perl lwp.pl
what Mojo "$right" "$part" "$right" "$part" perl mojo.pl
what neon "$right" error "$right" error ./neon_client
what cpp-httplib "$right" error "$right" "$right" ./httplib_client
what HTTP::Tiny "$right" "$right" 599 599 perl tiny.pl
what urllib "$right" "$right" "$right" error /usr/bin/python3 post.py
what Tcl "$right" "$right" "$right" "$right" tclsh post.tcl
what LuaSocket "$right" "$right" "$right" "$right" lua5.3 post.lua
what curl "$right" "$right" "$right" "$right" sh post.sh
finish
