#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# Redis 8 and Valkey 8 forget scripts that came by EVAL, while they run.
#
# Seen 2026-11-30: redis-server 7.0.15 (Debian 12), redis-server 8.0.2 and valkey-server 8.1.1 (Debian 13).
# A good guess: a script that EVAL has brought can be called by EVALSHA until SCRIPT FLUSH or a restart. The cache has no
#   limit, so NOSCRIPT in the middle means that somebody has flushed it or Redis has restarted.
# What happens: 8.0.2 and 8.1.1 keep the last 500 scripts that came by EVAL. After 500 other ones EVALSHA answers
#   NOSCRIPT. A script that came by SCRIPT LOAD stays. 7.0.15 keeps all.
# Why it matters: one program that writes values into its script texts instead of ARGV removes the scripts of all
#   others on that Redis. A client that loads by EVAL once, and then sends EVALSHA in a pipeline or MULTI, fails there.
#   Load by SCRIPT LOAD, or repeat a call that got NOSCRIPT at any time, not only after a reconnect.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
three_redis
ask() { redis-cli -s "$@"; }

for number in $(seq 500); do
    echo "EVAL \"return $number\" 0"
done >others
by_eval="return 'by EVAL'" by_load="return 'by LOAD'"
# after SOCKET: what EVALSHA answers for both scripts, after 500 other ones.
after() {
    local text
    ask "$1" EVAL "$by_eval" 0 >/dev/null
    ask "$1" SCRIPT LOAD "$by_load" >/dev/null
    ask "$1" <others >/dev/null
    for text in "$by_eval" "$by_load"; do
        ask "$1" EVALSHA "$(printf '%s' "$text" | sha1sum | cut -d' ' -f1)" 0
    done | grep . | cut -c-8 | paste -sd,
}
seen "7.0.15" "by EVAL,by LOAD" "$(after "${sockets[0]}")"
seen "8.0.2" "NOSCRIPT,by LOAD" "$(after "${sockets[1]}")"
seen "Valkey 8.1.1" "NOSCRIPT,by LOAD" "$(after "${sockets[2]}")"
finish
