-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- The target's half of `seek-signal move`: takes a batch that move_out.lua has shown, some of it perhaps for the second time. Where
-- something is known of an application already, the newest seek-token wins, as if everything had come here:
--
--   nothing is known here         it lies here as it lay there
--   the same seek-token           what has come farther stays: delivered, then what is owed or dead here, then what comes; a draft last
--   the one that comes is newer   it takes the place of the other; behind the attempt that is out, if one is
--   the one here is newer         it stays, and the other is known as replaced; a draft here is owed now, if the other was
--
-- ARGV: the key (see move_out.lua), key of notify, an id for this Redis should it have none, name of the source, since when
--       sending was paused there ('': it was not), name of the batch ('': none, it only begins; 'look': not even that), time to live of what is neither
--       owed nor dead (ms), since when notifications were wanted there (ms; '': never), then of each application: its id, kind (owed,
--       dead, kept), when it was due or died (ms; ''), its fields, packed
-- Returns: 0, the id of this Redis, applications that were written, that were superseded by what is here
--          3, what: this Redis is itself being moved; 4, ids, a line each: their keys hold something else; 5, name: that batch has come from
--          there, whose number is not lower; nothing was done

local key, notify_key, proposal, source, paused_since, batch, ttl, since = unpack(ARGV, 1, 8)
local HEAD = 8

local values = redis.call('HMGET', key, 'id', 'to', 'batch', 'paused', 'from:' .. source)
local own, target, is_holding, was_paused, last = values[1] or proposal, values[2], values[3], values[4], values[5]
if is_holding then
    return {3, target or ''}
end
-- First what takes memory: a Redis at maxmemory refuses it before anything has changed, and lets the rest pass then.
redis.call('HSET', key, 'id', own)

if batch == 'look' then
    return {0, own, 0, 0}
elseif batch == '' then
    -- It was moved away once: what stopped sending here then was that move.
    if target then
        redis.call('HDEL', key, 'to', 'where', 'paused')
        if was_paused == '' then
            redis.call('DEL', paused)
        end
    end
    -- Once: whoever lets it go on here while the move goes on means it.
    if not last then
        redis.call('HSET', key, 'from:' .. source, '0')
        if paused_since ~= '' and redis.call('EXISTS', paused) == 0 then
            redis.call('SET', paused, paused_since)
        end
    end
    return {0, own, 0, 0}
end
local function number_of(name)
    return tonumber(name:match('^%d+'))
end
if last == batch then
    return {0, own, 0, 0} -- its answer was lost
elseif last and number_of(last) >= number_of(batch) then
    return {5, last} -- of a mover that was overtaken, or of a source that was set back: only the source knows
end

