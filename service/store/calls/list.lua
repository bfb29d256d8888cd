-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Shows one page of what is due or dead, in the order of time. Of what somebody else has put there, it gives impossible times the
-- present, and takes out what cannot be an application (page.lua). It changes nothing else.
--
-- ARGV: state (due: pending and sending, pending, sending, dead), code of the last outcome ('': any),
--       limit, how many entries to look at at most, place (time, id), class of the last outcome ('': any), and the time from
--       which on and before which it died, or, where it is not dead, was accepted (ms; '': any),
--       1: the latest first, how the ids begin ('': any), how many bytes to show, and one application more, at most,
--       how the message of the last outcome begins ('': any)
-- Returns: the place to go on from ('' and '': that was all), then per application: {its entry in due or dead (ms), 'id',
--          its id, then field and value by turns}

local state, code, limit, look_max = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local class, since, ends = ARGV[7], ARGV[8], ARGV[9]
local is_latest_first, beginning, bytes_max, message = ARGV[10] == '1', ARGV[11], tonumber(ARGV[12]), ARGV[13]
local set = state == 'dead' and dead or due
straighten(set)
local first, last = 0, redis.call('ZCARD', set)
if set == dead then
    first, last = ranks_between(since, ends)
end

-- The dead have their time in the set.
local function is_in_time(accepted)
    local time_of = set == due and (accepted or 0)
    return not time_of or (since == '' or time_of >= tonumber(since)) and (ends == '' or time_of < tonumber(ends))
end

local function is_wanted(id)
    if not begins(id, beginning) then
        return false
    end
    local found, last_class, last_code, _, accepted = glance(id)
    -- An entry without a hash was left behind by somebody who deleted that by hand.
    return found and (found == state or state == 'due') and is_one_of(code, last_code) and is_one_of(class, last_class)
        and is_in_time(accepted) and says(id, last_class, message)
end

local round = is_latest_first and math.floor or math.ceil
local results, bytes = {'', ''}, 0
local entries, ahead = entries_behind(set, ARGV[5], ARGV[6], is_latest_first, look_max, first, last)
local looked = 0
while 2 * looked < #entries and #results - 2 < limit and bytes < bytes_max do
    local id, score = entries[2 * looked + 1], entries[2 * looked + 2]
    if not is_foreign(set, id) and is_wanted(id) then
        local fields = all_fields(id)
        results[#results + 1] = {digits(round(score)), 'id', id, unpack(fields)}
        bytes = bytes + #table.concat(fields)
    end
    looked = looked + 1
end
if looked > 0 and looked < ahead then
    results[1], results[2] = digits(round(entries[2 * looked])), entries[2 * looked - 1]
end
return results
