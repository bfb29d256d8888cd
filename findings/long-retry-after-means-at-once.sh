#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# got and axios-retry repeat a request at once if Retry-After asks for more than 24 days.
#
# Seen 2026-11-30: got 14.6.6, axios-retry 4.5.0 with axios 1.21.1; ky 1.14.3 and undici 7.30.2 beside them; Node 20.
# A good guess: the longer Retry-After is, the later the next request comes. A client that does not want to wait for a
#   month gives up, or comes back after a limit of its own.
# What happens: both wait two seconds for "2" and wait for "86400". For "2592000", thirty days, they send the next request
#   within milliseconds, and so on to the last of their tries. The pause is given to setTimeout, which makes one
#   millisecond of everything above 2^31-1. ky and undici wait. With `maxRetryAfter` got gives up at once.
# Why it matters: a server that sends a client away for good, with a date next year for example, gets all its tries at
#   once. Set a bound, or read the header yourself.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
npm_packages got@14.6.6 axios@1.21.1 axios-retry@4.5.0 ky@1.14.3 undici@7.30.2

cat >retry.mjs <<'END'
import { createServer } from 'node:http';
import axios from 'axios';
import axiosRetry from 'axios-retry';
import got from 'got';
import ky from 'ky';
import { RetryAgent, Agent, request } from 'undici';

const times = {}; // of the requests for each path, /CLIENT/RETRY-AFTER
const server = createServer((message, answer) => {
    message.resume();
    (times[message.url] ??= []).push(performance.now());
    answer.writeHead(503, { 'Retry-After': decodeURIComponent(message.url.split('/')[2]) }).end();
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${server.address().port}`;

const patient = axios.create();
axiosRetry(patient, { retries: 2 });
const dispatcher = new RetryAgent(new Agent(), { maxRetries: 2 });
const clients = {
    got: (path) => got.put(url + path, { retry: { limit: 2 } }),
    'got with maxRetryAfter': (path) => got.put(url + path, { retry: { limit: 2, maxRetryAfter: 60_000 } }),
    'axios-retry': (path) => patient.put(url + path),
    ky: (path) => ky.put(url + path, { retry: { limit: 2 }, timeout: false }),
    undici: (path) => request(url + path, { method: 'PUT', dispatcher }),
};
const inAMonth = encodeURIComponent(new Date(Date.now() + 30 * 86_400_000).toUTCString());
const all = Object.keys(clients).flatMap((client) => ['2', '86400', '2592000', inAMonth].map((value) => ({ client, value })));
for (const each of all) {
    each.path = `/${encodeURIComponent(each.client)}/${each.value}`;
    each.outcome = 'waits';
    clients[each.client](each.path).then(() => { each.outcome = 'succeeds'; }, () => { each.outcome = 'gives up'; });
}
await new Promise((resolve) => setTimeout(resolve, 5500));
for (const { client, value, path, outcome } of all) {
    const [first, ...later] = times[path];
    const pauses = later.map((time) => `, again after ${Math.floor((time - first) / 1000)} s`).join('');
    console.log(`${client}, ${value === inAMonth ? 'a date' : value}: ${outcome}${pauses}`);
}
process.exit();
END
node retry.mjs >out 2>warnings
line() { sed -n "s/^$1: //p" out; }
for client in got axios-retry ky undici; do
    seen "$client, 2" "gives up, again after 2 s, again after 4 s" "$(line "$client, 2")"
    seen "$client, 86400" "waits" "$(line "$client, 86400")"
done
for value in 2592000 "a date"; do
    for client in got axios-retry; do
        seen "$client, $value" "gives up, again after 0 s, again after 0 s" "$(line "$client, $value")"
    done
    for client in ky undici; do seen "$client, $value" "waits" "$(line "$client, $value")"; done
    seen "got with maxRetryAfter, $value" "gives up" "$(line "got with maxRetryAfter, $value")"
done
finish
