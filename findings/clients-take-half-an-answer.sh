#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# Nine HTTP clients take the first half of an answer for the whole of it.
#
# Seen 2026-11-30, Debian 12: requests 2.28.1, Ruby 3.1.2 (Net::HTTP), ruby-httpclient 2.8.3, LWP 6.68, Mojo::UserAgent 9.31,
#   PHP 8.2 (file_get_contents), Java 17 (HttpURLConnection), libsoup 3.2.3, POCO 1.11.0. Beside them curl 7.88.1, Python
#   3.11.2 (urllib) and Java's HttpClient.
# A good guess: if the connection ends before Content-Length bytes have arrived, the client raises an error, as curl does
#   with exit code 18. RFC 9112 §8 calls such a message incomplete.
# What happens: each of the nine returns the status and the bytes that did arrive, as a success.
# Why it matters: a proxy or server that stops in the middle of an answer gives a short text or an error of the JSON parser
#   far away from the request. After a batch the caller knows the first results only. Take a body that does not parse for
#   an answer that has not arrived, and post again.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages python3-requests=2.28.1 python3-minimal=3.11.2 ruby=1:3.1 ruby-httpclient=2.8.3 libwww-perl=6.68 \
    libmojolicious-perl=9.31 php-cli=2:8.2 openjdk-17-jdk-headless=17 libsoup-3.0-dev=3.2.3 libpoco-dev=1.11.0 \
    gcc=4:12 g++=4:12 pkg-config=1.8 curl=7.88.1

answering 'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 11\r\nConnection: close\r\n\r\n[{"a":1}'
half='202 [{"a":1}'

cat >post.py <<'END'
import sys, requests
session = requests.Session()
session.trust_env = False
answer = session.post(sys.argv[1], data="{}")
print(answer.status_code, answer.text)
END
cat >post.pl <<'END'
use LWP::UserAgent;
my $answer = LWP::UserAgent->new->post($ARGV[0], Content => "{}");
print $answer->code, " ", $answer->content, $answer->is_success ? "" : " error";
END
cat >mojo.pl <<'END'
use Mojo::UserAgent;
my $tx = Mojo::UserAgent->new->post($ARGV[0], "{}");
print $tx->res->code, " ", $tx->res->body, $tx->error ? " error" : "";
END
cat >post.php <<'END'
<?php
$options = ["method" => "POST", "header" => "Content-Type: application/json", "content" => "{}"];
$body = file_get_contents($argv[1], false, stream_context_create(["http" => $options]));
echo explode(" ", $http_response_header[0])[1], " ", $body;
END
cat >Post.java <<'END'
import java.net.*;
import java.net.http.*;

class Post {
    public static void main(String[] urls) throws Exception {
        var connection = (HttpURLConnection) new URL(urls[0]).openConnection();
        connection.setDoOutput(true);
        connection.getOutputStream().write("{}".getBytes());
        System.out.println(connection.getResponseCode() + " " + new String(connection.getInputStream().readAllBytes()));
        var request = HttpRequest.newBuilder(URI.create(urls[0])).POST(HttpRequest.BodyPublishers.ofString("{}")).build();
        try {
            System.out.println(HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body());
        } catch (java.io.IOException error) {
            System.out.println("error");
        }
    }
}
END
cat >soup.c <<'END'
#include <libsoup/soup.h>

int main(int count, char **urls)
{
    (void)count;
    SoupMessage *message = soup_message_new("POST", urls[1]);
    soup_message_set_request_body_from_bytes(message, "application/json", g_bytes_new_static("{}", 2));
    GError *error = NULL;
    GBytes *body = soup_session_send_and_read(soup_session_new(), message, NULL, &error);
    if (body == NULL)
        g_print("error");
    else
        g_print("%d %.*s", (int)soup_message_get_status(message), (int)g_bytes_get_size(body),
                (const char *)g_bytes_get_data(body, NULL));
    return 0;
}
END
cat >poco.cpp <<'END'
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/StreamCopier.h>
#include <Poco/URI.h>
#include <iostream>

int main(int, char **urls)
{
    Poco::URI url(urls[1]);
    Poco::Net::HTTPClientSession session(url.getHost(), url.getPort());
    Poco::Net::HTTPRequest request("POST", "/", "HTTP/1.1");
    request.setContentLength(2);
    session.sendRequest(request) << "{}";
    Poco::Net::HTTPResponse answer;
    std::string body;
    Poco::StreamCopier::copyToString(session.receiveResponse(answer), body);
    std::cout << answer.getStatus() << " " << body;
}
END
# shellcheck disable=SC2046 # several options
gcc soup.c -o soup $(pkg-config --cflags --libs libsoup-3.0)
g++ poco.cpp -o poco -lPocoNet -lPocoFoundation
unset http_proxy HTTP_PROXY all_proxy ALL_PROXY

seen "requests" "$half" "$(/usr/bin/python3 post.py "$url")"
seen "Net::HTTP" "$half" "$(ruby -rnet/http -e 'a = Net::HTTP.post(URI(ARGV[0]), "{}"); print a.code, " ", a.body' "$url")"
seen "httpclient" "$half" "$(ruby -W0 -rhttpclient -e 'a = HTTPClient.new.post(ARGV[0], body: "{}"); print a.status, " ", a.body' "$url")"
seen "LWP" "$half" "$(perl post.pl "$url")"
seen "Mojo::UserAgent" "$half" "$(perl mojo.pl "$url")"
seen "PHP" "$half" "$(php post.php "$url")"
java Post.java "$url" >java.out
seen "HttpURLConnection" "$half" "$(head -n 1 java.out)"
seen "libsoup" "$half" "$(./soup "$url")"
seen "POCO" "$half" "$(./poco "$url")"

seen "HttpClient" "error" "$(tail -n 1 java.out)"
status=0
curl -s --data '{}' "$url" >curl.out || status=$?
seen "curl, exit code" 18 "$status"
urllib='import sys, urllib.request as u
try: print(u.urlopen(sys.argv[1], b"{}").read())
except Exception as error: print(type(error).__name__)'
seen "urllib" "IncompleteRead" "$(/usr/bin/python3 -c "$urllib" "$url")"
finish
