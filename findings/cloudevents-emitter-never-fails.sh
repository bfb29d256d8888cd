#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# The CloudEvents SDK for JavaScript: an emitter over HTTP is content with 503.
#
# Seen 2026-11-29: cloudevents 10.0.0, emitterFor(httpTransport(url)).
# A good guess: the promise of an emitter rejects when the receiver does not take the event.
# What happens: it resolves for every answer, with `body` and `headers` and without the status: 202, 307, 409 and 503
#   look the same. Only a connection that fails rejects it.
# Why it matters: an ATS that hands its events to a sidecar this way loses every one that was answered 429 or 503,
#   without an exception. Only the body tells: ask for `"result": "accepted"`, or make the message with HTTP.binary()
#   or HTTP.structured() and send it with a client whose status you see.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
npm_packages cloudevents@10.0.0

cat >emit.mjs <<'END'
import { createServer } from 'node:http';
import { once } from 'node:events';
import { CloudEvent, emitterFor, httpTransport } from 'cloudevents';

const status = Number(process.argv[2]);
const server = createServer((request, response) => {
    request.resume();
    response.writeHead(status, { 'Content-Type': 'application/problem+json', Connection: 'close' });
    response.end('{}');
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const emit = emitterFor(httpTransport(`http://127.0.0.1:${server.address().port}/`));
if (status === 0) {
    server.close();
    await once(server, 'close');
}
const event = new CloudEvent({ source: '/ats', type: 'application.completed', data: { applicationId: 'A-1001' } });
await emit(event).then(
    (answer) => console.log('resolves with', Object.keys(answer).join(', ')),
    () => console.log('rejects'),
);
process.exit();
END

for status in 202 307 409 429 503; do
    seen "$status" "resolves with body, headers" "$(node emit.mjs $status)"
done
seen "no server" "rejects" "$(node emit.mjs 0)"
finish
