-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Shows one page of what is due or dead, in the order of time. Changes nothing.
--
-- ARGV: state (due: pending and sending, pending, sending, dead), code of the last outcome ('': any),
--       limit, how many entries to look at at most, place (time, id)
-- Returns: the place to go on from ('' and '': that was all), then per application: {its entry in due (ms) or '', 'id',
--          its id, then field and value by turns}

local state, code, limit, look_max = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local set = state == 'dead' and dead or due
local rank = rank_behind(set, ARGV[5], ARGV[6])

local function is_wanted(id)
    local found, last = unpack(redis.call('HMGET', prefix .. id, 'state', 'code'))
    -- An entry without a hash was left behind by somebody who deleted that by hand.
    return found and (found == state or state == 'due') and (code == '' or code == last)
end

local results = {'', ''}
local entries = redis.call('ZRANGE', set, rank, rank + look_max - 1, 'WITHSCORES')
local looked = 0
while 2 * looked < #entries and #results - 2 < limit do
    local id, time = entries[2 * looked + 1], entries[2 * looked + 2]
    if is_wanted(id) then
        results[#results + 1] = {set == due and time or '', 'id', id, unpack(all_fields(id))}
    end
    looked = looked + 1
end
if looked > 0 and rank + looked < redis.call('ZCARD', set) then
    results[1], results[2] = digits(entries[2 * looked]), entries[2 * looked - 1]
end
return results
