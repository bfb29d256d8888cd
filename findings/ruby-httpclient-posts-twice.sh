#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# Ruby's httpclient sends a POST twice when a fresh connection ends without an answer.
#
# Seen 2026-11-29: ruby-httpclient 2.8.3 (Debian 12), Ruby 3.1.
# A good guess: a POST is repeated at most where a kept-alive connection turns out to be closed, since then the server
#   has probably not seen it. On a new connection the error goes to the caller.
# What happens: it takes the end for a lost keep-alive, and posts again on a second new connection before it raises
#   KeepAliveDisconnected. Net::HTTP and Excon post once.
# Why it matters: the server did see both. Each retry of the caller's own counts double; a server must not count posts
#   to tell how many events there were.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages ruby-httpclient=2.8.3 ruby-excon=0.88.0

answering "" # only closes
cat >post.rb <<'END'
require 'httpclient'
require 'excon'
require 'net/http'

url, client = ARGV
json = { 'Content-Type' => 'application/json' }
begin
  case client
  when 'httpclient' then HTTPClient.new.post(url, body: '{}', header: json)
  when 'excon' then Excon.post(url, body: '{}', headers: json)
  when 'net/http' then Net::HTTP.post(URI(url), '{}', json)
  end
rescue StandardError => error
  puts error.class
end
END
post() {
    : >requests
    ruby -W0 post.rb "$url/v1/events" "$1" >out
    echo "$(cat out) after $(wc -l <requests) request(s)"
}
seen "net/http" "EOFError after 1 request(s)" "$(post net/http)"
seen "excon" "Excon::Error::Socket after 1 request(s)" "$(post excon)"
seen "httpclient" "HTTPClient::KeepAliveDisconnected after 2 request(s)" "$(post httpclient)"
finish
