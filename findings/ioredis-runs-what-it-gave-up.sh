#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# ioredis runs a command after it has told the caller that it timed out.
#
# Seen 2026-11-29: ioredis 6.0.0, Node 20, Redis 7.0.15 (Debian 12).
# A good guess: a command that is rejected with "Command timed out" while no server is there was never sent, and is gone.
# What happens: it stays in the queue for commands without a connection, and is sent when the server is back, in the order
#   of the calls. The caller has long done something else, and its later write of the same key may stand before it.
# Why it matters: a fallback that writes elsewhere after the time-out ends with both. With enableOfflineQueue: false the
#   command is refused at once and never runs.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
npm_packages ioredis@6.0.0
debian_packages redis-server=5:7.0.15

cat >away.mjs <<'END'
import { createServer } from 'node:net';
import { spawn } from 'node:child_process';
import Redis from 'ioredis';

const probe = createServer().listen(0, '127.0.0.1');
await new Promise((resolve) => probe.on('listening', resolve));
const { port } = probe.address();
await new Promise((resolve) => probe.close(resolve));
for (const enableOfflineQueue of [true, false]) {
    const redis = new Redis({ port, commandTimeout: 300, retryStrategy: () => 100, maxRetriesPerRequest: null, enableOfflineQueue });
    redis.on('error', () => {});
    await redis.set('given-up', 'yes').catch((error) => console.log(error.message));
    const server = spawn('redis-server', ['--port', port, '--bind', '127.0.0.1', '--save', ''], { stdio: 'ignore' });
    await new Promise((resolve) => redis.once('ready', resolve));
    console.log(await redis.get('given-up'));
    redis.disconnect();
    server.kill();
    await new Promise((resolve) => server.on('exit', resolve));
}
END
node away.mjs >out
seen "while no server is there" "Command timed out" "$(sed -n 1p out)"
seen "when one is" yes "$(sed -n 2p out)"
seen "without the queue" "Stream isn't writeable and enableOfflineQueue options is false" "$(sed -n 3p out)"
seen "when one is" null "$(sed -n 4p out)"
finish
