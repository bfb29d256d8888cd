-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- What claim and accept have in common: they lease for a caller, who may never hear of it. script.c puts it in front of
-- both, behind application.lua.
--
-- What a caller got with its last call stays known under a key of its own while it is leased: the call's number, then
-- application id and generation by turns. Where the answer was lost (Redis stood still, the connection broke), the next call
-- under that key gives it back. A worker's next call is its next claim. An intake may get no further event, so its next turn
-- sends a claim of nothing under that key (`store_give_back_lost` in accept.c), unless an accept comes first. One that is
-- overtaken by the next, since it hung in a connection that was given up, takes nothing; nor does one that comes when its
-- answer is no longer waited for, perhaps of a process that is gone.
--
--   call n    ──► answered ──► call n+1 (answered = n): nothing to give back
--   call n    ──► lost         call n+1 (answered = n-1): gives back what n took, where it still stands
--   call n    hangs ─────────────────────────────────► after n+1: takes nothing

local function give_back(id, generation)
    local application = find(id)
    if lease_of(application) == generation and end_lease(id, application, generation) then
        release(id, application)
    end
end

-- Of a last call that is ahead by more than any that hangs in a connection could be, or that cannot be read, the leases end by
-- themselves.
local AHEAD_MAX = 1000

-- What the key holds, and the number of the last call; 0: none is known. Reading all of it is only for who needs it.
local function read_last(own, number)
    local text = redis.pcall('GET', own)
    local last = type(text) == 'string' and tonumber(text:match('^%[(%d+)[,%]]')) or 0
    return text, last <= number + AHEAD_MAX and last or 0
end

local function give_back_all(text)
    local is_read, last = pcall(cjson.decode, text)
    for i = 2, is_read and type(last) == 'table' and #last or 0, 2 do
        if type(last[i]) == 'string' then
            give_back(last[i], tonumber(last[i + 1]))
        end
    end
end

-- `taken`: the number of this call and what it got. One that got nothing has nothing to keep, unless one before it may still
-- be on its way.
local function keep_taken(own, taken, answered, lease_ms)
    if #taken > 1 or taken[1] > answered + 1 then
        redis.call('SET', own, cjson.encode(taken), 'PX', lease_ms)
    end
end
