-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Forgets what is dead for good, a piece of it per call.
--
-- ARGV: code of the last outcome ('': any), whether it is to be done (0: only counted), how many to forget at most,
--       how many entries to look at at most, the latest death that counts (ms; -1: now), place (time, id), class of the last
--       outcome ('': any), the first death that counts (ms; '': any), how the message of the last outcome begins ('': any), how
--       the ids begin ('': any)
-- Returns: entries looked at, applications that match, the latest death that counts (ms), the place to go on from ('' and '':
--          that was all)

local is_done, limit, look_max = ARGV[2] == '1', tonumber(ARGV[3]), tonumber(ARGV[4])
local latest = ARGV[5] == '-1' and now or math.min(tonumber(ARGV[5]), now)

local function forget_one(id)
    if is_done then
        forget(id)
    end
    return true
end

local asked = {code = ARGV[1], class = ARGV[8], since = ARGV[9], message = ARGV[10], beginning = ARGV[11]}
local looked, matched, place_time, place_id = walk_dead(asked, limit, look_max, latest, ARGV[6], ARGV[7], forget_one)
return {looked, matched, digits(latest), place_time, place_id}
