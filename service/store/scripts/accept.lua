-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Accepts events, in their order: two of one application act like two calls.
--
-- ARGV: per event: application id, seek-token ('': the stored one), event id, completed at (ms; -1: now),
--       traceparent ('': none), when it came (us, by the clock of a machine with a spool; 0: there is none)
-- Returns per event: outcome (0 accepted, 1 duplicate, 2 replaced, 3 no seek-token), state, event id

local function accept(id, token, event, completed, trace, came)
    local state, stored, generation, lease, first
    -- Most are new, and asking that is cheaper than for the fields.
    if redis.call('EXISTS', prefix .. id) == 1 then
        state, stored, generation, lease, first =
            unpack(redis.call('HMGET', prefix .. id, 'state', 'token', 'gen', 'lease', 'event'))
    end
    if token == '' then
        token = stored
    end
    if not token then
        return 3, 'draft', ''
    end
    local is_owed = state and state ~= 'draft'
    if is_owed and token == stored then
        return 1, state, first
    end
    owe(id, generation, lease, {
        token = token,
        event = event,
        completed = completed == '-1' and now_digits or completed,
        trace = trace,
        came = math.min(tonumber(came), now_us),
        is_draft_token = token == stored,
    })
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
