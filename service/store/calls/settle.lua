-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Records what came of attempts: of those that settle_plain.lua has left.
--
-- ARGV: time to live of a delivered application (ms), then per settlement: application id, generation (7 bytes, as in `p`), and
--       what came of it, which is mostly the same for many: action (delivered, retry, dead, release, damaged), delay (ms), class,
--       HTTP status, length of the code and the code (of a damaged one the field, which goes), message (`-`, 0 and '': none)
-- Returns per settlement: 1 settled, 0 fenced

local leads_to = {delivered = 'delivered', retry = 'pending', dead = 'dead', release = 'pending', damaged = 'dead'}

local HISTORY_MAX, HISTORY_BYTES_MAX = 10, 4096

-- With what came of this attempt: the last ten, this one's line told by the other fields.
local function record(application, outcome)
    fold_line(application)
    local history = application.history
    if history then
        local lines = {}
        for line in history:sub(1, HISTORY_BYTES_MAX):gmatch('[^\n]+') do
            lines[#lines + 1] = #lines < HISTORY_MAX - 1 and line or nil
        end
        application.history = table.concat(lines, '\n')
    end
    application.class, application.code, application.http = outcome.class, outcome.code, outcome.http
    application.message, application.has_line = outcome.message, true
end

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

local outcomes = {}

local function read_outcome(text)
    local action, delay, class, http, length, rest = text:match('^(%a+) (%d+) (%S+) (%d+) (%d+) (.*)$')
    local outcome = {action = action, delay = delay, class = class ~= '-' and class or nil, http = http ~= '0' and tonumber(http) or nil,
        code = length ~= '0' and rest:sub(1, length) or nil, message = #rest > tonumber(length) and rest:sub(length + 1) or nil}
    outcomes[text] = outcome
    return outcome
end

local function settle(id, generation, outcome)
    local action = outcome.action
    local application = find(id)
    if application.damage == OF_ANOTHER_TYPE then
        expose(id)
        return 0
    end
    generation = struct.unpack('>I7', generation)
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
        application[outcome.code] = nil
        set_aside(id, outcome.code, application)
    else
        record(application, outcome)
        application.state = leads_to[action]
        move[action](id, application, outcome.delay)
    end
    return 1
end

for i = next_place, #ARGV, 3 do
    local id, generation, text = ARGV[i], ARGV[i + 1], ARGV[i + 2]
    results[#results + 1] = deliver_first(id, generation, text) and 1 or settle(id, generation, outcomes[text] or read_outcome(text))
end
if done[1] then
    redis.call('ZREM', due, unpack(done))
end
return results
