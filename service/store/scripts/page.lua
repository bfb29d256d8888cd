-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- What the scripts have in common that walk through `due` or `dead` page by page; script.c puts it behind application.lua.
--
-- A place is the time and the id of the entry looked at last ('' and '': the beginning). It stays good when that entry has
-- gone or moved meanwhile: what stays where it is is neither skipped nor met twice.

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
local function rank_behind(set, time, id)
    if time == '' then
        return 0
    end
    local low = redis.call('ZCOUNT', set, '-inf', '(' .. time)
    local high = redis.call('ZCOUNT', set, '-inf', time)
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
