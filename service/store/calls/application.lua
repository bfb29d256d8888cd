-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- What the scripts have in common, behind base.lua; script.c puts both in front of each of them but trial.
--
-- An application is a table here: state token gen event accepted completed trace received replaced spooled lease attempts tried
-- replayed delivered died class code message http history; README.md says what each holds. Numbers are numbers, and what
-- would be empty or 0 is nil. `find` reads it and `save` writes it, and only they know how it lies in its hash.
--
-- What somebody else has written or taken away in an application's key must not stop the others, and a script that breaks off
-- leaves behind what it has done so far. So every key is read with pcall, and every field is looked at before it is used. What
-- is damaged is set aside by a claim: state dead, class `damaged`. A replay or a new event with a seek-token repairs it.

-- --- damage ---

local ID_MAX, TOKEN_MAX, EVENT_MAX = 256, 4096, 36 -- bytes
local FAR_MS = 10 * 366 * 86400000 -- no script writes a time so far ahead
local OF_ANOTHER_TYPE = 'key' -- in place of a field
local ATTEMPTS_MAX = 16 ^ 7 -- their ids have room for no more

-- What is stored is less: six bytes of a time, what Lua can tell apart of a generation, two bytes of a status.
local TIME_MAX, EXACT_MAX, HTTP_MAX = 2 ^ 48, 2 ^ 53, 2 ^ 16

-- The first field that is missing or not ours, of those without which a signal that is owed cannot be sent.
local function damage_of(application)
    local state, bad = application.state, application.bad
    local is_owed = state ~= 'draft'
    for i, field in ipairs({'p', 'state', 'token', 'event', 'accepted', 'completed', 'replayed', 'attempts'}) do
        if bad[field] and (i <= 5 or state == 'pending' or state == 'sending') then
            return field
        end
    end
    return not state and 'state' or not application.token and 'token' or is_owed and not application.event and 'event'
        or is_owed and not application.accepted and 'accepted' or nil
end

local function damage_message(damage)
    return damage == OF_ANOTHER_TYPE and 'Its key in Redis is no hash: something else has written to it.'
        or 'Its field ' .. damage .. ' in Redis is missing or holds what this service does not write.'
end

-- --- how an application lies in its hash ---

local NO_EVENT = ('\0'):rep(12)
local STATES = {'draft', 'pending', 'sending', 'delivered', 'dead'}
local CLASSES = {'delivered', 'transient', 'throttled', 'auth', 'refused', 'misconfigured', 'unreadable', 'damaged'}

local STATE = {draft = 1, pending = PENDING, sending = SENDING, delivered = DELIVERED, dead = 5}
local CLASS = {delivered = CLASS_DELIVERED, transient = 2, throttled = 3, auth = 4, refused = 5, misconfigured = 6, unreadable = 7,
    damaged = 8}

local function whole_event(event)
    if #event == 12 then
        return string.format('%08x-%04x-%04x-%04x-%04x00000000', struct.unpack('>I4I2I2I2I2', event))
    end
    return #event == 28 and event .. '00000000' or event
end

-- Of the stored fields, by name; false: `p` is none that a script has written. One table of its full size: growing costs.
local function read_packed(stored)
    local packed, token = stored.p, stored.token
    local is_long = #packed == LONG_BYTES
    if not is_long and #packed ~= SHORT_BYTES then
        return false
    end
    local state, event, accepted, gen, attempts, tried, moment, class, http = struct.unpack(is_long and LONG or SHORT, packed)
    if not is_long then
        gen, attempts, tried, moment, class, http = 0, 0, 0, 0, 0, 0
    end
    local has_line = state > HAS_LINE
    state = STATES[has_line and state - HAS_LINE or state]
    if not state or gen >= EXACT_MAX or attempts >= ATTEMPTS_MAX then
        return false
    end
    return {stored = stored, token = token, state = state, has_line = has_line, event = event ~= NO_EVENT and event or nil,
        accepted = accepted ~= 0 and accepted or nil, gen = gen ~= 0 and gen or nil, attempts = attempts ~= 0 and attempts or nil,
        tried = tried ~= 0 and tried or nil, delivered = moment ~= 0 and state ~= 'dead' and moment or nil,
        died = moment ~= 0 and state == 'dead' and moment or nil, class = CLASSES[class], http = http ~= 0 and http or nil}
end

-- What an attempt brought, as the history has it. A code is SEEK's and may be any text.
local function line_of(application)
    return digits(application.attempts or 0) .. ' ' .. digits(application.tried or 0) .. ' ' .. (application.class or '') .. ' '
        .. (application.code or ''):gsub('%c', ' ')
