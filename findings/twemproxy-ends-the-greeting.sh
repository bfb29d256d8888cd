#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# Four Redis clients, redis-py of Debian 13 among them, get no command through twemproxy: it ends the connection at their
# greeting.
#
# Seen 2026-11-30: nutcracker 0.5.0, redis-server 7.0.15, python3-redis 4.3.4, ruby-redis 4.8.0, php-redis 5.3.7 (Debian 12);
#   python3-redis 6.1.0 (Debian 13); ioredis 6.0.0, @redis/client 6.3.1 and iovalkey 0.4.0, Node 20.
# A good guess: SET and GET are supported, so each client works. What a client says of itself at the beginning (HELLO, CLIENT
#   SETINFO) is optional: a server that does not know it answers with an error, and the client goes on without.
# What happens: twemproxy answers no error to a command that it does not support. It ends the connection, at HELLO, CLIENT,
#   SELECT, MULTI, INFO and TIME alike. redis-py 6.1, ioredis, node-redis and iovalkey report a closed connection. redis-py
#   4.3, ruby-redis and php-redis, which say nothing at the beginning, work. redis-py 6.1 does too with lib_name=None and
#   lib_version=None, and node-redis with RESP 2 and disableClientInfo.
# Why it matters: an upgrade of a client library, or of Debian, cuts a program off from its Redis, and "connection closed"
#   looks like an outage or like TLS. A program that needs scripts and INFO needs a Redis without this proxy in between.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages nutcracker=0.5.0 redis-server=5:7.0.15 redis-tools=5:7.0.15 python3-redis=4.3.4 ruby=1:3.1 ruby-redis=4.8.0 \
    php-cli=2:8.2 php-redis=5.3.7 debootstrap=1
npm_packages ioredis@6.0.0 @redis/client@6.3.1 iovalkey@0.4.0
debian_13 python3-redis=6.1.0

free_ports='import socket
for s in [socket.create_server(("127.0.0.1", 0)) for _ in "abc"]: print(s.getsockname()[1])'
{ read -r behind && read -r proxy && read -r statistics; } < <(python3 -c "$free_ports")
in_background redis-server --bind 127.0.0.1 --port "$behind" --unixsocket "$PWD/redis.sock" --save ""
redis_answers redis.sock
cat >nutcracker.yml <<END
pool:
  listen: 127.0.0.1:$proxy
  redis: true
  distribution: ketama
  hash: fnv1a_64
  timeout: 400
  servers:
   - 127.0.0.1:$behind:1
END
in_background nutcracker -c nutcracker.yml -a 127.0.0.1 -s "$statistics"

cat >client.py <<'END'
import sys, redis

options = {"lib_name": None, "lib_version": None} if sys.argv[2:] else {}
try:
    print(redis.Redis(port=int(sys.argv[1]), **options).set("key", "value"))
except redis.ConnectionError:
    print("closed")
END
cp client.py trixie/client.py
cat >client.php <<'END'
<?php
$client = new Redis();
$client->connect("127.0.0.1", (int)$argv[1]);
echo $client->set("key", "value") ? "OK" : "no", "\n";
END
cat >client.js <<'END'
import { createClient } from "@redis/client";
import Redis from "ioredis";
import Valkey from "iovalkey";

const [library, port] = process.argv.slice(2);
const io = (Client) => {
    const client = new Client({ port: Number(port), maxRetriesPerRequest: 1 });
    client.on("error", () => {});
    return { set: () => client.set("key", "value"), end: () => client.disconnect() };
};
const node = (options) => {
    const client = createClient({ socket: { port: Number(port), reconnectStrategy: false }, ...options });
    client.on("error", () => {});
    const set = async () => {
        await client.connect();
        return client.set("key", "value");
    };
    return { set, end: () => client.isOpen && client.destroy() };
};
const make = {
    ioredis: () => io(Redis),
    iovalkey: () => io(Valkey),
    redis: () => node({}),
    "redis-quiet": () => node({ RESP: 2, disableClientInfo: true }),
};
const client = make[library]();
try {
    console.log(await client.set());
} catch {
    console.log("closed");
}
client.end();
END
# last line of what redis-cli, which sends what it is told and nothing else, says of a command
directly() { timeout 5 redis-cli -p "$proxy" "$@" 2>&1 | tail -n 1; }
for _ in $(seq 50); do
    [ "$(directly SET key value)" = OK ] && break
    sleep 0.1
done

seen "SET" OK "$(directly SET key value)"
for command in "HELLO 3" "CLIENT SETNAME one" "SELECT 0" MULTI INFO TIME; do
    read -ra words <<<"$command"
    seen "$command" "Error: Server closed the connection" "$(directly "${words[@]}")"
done
seen "redis-py 4.3" True "$(/usr/bin/python3 client.py "$proxy")"
seen "redis-py 6.1" closed "$(chroot trixie python3 /client.py "$proxy")"
seen "redis-py 6.1, lib_name=None" True "$(chroot trixie python3 /client.py "$proxy" quiet)"
seen "ruby-redis" OK "$(ruby -W0 -rredis -e 'puts Redis.new(port: ARGV[0].to_i).set("key", "value")' "$proxy")"
seen "php-redis" OK "$(php client.php "$proxy")"
for library in ioredis iovalkey redis; do
    seen "$library" closed "$(node client.js "$library" "$proxy")"
    seen "$library without the proxy" OK "$(node client.js "$library" "$behind")"
done
seen "redis-quiet" OK "$(node client.js redis-quiet "$proxy")"
finish
