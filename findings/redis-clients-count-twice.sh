#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# Some Redis clients execute an INCR twice if its answer is lost, and redis-py began to do so in Debian 13.
#
# Seen 2026-11-30: python3-redis 4.3.4 and ruby-redis 4.8.0 (Debian 12), php-redis 5.3.7, python3-redis 6.1.0 (Debian 13),
#   redis-server 7.0.15.
# A good guess: if a connection ends before the answer to INCR is there, the client raises an error. It cannot know
#   whether Redis has executed the command, and INCR is not safe to repeat.
# What happens: ruby-redis and redis-py 6.1 connect again and repeat the command. The caller sees no error, and the
#   counter has grown by two. redis-py 4.3 and php-redis raise an error, and the counter has grown by one.
# Why it matters: an upgrade of Debian changes what a program on the same Redis may rely on. A list or a stream gets an
#   entry twice, and a counter is too high. A call that must count once needs an id of its own that Redis compares.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages redis-server=5:7.0.15 redis-tools=5:7.0.15 python3-redis=4.3.4 ruby-redis=4.8.0 php-cli=2:8.2 php-redis=5.3.7 debootstrap=1
debian_13 python3-redis=6.1.0

in_background redis-server --port 0 --unixsocket "$PWD/redis.sock" --save ''
redis_answers redis.sock
cat >between.py <<'END'
# Between a client and Redis: while the file `lose` is there, one answer to INCR is lost together with the connection.
import os, socket, threading

def serve(client):
    redis = socket.socket(socket.AF_UNIX)
    redis.connect("redis.sock")
    while asked := client.recv(65536):
        redis.sendall(asked)
        answer = redis.recv(65536)
        if b"incr" in asked.lower() and os.path.exists("lose"):
            os.remove("lose")
            break
        client.sendall(answer)
    redis.close()
    client.close()

listener = socket.create_server(("127.0.0.1", 0))
with open("port", "w") as file:
    file.write(str(listener.getsockname()[1]))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
END
in_background python3 between.py
port=$(port_file port)

cat >incr.py <<'END'
import sys, redis
try:
    print(redis.Redis(port=int(sys.argv[1])).incr(sys.argv[2]))
except redis.ConnectionError:
    print("error")
END
cat >incr.rb <<'END'
require "redis"
begin
  puts Redis.new(port: ARGV[0].to_i).incr(ARGV[1])
rescue Redis::BaseConnectionError
  puts "error"
end
END
cat >incr.php <<'END'
<?php
try {
    $redis = new Redis();
    $redis->connect("127.0.0.1", (int)$argv[1]);
    echo $redis->incr($argv[2]), "\n";
} catch (RedisException) {
    echo "error\n";
}
END
cp incr.py trixie/incr.py

# counted COMMAND...: what the client says when the answer is lost, and what the counter says then.
counted() {
    : >lose
    redis-cli -s redis.sock DEL counter >/dev/null
    echo "$("$@" "$port" counter), counter $(redis-cli -s redis.sock GET counter)"
}
seen "no answer is lost" "1" "$(/usr/bin/python3 incr.py "$port" other)"
seen "redis-py 4.3" "error, counter 1" "$(counted /usr/bin/python3 incr.py)"
seen "php-redis" "error, counter 1" "$(counted php incr.php)"
seen "redis-py 6.1" "2, counter 2" "$(counted chroot trixie python3 /incr.py)"
seen "ruby-redis" "2, counter 2" "$(counted ruby incr.rb)"
finish
