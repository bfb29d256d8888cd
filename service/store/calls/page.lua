-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- What the scripts have in common that walk through `due` or `dead` page by page; script.c puts it behind application.lua.
--
-- A place is the time and the id of the entry looked at last ('' and '': the beginning). It stays good when that entry has
-- gone or moved meanwhile: what stays where it is is neither skipped nor met twice.

-- Times that nobody can go on from, since no script has written them: what has one stands at the present instead.
local function straighten(set)
    for _, range in ipairs({{'-inf', '(0'}, {digits(now + FAR_MS), '+inf'}}) do
        for _, id in ipairs(redis.call('ZRANGEBYSCORE', set, range[1], range[2], 'LIMIT', 0, 1000)) do
            begin_draining()
            redis.call('ZADD', set, now_digits, id)
        end
    end
end

-- What cannot be an application's id was put there by somebody else, and no place can be named by it.
local function is_foreign(set, id)
    return (#id > ID_MAX or id:find('%c')) and redis.call('ZREM', set, id) == 1
end

-- Redis orders entries of the same time by their bytes; Lua's < would ask the locale.
local function is_behind(a, b)
    for i = 1, math.min(#a, #b) do
        local x, y = a:byte(i), b:byte(i)
        if x ~= y then
            return x > y
        end
    end
    return #a > #b
end

-- The rank of the first entry behind the place: O(log² n), also when thousands died in the same millisecond.
local function rank_behind(set, score, id)
    if score == '' then
        return 0
    end
    local low = redis.call('ZCOUNT', set, '-inf', '(' .. score)
    local high = redis.call('ZCOUNT', set, '-inf', score)
    while low < high do
        local middle = math.floor((low + high) / 2)
        if is_behind(redis.call('ZRANGE', set, middle, middle)[1], id) then
            high = middle
        else
            low = middle + 1
        end
    end
    return low
end

-- Of the ranks from `first` on and before `last`: what is behind the place, `look_max` entries at most, each with its time; and how
-- many are behind it in all. The latest first, behind is what is earlier.
local function entries_behind(set, score, id, is_latest_first, look_max, first, last)
    local rank = rank_behind(set, score, id)
    if not is_latest_first then
        first = math.max(rank, first)
        return first < last and redis.call('ZRANGE', set, first, math.min(first + look_max, last) - 1, 'WITHSCORES') or {}, last - first
    end
    if score ~= '' then
        local before = rank > 0 and redis.call('ZRANGE', set, rank - 1, rank - 1, 'WITHSCORES') or {}
        local is_there = before[1] == id and tonumber(before[2]) == tonumber(score)
        last = math.min(last, is_there and rank - 1 or rank)
    end
    local entries = first < last and redis.call('ZRANGE', set, math.max(first, last - look_max), last - 1, 'WITHSCORES') or {}
    local reversed = {}
    for i = #entries, 1, -2 do
        reversed[#reversed + 1], reversed[#reversed + 2] = entries[i - 1], entries[i]
    end
    return reversed, last - first
end

-- --- what is wanted ---

-- Whether a class or code is the one that is asked for ('': any), in whatever case somebody has typed it.
local function is_one_of(asked, found)
    return asked == '' or asked:lower() == (found or ''):lower()
end

-- Whether an application's id begins as it is asked for ('': any), byte for byte.
local function begins(id, beginning)
    return id:sub(1, #beginning) == beginning
end

-- Whether the message of the last outcome begins as it is asked for ('': any). To be asked last: it takes a look of its own.
local function says(id, class, beginning)
    if beginning == '' then
        return true
    end
    local message = class ~= 'damaged' and redis.pcall('HMGET', prefix .. id, 'message')[1]
    if class == 'damaged' then
        local application = find_known(id) or {}
        message = application.damage and damage_message(application.damage) or application.message
    end
    return type(message) == 'string' and begins(message, beginning)
end

-- Of the dead those that died from `since` (ms; '': the first) on, and before `ends` (ms; '': all): from which rank, to which.
local function ranks_between(since, ends)
    return since == '' and 0 or redis.call('ZCOUNT', dead, '-inf', '(' .. since),
        ends == '' and redis.call('ZCARD', dead) or redis.call('ZCOUNT', dead, '-inf', '(' .. ends)
end

-- Looks at the dead one after the other, at `look_max` at most, and does `act` with each that fits, until `limit` are done.
-- `act` is given id and seek-token, and tells whether it counts. `meet`: what to do with one that is damaged and does not fit; may
-- be left out. What died after `latest` (ms) is left alone.
-- Returns: how many it looked at, how many count, the place to go on from.
local function walk_dead(asked, limit, look_max, latest, place_time, place_id, act, meet)
    straighten(dead)
    local first = ranks_between(asked.since, '')
    local rank = math.max(rank_behind(dead, place_time, place_id), first)
    local entries = redis.call('ZRANGE', dead, rank, rank + look_max - 1, 'WITHSCORES')
    local is_more = rank + #entries / 2 < redis.call('ZCARD', dead)
    local looked, matched = 0, 0
    while 2 * looked < #entries and matched < limit do
        local id, died = entries[2 * looked + 1], entries[2 * looked + 2]
        if tonumber(died) > latest then
            break
        end
        if begins(id, asked.beginning) then
            local state, class, code, token = glance(id)
            local is_asked = state == 'dead' and is_one_of(asked.class, class) and is_one_of(asked.code, code)
                and says(id, class, asked.message)
            if is_asked and act(id, token) then
                matched = matched + 1
            elseif not is_asked and meet and class == 'damaged' then
                meet(id)
            end
        end
        looked = looked + 1
        if not is_foreign(dead, id) then
            place_time, place_id = digits(math.ceil(died)), id
        end
    end
    local is_cut = 2 * looked < #entries
    if is_cut and tonumber(entries[2 * looked + 2]) > latest or not is_cut and not is_more then
        place_time, place_id = '', ''
    end
    return looked, matched, place_time, place_id
end
