-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Sends again what is dead, a piece of it per call. The signals fall due one after the other, so that Redis itself keeps
-- the rate: no timer is needed, and who asked may die.
--
-- ARGV: code of the last outcome ('': any), whether it is to be done (0: only counted), how many to replay at most,
--       how many entries to look at at most, time from one to the next (us), the latest death that counts (ms; -1: now),
--       when the next one falls due (us; -1: now), place (time, id)
-- Returns: entries looked at, applications that match, the latest death that counts (ms), when the next one falls due (us),
--          the place to go on from ('' and '': that was all)

local code, is_done, limit, look_max = ARGV[1], ARGV[2] == '1', tonumber(ARGV[3]), tonumber(ARGV[4])
local gap_us, place_time, place_id = tonumber(ARGV[5]), ARGV[8], ARGV[9]
-- What dies again while this goes on is no business of this replay: it would never end.
local latest = ARGV[6] == '-1' and now or tonumber(ARGV[6])
local next_us = math.max(tonumber(ARGV[7]), now_us)

local rank = rank_behind(dead, place_time, place_id)
local entries = redis.call('ZRANGE', dead, rank, rank + look_max - 1, 'WITHSCORES')
local is_more = rank + #entries / 2 < redis.call('ZCARD', dead)
local looked, matched = 0, 0
while 2 * looked < #entries and matched < limit do
    local id, died = entries[2 * looked + 1], entries[2 * looked + 2]
    if tonumber(died) > latest then
        break
    end
    local state, last = unpack(redis.call('HMGET', prefix .. id, 'state', 'code'))
    if state == 'dead' and (code == '' or code == last) then
        matched = matched + 1
        if is_done then
            revive(id, math.floor(next_us / 1000))
            next_us = next_us + gap_us
        end
    end
    looked = looked + 1
    place_time, place_id = digits(died), id
end

local is_cut = 2 * looked < #entries
if is_cut and tonumber(entries[2 * looked + 2]) > latest or not is_cut and not is_more then
    place_time, place_id = '', ''
end
return {looked, matched, digits(latest), digits(next_us), place_time, place_id}
