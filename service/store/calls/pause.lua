-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Stops sending for all that share this Redis, or lets it go on; see claim.
--
-- ARGV: pause (1) or resume (0)
-- Returns: 1 if that changed anything, 0 if not

-- Whatever the key holds, it pauses.
local since = redis.pcall('GET', paused)
if since and not (type(since) == 'string' and (tonumber(since) or 0) > 0) then
    since = now_digits
end

if ARGV[1] == '0' then
    return redis.call('DEL', paused)
end
begin_draining()
redis.call('SET', paused, since or now_digits)
return since and 0 or 1
