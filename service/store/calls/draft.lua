-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Keeps the seek-token of an application that is not completed yet. One that already was owes its signal again, with the
-- newer seek-token; after a delivery the application is a draft once more, until its next event. One that was replaced before, or
-- came before what is stored, changes nothing.
--
-- ARGV: application id, seek-token, event id (for a signal that is owed again), time to live of a draft (ms), when it came
--       (a stamp, see application.lua; 0: there is no spool), when to do nothing
--       any more where there is one (ms): see accept.lua
-- Returns: the state; 'damaged' when the key holds something else, 'late' when nothing was done

local id, token, event, ttl, came = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if came ~= '0' and now > tonumber(ARGV[6]) then
    return 'late'
end
local application = look_up(id)
if application.damage == OF_ANOTHER_TYPE then
    expose(id)
    return 'damaged'
end
local state = application.state
local is_resting = not state or state == 'draft' or state == 'delivered'

if token == application.token then
    if is_resting then
        redis.call('PEXPIRE', prefix .. id, ttl)
    end
    return state
end
if was_replaced(application, token) or came_before(application, token, came) then
    return state
end
if not is_resting then
    owe(id, application, token, short_event(event), completed_of(application), application.trace, came)
    return 'pending'
end
keep_draft(id, application, token, ttl, now, came)
return 'draft'
