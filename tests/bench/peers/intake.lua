-- SPDX-FileCopyrightText: seek-signal contributors
-- SPDX-License-Identifier: MIT
--
-- POST /v1/events as a user would write it with nginx and Lua: one call of the accept script per event.
local sha, redis_port = "@SHA@", @REDIS_PORT@

local function answer(status, document)
    local body = cjson.encode(document)
    ngx.status = status
    ngx.header["Content-Type"] = "application/json"
    ngx.header["Content-Length"] = #body
    ngx.print(body)
end

local function event_id()
    return string.format("%08x-%04x-4%03x-8%03x-%04x", math.random(0, 0x7fffffff), math.random(0, 0xffff),
        math.random(0, 0xfff), math.random(0, 0xfff), math.random(0, 0xffff))
end

ngx.req.read_body()
local event = cjson.decode(ngx.req.get_body_data() or "")
if type(event) ~= "table" or type(event.applicationId) ~= "string" or type(event.token) ~= "string" then
    return answer(400, {code = "invalid"})
end
local client = redis:new()
client:set_timeout(5000)
local connected, reason = client:connect("127.0.0.1", redis_port)
if not connected then
    return answer(503, {code = "store_unavailable", detail = reason})
end
local id = event_id()
local result, failure = client:evalsha(sha, 4, "seek-signal:{0}:app:", "seek-signal:{0}:due", "seek-signal:{0}:dead",
    "seek-signal:{0}:paused", @HEAD@, event.applicationId, event.token, id, @REST@)
if not result then
    return answer(503, {code = "store_unavailable", detail = failure})
end
client:set_keepalive(60000, 64)
local taken = result[3] -- behind the clock, twice
local is_accepted = taken == 0
answer(202, {applicationId = event.applicationId, eventId = is_accepted and id .. "00000000" or taken[2],
    result = is_accepted and "accepted" or "duplicate", state = is_accepted and "pending" or taken[1]})
