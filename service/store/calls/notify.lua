-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- What the receiver of notifications is to be told next, and that it was told. The dead are the queue: who has died is told once for
-- each death, the earliest first, and none in the millisecond that it happens in; a change of sending goes before them. Of all
-- processes one tells, as long as its lease lasts.
--
-- The key is a hash, whose fields are not there when they would be empty:
--   holder until      who tells, and until when (ms)
--   since             when notifications were wanted first (ms): who had died before is not told of
--   time id           the place: the dead up to here have been told. A new holder begins at `since` again and passes over whom
--                     somebody has told (`told` of an application: which death), so that no clock set back hides one
--   standing          'stalled' or 'resumed': what was told last of sending
--   change change_id change_at change_reason change_detail      what is to be told of it next
--
-- ARGV: the key, who asks, for how long (ms; 0: it stops), of the dead that was told its place (time and id; '' and '': none) and
--       its death ('': unknown), id of the change that was told ('': none), then what sending does now ('': unknown, stalled,
--       resumed), and, if that is a change, its id, reason and detail; since how long it has wanted to tell (ms)
-- Returns: 1, what changed ('': nothing), id, when (ms), reason and detail of it, how many dead may not have been told yet, how
--          long the first of them has been dead (ms; -1: unknown), then of the next one, if any was found: {its time in `dead`, 'id',
--          its id, then field and value by turns}. 0 alone: another one tells

local key, asker, lease, told_time, told_id, told_death, told_change = unpack(ARGV, 1, 7)
local standing, change_id, change_reason, change_detail, wanted_for = unpack(ARGV, 8, 12)
lease = tonumber(lease)

-- Of a text that somebody else may have written, or none.
local function number_of(text)
    return text and tostring(text):find('^%d+$') and tonumber(text) or 0
end

-- State, when it died (ms; '': it has not, or nobody knows), and which death has been told. nil: of a key of another type.
local function death_of(id)
    local values = redis.pcall('HMGET', prefix .. id, 'p', 'state', 'died', 'told')
    if values.err then
        return nil
    end
    local application = read_fields({p = values[1] or nil, state = values[2] or nil, died = values[3] or nil})
    return application.state or '', application.died and digits(application.died) or '', values[4]
end

local LEASES_MAX = 10 -- a lease that ends later was written by a clock that has been set back since

local values = redis.pcall('HMGET', key, 'holder', 'until', 'since', 'time', 'id', 'standing', 'change', 'change_id', 'change_at',
    'change_reason', 'change_detail')
if values.err then
    return redis.error_reply('WRONGTYPE ' .. key .. ' is not a hash: another program has written to this key')
end
local holder, ends, since, time_told, id_told, told_standing, change = unpack(values, 1, 7)

-- What somebody else has written over is as good as not there: it must not stop what comes after it.
local function is_time(text)
    return text and text:find('^%d+$') and #text <= 16
end

since = is_time(since) and since or nil
if not (is_time(time_told) and id_told) then
    time_told, id_told = nil, nil
end
local has_id = values[8] and #values[8] <= 36 and values[8]:find('^[%w%-]+$')
if not (has_id and (change == 'stalled' or change == 'resumed')) then
    change = nil
end

local is_told = told_id ~= '' or told_change ~= ''
if is_told or lease > 0 then
    begin_draining()
end

-- What was told is kept whoever has the lease by now.
if told_id ~= '' then
    local state, died = death_of(told_id)
    if state == 'dead' and died == told_death then
        redis.call('HSET', prefix .. told_id, 'told', told_death)
    end
end
if told_change ~= '' and told_change == values[8] then
    redis.call('HSET', key, 'standing', change)
    redis.call('HDEL', key, 'change', 'change_id', 'change_at', 'change_reason', 'change_detail')
    told_standing, change = change, nil
end

ends = number_of(ends)
local is_free = holder == asker or not holder or ends <= now or ends > now + LEASES_MAX * math.max(lease, 1000)
if not is_free then
    return {0}
elseif lease == 0 then
    if holder == asker then
        redis.call('HDEL', key, 'holder', 'until')
    end
    return {0}
elseif holder ~= asker or not since then
    since = since or digits(now - wanted_for)
    redis.call('HSET', key, 'holder', asker, 'until', digits(now + lease), 'since', since)
    redis.call('HDEL', key, 'time', 'id')
    time_told, id_told = nil, nil
elseif ends < now + lease / 2 or ends > now + lease then
    redis.call('HSET', key, 'until', digits(now + lease))
end

-- --- sending ---

if not change and standing ~= '' and standing ~= (told_standing or 'resumed') then
    redis.call('HSET', key, 'change', standing, 'change_id', change_id, 'change_at', now_digits, 'change_reason', change_reason,
        'change_detail', change_detail)
    change, values[8], values[9], values[10], values[11] = standing, change_id, now_digits, change_reason, change_detail
end
local answer = {1, change or '', '', '', '', ''}
for i = 8, change and 11 or 0 do
    answer[i - 5] = values[i] or ''
end

-- --- the dead ---

straighten(dead)
if told_id ~= '' then
    time_told, id_told = told_time, told_id
end
if number_of(time_told) > now then
    time_told, id_told = nil, nil -- the clock was set back: who dies now stands before this place (see BEHIND_MS, too)
end

local LOOK_MAX = 1000

-- Whether this death is still to be told.
local function is_untold(id, score, is_behind_place)
    local state, died, told = death_of(id)
    if not state then
        return not is_behind_place -- of a key of another type only the place is known
    end
    return state == 'dead' and told ~= died and number_of(died ~= '' and died or score) >= number_of(since)
end

local function entry_of(id, score)
    return {score, 'id', id, unpack(all_fields(id) or {'state', 'dead'})}, math.max(0, now - score)
end

local before = redis.call('ZCOUNT', dead, '-inf', '(' .. since)
local rank = math.max(before, rank_behind(dead, time_told or '', id_told or ''))
local entries = redis.call('ZRANGE', dead, rank, rank + LOOK_MAX - 1, 'WITHSCORES')
local entry, age
local passed_time, passed_id = time_told, id_told
for i = 1, #entries, 2 do
    local id, score = entries[i], digits(math.ceil(entries[i + 1]))
    if tonumber(score) == now then
        age = 0 -- who dies yet in this millisecond may stand before it
        break
    elseif is_foreign(dead, id) then
        rank = rank - 1
    elseif is_untold(id, score) then
        entry, age = entry_of(id, score)
        break
    else
        passed_time, passed_id = score, id
    end
    rank = rank + 1
end
-- Who died while the clock was behind this place stands before it. Had a call come in that time, it would have begun anew (above).
local BEHIND_MS, BEHIND_FOR_MS = 5000, 60000
if not entry and not age and number_of(passed_time) > now - BEHIND_FOR_MS then
    local last = redis.call('ZRANGEBYSCORE', dead, digits(passed_time - BEHIND_MS), passed_time, 'WITHSCORES', 'LIMIT', 0, LOOK_MAX)
    for i = 1, #last, 2 do
        local score = digits(math.ceil(last[i + 1]))
        if is_untold(last[i], score, true) then
            entry, age = entry_of(last[i], score)
            rank = rank - 1
            break
        end
    end
end
if passed_id and (passed_time ~= values[4] or passed_id ~= values[5]) then
    redis.call('HSET', key, 'time', passed_time, 'id', passed_id)
end
answer[7], answer[8] = redis.call('ZCARD', dead) - rank, age or -1
answer[9] = entry
return answer
