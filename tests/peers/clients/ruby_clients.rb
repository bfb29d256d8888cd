#!/usr/bin/ruby
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
# usage: ruby_clients.rb net-http|faraday version|once|send|lines URL [COUNT]
# `lines` posts each line of the standard input, see python_clients.py.
require "json"
require "net/http"

library, mode, url, count = ARGV
require "faraday" if library == "faraday"
JSON_TYPE = { "Content-Type" => "application/json" }

if mode == "version"
  puts library == "faraday" ? "Faraday #{Faraday::VERSION}" : "Net::HTTP of Ruby #{RUBY_VERSION}"
  exit
end

is_default = mode == "once"
uri = URI(url)
if library == "faraday"
  http = Faraday.new(proxy: "", request: is_default ? {} : { timeout: 10 })
  post = ->(body, query = "") { http.post(url + query, body, JSON_TYPE).then { |answer| [answer.status, answer.body] } }
else
  http = Net::HTTP.new(uri.host, uri.port, nil)
  http.read_timeout = 10 unless is_default
  post = lambda do |body, query = ""|
    http.start unless http.started?
    http.post(uri.path + query, body, JSON_TYPE).then { |answer| [answer.code.to_i, answer.body] }
  end
end

broken = [SystemCallError, EOFError, IOError, Timeout::Error]
broken << Faraday::Error if library == "faraday"
if mode == "lines"
  library == "faraday" ? http.options.timeout = 60 : http.read_timeout = 60
  $stdout.sync = true
  $stdin.each_line(chomp: true) do |line|
    query, body = line.split("\t", 2)
    began = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    begin
      result = post.call(body, query)[0]
    rescue *broken => error
      http.finish if library == "net-http" && http.started?
      result = error.class
    end
    puts "#{result} #{((Process.clock_gettime(Process::CLOCK_MONOTONIC) - began) * 1e6).to_i}"
  end
  exit
end
if is_default
  begin
    2.times { post.call("{}") }
  rescue *broken => error
    puts error.class
  end
  exit
end
count.to_i.times do |n|
  loop do
    status, answer = post.call(JSON.generate({ applicationId: "#{library}-#{n}", token: "token-#{library}-#{n}" }))
    break if status < 400
    raise answer unless JSON.parse(answer)["retryable"]

    sleep 0.25
  rescue *broken
    http.finish if library == "net-http" && http.started?
    sleep 0.25
  end
  sleep 0.02
end
