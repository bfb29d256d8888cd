-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Sends again what is dead, a piece of it per call. The signals fall due one after the other, so that Redis itself keeps
-- the rate: no timer is needed, and who asked may die.
--
-- ARGV: code of the last outcome ('': any), whether it is to be done (0: only counted), how many to replay at most,
--       how many entries to look at at most, time from one to the next (us), the latest death that counts (ms; -1: now),
--       when the next one falls due (us; -1: now), place (time, id), class of the last outcome ('': any), the first death
--       that counts (ms; '': any)
-- Returns: entries looked at, applications that match, the latest death that counts (ms), when the next one falls due (us),
--          the place to go on from ('' and '': that was all), what somebody else has changed and nobody was told of
--          (application id and field by turns)

local is_done, limit, look_max, gap_us = ARGV[2] == '1', tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
-- What dies again while this goes on is no business of this replay: it would never end.
local latest = ARGV[6] == '-1' and now or math.min(tonumber(ARGV[6]), now)
local next_us = math.max(tonumber(ARGV[7]), now_us)

local damaged = {}

local function tell(id, damage)
    if damage ~= '' then
        damaged[#damaged + 1], damaged[#damaged + 2] = id:sub(1, ID_MAX), damage
    end
end

-- Of what is damaged beyond repairing there is nothing to send.
local function replay(id, token)
    if not is_done then
        return token
    end
    local is_revived, damage = revive(id, math.floor(next_us / 1000))
    tell(id, damage)
    if is_revived then
        next_us = next_us + gap_us
    end
    return is_revived
end

-- The code that it died with may be lost too, so this counts of any code.
local function meet_damaged(id)
    local application = is_done and find_known(id)
    if application then
        tell(id, tell_damage(id, application))
    end
end

local asked = {code = ARGV[1], class = ARGV[10], since = ARGV[11]}
local looked, matched, place_time, place_id = walk_dead(asked, limit, look_max, latest, ARGV[8], ARGV[9], replay, meet_damaged)
return {looked, matched, digits(latest), digits(next_us), place_time, place_id, damaged}
