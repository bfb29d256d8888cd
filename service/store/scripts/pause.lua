-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Stops sending for all that share this Redis, or lets it go on; see claim.
--
-- ARGV: pause (1) or resume (0)
-- Returns: 1 if that changed anything, 0 if not

if ARGV[1] == '0' then
    return redis.call('DEL', paused)
end
local since = redis.call('GET', paused)
begin_draining()
redis.call('SET', paused, since or now_digits)
return since and 0 or 1
