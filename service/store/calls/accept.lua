-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Accepts events that accept_plain.lua has left, in their order: two of one application act like two calls. What its caller
-- can send at once is leased to it, as a claim would do it:
--
--   none, or nothing is out ──► sending        leased: generation, attempt 1, `due` at the lease's end
--                           └─► pending        no place for it, sending is paused, or something else is due already
--   an attempt is out ────────► pending        behind that
--
-- New events do not overtake what waits: while anything is due nothing is leased. Of several events of one application only
-- the last may be.
--
-- ARGV: how many may be leased (0: none, and the other five are of no account but the key, number and answered), lease (ms), key
--       of the caller's last such call ('': none), this call's number, number of the last one that was answered, when to lease
--       nothing any more, and, where there is a spool, to do nothing (ms): see lease.lua. Then
--       per event: application id, seek-token ('': the stored one), event id, and what else is known of it ('': nothing):
--       completed at (ms; -1: now), when it came (a stamp, see application.lua; 0: there is no spool) and
--       traceparent (or nothing), with a space behind each of the first two. Few events have any of it, and each argument
--       costs.
-- Returns: this clock (ms), the same (us), then per event: 0 accepted, 2 replaced, 3 no seek-token, 4 the key holds something
--          else, 5 accepted and leased under this clock (us) as its generation, 6 too late, nothing was
--          done; of a duplicate {state, event id}; of what else
--          is leased {0 or 2, generation, the seek-token if the event has none}

local ACCEPTED, REPLACED, NO_TOKEN, DAMAGED, LATE = 0, 2, 3, 4, 6

-- Of a process with a spool: when nobody waits for the answer any more, the events are acknowledged out of the spool, and what
-- came after them may be here, or was forgotten here. They come with the drain.
if #ARGV > HEAD and now > tonumber(ARGV[6]) and ARGV[HEAD + ARGUMENTS]:find('^%S+ [1-9]') then
    for _ = HEAD + 1, #ARGV, ARGUMENTS do
        results[#results + 1] = LATE
    end
    return results
end

local last_text, last = nil, 0

if own ~= '' then
    last_text, last = read_last(own, number)
end

-- How many may be leased.
local function count_places()
    if places == 0 or last >= number or now > tonumber(ARGV[6]) or redis.call('EXISTS', paused) == 1 then
        return 0
    end
    local soonest = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')[2]
    return soonest and tonumber(soonest) <= now and 0 or places
end

places = count_places()

-- Of most applications nothing is known, and asking for all of them at once costs little: where each has its first event,
-- and where its last.
local keys, first, latest, entries, leased = {}, {}, {}, {}, {}

local function find_first()
    local count = 0
    for i = HEAD + 1, #ARGV, ARGUMENTS do
        local id = ARGV[i]
        count = count + 1
        keys[count] = prefix .. id
        latest[id] = i
    end
    local is_any_known, entry = redis.call('EXISTS', unpack(keys)) > 0, 0
    for i = 1, count do
        local at = HEAD + 1 + (i - 1) * ARGUMENTS
        local id = ARGV[at]
        if ARGV[at + 1] ~= '' and not first[id] and not (is_any_known and redis.call('EXISTS', keys[i]) == 1) then
            local is_leased = places > 0 and latest[id] == at
            first[id], leased[at] = at, is_leased
            places = is_leased and places - 1 or places
            entries[entry + 1], entries[entry + 2] = is_leased and lease_end or now_digits, id
            entry = entry + 2
        end
    end
end

local function note_leased(id, generation)
    taken[#taken + 1], taken[#taken + 2] = id, generation
end

-- What would have become of it, had it arrived when it came: replaced, or the event of a draft that came after it.
local function supersede(id, application, token, event, completed, trace, came)
    local outcome = {application.state, whole_event(application.event or event)}
    if application.state == 'draft' then
        owe(id, application, application.token, event, completed, trace, came)
        outcome = ACCEPTED
    end
    redis.call('HSET', prefix .. id, 'replaced', replaced_with(application.replaced, token))
    return outcome
end

local function accept(id, token, event, completed, trace, came, is_latest)
    local application = look_up(id)
    if application.damage == OF_ANOTHER_TYPE then
        expose(id)
        return DAMAGED
    end
    local state, stored = application.state, application.token
    local is_stored = token == ''
    if is_stored then
        token = stored
    end
    if not token then
        return NO_TOKEN
    end
    local is_owed = state and state ~= 'draft'
    if is_owed and token == stored and not application.damage then
        return {state, whole_event(application.event)}
    end
    if was_replaced(application, token) then
        return {state, whole_event(application.event or event)}
    end
    if came_before(application, token, came) then
        return supersede(id, application, token, event, completed, trace, came)
    end
    local may_lease = places > 0 and is_latest and not application.damage
    local generation = owe(id, application, token, event, completed, trace, came, nil, may_lease and lease_end)
    local outcome = is_owed and REPLACED or ACCEPTED
    if not generation then
        return outcome
    end
    places = places - 1
    note_leased(id, generation)
    return {outcome, generation, is_stored and token or ''}
end

local function read_more(more)
    if more == '' then
        return now
    end
    local completed, came, trace = more:match('^(%S+) (%S+) (.*)$')
    return completed == '-1' and now or tonumber(completed), came, trace
end

find_first()
-- Before the hashes, in one command for all: a Redis at maxmemory refuses it before anything has changed, and an entry
-- without its hash does no harm, should anything go wrong in between.
if entries[1] then
    redis.call('ZADD', due, unpack(entries))
end

local count = #results
for i = HEAD + 1, #ARGV, ARGUMENTS do
    local id, token, event, is_leased, result = ARGV[i], ARGV[i + 1], short_event(ARGV[i + 2]), leased[i], ACCEPTED
    local completed, came, trace = read_more(ARGV[i + 3])
    if first[id] == i then
        owe_first(id, token, event, completed, trace, came, is_leased)
    else
        result = accept(id, token, event, completed, trace, came, latest[id] == i)
    end
    if is_leased then
        note_leased(id, now_us_digits)
        result = LEASED
    end
    count = count + 1
    results[count] = result
end

-- Last, since it must not be what a Redis at maxmemory is asked first: then it would let the rest pass.
if own ~= '' and last < number then
    if last > answered then
        give_back_all(last_text)
    end
    keep_taken(own, taken, answered, lease_ms)
end
return results
