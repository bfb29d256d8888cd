-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Shows one application, all at one moment. Changes nothing.
--
-- ARGV: application id
-- Returns: its entry in due (ms) or '', then field and value by turns; nothing when there is none

local id = ARGV[1]
local entry = redis.call('HGETALL', prefix .. id)
if #entry == 0 then
    return {}
end
return {redis.call('ZSCORE', due, id) or '', unpack(entry)}
