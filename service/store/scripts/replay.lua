-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Sends again now what is dead, or waits for its next attempt. Attempts go on counting, so that each has an id of its own.
--
-- ARGV: application id
-- Returns: the state it was in, or '' when there is none

local id = ARGV[1]
local state, lease = unpack(redis.call('HMGET', prefix .. id, 'state', 'lease'))

if state == 'dead' then
    revive(id, now)
elseif state == 'pending' and not lease then
    redis.call('ZADD', due, now_digits, id)
end
return state or ''
