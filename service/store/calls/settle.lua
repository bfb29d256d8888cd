-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Records what came of attempts.
--
-- ARGV: time to live of a delivered application (ms), then per settlement: application id, generation, action
--       (delivered, retry, dead, release, damaged), delay (ms), class, code (of a damaged one the field, which goes), message,
--       HTTP status ('' and 0: none)
-- Returns per settlement: 1 settled, 0 fenced

begin_draining()

local ttl = ARGV[1]
local leads_to = {delivered = 'delivered', retry = 'pending', dead = 'dead', release = 'pending', damaged = 'dead'}

local HISTORY_MAX, HISTORY_BYTES_MAX = 10, 4096

-- With what came of this attempt: the last ten, this one's line told by the other fields.
local function record(application, class, code, message, http)
    fold_line(application)
    local history = application.history
    if history then
        local lines = {}
        for line in history:sub(1, HISTORY_BYTES_MAX):gmatch('[^\n]+') do
            lines[#lines + 1] = #lines < HISTORY_MAX - 1 and line or nil
        end
        application.history = table.concat(lines, '\n')
    end
    application.class, application.code, application.http = class ~= '' and class or nil, code ~= '' and code or nil, http ~= '0' and tonumber(http) or nil
    application.message, application.has_line = message ~= '' and message or nil, true
end

-- What leaves `due`: one command at the end costs less than one for each. After an error in between, the next claim
-- clears away what stayed there.
local done = {}

local move = {}

function move.delivered(id, application)
    application.delivered = now
    save(id, application)
    done[#done + 1] = id
    redis.call('PEXPIRE', prefix .. id, ttl)
end

function move.retry(id, application, delay)
    save(id, application)
    redis.call('ZADD', due, digits(now + delay), id)
end

function move.dead(id, application)
    application.died = now
    save(id, application)
    done[#done + 1] = id
    redis.call('ZADD', dead, now_digits, id)
end

local function settle(id, generation, action, delay, class, code, message, http)
    local application = find(id)
    if application.damage == OF_ANOTHER_TYPE then
        expose(id)
        return 0
    end
    generation = tonumber(generation)
    local is_current = application.gen == generation
    if not application.state and not application.lease and is_current then
        application.state = 'sending' -- somebody else has damaged it, and this attempt is its last
    end
    if lease_of(application) ~= generation then
        if not (is_current and application.state == 'dead' and action == 'delivered') then
            -- Asked again after a lost connection, it finds done what it asks for; else somebody else went on.
            return is_current and application.state == leads_to[action] and 1 or 0
        end
        -- It was given up when its lease ran out, and SEEK has taken it all the same.
        redis.call('ZREM', dead, id)
        application.died = nil
    end
    if action == 'dead' then
        redis.call('ZSCORE', dead, id) -- fails before anything has changed, if somebody else has written to it
    end
    if not end_lease(id, application, generation) then
        return 0
    end
    if action == 'release' then
        release(id, application)
    elseif action == 'damaged' then
        application[code] = nil
        set_aside(id, code, application)
    else
        record(application, class, code, message, http)
        application.state = leads_to[action]
        move[action](id, application, delay)
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
