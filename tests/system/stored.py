# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""An application's hash, read by somebody who is not the service (service/store/README.md has the form)."""

# ARGV: 0 to return all fields by their names, field and value by turns; 1 to make each a field of its own, as layout 1 had it.
SPREAD = r"""
local key, entry, found = KEYS[1], redis.call('HGETALL', KEYS[1]), {}
for i = 1, #entry, 2 do found[entry[i]] = entry[i + 1] end
local packed = found.p
found.p = nil
local function number(name, from, bytes)
    local value = 0
    for i = from, from + bytes - 1 do value = value * 256 + (packed:byte(i) or 0) end
    if value > 0 then found[name] = found[name] or string.format('%.0f', value) end
end
if packed then
    found.state = found.state or ({'draft', 'pending', 'sending', 'delivered', 'dead'})[packed:byte(1) % 8]
    local event = packed:sub(2, 13):gsub('.', function(c) return string.format('%02x', c:byte()) end)
    if event:find('[1-9a-f]') then
        found.event = found.event or table.concat({event:sub(1, 8), event:sub(9, 12), event:sub(13, 16), event:sub(17, 20),
            event:sub(21, 24)}, '-')
    end
    number('accepted', 14, 6) number('gen', 20, 7) number('attempts', 27, 4) number('tried', 31, 6)
    number(found.state == 'dead' and 'died' or 'delivered', 37, 6) number('http', 44, 2)
    found.class = found.class or ({'delivered', 'transient', 'throttled', 'auth', 'refused', 'misconfigured', 'unreadable',
        'damaged'})[packed:byte(43)]
end
local all = {}
for name, value in pairs(found) do all[#all + 1], all[#all + 2] = name, value end
if ARGV[1] == '1' and packed then
    redis.call('HSET', key, unpack(all))
    redis.call('HDEL', key, 'p')
end
return all
"""
