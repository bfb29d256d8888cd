-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Records what came of attempts.
--
-- ARGV: time to live of a delivered application (ms), then per settlement: application id, generation, action
--       (delivered, retry, dead, release), delay (ms), class, code, message, HTTP status ('' and 0: none)
-- Returns per settlement: 1 settled, 0 fenced

begin_draining()

local ttl = ARGV[1]
local leads_to = {delivered = 'delivered', retry = 'pending', dead = 'dead', release = 'pending'}

local HISTORY_MAX = 10

-- What came of this attempt in front of what came of those before it: the last ten. A code is SEEK's and may be any text.
local function chronicle(attempts, tried, class, code, history)
    local newest = (attempts or 0) .. ' ' .. (tried or 0) .. ' ' .. class .. ' ' .. code:gsub('%c', ' ')
    if not history then
        return newest
    end
    local lines = {newest}
    for line in history:gmatch('[^\n]+') do
        lines[#lines + 1] = #lines < HISTORY_MAX and line or nil
    end
    return table.concat(lines, '\n')
end

local OUTCOME = {'class', 'code', 'message', 'http'}

-- One HSET; what an earlier attempt has left is cleared where there was one.
local function record(key, was_recorded, values, outcome)
    local count, cleared = #values, {}
    for i = 1, #OUTCOME do
        local field, value = OUTCOME[i], outcome[i]
        if value ~= '' and value ~= '0' then
            values[count + 1], values[count + 2] = field, value
            count = count + 2
        elseif was_recorded then
            cleared[#cleared + 1] = field
        end
    end
    redis.call('HSET', key, unpack(values))
    if cleared[1] then
        redis.call('HDEL', key, unpack(cleared))
    end
end

-- What leaves `due`: one command at the end costs less than one for each. After an error in between, the next claim
-- clears away what stayed there.
local done = {}

local move, moment_of = {}, {delivered = 'delivered', dead = 'died'}

function move.delivered(id, key)
    done[#done + 1] = id
    redis.call('PEXPIRE', key, ttl)
end

function move.retry(id, _, delay)
    redis.call('ZADD', due, digits(now + delay), id)
end

function move.dead(id)
    done[#done + 1] = id
    redis.call('ZADD', dead, now_digits, id)
end

local function settle(id, generation, action, delay, class, code, message, http)
    local key = prefix .. id
    local state, current, lease, attempts, tried, history, class_before =
        unpack(redis.call('HMGET', key, 'state', 'gen', 'lease', 'attempts', 'tried', 'history', 'class'))
    if lease_of(state, current, lease) ~= generation then
        local is_current = current == generation
        if not (is_current and state == 'dead' and action == 'delivered') then
            -- Asked again after a lost connection, it finds done what it asks for; else somebody else went on.
            return is_current and state == leads_to[action] and 1 or 0
        end
        -- It was given up when its lease ran out, and SEEK has taken it all the same.
        redis.call('ZREM', dead, id)
        redis.call('HDEL', key, 'died')
    end
    if not end_lease(id, state, current, generation, lease) then
        return 0
    end
    if action == 'release' then
        release(id)
    else
        local values = {'state', leads_to[action], 'history', chronicle(attempts, tried, class, code, history)}
        if moment_of[action] then
            values[5], values[6] = moment_of[action], now_digits
        end
        record(key, class_before, values, {class, code, message, http})
        move[action](id, key, delay)
    end
    return 1
end

local results = {}
for i = 2, #ARGV, 8 do
    results[#results + 1] = settle(unpack(ARGV, i, i + 7))
end
if done[1] then
    redis.call('ZREM', due, unpack(done))
end
return results
