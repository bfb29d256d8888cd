-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- Adds to the counts of the present bucket, or reads those of the last day.
--
-- The key is a hash with a field for each bucket of a day, the number of the bucket modulo BUCKETS, so that it does not grow. A
-- field holds the bucket's number since 1970 and its counts; one that still has the number of an earlier day is written anew.
--
-- ARGV: the key, then what to add: accepted, delivered, retried, dead; nothing: read
-- Returns: 1, or when the present bucket began (ms), then of each bucket of the last day that has counts: how many buckets ago, and
--          these four

local BUCKET_MS, BUCKETS, COUNTS = 600000, 144, 4 -- HISTORY_BUCKET_MS, HISTORY_BUCKETS
local key = ARGV[1]
local present = math.floor(now / BUCKET_MS)

-- The bucket's number and its counts; nil: somebody else has written this.
local function read_bucket(value)
    local numbers = {}
    for number in tostring(value):gmatch('%d+') do
        numbers[#numbers + 1] = tonumber(number)
    end
    return #numbers == 1 + COUNTS and numbers or nil
end

local function refuse_type()
    return redis.error_reply('WRONGTYPE ' .. key .. ' is not a hash: another program has written to this key')
end

if #ARGV == 1 + COUNTS then
    local field = digits(present % BUCKETS)
    local values = redis.pcall('HMGET', key, field)
    if values.err then
        return refuse_type()
    end
    local bucket = read_bucket(values[1])
    if not bucket or bucket[1] ~= present then
        bucket = {present, 0, 0, 0, 0}
    end
    local texts = {digits(present)}
    for i = 1, COUNTS do
        texts[1 + i] = digits(bucket[1 + i] + ARGV[1 + i])
    end
    redis.call('HSET', key, field, table.concat(texts, ' '))
    redis.call('PEXPIRE', key, digits(BUCKETS * BUCKET_MS))
    return 1
end

local values = redis.pcall('HGETALL', key)
if values.err then
    return refuse_type()
end
local answer = {digits(present * BUCKET_MS)}
for i = 2, #values, 2 do
    local bucket = read_bucket(values[i])
    local ago = bucket and present - bucket[1]
    if ago and ago >= 0 and ago < BUCKETS and digits(bucket[1] % BUCKETS) == values[i - 1] then
        answer[#answer + 1] = ago
        for j = 1, COUNTS do
            answer[#answer + 1] = digits(bucket[1 + j])
        end
    end
end
return answer
