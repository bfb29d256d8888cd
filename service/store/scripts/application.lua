-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- What the scripts have in common; store.c puts it in front of each of them.
--
-- KEYS: 1 prefix of the applications' keys, 2 due, 3 dead, 4 paused (since when, ms; not there: not paused)
--
-- An application's own key is not in KEYS but made from the prefix here: which applications a call touches is known only
-- inside (claim), or they are a thousand (accept). All keys carry the same hash tag, so they are in KEYS' slot.
--
-- Fields of an application's hash; one that would be empty or 0 is not there:
--   state token gen event accepted completed trace   the signal that is owed, and its event's times (ms); `event` is its id
--                without the eight zeros at the end (as the scripts are given it), `completed` is not there if it is the
--                same as `accepted`, and `gen` not before there is something to fence: a claim or a newer seek-token
--   received     when the seek-token came, if that was before the event
--   replaced     fingerprints of seek-tokens that events had brought before, the latest first
--   spooled      when the seek-token came to a process with a spool (us, by the clock of that machine)
--   lease        the generation of the attempt that is out, when the application has moved on meanwhile (see lease_of); with
--                gen all that is left of one that was forgotten
--   attempts tried replayed delivered died           how far it came (times in ms)
--   class code message http                          what the last attempt brought
--   history      a line for each of the last ten attempts, the newest first: number, when (ms), class, code

local prefix, due, dead, paused = KEYS[1], KEYS[2], KEYS[3], KEYS[4]

-- The only clock: those who ask may disagree about the time.
local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local now = math.floor(now_us / 1000)

-- Lua would print a large number as 1.7e+15.
local function digits(number)
    return string.format('%.0f', number)
end

-- Once, from Redis's own digits: printing costs.
local now_us_digits = time[1] .. string.format('%06d', time[2])
local now_digits = now_us_digits:sub(1, -4)

-- The end of each event's id, which is not stored: of a million applications that wait, this saves a Redis 32 bytes each.
local function with_zeros(event)
    return #event == 28 and event .. '00000000' or event
end

-- A write that changes nothing, since no application's id is empty. It takes no memory, and once a call has written Redis
-- lets its other writes pass at maxmemory too: what is full must be able to drain.
local function begin_draining()
    redis.call('ZREM', due, '')
end

-- The generation of the attempt that is out; nil or false: none is. As long as nothing newer came, it is the application's.
local function lease_of(state, generation, lease)
    return lease or state == 'sending' and generation
end

