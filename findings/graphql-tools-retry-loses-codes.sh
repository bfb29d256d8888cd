#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# GraphQL Tools' HTTP executor with `retry` repeats a mutation that was refused with a code, and loses the code of a 400.
#
# Seen 2026-11-30: @graphql-tools/executor-http 3.4.1, @graphql-tools/stitch 10.3.1, graphql 16.11.0, Node 20.
# A good guess: `retry: 2` repeats a request that got no answer or a 503, at most twice, and leaves mutations alone or at
#   least those that were answered. 0 is the same as leaving it out. What the errors of an answer say does not depend on it.
# What happens: the number counts all posts, and any `errors` are a reason to repeat, also of a mutation: FORBIDDEN with 200
#   is posted twice. BAD_USER_INPUT with 400 is too, and arrives as SUBREQUEST_HTTP_ERROR; without `retry` its code arrives.
#   With 0 nothing is posted at all, and the error is "No response returned from fetch".
# Why it matters: a gateway that is given `retry` against outages doubles each refusal, and what is final looks like an outage
#   to the worker in front of it, which repeats it again. Leave it out, and repeat where the code is known.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
npm_packages @graphql-tools/executor-http@3.4.1 @graphql-tools/stitch@10.3.1 graphql@16.11.0

cat >server.py <<'END'
import http.server

ANSWERS = {
    "refused": (200, b'{"errors": [{"message": "no", "path": ["send"], "extensions": {"code": "FORBIDDEN"}}], "data": {"send": null}}'),
    "wrong": (400, b'{"errors": [{"message": "no", "extensions": {"code": "BAD_USER_INPUT"}}]}'),
    "right": (200, b'{"data": {"send": true}}'),
}

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        with open("posts", "a") as file:
            file.write(self.path + "\n")
        status, body = ANSWERS[self.path.lstrip("/")]
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
END
http_server server.py

cat >gateway.js <<'END'
import { buildHTTPExecutor } from "@graphql-tools/executor-http";
import { stitchSchemas } from "@graphql-tools/stitch";
import { buildSchema, graphql } from "graphql";

const [endpoint, retry] = process.argv.slice(2);
const executor = buildHTTPExecutor({ endpoint, ...(retry !== "unset" && { retry: Number(retry) }) });
const behind = buildSchema("type Query { one: Int } type Mutation { send: Boolean }");
const schema = stitchSchemas({ subschemas: [{ schema: behind, executor }] });
const { data, errors } = await graphql({ schema, source: "mutation { send }" });
console.log(errors ? errors[0].extensions.code ?? errors[0].message : data.send);
END
# through PATH RETRY: how often it was posted, and what came of it
through() {
    local outcome
    : >posts
    outcome=$(node gateway.js "$url/$1" "$2")
    echo "$(wc -l <posts) post(s), $outcome"
}

seen "refused, no retry" "1 post(s), FORBIDDEN" "$(through refused unset)"
seen "refused, retry: 2" "2 post(s), FORBIDDEN" "$(through refused 2)"
seen "wrong, no retry" "1 post(s), BAD_USER_INPUT" "$(through wrong unset)"
seen "wrong, retry: 1" "1 post(s), SUBREQUEST_HTTP_ERROR" "$(through wrong 1)"
seen "wrong, retry: 2" "2 post(s), SUBREQUEST_HTTP_ERROR" "$(through wrong 2)"
seen "right, retry: 0" "0 post(s), No response returned from fetch" "$(through right 0)"
seen "right, retry: 2" "1 post(s), true" "$(through right 2)"
finish
