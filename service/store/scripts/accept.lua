-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Accepts events, in their order: two of one application act like two calls.
--
-- ARGV: per event: application id, seek-token ('': the stored one), event id, and what else is known of it ('': nothing):
--       completed at (ms; -1: now), when it came (us, by the clock of a machine with a spool; 0: there is none) and
--       traceparent (or nothing), with a space behind each of the first two. Few events have any of it, and each argument
--       costs.
-- Returns per event: 0 accepted, 2 replaced, 3 no seek-token; of a duplicate {state, event id}

local ARGUMENTS = 4
local ACCEPTED, REPLACED, NO_TOKEN = 0, 2, 3

-- Of most applications nothing is known, and asking for all of them at once costs little: where each has its first event.
local first, entries = {}, {}

local function find_first()
    local keys = {}
    for i = 1, #ARGV, ARGUMENTS do
        keys[#keys + 1] = prefix .. ARGV[i]
    end
    local is_any_known = redis.call('EXISTS', unpack(keys)) > 0
    for i = 1, #ARGV, ARGUMENTS do
        local id, token = ARGV[i], ARGV[i + 1]
        if token ~= '' and not first[id] and not (is_any_known and redis.call('EXISTS', prefix .. id) == 1) then
            first[id] = i
            entries[#entries + 1], entries[#entries + 2] = now_digits, id
        end
    end
end

local function accept(id, token, event, completed, trace, came)
    local application = look_up(id)
    local state, stored = application.state, application.token
    if token == '' then
        token = stored
    end
    if not token then
        return NO_TOKEN
    end
    local is_owed = state and state ~= 'draft'
    if is_owed and token == stored then
        return {state, application.event}
    end
    if was_replaced(application, token) then
        return {state, application.event or with_zeros(event)}
    end
    owe(id, application, token, event, completed, trace, came)
    return is_owed and REPLACED or ACCEPTED
end

find_first()
-- Before the hashes, in one command for all: a Redis at maxmemory refuses it before anything has changed, and an entry
-- without its hash does no harm, should anything go wrong in between.
if entries[1] then
    redis.call('ZADD', due, unpack(entries))
end

local results = {}
for i = 1, #ARGV, ARGUMENTS do
    local id, token, event, more = unpack(ARGV, i, i + ARGUMENTS - 1)
    local completed, came, trace = now_digits, nil, nil
    if more ~= '' then
        completed, came, trace = more:match('^(%S+) (%d+) (.*)$')
        completed = completed == '-1' and now_digits or completed
        came = came ~= '0' and math.min(tonumber(came), now_us) or nil
    end
    if first[id] == i then
        owe_first(id, token, event, completed, trace, came)
        results[#results + 1] = ACCEPTED
    else
        results[#results + 1] = accept(id, token, event, completed, trace, came)
    end
end
return results
