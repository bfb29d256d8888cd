-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Accepts events, in their order: two of one application act like two calls.
--
-- ARGV: per event: application id, seek-token ('': the stored one), event id, completed at (ms; -1: now),
--       traceparent ('': none), when it came (us, by the clock of a machine with a spool; 0: there is none)
-- Returns per event: outcome (0 accepted, 1 duplicate, 2 replaced, 3 no seek-token), state, event id

local function accept(id, token, event, completed, trace, came)
    local application = look_up(id)
    local state, stored = application.state, application.token
    if token == '' then
        token = stored
    end
    if not token then
        return 3, 'draft', ''
    end
    local is_owed = state and state ~= 'draft'
    if is_owed and token == stored then
        return 1, state, application.event
    end
    if was_replaced(application, token) then
        return 1, state, application.event or event
    end
    owe(id, application, token, event, completed == '-1' and now_digits or completed, trace,
        math.min(tonumber(came), now_us))
    return is_owed and 2 or 0, 'pending', event
end

local results = {}
for i = 1, #ARGV, 6 do
    local outcome, state, event = accept(unpack(ARGV, i, i + 5))
    results[#results + 1] = outcome
    results[#results + 1] = state
    results[#results + 1] = event
end
return results
