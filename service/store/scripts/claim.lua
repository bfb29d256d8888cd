-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Takes what is due, or was left by a worker whose lease ran out, and leases it; nothing while sending is paused. Needs
-- O(log n + limit).
--
-- ARGV: limit, lease (ms), age (ms) from which an attempt that never reported back was the last
-- Returns: ms until the next is due (-1: nothing waits), number of entries in due, number of leases that ran out,
--          whether sending is paused (0, 1), then per claim: application id, seek-token, event id, traceparent, generation, attempt, completed at (ms),
--          age (ms), class of the last outcome, whether the lease before ran out (0, 1)

local limit, lease_ms, age_max = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local fields = {'state', 'token', 'gen', 'lease', 'event', 'completed', 'accepted', 'replayed', 'attempts', 'class',
    'trace'}
local results, expired = {0, 0, 0, 0}, 0

if redis.call('EXISTS', paused) == 1 then
    return {-1, redis.call('ZCARD', due), 0, 1}
end

-- Something that kills its worker each time must come to an end too.
local function die(id, key)
    redis.call('HDEL', key, 'lease', 'http')
    redis.call('HSET', key, 'state', 'dead', 'died', digits(now), 'class', 'transient', 'code', 'LEASE_EXPIRED',
        'message', 'The last attempt never reported back, and the event is too old for another one.')
    redis.call('ZADD', dead, digits(now), id)
end

local function lease_out(id, key, generation, attempt)
    redis.call('HSET', key, 'state', 'sending', 'gen', generation, 'lease', generation, 'attempts', attempt,
        'tried', digits(now))
    redis.call('ZADD', due, digits(now + lease_ms), id)
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', digits(now), 'LIMIT', 0, limit)) do
    local key = prefix .. id
    local state, token, generation, lease, event, completed, accepted, replayed, attempts, class, trace =
        unpack(redis.call('HMGET', key, unpack(fields)))
    local age = now - (tonumber(replayed or accepted) or now)
    -- ZREM first: a write that takes no memory, after which Redis lets the others pass at maxmemory too. What is full
    -- must be able to drain.
    redis.call('ZREM', due, id)
    if lease then
        expired = expired + 1
    end
    if state == 'sending' and age > age_max then
        die(id, key)
    elseif state == 'pending' or state == 'sending' then
        local attempt = digits((tonumber(attempts) or 0) + 1)
        generation = generation_after(generation)
        lease_out(id, key, generation, attempt)
        for _, value in ipairs({id, token, event, trace or '', generation, attempt, completed, digits(age),
            class or '', lease and '1' or '0'}) do
            results[#results + 1] = value
        end
    end
    -- Else somebody deleted or changed the hash by hand, and the entry in `due` was all that was left.
end

local soonest = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')[2]
results[1] = soonest and math.max(0, soonest - now) or -1
results[2] = redis.call('ZCARD', due)
results[3] = expired
return results
