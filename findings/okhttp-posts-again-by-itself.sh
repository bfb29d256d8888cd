#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# OkHttp sends a POST a second time by itself after 408, and after 503 with "Retry-After: 0".
#
# Seen 2026-11-30: libokhttp-java 3.13.1, libokio-java 1.16.0, OpenJDK 17 (Debian 12).
# A good guess: every answer of the server is given to the caller. retryOnConnectionFailure is about connections, and a
#   POST is repeated by nobody but the caller, since it is not idempotent.
# What happens: the first 408, and the first 503 with "Retry-After: 0", are never seen by the caller. The same body is
#   posted again at once, one time, and that answer is given. A 503 without the header, and a 429 with it, are given as
#   they are. retryOnConnectionFailure(false) ends the repetition after 408, not that after 503.
# Why it matters: a proxy that answers 408 after it has passed the request on makes two of one event, and neither log nor
#   return value of the caller shows it. The event needs an identity that the server compares.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages libokhttp-java=3.13.1 libokio-java=1.16.0 openjdk-17-jdk-headless=17

cat >server.py <<'END'
# Answers the first request for a path as the path says, /STATUS/RETRY-AFTER, and the others with 202.
import http.server

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    posts = {}

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.posts[self.path] = self.posts.get(self.path, 0) + 1
        _, _, status, after = self.path.split("/")
        self.send_response(int(status) if self.posts[self.path] == 1 else 202)
        if after and self.posts[self.path] == 1:
            self.send_header("Retry-After", after)
        self.send_header("X-Posts", str(self.posts[self.path]))
        self.send_header("Content-Length", "0")
        self.end_headers()
END
http_server server.py

cat >Post.java <<'END'
import okhttp3.*;

class Post {
    public static void main(String[] arguments) throws Exception {
        boolean retries = arguments[0].equals("default");
        OkHttpClient client = new OkHttpClient.Builder().retryOnConnectionFailure(retries).build();
        RequestBody body = RequestBody.create(MediaType.parse("application/json"), "{}");
        Request request = new Request.Builder().url(arguments[1]).post(body).build();
        try (Response response = client.newCall(request).execute()) {
            System.out.println(response.code() + ", " + response.header("X-Posts") + " post(s)");
        }
        System.exit(0);
    }
}
END
# post default|off PATH
post() { java -cp /usr/share/java/okhttp.jar:/usr/share/java/okio.jar Post.java "$1" "$url/$1/$2" 2>>background.log; }
seen "408" "202, 2 post(s)" "$(post default 408/)"
seen "503, Retry-After: 0" "202, 2 post(s)" "$(post default 503/0)"
seen "503, no Retry-After" "503, 1 post(s)" "$(post default 503/)"
seen "429, Retry-After: 0" "429, 1 post(s)" "$(post default 429/0)"
seen "408, retryOnConnectionFailure(false)" "408, 1 post(s)" "$(post off 408/)"
seen "503, Retry-After: 0, retryOnConnectionFailure(false)" "202, 2 post(s)" "$(post off 503/0)"
finish
