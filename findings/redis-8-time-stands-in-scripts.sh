#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# In a script of Redis 8 or Valkey 8, TIME says the same from the first to the last call.
#
# Seen 2026-11-30: redis-server 7.0.15 (Debian 12), redis-server 8.0.2 and valkey-server 8.1.1 (Debian 13).
# A good guess: TIME in a script says how late it is, so a script that stops after 50 ms of work, by its own
#   measure, stops. So it does in 7.0.15.
# What happens: in 8.0.2 and 8.1.1 the time stands still while a script runs. A second script is later than the first.
# Why it matters: a script that bounds its work by TIME has no bound after an upgrade: it does all of it and blocks
#   the server for that long. A script that measures itself reports 0. Bound the work by a count instead.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
three_redis
ask() { redis-cli -s "$@"; }

cat >work.lua <<'END'
local function now()
    local time = redis.call('TIME')
    return time[1] * 1000000 + time[2]
end
local begun, sum = now(), 0
for i = 1, 2000000 do sum = sum + i end
return now() == begun and 'stands still' or 'moves'
END
cat >now.lua <<'END'
local time = redis.call('TIME')
return time[1] .. string.format('%06d', time[2])
END
# later SOCKET: whether the time of a second script is later than that of the first.
later() {
    local first
    first=$(ask "$1" EVAL "$(cat now.lua)" 0)
    [ "$(ask "$1" EVAL "$(cat now.lua)" 0)" -gt "$first" ] && echo yes || echo no
}
seen "7.0.15, within a script" "moves" "$(ask "${sockets[0]}" EVAL "$(cat work.lua)" 0)"
seen "8.0.2, within a script" "stands still" "$(ask "${sockets[1]}" EVAL "$(cat work.lua)" 0)"
seen "Valkey 8.1.1, within a script" "stands still" "$(ask "${sockets[2]}" EVAL "$(cat work.lua)" 0)"
seen "8.0.2, a second script is later" "yes" "$(later "${sockets[1]}")"
seen "Valkey 8.1.1, a second script is later" "yes" "$(later "${sockets[2]}")"
finish
