#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# /proc says nothing of the environment that a redis-server was started with.
#
# Seen 2026-11-29, Debian 12: redis-server 7.0.15.
# A good guess: /proc/PID/environ shows the variables that a process was started with, so that a test can look there for
#   a secret that should not have been handed on.
# What happens: Redis writes its title over the memory of its arguments and environment. The file has its old length and
#   no variable in it, whichever were given. Another program, started in the same way, shows them.
# Why it matters: such a test passes with a leaking environment too. Who wants to know what a Redis child is told has to
#   look on the way to it, by a wrapper in PATH for example.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages redis-server=5:7.0.15 redis-tools=5:7.0.15

shows() { tr '\0' '\n' <"/proc/$1/environ" | grep -c '^PASSED_ON=' || true; }
PASSED_ON=yes redis-server --port 0 --unixsocket "$PWD/redis.sock" --save '' >redis.log 2>&1 &
started+=($!)
redis=$!
redis_answers redis.sock
PASSED_ON=yes sleep 60 &
started+=($!)
other=$!
sleep 0.2
seen "Redis answers" "PONG" "$(cat pong)"
seen "variables that Redis shows" "0" "$(shows "$redis")"
seen "variables that another program shows" "1" "$(shows "$other")"
finish
