#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# Ruby's Net::HTTP sends a PUT or DELETE a second time when read_timeout is over, so that it lasts twice as long.
#
# Seen 2026-11-29: Ruby 3.1.2 (Debian 12).
# A good guess: with read_timeout = 1 a request whose answer does not come ends after one second, sent once.
# What happens: a PUT and a DELETE are sent again on a new connection (max_retries is 1), and end after two seconds. A
#   POST is sent once.
# Why it matters: a deadline that is right for POST /v1/events is half of what PUT /v1/applications/{id}/token takes. Set
#   max_retries to 0 where the caller waits.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages ruby3.1=3.1.7+really3.1.2

cat >silent.rb <<'END'
require 'net/http'
require 'socket'

server = TCPServer.new('127.0.0.1', 0)
requests = 0
Thread.new { loop { Thread.new(server.accept) { |connection| connection.gets; requests += 1; sleep } } }
[[Net::HTTP::Put, nil], [Net::HTTP::Delete, nil], [Net::HTTP::Post, nil], [Net::HTTP::Put, 0]].each do |method, retries|
  http = Net::HTTP.new('127.0.0.1', server.addr[1], nil)
  http.read_timeout = 1
  http.max_retries = retries if retries
  request = method.new('/')
  request.body = '{}' if request.request_body_permitted?
  started, requests = Time.now, 0
  begin
    http.request(request)
  rescue Net::ReadTimeout
    puts "#{request.method}: #{requests} in #{(Time.now - started).round} s"
  end
end
END
ruby silent.rb >out
seen "PUT" "PUT: 2 in 2 s" "$(sed -n 1p out)"
seen "DELETE" "DELETE: 2 in 2 s" "$(sed -n 2p out)"
seen "POST" "POST: 1 in 1 s" "$(sed -n 3p out)"
seen "PUT, max_retries = 0" "PUT: 1 in 1 s" "$(sed -n 4p out)"
finish
