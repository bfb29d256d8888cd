-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- What most settlements are, without the functions of the rest: delivered by the first attempt, of an application whose hash holds
-- nothing but `p` and the seek-token. Then the first and the last bytes of `p` change, and nothing need be taken apart. The first
-- that is not plain, and all behind it, are left to settle.lua, which says what the arguments are.

begin_draining()

local ttl = ARGV[1]

-- What leaves `due`: one command at the end costs less than one for each. After an error in between, the next claim
-- clears away what stayed there.
local done, results = {}, {}

-- The last bytes of `p`, by the text of what came of it; false: not plain.
local packed_for = {}

local function deliver_first(id, generation, text)
    local packed = packed_for[text]
    if packed == nil then
        local http = text:match('^delivered %d+ delivered (%d+) 0 $')
        packed = http and struct.pack('>I6BI2', now, CLASS_DELIVERED, tonumber(http)) or false
        packed_for[text] = packed
    end
    local key = prefix .. id
    local entry = packed and redis.pcall('HGETALL', key) or {}
    local p = entry[2]
    if #entry ~= 4 or entry[1] ~= 'p' or entry[3] ~= 'token' or #p ~= LONG_BYTES or p:byte() ~= SENDING
        or p:sub(20, 26) ~= generation then
        return false
    end
    redis.call('HSET', key, 'p', string.char(DELIVERED + HAS_LINE) .. p:sub(2, 36) .. packed)
    redis.call('PEXPIRE', key, ttl)
    done[#done + 1] = id
    return true
end

local next_place = 2
while next_place <= #ARGV and deliver_first(ARGV[next_place], ARGV[next_place + 1], ARGV[next_place + 2]) do
    results[#results + 1] = 1
    next_place = next_place + 3
end
if next_place > #ARGV then
    redis.call('ZREM', due, unpack(done))
    return results
end
