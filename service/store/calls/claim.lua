-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Takes what is due, or was left by a worker whose lease ran out, and leases it; nothing while sending is paused. Needs
-- O(log n + limit).
--
-- What a claim took whose answer was lost is given back by the claimer's next one: see lease.lua.
--
--   due, by time     past ◄────────────── now ──────────────► ahead
--                    A    B    C           │      D(leased)    E(next attempt)
--                    └────┴────┴─ taken ───┤      F(its clock was set back) ─ repaired
--
--   pending ──────────────► sending        leased: generation g', attempt + 1, `due` at the lease's end
--   sending, lease ended ─► sending        the attempt never reported back: it counts, and goes again
--   sending, too old ─────► dead           LEASE_EXPIRED
--   damaged ──────────────► dead           class damaged; never sent
--   any other, or none ───► not in `due`   of one that was forgotten, only its lease ends here
--
-- Order of a call, each step for itself so that one that breaks off leaves nothing wrong behind:
--   1  write nothing to `due`, after which a full Redis lets the rest pass
--   2  too late to be waited for: the limit is 0, as where a lost answer of accept is given back
--   3  the claimer's last claim: a newer one was here, nothing more; not answered, its leases are given back
--   4  paused: nothing more
--   5  what lies ahead only since the clock was set back is repaired, a hundred at a time; not with a limit of 0
--   6  what is due is taken one by one, and their new places in `due` written at once
--   7  what was taken is kept under the claimer's key, for as long as it is leased
--
-- ARGV: limit, lease (ms), age (ms) from which an attempt that never reported back was the last, key of the claimer's
--       last claim, this claim's number, number of the last one that was answered, when to take nothing any more (ms)
-- Returns: ms until the next is due (-1: nothing waits), number of entries in due, number of leases that ran out,
--          whether sending is paused (0, 1), number of entries repaired after the clock was set back, this clock (ms), what was
--          set aside since it is damaged (application id and field by turns), then per claim: application id, seek-token, event id, traceparent, generation, attempt, completed at (ms), age (ms), class of the last outcome, whether the lease before ran out (0, 1)

local limit, lease_ms, age_max = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local own, number, answered = ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local damaged = {}
local results, expired, repaired = {0, 0, 0, 0, 0, now, damaged}, 0, 0
local lease_end = digits(now + lease_ms)

begin_draining()

if now > tonumber(ARGV[7]) then
    limit = 0
end

local text, last = read_last(own, number)
if last >= number then
    return {-1, redis.call('ZCARD', due), 0, 0, 0, now, damaged}
end
if last > answered then
    give_back_all(text)
end

if redis.call('EXISTS', paused) == 1 then
    return {-1, redis.call('ZCARD', due), 0, 1, 0, now, damaged}
end

