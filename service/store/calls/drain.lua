-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Takes what was spooled while Redis was away, some of it perhaps for the second time: after a crash its records come
-- again. Each has a stamp, the time at which it was accepted by the clock of the machine that spooled it. The newest
-- seek-token wins, as if everything had come when it was accepted: one whose stamp is older than the stored seek-token
-- is superseded, and known as replaced from then on. Between two stamps of one life of a process that is certain. Between
-- machines, and between them and Redis, it is as right as their clocks are; but no seek-token came later than Redis took it,
-- so that a machine whose clock is far ahead is not believed by the others.
--
-- One that comes when its answer is no longer waited for does nothing: its records come again, and what they brought may have been
-- forgotten by then.
--
-- ARGV: time to live of a draft (ms), when to do nothing any more (ms), then per record: kind (event, draft), application id, seek-token, event id,
--       completed at (ms; '' for a draft), traceparent ('': none), stamp (see application.lua)
-- Returns per record: 0 applied, 1 duplicate, 2 superseded, 3 the key holds something else; this clock (ms) alone: it came too late

local APPLIED, DUPLICATE, SUPERSEDED, DAMAGED = 0, 1, 2, 3
local ttl = ARGV[1]

if now > tonumber(ARGV[2]) then
    return now
end

-- Stamps of one spool differ, so that its records have an order. Times of Redis are known to the millisecond; in the
-- same one what was spooled counts as newer.
local function is_older(us, life, application)
    local taken, ms = application.received or application.accepted or 0, math.floor(us / 1000)
    if not application.spooled then
        return ms < taken
    end
    local stored_us, stored_life = read_stamp(application.spooled)
    return us <= stored_us and (life == stored_life or ms <= taken)
end

-- When it was accepted (ms). A time ahead of this clock is not believed.
local function taken_at(stamp)
    return math.min(math.floor(read_stamp(stamp) / 1000), now)
end

local function owe_spooled(id, application, token, event, completed, trace, stamp)
    owe(id, application, token, short_event(event), completed, trace, stamp, taken_at(stamp))
    return APPLIED
end

local take = {}

function take.event(id, token, event, completed, trace, stamp, application, is_superseded)
    if is_superseded then
        -- A newer seek-token that came as a draft: the event of before still makes it one that is owed.
        if application.state == 'draft' then
            owe_spooled(id, application, application.token, event, completed, trace, stamp)
        end
        redis.call('HSET', prefix .. id, 'replaced', replaced_with(application.replaced, token))
        return SUPERSEDED
    end
    if token == application.token and application.state ~= 'draft' and not application.damage then
        return DUPLICATE
    end
    return owe_spooled(id, application, token, event, completed, trace, stamp)
end

function take.draft(id, token, event, _, _, stamp, application, is_superseded)
    local state = application.state
    if token == application.token then
        return DUPLICATE
    end
    if is_superseded then
        return SUPERSEDED
    end
    -- A signal that was delivered for an event from after this seek-token had an older one: it is owed again.
    local is_outdated = state == 'delivered' and (application.accepted or 0) * 1000 > read_stamp(stamp)
    if is_outdated or state == 'pending' or state == 'sending' or state == 'dead' then
        return owe_spooled(id, application, token, event, completed_of(application), application.trace, stamp)
    end
    keep_draft(id, application, token, ttl, taken_at(stamp), stamp)
    return APPLIED
end

local function drain(kind, id, token, event, completed, trace, stamp)
    local application = look_up(id)
    local us, life = read_stamp(stamp)
    completed = tonumber(completed)
    if application.damage == OF_ANOTHER_TYPE then
        expose(id)
        return DAMAGED
    end
    if was_replaced(application, token) then
        return DUPLICATE
    end
    local is_superseded = application.token and token ~= application.token and is_older(us, life, application)
    return take[kind](id, token, event, completed, trace, stamp, application, is_superseded)
end

local results = {}
for i = 3, #ARGV, 7 do
    results[#results + 1] = drain(unpack(ARGV, i, i + 6))
end
return results
