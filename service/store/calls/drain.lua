-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Takes what was spooled while Redis was away, some of it perhaps for the second time: after a crash its records come
-- again. Each has a stamp, the time at which it was accepted by the clock of the machine that spooled it. The newest
-- seek-token wins, as if everything had come when it was accepted: one whose stamp is older than the stored seek-token
-- is superseded, and known as replaced from then on. Between machines, and between them and Redis, that is as right as their clocks are.
--
-- ARGV: time to live of a draft (ms), then per record: kind (event, draft), application id, seek-token, event id,
--       completed at (ms; '' for a draft), traceparent ('': none), stamp (us)
-- Returns per record: 0 applied, 1 duplicate, 2 superseded, 3 the key holds something else

local APPLIED, DUPLICATE, SUPERSEDED, DAMAGED = 0, 1, 2, 3
local ttl = ARGV[1]

-- Stamps of one spool differ, so that its records have an order. Times of Redis are known to the millisecond; in the
-- same one what was spooled counts as newer.
local function is_older(stamp, spooled, came)
    if spooled then
        return stamp <= spooled
    end
    return math.floor(stamp / 1000) < (came or 0)
end

local function owe_spooled(id, application, token, event, completed, trace, stamp)
    owe(id, application, token, short_event(event), completed, trace, stamp, math.min(math.floor(stamp / 1000), now))
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
    local is_outdated = state == 'delivered' and (application.accepted or 0) * 1000 > stamp
    if is_outdated or state == 'pending' or state == 'sending' or state == 'dead' then
        return owe_spooled(id, application, token, event, completed_of(application), application.trace, stamp)
    end
    keep_draft(id, application, token, ttl, math.min(math.floor(stamp / 1000), now), stamp)
    return APPLIED
end

local function drain(kind, id, token, event, completed, trace, stamp)
    local application = look_up(id)
    stamp, completed = tonumber(stamp), tonumber(completed)
    if application.damage == OF_ANOTHER_TYPE then
        expose(id)
        return DAMAGED
    end
    if was_replaced(application, token) then
        return DUPLICATE
    end
    local is_superseded = application.token and token ~= application.token
        and is_older(stamp, application.spooled, application.received or application.accepted)
    return take[kind](id, token, event, completed, trace, stamp, application, is_superseded)
end

local results = {}
for i = 2, #ARGV, 7 do
    results[#results + 1] = drain(unpack(ARGV, i, i + 6))
end
return results