end

-- Before what the line tells changes.
local function fold_line(application)
    if application.has_line then
        local earlier = application.history
        application.history, application.has_line = line_of(application) .. (earlier and '\n' .. earlier or ''), nil
    end
end

-- How each field of its own is read; nil: no script has written it.
local function number_below(max)
    return function(text)
        local number = text:find('^%d+$') and tonumber(text)
        return number and number < max and number or nil
    end
end

local function as_it_is(text)
    return text
end

-- A stamp: when something came by the clock of a machine with a spool (us), and behind a dot the life of the process that gave
-- it ('': not known). Within a life each stamp is later than the one before, whatever its clock does.
local function read_stamp(text)
    local us, life = text:match('^(%d+)%.?(%x*)$')
    if us then
        return math.min(tonumber(us), EXACT_MAX - 1), life -- of a clock that is centuries ahead too: a drain must not break off
    end
end

local function readers()
    local moment, exact = number_below(TIME_MAX), number_below(EXACT_MAX)
    return {
        accepted = moment, completed = moment, received = moment, tried = moment, replayed = moment, delivered = moment, died = moment,
        gen = exact, lease = exact, attempts = number_below(ATTEMPTS_MAX), http = number_below(HTTP_MAX),
        class = as_it_is, code = as_it_is, message = as_it_is, history = as_it_is, replaced = as_it_is, trace = as_it_is,
        spooled = function(text)
            return read_stamp(text) and text or nil
        end,
        state = function(text)
            return STATE[text] and text
        end,
        token = function(text)
            return text ~= '' and #text <= TOKEN_MAX and text or nil
        end,
        event = function(text)
            return text ~= '' and #text <= EVENT_MAX and short_event(text) or nil
        end,
    }
end

-- All fields, and the names of those that no script has written.
local function read_fields(stored)
    local application, bad = stored.p and read_packed(stored) or {stored = stored}, {}
    if stored.p and not application.state then
        bad.p = true
    end
    local reader_of = readers()
    for field, text in pairs(stored) do
        local read = reader_of[field]
        if read then
            application[field] = read(text)
            bad[field] = not application[field] or nil
        end
    end
    application.bad, application.is_spread = bad, true
    return application
end

-- `damage`: a field that is missing or not ours, of an application of which something is known. Most have nothing but `p` and
-- a seek-token.
local function find(id)
    local entry = redis.pcall('HGETALL', prefix .. id)
    if entry.err then
        return {stored = {}, damage = OF_ANOTHER_TYPE}
    end
    local stored = {}
    for i = 1, #entry, 2 do
        stored[entry[i]] = entry[i + 1]
    end
    local token = stored.token
    local application = #entry == 4 and token and stored.p and read_packed(stored)
    if application and token ~= '' and #token <= TOKEN_MAX and application.event and application.accepted then
        return application
    end
    application = read_fields(stored)
    local bad = application.bad
    if application.state or application.token or application.event or application.code or bad.p or bad.state or bad.token or bad.event then
        application.damage = damage_of(application)
    end
    return application
end

local function packed_of(application)
    local event, class, state = application.event, application.class, STATE[application.state]
    event = event and #event == 12 and event or NO_EVENT
    state = application.has_line and state + HAS_LINE or state
    local moment = application[application.state == 'dead' and 'died' or 'delivered']
    if not (application.gen or application.attempts or moment or class or application.http) then
        return struct.pack(SHORT, state, event, application.accepted or 0)
    end
    return struct.pack(LONG, state, event, application.accepted or 0, application.gen or 0, application.attempts or 0,
        application.tried or 0, moment or 0, CLASS[class] or 0, application.http or 0)
end

local function text_of(application, field)
    local value = application[field]
    if field == 'event' then
        return value and #value ~= 12 and value or nil
    elseif field == 'class' then
        return not CLASS[value] and value or nil
    end
    return type(value) == 'number' and digits(value) or value
end

