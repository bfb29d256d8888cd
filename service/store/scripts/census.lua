-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Counts. Changes nothing.
--
-- Returns: number of entries in due, in dead, ms since the first entry of due fell due (0: it did not yet), since when
--          sending is paused (ms; 0: it is not)

local soonest = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')[2]
local age = soonest and math.max(0, now - soonest) or 0
return {redis.call('ZCARD', due), redis.call('ZCARD', dead), age, redis.call('GET', paused) or '0'}
