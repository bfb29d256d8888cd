#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# Node's http server does not end a kept-alive connection after the answer that was under way when close() was called.
#
# Seen 2026-11-29: Node.js 20.20.2.
# A good guess: since Node.js 19 close() ends idle connections, so one that is busy is ended once its answer is sent, and
#   a server drains in the time of one request, whatever its clients do.
# What happens: a connection that was busy at close() stays, is served for as long as the client asks again, and no answer
#   on it says `Connection: close`. One that was idle at close() is ended at once.
# Why it matters: a GraphQL server or webhook receiver on Node that calls close() on SIGTERM never ends beside a worker
#   that reuses connections and always has something to send; it is killed in the end, in the middle of a request. Call
#   closeIdleConnections() again and again until close() is done, as Apollo Server and Fastify do in ways of their own.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"

cat >close.mjs <<'END_OF_SCRIPT'
import { Agent, createServer, request } from 'node:http';

async function drain(isBusy) {
    let answering;
    const server = createServer((_, response) => { answering = setTimeout(() => response.end('x'), 20); });
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const { port } = server.address();
    const ask = () => new Promise((done, failed) => {
        request({ port, host: '127.0.0.1', agent }, (response) => response.resume().on('end', () => done(response))).on('error', failed).end();
    });
    await ask();
    const first = isBusy ? ask() : undefined;
    if (isBusy) await new Promise((done) => setTimeout(done, 10));
    let isClosed = false;
    server.close(() => { isClosed = true; });
    await first;
    let served = 0;
    try {
        while (served < 20) {
            await ask();
            served += 1;
        }
    } catch { /* the connection has ended, and nobody listens */ }
    clearTimeout(answering);
    agent.destroy();
    return `${served === 20 ? 'goes on' : 'ends'}, ${isClosed ? 'closed' : 'not closed'}`;
}

console.log(`idle: ${await drain(false)}`);
console.log(`busy: ${await drain(true)}`);
process.exit(0);
END_OF_SCRIPT
result=$(node close.mjs)
seen "an idle connection" "idle: ends, closed" "$(grep idle <<<"$result")"
seen "a busy one, asked 20 times more" "busy: goes on, not closed" "$(grep busy <<<"$result")"
finish