local function save_spread(key, application, packed)
    local stored, values, gone = application.stored, {'p', packed}, {}
    for _, field in ipairs({'token', 'event', 'completed', 'history', 'class', 'code', 'message', 'replayed', 'received', 'spooled',
        'replaced', 'trace', 'lease'}) do
        local text, old = text_of(application, field), stored[field]
        if text and text ~= old then
            values[#values + 1], values[#values + 2] = field, text
        elseif old and not text then
            gone[#gone + 1] = field
        end
    end
    for _, field in ipairs({'state', 'accepted', 'gen', 'attempts', 'tried', 'delivered', 'died', 'http'}) do
        gone[#gone + 1] = stored[field] and field
    end
    -- HSET first: a Redis at maxmemory refuses it before anything has changed.
    redis.call('HSET', key, unpack(values))
    if gone[1] then
        redis.call('HDEL', key, unpack(gone))
    end
end

-- Writes what has changed since it was found.
local function save(id, application)
    local it, packed = application, packed_of(application)
    if it.is_spread or it.token ~= it.stored.token or it.completed or it.history or it.code or it.message or it.replayed or it.lease
        or it.received or it.spooled or it.replaced or it.trace or it.event and #it.event ~= 12 or it.class and not CLASS[it.class] then
        save_spread(prefix .. id, application, packed)
    else
        redis.call('HSET', prefix .. id, 'p', packed)
    end
end

-- From any state to dead; what is dead keeps its time. Of a key of another type nothing is changed: it is not ours.
local function set_aside(id, damage, application)
    local died = application.died or now
    redis.call('ZADD', dead, digits(died), id)
    if damage ~= OF_ANOTHER_TYPE then
        fold_line(application)
        application.state, application.died, application.class, application.code = 'dead', died, 'damaged', 'DAMAGED'
        application.message, application.lease, application.http = damage_message(damage), nil, nil
        save(id, application)
        redis.call('PERSIST', prefix .. id)
    end
    redis.call('ZREM', due, id)
end

-- A key of another type was met: the next claim sets it aside, unless one has already.
local function expose(id)
    if not redis.call('ZSCORE', dead, id) then
        redis.call('ZADD', due, now_digits, id)
    end
end

-- --- an application ---

-- What lists and walks sort by, without the rest: state, class, code, seek-token, accepted (ms). nil: nothing is known of it.
local function glance(id)
    local values = redis.pcall('HMGET', prefix .. id, 'p', 'token', 'code', 'state', 'class', 'accepted')
    if values.err then
        return 'dead', 'damaged', 'DAMAGED'
    end
    local stored = {p = values[1] or nil, token = values[2] or nil, code = values[3] or nil, state = values[4] or nil,
        class = values[5] or nil, accepted = values[6] or nil}
    local application = read_fields(stored)
    if not application.state and (application.token or application.code or application.bad.p or application.bad.state) then
        return 'dead', 'damaged', 'DAMAGED', application.token
    end
    return application.state, application.class, application.code, application.token, application.accepted
end

-- The generation of the attempt that is out; nil or false: none is. As long as nothing newer came, it is the application's.
local function lease_of(application)
    return application.lease or application.state == 'sending' and application.gen
end

-- `damage` also: a claim has found some. Without a state it counts as one whose signal is owed, if there is an event.
local function look_up(id)
    local application = find(id)
    if application.state == 'dead' and application.class == 'damaged' then
        application.damage = 'class'
    elseif application.damage and application.damage ~= OF_ANOTHER_TYPE and not application.state then
        application.state = application.event and 'dead' or 'draft'
    end
    return application
end

-- For a signal that is owed again.
local function completed_of(application)
    return application.completed or application.accepted or now
end

-- The fence: grows with each newer seek-token and each claim. It follows the clock, so that it does not start over when
-- an application is forgotten and comes again, or when a failover has lost the latest ones: a settlement from before
-- would otherwise fit. Twice, the second as text.
local function generation_after(generation)
    local least = (generation or 0) + 1
    if least > now_us then
        return least, digits(least)
    end
    return now_us, now_us_digits
end

-- A command may lie before a Redis that stands still, and be taken when what came after it is in a spool already. Not the
-- time at which it is taken counts then, but that at which it came: `came`, a stamp (nil or '0': there is no spool). It is kept as
-- it is, also where it lies ahead of this clock: what the same process has in its spool is ahead by as much.
local function note_came(application, came)
    if came and came ~= '0' then
        application.spooled = came
    end
end

-- A command may also lie in a connection that was given up: its event was spooled and acknowledged, what came after it is here,
-- and then it arrives. Its process told the order of the two by their stamps, so between stamps of one life these count, and
-- not what arrives last. Stamps of two processes say nothing here: an event that arrives is newer than what is stored,
-- however their clocks differ.
local function came_before(application, token, came)
    local stored = application.spooled
    if not came or not stored or not application.token or token == application.token then
        return false
    end
    local us, life = read_stamp(came)
    local stored_us, stored_life = read_stamp(stored)
    return life and life ~= '' and life == stored_life and us <= stored_us
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
    for i = 1, wanted and math.min(#application.replaced, FINGERPRINT * REPLACED_MAX) or 0, FINGERPRINT do
        if application.replaced:sub(i, i + FINGERPRINT - 1) == wanted then
            return true
        end
    end
    return false
end

local function replaced_with(replaced, token)
    return (fingerprint_of(token) .. (replaced or '')):sub(1, FINGERPRINT * REPLACED_MAX)
end

-- What is known of replaced seek-tokens once this one is stored.
local function replaced_after(application, token)
    local is_replaced = application.token and application.token ~= token
    if is_replaced and application.state and application.state ~= 'draft' then
        return replaced_with(application.replaced, application.token)
    end
    return application.replaced
end

-- When it was completed, if not when it was accepted, and the trace that it belongs to, if any.
local function note_origin(application, completed, trace)
    application.completed = completed ~= application.accepted and completed or nil
    application.trace = trace ~= '' and trace or nil
end

-- The first attempt, which is the caller's to send under a lease.
local function begin_first(application)
    application.state, application.attempts, application.tried = 'sending', 1, now
end

-- The first signal of an application of which nothing is known: one write. Its entry in `due` is left to the caller, who
-- has many of them. `is_leased`: it is the caller's to send, under a lease whose generation is the time.
local function owe_first(id, token, event, completed, trace, came, is_leased)
    local application = {stored = {}, state = 'pending', token = token, event = event, accepted = now}
    if is_leased then
        application.gen = now_us
        begin_first(application)
    end
    note_origin(application, completed, trace)
    note_came(application, came)
    save(id, application)
end

-- From any state to pending, with a new signal. While an attempt for the older seek-token is out (`lease`), the entry in
-- `due` stays where it is, at the end of that lease: nothing older may reach SEEK after something newer. `came` and
-- `accepted` may be left out: there is no spool, and it is accepted now. `lease_end` (ms): where nothing is out it is the
-- caller's to send, under a lease until then; that lease's generation is what is returned.
local function owe(id, application, token, event, completed, trace, came, accepted, lease_end)
    local is_dead = application.state == 'dead' and redis.call('ZSCORE', dead, id) -- fails before anything has changed
    local lease = lease_of(application)
    local generation, generation_digits = generation_after(application.gen)
    local owed = {stored = application.stored, is_spread = application.is_spread, state = 'pending', token = token,
        gen = generation, event = event, accepted = accepted or now, lease = lease or nil,
        replaced = replaced_after(application, token)}
    note_origin(owed, completed, trace)
    if token == application.token then
        owed.received, owed.spooled = application.received, application.spooled
    else
        note_came(owed, came)
    end
    local is_leased = lease_end and not lease
    if is_leased then
        begin_first(owed)
    end
    save(id, owed)
    redis.call('PERSIST', prefix .. id)
    if is_dead then
        redis.call('ZREM', dead, id)
    end
    if lease then
        redis.call('ZADD', due, 'NX', now_digits, id)
    else
        redis.call('ZADD', due, is_leased and lease_end or now_digits, id)
    end
    return is_leased and generation_digits
end

-- The seek-token of an application that owes nothing, as it came at `received` (ms): its next event sends it.
local function keep_draft(id, application, token, ttl, received, came)
    local draft = {stored = application.stored, is_spread = application.is_spread, state = 'draft', token = token,
        received = received, gen = application.gen, lease = lease_of(application) or nil,
        replaced = replaced_after(application, token)}
    note_came(draft, came)
    save(id, draft)
    redis.call('PEXPIRE', prefix .. id, ttl)
end

-- Ends the lease of an attempt. True: it was the newest, and the caller writes down what becomes of it. False: the application
-- has moved on, and what waited for this end is due.
local function end_lease(id, application, generation)
    local key, state = prefix .. id, application.state
    local is_there = state and state ~= 'draft' -- else it was forgotten meanwhile
    local is_current = is_there and application.gen == generation -- it leaves `sending` now
    local had_lease = application.lease
    application.lease = nil
    if is_current then
        return true
    end
    if had_lease then
        redis.call('HDEL', key, 'lease')
    end
    if is_there then
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
local function release(id, application)
    local attempts = (application.attempts or 1) - 1
    application.state, application.attempts = 'pending', attempts > 0 and attempts or nil
    save(id, application)
    redis.call('ZADD', due, now_digits, id)
end
