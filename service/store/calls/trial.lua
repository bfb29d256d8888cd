-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Tries each command that the other scripts run, on keys of its own that are gone in the end, and on ours where that changes
-- nothing. A script breaks off where its user may not go on, and some Redis do not say at what. Stands alone, without
-- application.lua; a test compares the commands with those of the scripts.
--
-- KEYS: as for all scripts
-- ARGV: prefix of the keys for trying
-- Returns: names of the commands that are forbidden or unknown, then '' or what Redis says of a key that is forbidden

local hash, set, text = ARGV[1] .. 'hash', ARGV[1] .. 'set', ARGV[1] .. 'text'

local trials = {
    {'TIME'},
    {'HSET', hash, 'attempts', '1'},
    {'HMGET', hash, 'attempts', 'state'}, {'HGETALL', hash}, {'HDEL', hash, 'state'}, {'PEXPIRE', hash, '60000'}, {'PERSIST', hash},
    {'ZADD', set, '1', 'id'}, {'ZSCORE', set, 'id'}, {'ZCARD', set}, {'ZCOUNT', set, '-inf', '+inf'}, {'ZRANGE', set, '0', '0'},
    {'ZRANGEBYSCORE', set, '-inf', '+inf', 'LIMIT', '0', '1'}, {'ZREM', set, 'id'},
    {'SET', text, '1', 'PX', '60000'}, {'GET', text}, {'EXISTS', text}, {'TYPE', text}, {'DEL', hash, set, text},
    -- No application's id is empty.
    {'HDEL', KEYS[1], 'state'}, {'ZREM', KEYS[2], ''}, {'ZREM', KEYS[3], ''}, {'EXISTS', KEYS[4]},
}

local SAYS = {"can't run this command", 'no permissions to run', 'Unknown Redis command', 'Unknown command'}

local function is_forbidden(answer)
    for _, words in ipairs(SAYS) do
        if answer:find(words, 1, true) then
            return true
        end
    end
    return false
end

local forbidden, of_keys = {}, ''
for _, trial in ipairs(trials) do
    local answer = redis.pcall(unpack(trial))
    local err = type(answer) == 'table' and answer.err or ''
    if is_forbidden(err) then
        forbidden[#forbidden + 1] = trial[1]
    elseif err:find('NOPERM') or err:find('ACL failure') or err:find('The user executing the script') then
        of_keys = of_keys ~= '' and of_keys or err
    end
end
return {table.concat(forbidden, ' '), of_keys}
