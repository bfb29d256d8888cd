#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# Ruby's httpclient sends a POST twice when a fresh connection ends without an answer, and so do Qt, Crystal, httplib2, Emacs
# and Java.
#
# Seen 2026-11-29: ruby-httpclient 2.8.3 (Debian 12), Ruby 3.1. Seen 2026-11-30, Debian 12: Qt 5.15.8 (QNetworkAccessManager),
#   Crystal 1.6.0, python3-httplib2 0.20.4, Emacs 28.2 (url) and OpenJDK 17 (HttpURLConnection).
# A good guess: a POST is repeated at most where a kept-alive connection turns out to be closed, since then the server has
#   probably not seen it. On a new connection the error goes to the caller.
# What happens: they take the end for a lost keep-alive, and post again on a second new connection. If that ends too, they
#   report an error; httpclient calls it KeepAliveDisconnected. Net::HTTP, Excon and LuaSocket post once.
# Why it matters: the server did see both. Each retry of the caller's own counts double; a server must not count posts to tell
#   how many events there were.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages ruby-httpclient=2.8.3 ruby-excon=0.88.0 qtbase5-dev=5.15.8 g++=4:12 pkg-config=1.8 crystal=1.6.0 python3-httplib2=0.20.4 \
    emacs-nox=1:28.2 openjdk-17-jdk-headless=17 lua5.3=5.3.6 lua-socket=3.1.0

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

cat >post.cpp <<'END'
#include <QtNetwork>

int main(int count, char **words)
{
    QCoreApplication program(count, words);
    QNetworkAccessManager manager;
    QNetworkRequest request{QUrl(QString(words[1]))};
    request.setHeader(QNetworkRequest::ContentTypeHeader, "application/json");
    QObject::connect(manager.post(request, QByteArray("{}")), &QNetworkReply::finished, &program, &QCoreApplication::quit);
    return program.exec();
}
END
cat >post.cr <<'END'
require "http/client"
begin
  HTTP::Client.post(ARGV[0], body: "{}")
rescue IO::Error
end
END
cat >post.el <<'END'
(let ((url-request-method "POST") (url-request-data "{}"))
  (ignore-errors (url-retrieve-synchronously (car command-line-args-left) t t 5)))
END
cat >Post.java <<'END'
import java.net.*;

class Post {
    public static void main(String[] urls) throws Exception {
        var connection = (HttpURLConnection) new URL(urls[0]).openConnection();
        connection.setDoOutput(true);
        connection.getOutputStream().write("{}".getBytes());
        try {
            connection.getResponseCode();
        } catch (java.io.IOException error) {
        }
    }
}
END
cat >post.py <<'END'
import http.client, httplib2, sys

try:
    httplib2.Http().request(sys.argv[1], "POST", body="{}")
except http.client.HTTPException:
    pass
END
cat >post.lua <<'END'
require "socket.http".request(arg[1], "{}")
END
# shellcheck disable=SC2046 # several options
g++ -fPIC post.cpp -o qt_client $(pkg-config --cflags --libs Qt5Network)
crystal build post.cr -o crystal_client >crystal.log 2>&1
unset http_proxy HTTP_PROXY all_proxy ALL_PROXY
export HOME=$PWD

# requests_of COMMAND...: how many requests it makes of one post
requests_of() {
    : >requests
    timeout 20 "$@" "$url/v1/events" >client.log 2>&1 || true
    wc -l <requests
}
seen "Qt, requests" 2 "$(requests_of ./qt_client)"
seen "Crystal, requests" 2 "$(requests_of ./crystal_client)"
seen "httplib2, requests" 2 "$(requests_of /usr/bin/python3 post.py)"
seen "Emacs, requests" 2 "$(requests_of emacs -Q --batch -l post.el)"
seen "HttpURLConnection, requests" 2 "$(requests_of java Post.java)"
seen "LuaSocket, requests" 1 "$(requests_of lua5.3 post.lua)"
finish