-- All fields, field and value by turns.
local function all_fields(id)
    local entry, accepted, has_completed = redis.call('HGETALL', prefix .. id), nil, false
    for i = 1, #entry, 2 do
        if entry[i] == 'event' then
            entry[i + 1] = with_zeros(entry[i + 1])
        elseif entry[i] == 'accepted' then
            accepted = entry[i + 1]
        elseif entry[i] == 'completed' then
            has_completed = true
        end
    end
    if accepted and not has_completed then
        entry[#entry + 1], entry[#entry + 2] = 'completed', accepted
    end
    return entry
end

-- The fields that decide, by name; nil or false where there is none.
local function look_up(id)
    local application, lease = {}, nil
    application.state, application.token, application.gen, lease, application.event, application.accepted,
        application.completed, application.trace, application.received, application.replaced, application.spooled =
        unpack(redis.call('HMGET', prefix .. id, 'state', 'token', 'gen', 'lease', 'event', 'accepted', 'completed', 'trace',
            'received', 'replaced', 'spooled'))
    application.lease = lease_of(application.state, application.gen, lease)
    application.event = application.event and with_zeros(application.event)
    application.completed = application.completed or application.accepted
    return application
end

-- The fence: grows with each newer seek-token and each claim. It follows the clock, so that it does not start over when
-- an application is forgotten and comes again, or when a failover has lost the latest ones: a settlement from before
-- would otherwise fit.
local function generation_after(generation)
    local least = (tonumber(generation) or 0) + 1
    return least > now_us and digits(least) or now_us_digits
end

-- A command may lie before a Redis that stands still, and be taken when what came after it is in a spool already. Not the
-- time at which it is taken counts then, but that at which it came: `came` (us; nil or 0: there is no spool).
local function note_came(key, came)
    if came and came > 0 then
        redis.call('HSET', key, 'spooled', digits(came))
    end
end

-- Of a seek-token that was replaced a fingerprint stays, so that the same pair of application and seek-token is known when
-- it is posted late: it may not come back over the newer one. Five of 48 bits, since up to 64 bytes a field costs Redis
-- least; only what an event had brought, since a draft's first event is no repetition.
local FINGERPRINT, REPLACED_MAX = 12, 5

local function fingerprint_of(token)
    return redis.sha1hex(token):sub(1, FINGERPRINT)
end

local function was_replaced(application, token)
    local wanted = application.replaced and fingerprint_of(token)
    for i = 1, wanted and #application.replaced or 0, FINGERPRINT do
        if application.replaced:sub(i, i + FINGERPRINT - 1) == wanted then
            return true
        end
    end
    return false
end

local function note_outdated(key, application, token)
    local replaced = fingerprint_of(token) .. (application.replaced or '')
    redis.call('HSET', key, 'replaced', replaced:sub(1, FINGERPRINT * REPLACED_MAX))
end

local function note_replaced(key, application, token)
    if application.state and application.state ~= 'draft' and application.token ~= token then
        note_outdated(key, application, application.token)
    end
end

-- When it was completed, if not when it was accepted, and the trace that it belongs to, if any.
local function note_origin(key, accepted, completed, trace)
    if completed ~= accepted then
        redis.call('HSET', key, 'completed', completed)
    end
    if trace and trace ~= '' then
        redis.call('HSET', key, 'trace', trace)
    end
end

-- The first signal of an application of which nothing is known: one write. Its entry in `due` is left to the caller, who
-- has many of them.
local function owe_first(id, token, event, completed, trace, came)
    local key = prefix .. id
    redis.call('HSET', key, 'state', 'pending', 'token', token, 'event', event, 'accepted', now_digits)
    note_origin(key, now_digits, completed, trace)
    note_came(key, came)
end

-- From any state to pending, with a new signal. While an attempt for the older seek-token is out (`lease`), the entry in
-- `due` stays where it is, at the end of that lease: nothing older may reach SEEK after something newer. `came` and
-- `accepted` may be left out: there is no spool, and it is accepted now.
local function owe(id, application, token, event, completed, trace, came, accepted)
    local key = prefix .. id
    local is_draft_token = token == application.token
    accepted = accepted or now_digits
    -- HSET first: a Redis at maxmemory refuses it before anything has changed.
    redis.call('HSET', key, 'state', 'pending', 'token', token, 'gen', generation_after(application.gen), 'event', event,
        'accepted', accepted)
    redis.call('HDEL', key, 'completed', 'trace', 'attempts', 'tried', 'replayed', 'delivered', 'died', 'class', 'code',
        'message', 'http', 'history')
    note_origin(key, accepted, completed, trace)
    if not is_draft_token then
        redis.call('HDEL', key, 'received', 'spooled')
        note_came(key, came)
    end
    note_replaced(key, application, token)
    redis.call('PERSIST', key)
    redis.call('ZREM', dead, id)
    if application.lease then
        redis.call('HSET', key, 'lease', application.lease)
        redis.call('ZADD', due, 'NX', now_digits, id)
    else
        redis.call('ZADD', due, now_digits, id)
    end
end

-- The seek-token of an application that owes nothing, as it came at `received` (ms): its next event sends it.
local function keep_draft(id, application, token, ttl, received, came)
    local key = prefix .. id
    redis.call('HSET', key, 'state', 'draft', 'token', token, 'received', digits(received))
    note_replaced(key, application, token)
    redis.call('HDEL', key, 'spooled', 'event', 'accepted', 'completed', 'trace', 'attempts', 'tried', 'replayed',
        'delivered', 'class', 'code', 'message', 'http', 'history')
    note_came(key, came)
    redis.call('PEXPIRE', key, ttl)
end

-- Ends the lease of an attempt; `lease`: the field. False: the application has moved on, and what waited for this end is
-- due.
local function end_lease(id, state, current, generation, lease)
    local key = prefix .. id
    local is_there = state and state ~= 'draft' -- else it was forgotten meanwhile
    local is_current = is_there and current == generation -- it leaves `sending` now
    if lease then
        redis.call('HDEL', key, 'lease')
    end
    if is_current then
        return true
    elseif is_there then
        redis.call('ZADD', due, now_digits, id)
    else
        redis.call('ZREM', due, id)
        if not state then
            redis.call('DEL', key)
        end
    end
    return false
end

-- From sending to due again at once: it was never sent, so that it was no attempt.
local function release(id)
    local key = prefix .. id
    redis.call('HSET', key, 'state', 'pending')
    if redis.call('HINCRBY', key, 'attempts', -1) == 0 then
        redis.call('HDEL', key, 'attempts')
    end
    redis.call('ZADD', due, now_digits, id)
end

-- From dead to pending, with the same signal, to be sent at `at` (ms).
local function revive(id, at)
    local key = prefix .. id
    -- HSET first: a Redis at maxmemory refuses it before anything has changed.
    redis.call('HSET', key, 'state', 'pending', 'replayed', now_digits)
    redis.call('HDEL', key, 'died')
    redis.call('ZREM', dead, id)
    redis.call('ZADD', due, digits(at), id)
end