local function give_up(id, damage, application)
    if #id <= ID_MAX and not id:find('%c') then
        set_aside(id, damage, application)
    else
        redis.call('ZREM', due, id) -- nobody could ask for it
    end
    damaged[#damaged + 1], damaged[#damaged + 2] = id:sub(1, 256), damage
end

-- Where this clock was set back, an application's own past lies ahead, and its entry in `due` is too late by as much. What
-- lies farthest ahead shows it; else it waits until that is due. Both are repaired, a piece per claim.
local CLOCK_TOLERANCE_MS, REPAIR_MAX = 1000, 100
local PAST = {'tried', 'replayed', 'accepted'}

-- How far the past lies ahead (ms); if more than `tolerance`, nothing of it does any more.
local function straighten(application, tolerance)
    local accepted, ahead = application.accepted or 0, 0
    for _, field in ipairs(PAST) do
        ahead = math.max(ahead, (application[field] or 0) - now)
    end
    if ahead <= tolerance then
        return 0
    end
    fold_line(application)
    if accepted > now then
        if not application.received then
            application.received = accepted -- the order of seek-tokens stays
        end
        application.completed = application.completed or accepted -- the signal's timestamp too
    end
    for _, field in ipairs(PAST) do
        if application[field] then
            application[field] = math.min(application[field], now)
        end
    end
    return ahead
end

local function repair(id, at)
    local application = find(id)
    local damage, state = application.damage, application.state
    if damage and (damage == OF_ANOTHER_TYPE or damage == 'accepted' or not state) then
        give_up(id, damage, application) -- else it would hide from this look what lies behind it
        return false
    end
    local ahead = state and straighten(application, CLOCK_TOLERANCE_MS) or 0
    -- Without a state it was forgotten, or nothing is known of it: it waits for the end of a lease at most.
    local most = state and FAR_MS or lease_ms + CLOCK_TOLERANCE_MS
    if ahead > 0 then
        save(id, application)
        redis.call('ZADD', due, digits(math.max(now, at - ahead)), id)
        repaired = repaired + 1
    elseif tonumber(at) > now + most and redis.call('ZSCORE', due, id) then
        redis.call('ZADD', due, state and now_digits or lease_end, id)
    end
    return ahead > 0
end

-- Of a claim of nothing nobody reads what it sets aside: it gives back, and leaves this to the others.
local last_due = limit > 0 and redis.call('ZRANGE', due, -1, -1, 'WITHSCORES') or {}
if last_due[1] and repair(last_due[1], last_due[2]) then
    local entries = redis.call('ZRANGE', due, -REPAIR_MAX, -1, 'WITHSCORES')
    for i = 1, #entries, 2 do
        repair(entries[i], entries[i + 1])
    end
end

-- Something that kills its worker each time must come to an end too.
local function die(id, application)
    application.state, application.died, application.class, application.code = 'dead', now, 'transient', 'LEASE_EXPIRED'
    application.message = 'The last attempt never reported back, and the event is too old for another one.'
    application.lease, application.http = nil, nil
    redis.call('ZADD', dead, now_digits, id)
    save(id, application)
end

local taken, leased = {number}, {}

-- The generation, as text.
local function lease_out(id, application)
    local generation, generation_digits = generation_after(application.gen)
    fold_line(application)
    application.state, application.gen, application.tried, application.lease = 'sending', generation, now, nil
    application.attempts = (application.attempts or 0) + 1
    save(id, application)
    leased[#leased + 1], leased[#leased + 2] = lease_end, id
    taken[#taken + 1], taken[#taken + 2] = id, generation_digits
    return generation_digits
end

-- What is damaged in what is due; nil: nothing, or nothing is known of it, or it owes no signal.
local function damage_in(id, application)
    local state = application.state
    if state == 'draft' or state == 'delivered' or state == 'dead' then
        return nil
    end
    return state and #id > ID_MAX and 'id' or application.damage
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now_digits, 'LIMIT', 0, limit)) do
    local application = find(id)
    local damage, state, lease = damage_in(id, application), application.state, lease_of(application)
    local began = application.replayed or application.accepted or now
    local age = math.max(0, now - began)
    local is_owed = not damage and (state == 'pending' or state == 'sending')
    local is_over = is_owed and state == 'sending' and age > age_max
    if damage then
        give_up(id, damage, application)
    elseif is_over or not is_owed then
        redis.call('ZREM', due, id)
    end
    if lease and not damage then
        expired = expired + 1
    end
    if is_over then
        die(id, application)
    elseif is_owed then
        local completed, count = application.completed or application.accepted, #results
        if began > now or application.accepted > now then
            straighten(application, 0) -- else the end of this lease would seem to be too late
        end
        local class = application.class or ''
        local generation = lease_out(id, application)
        results[count + 1], results[count + 2], results[count + 3] = id, application.token, application.event
        results[count + 4], results[count + 5], results[count + 6] = application.trace or '', generation, application.attempts
        results[count + 7], results[count + 8], results[count + 9] = completed, age, class
        results[count + 10] = lease and '1' or '0'
    elseif lease and not damage then
        end_lease(id, application, lease) -- it was forgotten
    end
    -- Else somebody deleted or changed the hash by hand, and the entry in `due` was all that was left.
end

-- Moves them from where they were in `due`: one command costs less than one for each.
if leased[1] then
    redis.call('ZADD', due, unpack(leased))
end

keep_taken(own, taken, answered, lease_ms)

local soonest = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')[2]
results[1] = repaired > 0 and 0 or soonest and math.min(math.max(0, soonest - now), FAR_MS) or -1
results[2] = redis.call('ZCARD', due)
results[3] = expired
results[5] = repaired
return results
