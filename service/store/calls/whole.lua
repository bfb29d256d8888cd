-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- What the scripts have in common that show an application, replay or forget it; script.c puts it behind application.lua.

-- nil when nothing is known of it, or only an attempt that is out.
local function find_known(id)
    local application = find(id)
    if application.damage == OF_ANOTHER_TYPE then
        application.state, application.died = 'dead', tonumber(redis.call('ZSCORE', dead, id) or 0)
    elseif application.damage and not application.state then
        application.state = application.event and 'dead' or 'draft'
    end
    return (application.state or application.damage) and application or nil
end

local TEXT_MAX = 4096 -- bytes of what is shown, whoever has written it

local SHOWN = {'state', 'token', 'gen', 'lease', 'event', 'accepted', 'completed', 'trace', 'received', 'replaced', 'spooled', 'attempts',
    'tried', 'replayed', 'delivered', 'died', 'class', 'code', 'message', 'http', 'history'}

-- All fields, field and value by turns; nil when there is no such application.
local function all_fields(id)
    local application, fields = find_known(id), {}
    if not application then
        return nil
    end
    fold_line(application)
    application.event = application.event and whole_event(application.event)
    application.completed = application.completed or application.accepted
    if application.damage then
        application.class, application.code, application.message = 'damaged', 'DAMAGED', damage_message(application.damage)
    end
    for _, field in ipairs(SHOWN) do
        local value = application[field]
        if value then
            fields[#fields + 1], fields[#fields + 2] = field, type(value) == 'number' and digits(value) or value:sub(1, TEXT_MAX)
        end
    end
    return fields
end

-- The id of an event whose own was damaged, as it is stored.
local function make_event_id(id)
    local digest = redis.sha1hex(now_us_digits .. id)
    return table.concat({digest:sub(1, 8), digest:sub(9, 12), '4' .. digest:sub(13, 15), 'a' .. digest:sub(16, 18), digest:sub(19, 22)}, '-')
end

-- What somebody else has changed in it, met by a replay: the field. '': nothing, or it is known. What cannot be sent is set aside,
-- so that it is told once. A key of another type is not ours, and nothing can be written there: it is told each time.
local function tell_damage(id, application)
    local damage = application.class ~= 'damaged' and application.damage or ''
    if damage ~= '' and damage ~= OF_ANOTHER_TYPE and not application.token then
        set_aside(id, damage, application)
    end
    return damage
end

-- From dead to pending, with the same signal, to be sent at `at` (ms). What is damaged is repaired from what is left; false: there
-- is no seek-token to send. Second: what is to be told of its damage.
local function revive(id, at)
    local application = find_known(id)
    local damage = application and tell_damage(id, application) or ''
    if not (application and application.token) then -- nor of a key of another type
        return false, damage
    end
    redis.call('ZSCORE', dead, id) -- fails before anything has changed, if somebody else has written to it
    application.event, application.accepted = application.event or short_event(make_event_id(id)), application.accepted or now
    application.state, application.replayed, application.died = 'pending', now, nil
    save(id, application)
    redis.call('ZREM', dead, id)
    redis.call('ZADD', due, digits(at), id)
    return true, damage
end

local LEASE_MS_MAX = 86400000 -- of one that somebody else has moved

-- An attempt that is out is not called back, but its settlement finds nothing to settle. Until then, or until its lease ends,
-- the lease stays: a new seek-token of the same application waits for that. 1 if it was known, 0 if not.
local function forget(id)
    local key = prefix .. id
    local application = find(id)
    local lease = lease_of(application)
    local ends = lease and tonumber(redis.call('ZSCORE', due, id) or 0) or 0
    redis.call('ZREM', dead, id)
    redis.call('DEL', key)
    if ends > now then
        redis.call('HSET', key, 'gen', digits(application.gen or lease), 'lease', digits(lease))
        redis.call('PEXPIRE', key, digits(math.min(ends - now, LEASE_MS_MAX)))
    else
        redis.call('ZREM', due, id)
    end
    return (application.state or application.damage) and 1 or 0
end
