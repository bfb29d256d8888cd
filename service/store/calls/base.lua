-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- What each script but trial begins with, and no more than a plain call of accept or settle needs: a function costs when it is
-- made, in each call of a script anew. What such a call does stands behind it (accept_plain, settle_plain), and ends the script;
-- application.lua and the rest are for calls that are not plain. script.c puts them together.
--
-- KEYS: 1 prefix of the applications' keys, 2 due, 3 dead, 4 paused (since when, ms; not there: not paused)
--
-- An application's own key is not in KEYS but made from the prefix here: which applications a call touches is known only
-- inside (claim), or they are a thousand (accept). All keys carry the same hash tag, so they are in KEYS' slot.

local prefix, due, dead, paused = KEYS[1], KEYS[2], KEYS[3], KEYS[4]

-- The only clock: those who ask may disagree about the time.
local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local now = math.floor(now_us / 1000)

-- Lua would print a large number as 1.7e+15.
local function digits(number)
    return string.format('%.0f', number)
end

-- Once, from Redis's own digits: printing costs.
local now_us_digits = time[1] .. string.format('%06d', time[2])
local now_digits = now_us_digits:sub(1, -4)

-- --- how an application lies in its hash ---

-- Most of a Redis are applications that were delivered: what each of them has is one field of bytes, `p`, beside the
-- seek-token. It is short until the first attempt:
--   state (1 byte, see HAS_LINE), event id (12), accepted (6); generation (7), attempts (4), tried (6), when it was delivered or
--   died (6), class (1), HTTP status (2)
-- The first two shares of 19 and 45 bytes, with a field name of one, and with the seek-token under its whole name: that fills what
-- Redis and its allocator give out anyhow (96 and 128 bytes, a seek-token of 56).
-- All else is a field of its own, where it is there. So is what has no place in `p`: an event's id that is no UUID of ours, a
-- class that is not listed here. A field of its own counts, whatever `p` says: that is how the layout of number 1 lies, and how
-- somebody else's hand is seen. What was read so is written as above.
local SHORT, LONG = '>Bc12I6', '>Bc12I6I7I4I6I6BI2'
local SHORT_BYTES, LONG_BYTES = 19, 45
-- The states and the class that a plain call writes.
local PENDING, SENDING, DELIVERED, CLASS_DELIVERED = 2, 3, 4, 1
-- Added to the state: the newest line of the history is not in `history`, since the other fields tell it.
local HAS_LINE = 8

-- An event's id is a UUID that ends in eight zeros, which are not stored. 12 bytes for one of ours, else the text.
local UUID = '^%x%x%x%x%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x$'

local function short_event(event)
    if #event ~= 28 or not event:find(UUID) then
        return event
    end
    return struct.pack('>I4I4I4', tonumber(event:sub(1, 8), 16), tonumber(event:sub(10, 13) .. event:sub(15, 18), 16),
        tonumber(event:sub(20, 23) .. event:sub(25, 28), 16))
end

-- A write that changes nothing, since no application's id is empty. It takes no memory, and once a call has written Redis
-- lets its other writes pass at maxmemory too: what is full must be able to drain.
local function begin_draining()
    redis.call('ZREM', due, '')
end
