-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- What most calls of accept are, without the functions of the rest: each event is the first of its application, has a seek-token
-- and an id of ours, and nothing more is known of it; the caller's last call was answered; sending is not paused. All that is
-- looked at before anything is written: a call that is not plain goes on in accept.lua, which says what the arguments are.

local HEAD, ARGUMENTS = 6, 4
local LEASED = 5

local places, lease_ms, own = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local number, answered = tonumber(ARGV[4]), tonumber(ARGV[5])
local taken, lease_end = {number}, digits(now + lease_ms)
local results = {now, now_us_digits}

do
    local keys, events, met, count, is_plain = {}, {}, {}, 0, true
    for i = HEAD + 1, #ARGV, ARGUMENTS do
        local id, event = ARGV[i], short_event(ARGV[i + 2])
        is_plain = is_plain and #event == 12 and ARGV[i + 1] ~= '' and ARGV[i + 3] == '' and not met[id]
        count = count + 1
        keys[count], events[count], met[id] = prefix .. id, event, true
    end
    if is_plain and own ~= '' then
        local text = redis.pcall('GET', own)
        is_plain = type(text) ~= 'string' or (tonumber(text:match('^%[(%d+)[,%]]')) or 0) <= answered
    end
    local left = now <= tonumber(ARGV[6]) and places or 0
    if left > 0 then
        keys[count + 1] = paused -- with the others, in one command
    end
    if is_plain and redis.call('EXISTS', unpack(keys)) == 0 then
        local soonest = left > 0 and redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')[2]
        left = soonest and tonumber(soonest) <= now and 0 or left
        local entries = {}
        for i = 1, count do
            entries[2 * i - 1], entries[2 * i] = i <= left and lease_end or now_digits, ARGV[HEAD + 1 + (i - 1) * ARGUMENTS]
        end
        -- Before the hashes, as in accept.lua.
        redis.call('ZADD', due, unpack(entries))
        for i = 1, count do
            local packed = i <= left and struct.pack(LONG, SENDING, events[i], now, now_us, 1, now, 0, 0, 0)
                or struct.pack(SHORT, PENDING, events[i], now)
            redis.call('HSET', keys[i], 'p', packed, 'token', ARGV[HEAD + 2 + (i - 1) * ARGUMENTS])
            results[i + 2] = 0
            if i <= left then
                taken[2 * i], taken[2 * i + 1], results[i + 2] = entries[2 * i], now_us_digits, LEASED
            end
        end
        -- As keep_taken in lease.lua, and last as in accept.lua.
        if own ~= '' and (left > 0 or number > answered + 1) then
            redis.call('SET', own, cjson.encode(taken), 'PX', lease_ms)
        end
        return results
    end
end

