-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Sends again now what is dead, or waits for its next attempt. Attempts go on counting, so that each has an id of its own.
--
-- ARGV: application id
-- Returns: the state it was in, or '' when there is none; 'damaged' when nothing is left that could be sent. Then the field that
--          somebody else has changed ('': none, or that is known, or the next claim tells)

local id = ARGV[1]
local application = find(id)
if application.damage == OF_ANOTHER_TYPE then
    expose(id)
    return {'damaged', redis.call('ZSCORE', dead, id) and OF_ANOTHER_TYPE or ''}
end
local state = application.state

if state == 'dead' or not state and application.damage then
    local is_revived, damage = revive(id, now)
    return {is_revived and 'dead' or 'damaged', damage}
elseif state == 'pending' and not application.lease then
    redis.call('ZADD', due, now_digits, id)
end
return {state or '', ''}
