-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Forgets an application for good. An attempt that is out is not called back, but its settlement finds nothing to settle.
--
-- ARGV: application id
-- Returns: 1 if it was known, 0 if not

local id = ARGV[1]
redis.call('ZREM', due, id)
redis.call('ZREM', dead, id)
return redis.call('DEL', prefix .. id)
