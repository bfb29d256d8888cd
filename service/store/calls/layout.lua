-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Says what lies in this Redis: the number of its layout, over how many shards it is spread, and to which environment of SEEK it
-- belongs. What is not there yet is written, so that of two processes that come first one decides. A visitor, such as `check`,
-- writes nothing and is told what would be there.
--
-- What an older number stands for is read, and written anew with each change of an application, so that it becomes this
-- version's number.
--
-- Versions before the layout had a number kept the number of shards under another name: it is moved here. They write it there
-- again when they come back, and do not mind what is here.
--
-- ARGV: keys of the number, of the shards and of the environment, what this version writes to each, the old key of the shards
--       ('': there is none), whether it is to be written (1) or only looked at (0)
-- Returns: what the three hold ('': not there), then what Redis said against writing ('': nothing)

local keys, own, old_key = {ARGV[1], ARGV[2], ARGV[3]}, {ARGV[4], ARGV[5], ARGV[6]}, ARGV[7]
local is_visitor = ARGV[8] == '0'

local found = {}
for i, key in ipairs(keys) do
    local value = redis.pcall('GET', key)
    if type(value) == 'table' then
        return value.err:find('WRONGTYPE') and redis.error_reply('WRONGTYPE ' .. key ..
            ' is not a string: another program has written to this key') or value
    end
    found[i] = value
end

local is_numbered = found[1]
local is_older = is_numbered and is_numbered:find('^[1-9]%d*$') and tonumber(is_numbered) < tonumber(own[1])
if is_numbered and found[1] ~= own[1] and not is_older then
    return {found[1], found[2] or '', found[3] or '', ''} -- another version's: nothing is touched
end

-- A server of a cluster that does not have this key says so; no version without a number has run there.
local old = not is_numbered and old_key ~= '' and redis.pcall('GET', old_key)
if type(old) == 'string' then
    if old ~= own[2] then
        return {'', old, found[3] or '', ''}
    end
end

if is_visitor then
    local is_same = not is_older or found[2] == own[2] and (not found[3] or own[3] == '' or found[3] == own[3])
    return {own[1], found[2] or own[2], found[3] or is_same and own[3] or '', ''}
end
if type(old) == 'string' then
    begin_draining() -- what is full must be able to drain with this version too
end

if is_older then
    local is_same = found[2] == own[2] and (not found[3] or own[3] == '' or found[3] == own[3])
    if not is_same then
        return {own[1], found[2] or '', found[3] or '', ''} -- which of the two differs is told, and nothing is touched
    end
    begin_draining()
    found[1] = nil
end

local refusal = ''
for i, key in ipairs(keys) do
    if not found[i] and own[i] ~= '' and refusal == '' then
        local done = redis.pcall('SET', key, own[i])
        refusal = done.err or ''
        found[i] = refusal == '' and own[i]
    end
end
if type(old) == 'string' and refusal == '' then
    redis.pcall('DEL', old_key)
end
return {found[1] or '', found[2] or '', found[3] or '', refusal}
