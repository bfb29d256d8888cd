-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Takes what is due, or was left by a worker whose lease ran out, and leases it; nothing while sending is paused. Needs
-- O(log n + limit).
--
-- What a claimer took with its last claim stays known under a key of its own while it is leased: the claim's number, then
-- application id and generation by turns. Where the answer was lost (Redis stood still, the connection broke), the next
-- claim gives that back first. One that is overtaken by the next claim, since it hung in a connection that was given up,
-- takes nothing; nor does one that comes when its answer is no longer waited for, perhaps of a process that is gone.
--
-- ARGV: limit, lease (ms), age (ms) from which an attempt that never reported back was the last, key of the claimer's
--       last claim, this claim's number, number of the last one that was answered, when to take nothing any more (ms)
-- Returns: ms until the next is due (-1: nothing waits), number of entries in due, number of leases that ran out,
--          whether sending is paused (0, 1), number of entries mended after the clock was set back, this clock (ms),
--          then per claim: application id, seek-token, event id, traceparent, generation, attempt, completed at (ms), age (ms), class of the last outcome, whether the lease before ran out (0, 1)

local limit, lease_ms, age_max = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local own, number, answered = ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local results, expired, mended = {0, 0, 0, 0, 0, now}, 0, 0

begin_draining()

if now > tonumber(ARGV[7]) then
    limit = 0
end

local function give_back(id, generation)
    local state, current, lease = unpack(redis.call('HMGET', prefix .. id, 'state', 'gen', 'lease'))
    if lease_of(state, current, lease) == generation and end_lease(id, state, current, generation, lease) then
        release(id)
    end
end

local last = redis.call('GET', own)
last = last and cjson.decode(last) or {0}
if last[1] >= number then
    return {-1, redis.call('ZCARD', due), 0, 0, 0, now}
end
if last[1] > answered then
    for i = 2, #last, 2 do
        give_back(last[i], last[i + 1])
    end
end

if redis.call('EXISTS', paused) == 1 then
    return {-1, redis.call('ZCARD', due), 0, 1, 0, now}
end

-- Where this clock was set back, an application's own past lies ahead, and its entry in `due` is too late by as much. What
-- lies farthest ahead shows it; else it waits until that is due. Both are mended, a piece per claim.
local CLOCK_TOLERANCE_MS, MEND_MAX = 1000, 100

-- How far the past lies ahead (ms); if more than `tolerance`, it does no more.
local function straighten(id, tolerance)
    local key = prefix .. id
    local tried, replayed, accepted, received, spooled, completed =
        unpack(redis.call('HMGET', key, 'tried', 'replayed', 'accepted', 'received', 'spooled', 'completed'))
    local past = {tried = tonumber(tried or 0), replayed = tonumber(replayed or 0), accepted = tonumber(accepted or 0)}
    local ahead = math.max(past.tried, past.replayed, past.accepted) - now
    if ahead <= tolerance then
        return 0
    end
    if past.accepted > now and not (received or spooled) then
        redis.call('HSET', key, 'received', accepted) -- the order of seek-tokens stays
    end
    if past.accepted > now and not completed then
        redis.call('HSET', key, 'completed', accepted) -- the signal's timestamp too
    end
    for field, value in pairs(past) do
        if value > now then
            redis.call('HSET', key, field, now_digits)
        end
    end
    return ahead
end

local function mend(id, at)
    local ahead = straighten(id, CLOCK_TOLERANCE_MS)
    if ahead > 0 then
        redis.call('ZADD', due, digits(math.max(now, at - ahead)), id)
        mended = mended + 1
    end
    return ahead > 0
end

local last_due = redis.call('ZRANGE', due, -1, -1, 'WITHSCORES')
if last_due[1] and mend(last_due[1], last_due[2]) then
    local entries = redis.call('ZRANGE', due, -MEND_MAX, -1, 'WITHSCORES')
    for i = 1, #entries, 2 do
        mend(entries[i], entries[i + 1])
    end
end

-- Something that kills its worker each time must come to an end too.
local function die(id, key)
    redis.call('HDEL', key, 'lease', 'http')
    redis.call('HSET', key, 'state', 'dead', 'died', now_digits, 'class', 'transient', 'code', 'LEASE_EXPIRED',
        'message', 'The last attempt never reported back, and the event is too old for another one.')
    redis.call('ZADD', dead, now_digits, id)
end

local taken, leased, lease_end = {number}, {}, digits(now + lease_ms)

local function lease_out(id, key, generation, attempt)
    redis.call('HSET', key, 'state', 'sending', 'gen', generation, 'attempts', attempt, 'tried', now_digits)
    leased[#leased + 1], leased[#leased + 2] = lease_end, id
    taken[#taken + 1], taken[#taken + 2] = id, generation
end

-- All fields by name: what is due for the first time has few, which costs less than asking for what it may have.
local function read_all(key)
    local entry, application = redis.call('HGETALL', key), {}
    for i = 1, #entry, 2 do
        application[entry[i]] = entry[i + 1]
    end
    return application
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now_digits, 'LIMIT', 0, limit)) do
    local key = prefix .. id
    local application = read_all(key)
    local state, accepted, replayed = application.state, application.accepted, application.replayed
    local lease = lease_of(state, application.gen, application.lease)
    local began = tonumber(replayed or accepted) or now
    local age = math.max(0, now - began)
    local is_owed = state == 'pending' or state == 'sending'
    local is_over = state == 'sending' and age > age_max
    if is_over or not is_owed then
        redis.call('ZREM', due, id)
    end
    if lease then
        expired = expired + 1
    end
    if is_over then
        die(id, key)
    elseif is_owed then
        local attempt = application.attempts and digits(tonumber(application.attempts) + 1) or '1'
        local generation = generation_after(application.gen)
        if began > now or replayed and tonumber(accepted or 0) > now then
            straighten(id, 0) -- else the end of this lease would seem to be too late
        end
        if application.lease then
            redis.call('HDEL', key, 'lease')
        end
        lease_out(id, key, generation, attempt)
        local count = #results
        results[count + 1], results[count + 2], results[count + 3] = id, application.token, with_zeros(application.event)
        results[count + 4], results[count + 5], results[count + 6] = application.trace or '', generation, attempt
        results[count + 7], results[count + 8] = application.completed or accepted, age
        results[count + 9], results[count + 10] = application.class or '', lease and '1' or '0'
    elseif lease then
        end_lease(id, state, application.gen, lease, application.lease) -- it was forgotten
    end
    -- Else somebody deleted or changed the hash by hand, and the entry in `due` was all that was left.
end

-- Moves them from where they were in `due`: one command costs less than one for each.
if leased[1] then
    redis.call('ZADD', due, unpack(leased))
end

-- One that takes nothing has nothing to keep, unless one before it may still be on its way.
if #taken > 1 or number > answered + 1 then
    redis.call('SET', own, cjson.encode(taken), 'PX', lease_ms)
end

local soonest = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')[2]
results[1] = mended > 0 and 0 or soonest and math.max(0, soonest - now) or -1
results[2] = redis.call('ZCARD', due)
results[3] = expired
results[5] = mended
return results
