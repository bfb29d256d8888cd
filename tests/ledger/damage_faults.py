# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Somebody else writes to our keys in Redis. What is damaged is written down before, and is not held against the service; all
the others are."""
import contextlib
import subprocess

from injection import Fault

APPLICATION = "seek-signal:{0}:app:"
DUE, DEAD = "seek-signal:{0}:due", "seek-signal:{0}:dead"
FIELDS = ("state", "token", "gen", "lease", "event", "accepted", "completed", "trace", "replaced", "spooled", "attempts", "tried",
          "class", "history", "p", "p", "p")
JUNK = ("", "banana", "-1", "1e3", "9" * 26, "a\r\nb", "inf")
OTHER_TYPES = (("SET", "text"), ("RPUSH", "a"), ("SADD", "a"), ("ZADD", "1", "a"))
TIMES = ("inf", "-inf", "1e300", "-1", "1.5")
FOREIGN = ("somebody else's", "with\ta tab", "x" * 300)
COUNT = 4

# Of those that wait and of all others; a prober's are left alone, since by them it is seen that things flow.
PICK = f"""local found = redis.call('ZRANDMEMBER', KEYS[1], {COUNT})
for i = 1, {COUNT} do
    local key = redis.call('RANDOMKEY') or ''
    if key:sub(1, #KEYS[2]) == KEYS[2] then found[#found + 1] = key:sub(#KEYS[2] + 1) end
end
return found"""
IF_HASH = "return redis.call('TYPE', KEYS[1]).ok == 'hash' and redis.call(unpack(ARGV)) or 0"


def ask(it, *command):
    """Redis may be dead or stand still."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        return it.world.redis.try_cli(*command)
    return ""


def victims(it):
    found = ask(it, "--raw", "EVAL", PICK, 2, DUE, APPLICATION).split()
    chosen = [application for application in found if application.startswith("A-")]
    it.world.damaged.update(chosen)
    return chosen


def damage_fields(it):
    with it.disturbance("applications"):
        for application in victims(it):
            key, field = APPLICATION + application, it.random.choice(FIELDS)
            junk = it.random.choice(JUNK)
            # Any text that is not empty may be a seek-token, and SEEK would be sent it.
            is_removed = field == "token" or it.random.random() < 0.5
            ask(it, "EVAL", IF_HASH, 1, key, *(("HDEL", key, field) if is_removed else ("HSET", key, field, junk)))


def damage_keys(it):
    with it.disturbance("applications"):
        for application in victims(it):
            name, *values = it.random.choice(OTHER_TYPES)
            script = "redis.call('DEL', KEYS[1]) return redis.call(ARGV[1], KEYS[1], unpack(ARGV, 2))"
            ask(it, "EVAL", script, 1, APPLICATION + application, name, *values)


def damage_queue(it):
    """Times and members that no script writes, and what the claims remember."""
    with it.disturbance("applications"):
        for application in victims(it):
            ask(it, "ZADD", DUE, "XX", it.random.choice(TIMES), application)
        ask(it, "ZADD", it.random.choice((DUE, DEAD)), it.random.choice(TIMES), it.random.choice(FOREIGN))
        for key in ask(it, "--raw", "KEYS", "seek-signal:{0}:claim:*").split()[:1]:
            ask(it, "SET", key, it.random.choice(("text", "[]", '["x"]', "7")), "PX", 5000)


FAULTS = [
    #     name            lane      inject         least most long
    Fault("damage-fields", "damage", damage_fields, 0.0,  0.0,  0, "fields of applications in Redis go, or become something else"),
    Fault("damage-keys",   "damage", damage_keys,   0.0,  0.0,  0, "keys of applications in Redis become another type"),
    Fault("damage-queue",  "damage", damage_queue,  0.0,  0.0,  0, "times in the queue that are none, members that are nobody's"),
]
