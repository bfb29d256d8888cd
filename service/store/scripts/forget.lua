-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Forgets an application for good. An attempt that is out is not called back, but its settlement finds nothing to settle.
-- Until then, or until its lease ends, the lease stays: a new seek-token of the same application waits for that.
--
-- ARGV: application id
-- Returns: 1 if it was known, 0 if not

local id = ARGV[1]
local key = prefix .. id
local state, generation, lease = unpack(redis.call('HMGET', key, 'state', 'gen', 'lease'))
lease = lease_of(state, generation, lease)
local ends = lease and tonumber(redis.call('ZSCORE', due, id) or 0) or 0
redis.call('ZREM', dead, id)
redis.call('DEL', key)
if ends > now then
    redis.call('HSET', key, 'gen', generation, 'lease', lease)
    redis.call('PEXPIRE', key, digits(ends - now))
else
    redis.call('ZREM', due, id)
end
return state and 1 or 0
