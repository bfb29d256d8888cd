-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- The source's half of `seek-signal move`: holds a batch of applications, shows it, and lets it go once the target has it.
-- docs/decisions/move.md says why it is safe; move_in.lua is the target's half.
--
-- The key is a hash, which both halves use:
--   id                who this Redis is, under this prefix
--   to where paused   it is moved: to whom, where that is, and since when sending was paused before that ('': it was not)
--   batch             name of the batch that is held: its number, a generation like any other, and a digest of what it held
--   last              number of the last one
--   held:<id>         of an application of it: when it was due (ms; '': it was not), and a digest of what it held
--   left:<id>         it stays, since its key at the target holds something else: until the move is begun again
--   from:<source>     it is moved to: name of the last batch that came from there
--
--   pending             ──► held    `lease` is the batch's number, and `due` a day ahead: nobody sends it, and what is posted
--                                   meanwhile waits behind it, as behind any attempt that is out
--   sending, lease over ──► held    the same, with a new generation: its attempt never reported back
--   sending             ──►         stays until it was settled, or its lease has run out
--   dead, delivered, draft          are shown as they are
--
-- When the batch is let go, what is as it was shown is deleted. What has changed meanwhile stays, and comes with a later one.
--
-- ARGV: the key, key of notify, key of the layout, what this version writes there, an id for this Redis should it have none, the target's id, name
--       of the batch that the target has ('': none), how many to hold at most (0: none; -1: only look; -2: give the move up, whatever its
--       target), place ('': the beginning), name of a batch that the target had before a lower one was shown ('': none), ids
--       of the batch, a line each, whose keys at the target hold something else, the target as it is told of here
-- Returns: 0, this shard's name (-2: whom it was moved to, '': to nobody), since when sending was paused before ('': it was not; -2: it is
--          not), since when notifications were wanted ('': never), entries that Redis has (0: not asked), deleted, name of the batch that is held ('': none), place of the
--          next ('': that was all), attempts that are out, how many more have to come with a later walk, how many cannot be
--          moved, then of each application of the batch: its id, kind (owed, dead, kept), when it is due or died (ms), its fields, packed
--          1, what is wrong: nothing of this version's is here; 2: it is the target itself; 3: a batch for another target is held

local key, notify_key, layout_key, layout, proposal, target, done, limit, place, floor, blocked_ids, where = unpack(ARGV, 1, 12)
limit = tonumber(limit)

local HOLD_MS, BYTES_MAX, SCANS_MAX, GIVE_UP = 86400000, 65536, 20, -2
-- Far more than an application of ours has. Lua hands on no more than 8,000 values at once.
local FIELDS_MAX, STORED_MAX = 200, 1048576

local found = redis.call('GET', layout_key)
if found ~= layout then
    return {1, found or ''}
end