local blocked = {}
for i = HEAD + 1, #ARGV, 4 do
    if find(ARGV[i]).damage == OF_ANOTHER_TYPE then
        blocked[#blocked + 1] = ARGV[i]
    end
end
if blocked[1] then
    return {4, table.concat(blocked, '\n')} -- the source shows the batch again without these
end

-- --- the dead are told ---

-- Whoever tells begins anew, and passes over whom somebody has told.
local function note_untold()
    redis.pcall('HDEL', notify_key, 'time', 'id')
end

if since ~= '' then
    local known = redis.pcall('HMGET', notify_key, 'since')
    if not known.err and (tonumber(known[1] or '') or math.huge) > tonumber(since) then
        redis.call('HSET', notify_key, 'since', since)
    end
end

-- Of a draft it begins anew.
local function life_of(application)
    local age = math.max(0, now - (application.delivered or now))
    return digits(math.max(1000, tonumber(ttl) - age))
end

-- --- of two ---

-- No later than its Redis took it: the clock of a machine with a spool may be ahead.
local function came_us(application)
    local taken = (application.received or application.accepted or 0) * 1000
    return application.spooled and math.min(read_stamp(application.spooled), taken + 999) or taken
end

-- What is known of replaced seek-tokens, of the newer one first.
local function replaced_of(newer, older, token)
    local list, known = {}, {}
    local function add(text)
        for i = 1, text and #text or 0, FINGERPRINT do
            local one = text:sub(i, i + FINGERPRINT - 1)
            if #one == FINGERPRINT and not known[one] and #list < REPLACED_MAX then
                list[#list + 1], known[one] = one, true
            end
        end
    end
    known[fingerprint_of(token)] = true
    add(newer.replaced)
    if older.token and older.token ~= token and older.state and older.state ~= 'draft' then
        add(fingerprint_of(older.token))
    end
    add(older.replaced)
    return list[1] and table.concat(list) or nil
end

-- What comes takes the place of what is here, with a new generation; the attempt that is out stays known.
local function adopt(id, application, incoming, kind, at, told)
    local lease, is_dead = lease_of(application), application.state == 'dead'
    incoming.stored, incoming.is_spread, incoming.bad = application.stored, true, nil
    incoming.lease, incoming.damage = lease or nil, nil
    incoming.gen = generation_after(math.max(application.gen or 0, incoming.gen or 0))
    save(id, incoming)
    if told then
        redis.call('HSET', prefix .. id, 'told', told)
    end
    if kind == 'owed' then
        redis.call('PERSIST', prefix .. id)
        redis.call('ZADD', due, unpack(lease and {'NX', at, id} or {at, id}))
    elseif not lease then
        redis.call('ZREM', due, id)
    end
    if kind == 'dead' then
        redis.call('PERSIST', prefix .. id)
        redis.call('ZADD', dead, at, id)
        note_untold()
    elseif is_dead then
        redis.call('ZREM', dead, id)
    end
    if kind == 'kept' then
        redis.call('PEXPIRE', prefix .. id, life_of(incoming))
    end
    return true
end

local function is_resting(application)
    return not application.state or application.state == 'draft' or application.state == 'delivered'
end

local function merge_same(id, application, incoming, kind, at, told)
    local state, came = application.state, incoming.state
    local is_farther = state == 'draft' and came ~= 'draft'
        or came == 'delivered' and (state == 'pending' and not application.lease or state == 'dead')
        or came == 'pending' and state == 'dead' and (incoming.replayed or 0) >= (application.died or math.huge)
    local replaced = replaced_of(application, incoming, application.token)
    if is_farther then
        incoming.replaced = replaced
        return adopt(id, application, incoming, kind, at, told)
    end
    if replaced ~= application.replaced then
        redis.call('HSET', prefix .. id, 'replaced', replaced)
    end
    if told and state == 'dead' and application.died == incoming.died then
        redis.call('HSET', prefix .. id, 'told', told)
    end
    return false
end

local function merge_newer(id, application, incoming, kind, at, told)
    local replaced = replaced_of(incoming, application, incoming.token)
    -- A draft of after its event, or of before one that had nothing newer: the event is owed with it.
    local is_outdated = application.state == 'delivered' and (application.accepted or 0) * 1000 > came_us(incoming)
    if incoming.state ~= 'draft' then
        incoming.replaced = replaced
        return adopt(id, application, incoming, kind, at, told)
    elseif is_outdated or not is_resting(application) then
        local event = application.event or incoming.event
        owe(id, application, incoming.token, event, completed_of(application), application.trace,
            incoming.spooled or digits(came_us(incoming)))
    else
        keep_draft(id, application, incoming.token, ttl, incoming.received or now, incoming.spooled)
    end
    if replaced then
        redis.call('HSET', prefix .. id, 'replaced', replaced)
    end
    return true
end

local function merge_older(id, application, incoming)
    local replaced = replaced_of(application, incoming, application.token)
    local is_owed = application.state == 'draft' and not is_resting(incoming) and incoming.event
    if is_owed then
        owe(id, application, application.token, incoming.event, completed_of(incoming), incoming.trace)
    end
    if replaced then
        redis.call('HSET', prefix .. id, 'replaced', replaced)
    end
    return is_owed
end

local function is_newer(application, incoming)
    local is_known, is_successor = was_replaced(application, incoming.token), was_replaced(incoming, application.token)
    if is_known ~= is_successor then
        return is_successor
    end
    return came_us(incoming) > came_us(application)
end

-- --- one application ---

local function lie_as_there(id, kind, at, fields, incoming)
    -- In front of the hash: an entry without one does no harm.
    if kind == 'owed' then
        redis.call('ZADD', due, at, id)
    elseif kind == 'dead' then
        redis.call('ZADD', dead, at, id)
        note_untold()
    end
    redis.call('HSET', prefix .. id, unpack(fields))
    if kind == 'kept' then
        redis.call('PEXPIRE', prefix .. id, life_of(incoming))
    else
        redis.call('PERSIST', prefix .. id)
    end
    return true
end

local function take(id, kind, at, packed)
    local fields, stored = cmsgpack.unpack(packed), {}
    for i = 1, #fields, 2 do
        stored[fields[i]] = fields[i + 1]
    end
    local application, incoming = look_up(id), read_fields(stored)
    if not next(application.stored) then
        return lie_as_there(id, kind, at, fields, incoming)
    elseif not (incoming.token and incoming.state) then
        -- It is damaged. Where only an attempt is left of another one, it lies there as it lay.
        return not application.token and lie_as_there(id, kind, at, fields, incoming)
    elseif not application.token or application.damage then
        return adopt(id, application, incoming, kind, at, stored.told)
    elseif application.token == incoming.token then
        return merge_same(id, application, incoming, kind, at, stored.told)
    elseif is_newer(application, incoming) then
        return merge_newer(id, application, incoming, kind, at, stored.told)
    end
    return merge_older(id, application, incoming)
end

local written, superseded = 0, 0
for i = HEAD + 1, #ARGV, 4 do
    if take(unpack(ARGV, i, i + 3)) then
        written = written + 1
    else
        superseded = superseded + 1
    end
end
redis.call('HSET', key, 'from:' .. source, batch)
return {0, own, written, superseded}
