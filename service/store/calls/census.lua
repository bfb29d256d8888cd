-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Counts. Changes nothing.
--
-- ARGV: how many of the dead to count by what they died of, the latest first (not there: none), key of the move (see move_out.lua)
-- Returns: number of entries in due, in dead, ms since the first entry of due fell due (0: it did not yet), since when
--          sending is paused (ms; 0: it is not), how many of the dead were looked at, where all of it was moved to
--          ('': nowhere), then class, code and number by turns,
--          the most frequent first; what is rare beyond CODES_MAX stands together, with neither class nor code

-- Whatever the key holds, it pauses.
local since = redis.pcall('GET', paused)
if since and not (type(since) == 'string' and since:find('^%d+$')) then
    since = now_digits
end

-- Told by name: for as long as this stays, nothing goes on.
local sizes = {}
for i, set in ipairs({due, dead}) do
    sizes[i] = redis.pcall('ZCARD', set)
    if type(sizes[i]) ~= 'number' then
        local kind = redis.call('TYPE', set).ok
        return redis.error_reply('WRONGTYPE ' .. set .. ' is a ' .. kind .. ' now: somebody else has written to this key')
    end
end

local soonest = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')[2]
local age = soonest and math.min(math.max(0, now - soonest), now) or 0 -- whatever somebody else has put in

-- A code is SEEK's and may be any text.
local CODES_MAX, CODE_BYTES_MAX = 20, 128

local function count_causes(ids)
    local count_of, causes, class_of, code_of = {}, {}, {}, {}
    for _, id in ipairs(ids) do
        local _, class, code = glance(id)
        class, code = (class or ''):sub(1, CODE_BYTES_MAX), (code or ''):sub(1, CODE_BYTES_MAX)
        local cause = class .. '\n' .. code
        if not count_of[cause] then
            causes[#causes + 1] = cause
            class_of[cause], code_of[cause] = class, code
        end
        count_of[cause] = (count_of[cause] or 0) + 1
    end
    table.sort(causes, function(a, b)
        return count_of[a] > count_of[b] or count_of[a] == count_of[b] and a < b
    end)
    local counts, rest = {}, 0
    for i, cause in ipairs(causes) do
        if i <= CODES_MAX then
            counts[#counts + 1], counts[#counts + 2], counts[#counts + 3] = class_of[cause], code_of[cause], count_of[cause]
        else
            rest = rest + count_of[cause]
        end
    end
    if rest > 0 then
        counts[#counts + 1], counts[#counts + 2], counts[#counts + 3] = '', '', rest
    end
    return counts
end

local move = ARGV[2] and redis.pcall('HMGET', ARGV[2], 'to', 'where') or {}
local moved_to = move[1] and (move[2] or 'another Redis') or ''

local look_max = tonumber(ARGV[1] or 0)
local looked = look_max > 0 and redis.call('ZRANGE', dead, -look_max, -1) or {}
return {sizes[1], sizes[2], age, since or '0', #looked, moved_to, unpack(count_causes(looked))}