local state, held, staying = {}, {}, {}
do
    local entry = redis.call('HGETALL', key)
    for i = 1, #entry, 2 do
        local id, left = entry[i]:match('^held:(.*)$'), entry[i]:match('^left:(.*)$')
        if id then
            held[#held + 1], held[id] = id, entry[i + 1]
        elseif left then
            staying[#staying + 1], staying[left] = entry[i], true
        else
            state[entry[i]] = entry[i + 1]
        end
    end
end

local function number_of(batch)
    return tonumber(batch and batch:match('^%d+') or 0)
end

-- It is this batch's no more: what waits behind its lease is due.
local function let_go(id)
    local application, batch = find(id), number_of(state.batch)
    if lease_of(application) == batch and end_lease(id, application, batch) then
        redis.call('HDEL', prefix .. id, 'lease')
        redis.call('ZADD', due, now_digits, id)
    end
end

local function forget_fields(fields)
    for i = 1, #fields, 1000 do
        redis.call('HDEL', key, unpack(fields, i, math.min(i + 999, #fields)))
    end
end

local function let_go_all()
    local gone = {}
    for i, id in ipairs(held) do
        let_go(id)
        gone[i] = 'held:' .. id
    end
    forget_fields(gone)
    redis.call('HDEL', key, 'batch')
end

if limit == GIVE_UP then
    if state.to then
        begin_draining()
        let_go_all()
        if state.paused == '' then
            redis.call('DEL', paused)
        end
        forget_fields(staying)
        redis.call('HDEL', key, 'to', 'where', 'paused')
    end
    return {0, state.to or '', redis.call('EXISTS', paused) == 1 and now_digits or '', '', 0, #held, '', '', 0, 0, 0}
end
if state.id == target then
    return {2, ''}
end
if state.batch and state.to ~= target then
    return {3, ''}
end

local name = (state.id or proposal) .. prefix:match('{%d+}')
local was_paused = redis.call('EXISTS', paused) == 1 and (tostring(redis.pcall('GET', paused)):match('^%d+$') or now_digits) or ''
local since = redis.pcall('HMGET', notify_key, 'since')
since = not since.err and since[1] and since[1]:match('^%d+$') or ''
if limit < 0 then
    -- Rights that only a move needs: what lacks them is not paused first.
    redis.call('DBSIZE')
    redis.call('SCAN', '0', 'MATCH', prefix .. '*', 'COUNT', 1)
    return {0, name, state.to and state.paused or not state.to and was_paused or '', since, 0, 0, state.batch or '', '', 0, 0, 0}
end

begin_draining()

-- In one piece with what it means, so that a move that is begun again does not take its own pause for somebody else's.
if not state.to or not state.id or state.to ~= target or state.where ~= where then
    state.id, state.paused = state.id or proposal, state.to and state.paused or was_paused
    redis.call('HSET', key, 'id', state.id, 'to', target, 'where', where, 'paused', state.paused)
end
if was_paused == '' then
    redis.call('SET', paused, now_digits)
end

-- --- what an application holds ---

local function fields_of(id)
    local entry = redis.pcall('HGETALL', prefix .. id)
    return not entry.err and entry or {}
end

-- A hash has no order.
local function digest_of(entry)
    local pairs_of = {}
    for i = 1, #entry, 2 do
        pairs_of[#pairs_of + 1] = entry[i] .. '\0' .. entry[i + 1]
    end
    table.sort(pairs_of)
    return redis.sha1hex(cmsgpack.pack(pairs_of))
end

-- Without the lease, which is this Redis's.
local function packed_fields(entry)
    local fields = {}
    for i = 1, #entry, 2 do
        if entry[i] ~= 'lease' then
            fields[#fields + 1], fields[#fields + 2] = entry[i], entry[i + 1]
        end
    end
    return cmsgpack.pack(fields)
end

local items, bytes = {}, 0

local function show(id, kind, at, entry)
    local packed, n = packed_fields(entry), #items
    items[n + 1], items[n + 2], items[n + 3], items[n + 4] = id, kind, at, packed
    bytes = bytes + #id + #packed + 64
end

-- --- the batch before ---

-- This Redis has lost what it last knew, and its clock is behind: the target has had a batch of that number, or of a higher one.
-- So it is let go, and comes under a number that is new there too.
if floor ~= '' and floor ~= state.batch and number_of(floor) >= number_of(state.batch or state.last) then
    let_go_all()
    held, state.batch, state.last = {}, nil, digits(number_of(floor))
    redis.call('HSET', key, 'last', state.last)
end

local deleted, gone, blocked = 0, {}, {}
for id in blocked_ids:gmatch('[^\n]+') do
    blocked[id] = true
end
if limit == 0 then
    forget_fields(staying) -- it begins, or ends
    staying = {}
end
for _, id in ipairs(held) do
    local kind, at, digest = held[id]:match('^(%a+) (%S*) (%S+)$')
    local entry = fields_of(id)
    local is_same = entry[1] and digest_of(entry) == digest and not blocked[id]
    if blocked[id] then
        redis.call('HSET', key, 'left:' .. id, '')
        staying[id] = true
    end
    if not is_same then
        let_go(id)
    elseif state.batch == done then
        redis.call('DEL', prefix .. id)
        redis.call('ZREM', due, id)
        redis.call('ZREM', dead, id)
        deleted = deleted + 1
    else
        show(id, kind, at, entry)
    end
    if not is_same or state.batch == done then
        gone[#gone + 1] = 'held:' .. id
    end
end
forget_fields(gone)
if items[1] then
    return {0, name, state.paused, since, 0, deleted, state.batch, place ~= '' and place or 'due 0', 0, 0, 0, unpack(items)}
end
if state.batch then
    redis.call('HDEL', key, 'batch')
end
if limit == 0 then
    return {0, name, state.paused, since, redis.call('DBSIZE'), deleted, '', place, 0, 0, 0}
end

-- --- the next batch ---

-- Greater than the one before, whatever became of the clock.
local batch = digits(math.max(now_us, number_of(state.batch or state.last) + 1))
local holding, out, later, left, is_full = {}, 0, 0, 0, false

local function hold(id, kind, at)
    local entry = fields_of(id)
    holding[#holding + 1], holding[#holding + 2] = 'held:' .. id, kind .. ' ' .. at .. ' ' .. digest_of(entry)
    holding[id] = true
    show(id, kind, at, entry)
    is_full = #holding >= 2 * limit or bytes > BYTES_MAX
end

-- None of ours, here or there, and it does not move: one that is odd must not stop the others.
local function is_foreign(id, application)
    local fields, size = 0, 0
    for field, text in pairs(application.stored) do
        fields, size = fields + 1, size + #field + #text
    end
    return staying[id] or application.damage == OF_ANOTHER_TYPE or fields > FIELDS_MAX or size > STORED_MAX or id == '' or #id > ID_MAX or id:find('%c')
end

-- Gives whether its entry stays where it is.
local function hold_due(id, score)
    local application = find(id)
    local lease, is_ahead = lease_of(application), tonumber(score) > now
    if is_foreign(id, application) then
        left = left + 1
        return true
    elseif lease and is_ahead then
        out = out + 1
        return true
    elseif application.state == 'draft' or application.state == 'delivered' or application.state == 'dead'
        or not application.state and not application.damage then
        redis.call('ZREM', due, id) -- as a claim does
        if not application.state and lease then
            redis.call('DEL', prefix .. id)
        end
        return false
    end
    if application.state == 'sending' and not application.damage then
        application.state, application.gen, application.lease = 'pending', generation_after(application.gen), tonumber(batch)
        save(id, application)
    else
        redis.call('HSET', prefix .. id, 'lease', batch)
    end
    redis.call('ZADD', due, digits(now + HOLD_MS), id)
    hold(id, 'owed', digits(math.max(0, tonumber(score))))
    return false
end

local function hold_dead(id, score)
    local application = find(id)
    if is_foreign(id, application) then
        left = left + 1
        return true
    elseif application.state == 'dead' or application.damage and not application.state then
        hold(id, 'dead', digits(math.max(0, tonumber(score))))
    else
        redis.call('ZREM', dead, id)
    end
    return false
end

-- Of neither set: drafts, what was delivered, and what has lost its place there by somebody else's hand.
local function hold_kept(id)
    local application = find(id)
    local state_of = application.state
    if holding[id] or not state_of and not application.damage then
        return -- an attempt of what was forgotten, or deleted meanwhile
    elseif is_foreign(id, application) then
        left = left + (redis.call('ZSCORE', due, id) and 0 or redis.call('ZSCORE', dead, id) and 0 or 1)
    elseif state_of == 'pending' or state_of == 'sending' then
        redis.call('ZADD', due, 'NX', now_digits, id)
        later = later + 1
    elseif state_of == 'dead' then
        redis.call('ZADD', dead, 'NX', digits(application.died or now), id)
        later = later + 1
    elseif is_full then
        later = later + 1 -- the next walk finds it
    else
        hold(id, 'kept', '')
    end
end

local phase, position = place:match('^(%a+) (%d+)$')
phase, position = phase or 'due', position or '0'

-- What stays is passed over, what goes makes room: the next entry stands where the first one that went stood.
local function walk(set, hold_one, next_phase)
    local rank = tonumber(position)
    local entries = redis.call('ZRANGE', set, rank, rank + limit - 1, 'WITHSCORES')
    local looked = 0
    for i = 1, #entries, 2 do
        if is_full then
            break
        end
        looked = looked + 1
        if hold_one(entries[i], entries[i + 1]) then
            rank = rank + 1
        end
    end
    local is_end = not is_full and #entries < 2 * limit
    phase, position = is_end and next_phase or phase, is_end and '0' or digits(rank)
end

if phase == 'due' then
    walk(due, hold_due, 'dead')
elseif phase == 'dead' then
    walk(dead, hold_dead, 'kept')
else
    local scans = 0
    repeat
        local answer = redis.call('SCAN', position, 'MATCH', prefix .. '*', 'COUNT', limit)
        position, scans = answer[1], scans + 1
        for _, name_of_key in ipairs(answer[2]) do
            hold_kept(name_of_key:sub(#prefix + 1))
        end
    until position == '0' or scans == SCANS_MAX or items[1]
    phase = position ~= '0' and phase
end
place = phase and phase .. ' ' .. position or ''

if not items[1] then
    return {0, name, state.paused, since, 0, deleted, '', place, out, later, left}
end
-- The number alone does not tell it from another batch: where that was lost together with `last`, this one may have it again.
local batch_name = batch .. '-' .. redis.sha1hex(table.concat(holding, '\0'))
redis.call('HSET', key, 'batch', batch_name, 'last', batch)
for i = 1, #holding, 1000 do
    redis.call('HSET', key, unpack(holding, i, math.min(i + 999, #holding)))
end
return {0, name, state.paused, since, 0, deleted, batch_name, place, out, later, left, unpack(items)}
