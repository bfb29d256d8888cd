#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# undici's RetryAgent under fetch repeats a PUT with an empty body.
#
# Seen 2026-11-29: undici 7.30.2, Node 20.
# A good guess: PUT is idempotent, so RetryAgent repeats it after a 503, with the body it had: a string is at hand.
# What happens: under fetch() the second request goes out with `Content-Length: 0`, and the server takes it as a whole
#   request. The caller gets UND_ERR_REQ_CONTENT_LENGTH_MISMATCH and no status. undici's own request() repeats the
#   same string rightly.
# Why it matters: the sidecar's PUT (the seek-token of a draft) comes a second time without its JSON. A server that
#   took an empty body for "delete the value" would lose it: an empty body has to be an error. The caller may post
#   again by itself, since nothing is known of the answer.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
npm_packages undici@7.30.2

cat >put.mjs <<'END'
import { createServer } from 'node:http';
import { once } from 'node:events';
import { Agent, RetryAgent, fetch, request } from 'undici';

let requests = [];
const server = createServer(async (incoming, response) => {
    let body = '';
    for await (const chunk of incoming) body += chunk;
    requests.push(`Content-Length ${incoming.headers['content-length']}, body ${JSON.stringify(body)}`);
    response.writeHead(requests.length === 1 ? 503 : 204, { 'Retry-After': '1' }).end();
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${server.address().port}/`;
const dispatcher = new RetryAgent(new Agent());

for (const send of [fetch, request]) {
    requests = [];
    const answer = await send(url, { method: 'PUT', body: '{"token":"t"}', dispatcher }).then(
        (response) => response.status ?? response.statusCode,
        (error) => error.cause?.code ?? error.code,
    );
    for (let wait = 0; wait < 50 && requests.length < 2; wait++) await new Promise((done) => setTimeout(done, 100));
    console.log([...requests, answer].join(' | '));
}
process.exit();
END
node put.mjs >out
first='Content-Length 13, body "{\"token\":\"t\"}"'
seen "fetch" "$first | Content-Length 0, body \"\" | UND_ERR_REQ_CONTENT_LENGTH_MISMATCH" "$(sed -n 1p out)"
seen "request" "$first | $first | 204" "$(sed -n 2p out)"
finish
