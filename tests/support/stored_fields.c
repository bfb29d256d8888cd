/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "tests/support/stored_fields.h"

#include "tests/support/redis_server.h"

/* A reader of its own, so that the scripts' mistakes show. KEYS: the hash. ARGV: a field, or "" to
 * spread all. */
static const char reader[] =
    "local key, asked, packed = KEYS[1], ARGV[1], redis.call(\"HGET\", KEYS[1], \"p\") "
    "local found = {} "
    "local function number(name, from, bytes) "
    "  local value = 0 "
    "  for i = from, from + bytes - 1 do value = value * 256 + (packed:byte(i) or 0) end "
    "  if value > 0 then found[name] = string.format(\"%.0f\", value) end "
    "end "
    "if packed then "
    "  found.state = ({\"draft\", \"pending\", \"sending\", \"delivered\", "
    "\"dead\"})[packed:byte(1) % 8] "
    "  local event = packed:sub(2, 13):gsub(\".\", "
    "    function(c) return string.format(\"%02x\", c:byte()) end) "
    "  if event:find(\"[1-9a-f]\") then found.event = table.concat({event:sub(1, 8), event:sub(9, "
    "12), "
    "    event:sub(13, 16), event:sub(17, 20), event:sub(21, 24)}, \"-\") end "
    "  number(\"accepted\", 14, 6) number(\"gen\", 20, 7) number(\"attempts\", 27, 4) "
    "number(\"tried\", 31, 6) "
    "  number(found.state == \"dead\" and \"died\" or \"delivered\", 37, 6) number(\"class\", 43, "
    "1) "
    "  number(\"http\", 44, 2) "
    "  found.class = ({\"delivered\", \"transient\", \"throttled\", \"auth\", \"refused\", "
    "\"misconfigured\", "
    "    \"unreadable\", \"damaged\"})[tonumber(found.class)] "
    "end "
    "if asked ~= \"\" then return redis.call(\"HGET\", key, asked) or found[asked] or \"\" end "
    "for name, value in pairs(found) do redis.call(\"HSETNX\", key, name, value) end "
    "redis.call(\"HDEL\", key, \"p\") "
    "return \"\"";

const char *stored_field(struct redis_server *server, const char *id, const char *field)
{
    return redis_server_cli(server, "--raw EVAL '%s' 1 'seek-signal:{0}:app:%s' '%s'", reader, id,
                            field);
}

void stored_spread(struct redis_server *server, const char *id)
{
    (void)stored_field(server, id, "");
}
