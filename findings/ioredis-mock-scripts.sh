#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# ioredis-mock runs Lua scripts, but not as Redis does.
#
# Seen 2026-11-29: ioredis-mock 8.13.1; beside redis-server 7.0.15 (Debian 12).
# A good guess: a mock that offers EVAL turns Lua values into replies as Redis documents: a number loses its fraction,
#   false becomes null, a table ends at its first nil. What it lacks it refuses.
# What happens: 3.7 stays 3.7, false stays false, and a table with a nil in it becomes nothing at all. ZADD does not know
#   the flags GT and CH: it adds a member named "CH". HGET of a string says null, no WRONGTYPE. cjson and
#   redis.error_reply are not there.
# Why it matters: a queue whose claims and fences are scripts passes its tests here and differs in production, in the
#   silent cases most. Test scripts against a real Redis; it starts in a second.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
npm_packages ioredis-mock@8.13.1 ioredis@5.8.2
debian_packages redis-server=5:7.0.15

cat >try.mjs <<'END'
import Mock from 'ioredis-mock';
import Redis from 'ioredis';

const redis = process.argv[2] === 'mock' ? new Mock() : new Redis(process.argv[2]);
const say = async (promise) => console.log(JSON.stringify(await promise.catch((error) => error.message.slice(0, 9))) ?? 'nothing');
await say(redis.eval('return 3.7', 0));
await say(redis.eval('return {1, false, 3}', 0));
await say(redis.eval('return {1, nil, 3}', 0));
await redis.eval("return redis.call('ZADD', 'due', 'GT', 'CH', '5', 'A-1001')", 0);
await say(redis.zrange('due', 0, -1));
await redis.set('text', 'x');
await say(redis.hget('text', 'field'));
process.exit();
END
redis-server --port 0 --unixsocket "$PWD/redis.sock" --save '' --dir "$PWD" --daemonize no >redis.log 2>&1 &
started+=("$!")
for _ in $(seq 50); do
    [ ! -S redis.sock ] || break
    sleep 0.1
done

seen "Redis" '3 [1,null,3] [1] ["A-1001"] "WRONGTYPE"' "$(node try.mjs "$PWD/redis.sock" | paste -sd ' ')"
seen "mock" '3.7 [1,false,3] nothing ["A-1001","CH"] null' "$(node try.mjs mock | paste -sd ' ')"
finish
