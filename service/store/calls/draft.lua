-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Keeps the seek-token of an application that is not completed yet. One that already was owes its signal again, with the
-- newer seek-token; after a delivery the application is a draft once more, until its next event. One that was replaced before changes
-- nothing.
--
-- ARGV: application id, seek-token, event id (for a signal that is owed again), time to live of a draft (ms), when it came
--       (us, by the clock of a machine with a spool; 0: there is none)
-- Returns: the state; 'damaged' when the key holds something else

local id, token, event, ttl, came = ARGV[1], ARGV[2], ARGV[3], ARGV[4], math.min(tonumber(ARGV[5]), now_us)
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
if was_replaced(application, token) then
    return state
end
if not is_resting then
    owe(id, application, token, short_event(event), completed_of(application), application.trace, came)
    return 'pending'
end
keep_draft(id, application, token, ttl, now, came)
return 'draft'
