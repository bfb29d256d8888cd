#!/usr/bin/python3
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Random walks over the Lua scripts of the store, against a reference model in Python.

Each step calls one script as intake, an operator or one of several workers would: late, twice, after the lease
ran out, after the application was forgotten. The answer and everything kept in Redis must be what the model says,
and the promises must hold, which are checked by themselves (class Promises), without the model's rules.

Somebody else writes to Redis meanwhile (class Damage): fields of some applications go, or become something else, and so do
their keys. These the model does not follow; whatever happens to them, the others fare as it says.

The walks of three shards are mixed, step by step, in one Redis: the scripts know their shard from the keys that they are given
alone, and what one does must not show in another, though the same applications are in all. (On a cluster a script that touches
another shard's key is refused; in one Redis it does its damage, and the model sees it.)

Time is an input: a line in front of each script answers its TIME with the walk's own clock.

    store_model_check.py SCRIPTS [--steps N] [--seed N]     one walk
    store_model_check.py SCRIPTS --bugs [--seed N]          each known bug, put into the scripts, must be found; by the same walks
                                                            each time, so that what is found once is found always
    store_model_check.py SCRIPTS --bugs --renew             after a change: prints QUICK_SEEDS of those that their own no longer find
"""

import argparse
import hashlib
import pathlib
import random
import socket
import subprocess
import sys
import tempfile
import textwrap
import time

LIST_BYTES = 128 * 1024  # of a listing: more than all of them have
NAMES = ['accept', 'draft', 'drain', 'claim', 'settle', 'replay', 'replay_dead', 'list', 'pause', 'forget', 'forget_dead']
COMMON = {'accept': ['lease'], 'claim': ['lease'],
          'forget': ['whole'], 'forget_dead': ['whole', 'page'], 'replay': ['whole'], 'replay_dead': ['whole', 'page'], 'list': ['whole', 'page']}
PLAIN = {'accept': 'accept_plain', 'settle': 'settle_plain'}  # which end most calls of these
PREFIX = 'seek-signal:{0}:app:'
DUE, DEAD, PAUSED = 'seek-signal:{0}:due', 'seek-signal:{0}:dead', 'seek-signal:{0}:paused'
CLAIM = 'seek-signal:{0}:claim:'
CLOCK = 'model:now_us'
ZEROS = '00000000'  # at the end of each event's id, where it is shown
LEASE_MS, AGE_MAX_MS, TTL_MS = 1000, 20000, 3600000
TEST_CLOCK = f'''local real = redis
local redis = {{sha1hex = redis.sha1hex, error_reply = redis.error_reply}}
local function asking(ask) return function(name, ...)
    if name == 'TIME' then
        local now = real.call('GET', '{CLOCK}')
        return {{math.floor(now / 1000000), now % 1000000}}
    elseif name == 'PEXPIRE' then
        return ask(name, (...), {TTL_MS})
    elseif name == 'SET' and select('#', ...) == 4 then -- with a time to live, which the walk's clock would not end
        return ask(name, (...), (select(2, ...)))
    end
    return ask(name, ...)
end end
redis.call, redis.pcall = asking(real.call), asking(real.pcall)
'''
IDS = [f'A-{number}' for number in range(4)]
DAMAGED_IDS = [f'B-{number}' for number in range(2)]  # by somebody else
PHASE = 250  # steps, in every second of which there is somebody else
LIVES = {'': 0, 'a1': 0, 'b2': 60_000_000}  # of processes with a spool: how far the clock is ahead (us); '': not known
TOKENS = [f'token-{number}' for number in range(16)]
PROGRESS = ['attempts', 'tried', 'replayed', 'delivered', 'died', 'class', 'code', 'message', 'http', 'history']

# Name, script, what is there, what the bug makes of it.
BUGS = [
    ('a settlement is not fenced', 'settle', 'if lease_of(application) ~= generation then', 'if not lease_of(application) then'),
    ('a newer seek-token is not protected', 'application', 'local is_current = is_there and application.gen == generation', 'local is_current = is_there'),
    ('a newer seek-token overtakes', 'application', "    if lease then\n        redis.call('ZADD', due, 'NX'", "    if false then\n        redis.call('ZADD', due, 'NX'"),
    ('a late success stays among the dead', 'settle', "redis.call('ZREM', dead, id)", ''),
    ('a superseded attempt keeps its lease', 'application', "redis.call('HDEL', key, 'lease')", ''),
    ('generations start over', 'application', 'return now_us, now_us_digits', 'return least, digits(least)'),
    ("an attempt's end is not known when the application moves on", 'application', 'accepted = accepted or now, lease = lease or nil,', 'accepted = accepted or now,'),
    ('what is being sent is not out', 'application', "return application.lease or application.state == 'sending' and application.gen", 'return application.lease'),
    ('a claim takes over an older lease', 'claim', 'generation, now, nil\n', 'generation, now, application.lease\n'),
    ('what is stored is not looked at', 'accept', 'not (is_any_known and', 'not (false and'),
    ('an application is new twice in one call', 'accept', 'not first[id] and', ''),
    ('a first event is not due', 'accept', "redis.call('ZADD', due, unpack(entries))", ''),
    ("what was an older event's stays", 'application', '    note_origin(owed, completed, trace)\n',
     '    note_origin(owed, completed, trace)\n    owed.attempts = application.attempts\n'),
    ('a claim does not move the fence', 'claim', 'local generation, generation_digits = generation_after(application.gen)',
     'local generation, generation_digits = application.gen or generation_after(), application.gen and digits(application.gen) or now_us_digits'),
    ('a pending application can expire', 'application', "    redis.call('PERSIST', prefix .. id)\n    if is_dead", '    if is_dead'),
    ('a newer seek-token keeps the history of the older one', 'application', '    note_origin(owed, completed, trace)\n',
     '    note_origin(owed, completed, trace)\n    owed.history = application.history\n'),
    ('a delivered application stays for ever', 'settle', "redis.call('PEXPIRE', prefix .. id, ttl)", ''),
    ('what is delivered by its first attempt stays for ever', 'settle_plain', "redis.call('PEXPIRE', key, ttl)", ''),
    ('a first attempt is not fenced', 'settle_plain', '        or p:sub(20, 26) ~= generation then', ' then'),
    ('what is not being sent is delivered by its first attempt', 'settle_plain', 'or p:byte() ~= SENDING', ''),
    ('an application with more than the least is delivered as if it had no more', 'settle_plain', '#entry ~= 4 or', ''),
    ('what is delivered by its first attempt has no line', 'settle_plain', 'DELIVERED + HAS_LINE', 'DELIVERED'),
    ('what is done stays due', 'settle', "redis.call('ZREM', due, unpack(done))", ''),
    ('what is plain and done stays due', 'settle_plain', "redis.call('ZREM', due, unpack(done))", ''),
    ('what is not plain is left out', 'settle', 'for i = next_place, #ARGV, 3 do', 'for i = next_place + 3, #ARGV, 3 do'),
    ('a retry forgets what came of the last attempt', 'settle', "    fold_line(application)\n    local history", "    application.history = nil\n    local history"),
    ('an older outcome stays', 'application', '            gone[#gone + 1] = field\n        end\n    end\n    for', '        end\n    end\n    for'),
    ('a dead application stays in dead', 'application', 'if is_dead then', 'if false then'),
    ('a replay forgets to be due', 'whole', "redis.call('ZADD', due, digits(at), id)", ''),
    ('a replayed application stays in dead', 'whole', "    redis.call('ZREM', dead, id)\n    redis.call('ZADD', due, digits(at), id)",
     "    redis.call('ZADD', due, digits(at), id)"),
    ('a replay of many comes all at once', 'replay_dead', 'next_us = next_us + gap_us', ''),
    ('a dry run is done', 'replay_dead', 'if not is_done then', 'if false then'),
    ('a dry run forgets', 'forget_dead', 'if is_done then', 'if true then'),
    ('a walk begins too early', 'page', 'rank = math.max(rank_behind(dead, place_time, place_id), first)', 'rank = rank_behind(dead, place_time, place_id)'),
    ('a walk takes another class', 'page', 'is_one_of(asked.class, class) and', ''),
    ('a listing goes on for too long', 'page', "ends == '' and redis.call('ZCARD', dead) or redis.call('ZCOUNT', dead, '-inf', '(' .. ends)", "redis.call('ZCARD', dead)"),
    ('a listing forgets how the ids begin', 'list', 'if not begins(id, beginning) then', 'if false then'),
    ('a walk forgets how the ids begin', 'page', 'if begins(id, asked.beginning) then', 'if true then'),
    ('a listing forgets what the message says', 'list', ' and says(id, last_class, message)', ''),
    ('a walk forgets what the message says', 'page', ' and says(id, class, asked.message)', ''),
    ('a message is found in the middle', 'page', "and begins(message, beginning)\n", "and message:find(beginning, 1, true) ~= nil\n"),
    ('the latest first, an entry is met twice', 'page', 'is_there and rank - 1 or rank', 'rank'),
    ('the latest first, an entry is skipped', 'page', 'is_there and rank - 1 or rank', 'rank - 1'),
    ('a listing of what is due knows no time', 'list', 'return not time_of or', 'return true or'),
    ('a code has only one spelling', 'page', 'asked:lower() == (found or \'\'):lower()', 'asked == found'),
    ('a replay takes what another code killed', 'page', " and is_one_of(asked.code, code)", ''),
    ('a replay takes what died later', 'page', 'if tonumber(died) > latest then', 'if false then'),
    ('a replay skips an entry', 'page', 'high = middle\n', 'high = low\n'),
    ('a listing skips an entry', 'page', 'low = middle + 1', 'low = middle + 2'),
    ('a listing meets an entry twice', 'page', 'return #a > #b', 'return true'),
    ('a listing ends early', 'list', 'looked < ahead', 'looked + 1 < ahead'),
    ('a pause is not respected', 'claim', "redis.call('EXISTS', paused) == 1", 'false'),
    ('a pause has no end', 'pause', "return redis.call('DEL', paused)", 'return 0'),
    ('a duplicate is sent again', 'accept', 'if is_owed and token == stored and not application.damage then', 'if false then'),
    ('a release costs an attempt', 'application', 'local attempts = (application.attempts or 1) - 1', 'local attempts = application.attempts'),
    ('what kills its worker never dies', 'claim', 'age > age_max', 'false'),
    ('a forgotten application stays due', 'whole', "redis.call('ZREM', due, id)", ''),
    ('what is drained twice comes back', 'drain', 'return us <= stored_us and', 'return false and'),
    ('what was spooled overtakes', 'drain', 'return ms < taken', 'return false'),
    ('a newer spooled seek-token is lost', 'drain', 'return ms < taken', 'return true'),
    ('a stamp outlives its seek-token', 'application', '        note_came(owed, came)\n    end',
     '        owed.spooled = application.spooled\n        note_came(owed, came)\n    end'),
    ('a command that was taken late makes older what came after it', 'application', "if came and came ~= '0' then", 'if false then'),
    ('a clock that is far ahead hides what others have spooled', 'drain', '(life == stored_life or ms <= taken)', 'true'),
    ('a clock that is ahead reverses what one process took', 'drain', '(life == stored_life or ms <= taken)', '(ms <= taken)'),
    ('a stamp ahead is not kept', 'application', '        application.spooled = came\n', '        application.spooled = now_us_digits .. came:sub(17)\n'),
    ('a command of a given-up connection overtakes', 'accept', 'if came_before(application, token, came) then', 'if false then'),
    ('a command of a given-up connection overtakes as a draft', 'draft', 'or came_before(application, token, came) then', 'then'),
    ('the clocks of two processes are compared', 'application', 'and life == stored_life', ''),
    ('an event of before a draft is lost', 'accept', "if application.state == 'draft' then", 'if false then'),
    ('what is superseded comes back', 'accept', "    redis.call('HSET', prefix .. id, 'replaced', replaced_with(application.replaced, token))\n", ''),
    ('what is in a spool by now is taken', 'accept', "and ARGV[HEAD + ARGUMENTS]:find('^%S+ [1-9]') then", 'and false then'),
    ('what no spool has is too late', 'accept', "and ARGV[HEAD + ARGUMENTS]:find('^%S+ [1-9]') then", 'then'),
    ('what was drained by now is drained', 'drain', 'now > tonumber(ARGV[2])', 'false'),
    ('a draft that is in a spool by now is taken', 'draft', "now > tonumber(ARGV[6])", 'false'),
    ('a claim is taken however late it comes', 'claim', 'now > tonumber(ARGV[7])', 'false'),
    ('a claim is not leased', 'claim', 'digits(now + lease_ms)', 'digits(now)'),
    ('a clock that was set back goes unnoticed', 'claim', 'if ahead <= tolerance then', 'if true then'),
    ('a repaired lease ends early', 'claim', 'math.max(now, at - ahead)', 'now'),
    ('a lease is repaired that began after', 'claim', 'straighten(application, 0)', ''),
    ('what is repaired is repaired again', 'claim', 'application[field] = math.min(application[field], now)', ''),
    ('repairing changes the order', 'claim', 'application.received = accepted', ''),
    ('a replaced seek-token comes back', 'accept', 'if was_replaced(application, token) then', 'if false then'),
    ('a replaced seek-token comes back as a draft', 'draft', 'was_replaced(application, token) or', ''),
    ('a replaced seek-token comes back from a spool', 'drain', 'if was_replaced(application, token) then', 'if false then'),
    ("a draft's seek-token counts as sent", 'application', "if is_replaced and application.state and application.state ~= 'draft' then", 'if is_replaced then'),
    ('a superseded seek-token comes back', 'drain', "redis.call('HSET', prefix .. id, 'replaced', replaced_with(application.replaced, token))", ''),
    ('only one replaced seek-token is known', 'application', " .. (replaced or '')", ''),
    ('a repaired event gets another time', 'claim', 'application.completed = application.completed or accepted -- the', 'application.completed = application.completed -- the'),
    ('a lost claim waits for its lease', 'claim', 'if last > answered then', 'if false then'),
    ('a claim gives back what is being sent', 'claim', 'if last > answered then', 'if last ~= answered then'),
    ('a claim that is late takes something', 'claim', 'if last >= number then', 'if false then'),
    ('a claim that is late is not known to be', 'lease', 'if #taken > 1 or taken[1] > answered + 1 then', 'if #taken > 1 then'),
    ('a lost claim costs an attempt', 'lease', 'release(id, application)', 'application.attempts = application.attempts + 1\n        release(id, application)'),
    ('a lost claim takes the newer seek-token for sent', 'lease', 'and end_lease(id, application, generation) then', 'then\n        application.lease = nil'),
    ('a forgotten attempt is overtaken', 'whole', 'if ends > now then', 'if false then'),
    ('a forgotten application comes back', 'application', "local is_there = state and state ~= 'draft'", 'local is_there = true'),
    ('what is left of a forgotten application stays', 'claim', 'elseif lease and not damage then', 'elseif false then'),
    ('what is forgotten is shown', 'list', 'return found and', 'return'),
    ('a draft takes the outcome of one that was forgotten', 'application', "local is_there = state and state ~= 'draft'", 'local is_there = state'),
    ("the last attempt's line is told by the next one's fields", 'claim', '    fold_line(application)\n    application.state, application.gen,',
     '    application.state, application.gen,'),
    ('the last attempt has no line', 'settle', "application.has_line = outcome.message, true", "application.has_line = outcome.message, nil"),
    ('a claim of nothing repairs', 'claim', 'limit > 0 and redis.call', 'redis.call'),
    ('what is repaired tells another line', 'claim', '    fold_line(application)\n    if accepted > now then', '    if accepted > now then'),
    ('a new event overtakes what is due', 'accept', 'tonumber(soonest) <= now', 'false'),
    ('a new event is sent while sending is paused', 'accept', "redis.call('EXISTS', paused) == 1", 'false'),
    ('a new seek-token is sent while the older one is', 'application', 'local is_leased = lease_end and not lease', 'local is_leased = lease_end'),
    ('of two events of a call the first is sent', 'accept', 'places > 0 and latest[id] == at', 'places > 0'),
    ('of two events of a call the first is sent again', 'accept', 'places > 0 and is_latest and', 'places > 0 and'),
    ('more is leased than there are places for', 'accept', 'places = is_leased and places - 1 or places', ''),
    ('more is leased again than there are places for', 'accept', '    places = places - 1\n    note_leased', '    note_leased'),
    ('what accept leases has no end', 'accept_plain', 'lease_end = {number}, digits(now + lease_ms)', 'lease_end = {number}, digits(now)'),
    ('what accept leases is not moved', 'application', 'is_leased and lease_end or now_digits', 'now_digits'),
    ('what accept leases is not sent', 'accept_plain', 'struct.pack(LONG, SENDING', 'struct.pack(LONG, PENDING'),
    ('what accept leases has another generation', 'accept_plain', "now, now_us, 1, now", "now, now_us - 1, 1, now"),
    ('what accept leases is no attempt', 'application', "= 'sending', 1, now", "= 'sending', nil, now"),
    ('a lease of accept is not known when its answer is lost', 'accept', 'taken[#taken + 1], taken[#taken + 2] = id, generation', ''),
    ('a lost lease of accept waits for its end', 'accept', 'if last > answered then', 'if false then'),
    ('accept gives back what is being sent', 'accept', 'if last > answered then', 'if last ~= answered then'),
    ('accept leases however late it comes', 'accept', 'now > tonumber(ARGV[6])', 'false'),
    ('accept leases when it was overtaken', 'accept', 'or last >= number or', 'or'),
    ('a plain event is taken for new', 'accept_plain', "redis.call('EXISTS', unpack(keys)) == 0", 'true'),
    ('an event with more than the least is plain', 'accept_plain', "ARGV[i + 3] == ''", 'true'),
    ('an event without a seek-token is plain', 'accept_plain', "ARGV[i + 1] ~= ''", 'true'),
    ('a plain event is not due', 'accept_plain', "redis.call('ZADD', due, unpack(entries))", ''),
    ('a plain event overtakes what is due', 'accept_plain', 'tonumber(soonest) <= now', 'false'),
    ('a plain event is sent while sending is paused', 'accept_plain', 'keys[count + 1] = paused', ''),
    ('more is leased of plain events than there are places for', 'accept_plain', 'i <= left and lease_end', 'left > 0 and lease_end'),
    ('a lease of a plain event is not known when its answer is lost', 'accept_plain', "redis.call('SET', own, cjson.encode(taken), 'PX', lease_ms)", ''),
    ('a plain event forgets what was lost or overtaken', 'accept_plain', ' <= answered\n', ' >= 0\n'),
    ('a plain event is leased however late it comes', 'accept_plain', 'now <= tonumber(ARGV[6]) and', ''),
    ('an accept that was overtaken gives back', 'accept', "if own ~= '' and last < number then", "if own ~= '' then"),
]
# Guards against what somebody else writes that are left out. They are looked for where there always is somebody else.
DAMAGE_BUGS = [
    ('another type stops a claim', 'application', "local entry = redis.pcall('HGETALL', prefix .. id)", "local entry = redis.call('HGETALL', prefix .. id)"),
    ('a damaged application is claimed', 'claim', 'local is_owed = not damage and (', 'local is_owed = (damage ~= OF_ANOTHER_TYPE) and ('),
    ('an application without a state stops being due', 'claim', "return state and #id > ID_MAX and 'id' or application.damage", 'return state and application.damage'),
    ('a last claim that cannot be read stops the next', 'lease', "local text = redis.pcall('GET', own)", "local text = redis.call('GET', own)"),
    ('a last claim that is no claim stops the next', 'lease', "type(text) == 'string' and tonumber(text:match('^%[(%d+)[,%]]')) or 0", "cjson.decode(text or '[0]')[1]"),
    ('what is set aside stays due', 'application', "redis.call('ZREM', due, id)\nend\n\n-- A key of another type was met", "end\n\n-- A key"),
    ('what is set aside is written over', 'application', "if damage ~= OF_ANOTHER_TYPE then", "if true then"),
    ('a generation that is none is counted on', 'application', 'number and number < max and number or nil', 'number'),
    ('attempts that are no number stop a release', 'application', 'local attempts = (application.attempts or 1) - 1', 'local attempts = application.attempts - 1'),
    ('a replay tells of what is known', 'whole', "application.class ~= 'damaged' and application.damage", 'application.damage'),
    ('another type is settled', 'settle', 'if application.damage == OF_ANOTHER_TYPE then',
     "if application.damage == OF_ANOTHER_TYPE and redis.call('HSET', prefix .. id, 'p', 'x') then"),
    ('another type stops a drain', 'drain', "if application.damage == OF_ANOTHER_TYPE then", "if false then"),
    ('another type stops a batch', 'accept', "if application.damage == OF_ANOTHER_TYPE then", "if false then"),
    ('another type stops a draft', 'draft', "if application.damage == OF_ANOTHER_TYPE then", "if false then"),
    ('another type stops a replay of many', 'application', "local values = redis.pcall('HMGET', prefix .. id, 'p'", "local values = redis.call('HMGET', prefix .. id, 'p'"),
    ('a packed field of another length stops a script', 'application', 'if not is_long and #packed ~= SHORT_BYTES then', 'if false then'),
]


# Shards that are taken for another one.
SHARD_BUGS = [
    ("another shard's applications are meant", 'base', 'paused = KEYS[1], KEYS[2]', "paused = 'seek-signal:{0}:app:', KEYS[2]"),
    ('what is due lies in one shard', 'base', 'paused = KEYS[1], KEYS[2]', "paused = KEYS[1], 'seek-signal:{0}:due'"),
    ('who has died lies in one shard', 'base', 'KEYS[3], KEYS[4]', "'seek-signal:{0}:dead', KEYS[4]"),
    ('a pause of one shard is for all', 'base', 'KEYS[3], KEYS[4]', "KEYS[3], 'seek-signal:{0}:paused'"),
    ('what was claimed last is kept in one shard', 'lease', "local text = redis.pcall('GET', own)", "own = own:gsub('{%d+}', '{0}')\n    local text = redis.pcall('GET', own)"),
]
SHARDS = 3


class Redis:
    """A redis-server of its own and the little of its protocol that is needed."""

    def __init__(self, directory):
        path = f'{directory}/redis.sock'
        self.server = subprocess.Popen(
            ['redis-server', '--port', '0', '--unixsocket', path, '--save', '', '--dir', directory],
            stdout=subprocess.DEVNULL)
        self.socket = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + 10
        while True:
            try:
                self.socket.connect(path)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        self.stream = self.socket.makefile('rb')

    def close(self):
        self.socket.close()
        self.server.terminate()
        self.server.wait()

    def send(self, *commands):
        """All in one write; the list of their answers."""
        out = []
        for command in commands:
            out.append(b'*%d\r\n' % len(command))
            for argument in command:
                data = str(argument).encode(errors='surrogateescape')
                out.append(b'$%d\r\n%s\r\n' % (len(data), data))
        self.socket.sendall(b''.join(out))
        answers = [self.read() for _ in commands]  # all, so that the next call reads its own
        refusal = next((answer for answer in answers if isinstance(answer, AssertionError)), None)
        if refusal:
            raise refusal
        return answers

    def read(self):
        line = self.stream.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b'$':
            return None if rest == b'-1' else self.stream.read(int(rest) + 2)[:-2].decode(errors='surrogateescape')
        if kind == b'*':
            return [self.read() for _ in range(int(rest))]
        if kind == b'-':
            return AssertionError('Redis answered ' + rest.decode())
        return int(rest) if kind == b':' else rest.decode()


class Shard:
    """One of several in a Redis: the keys of the first are its own."""

    def __init__(self, redis, number):
        self.redis, self.tag = redis, f'seek-signal:{{{number}}}:'

    def send(self, *commands):
        return self.redis.send(*(command if command[0] == 'SCRIPT' else
                                 [argument.replace('seek-signal:{0}:', self.tag) if isinstance(argument, str) else argument
                                  for argument in command] for command in commands))


class Model:
    """What design and scripts agree on, in the plainest words: one dictionary per application."""

    def __init__(self):
        self.applications = {}  # id -> the hash's fields, all text
        self.due, self.dead = {}, {}  # id -> ms
        self.now_us = 0
        self.others = {}  # what else is due, which somebody else damages: it takes places, and no more is said of it
        self.is_paused = False
        self.claims = {}  # claimer -> number of its last claim, and what that took: (id, generation)

    @property
    def now(self):
        return self.now_us // 1000

    def next_generation(self, entry):
        return str(max(int(entry.get('gen', 0)) + 1, self.now_us))

    def owe(self, id, token, event, completed, trace, stamp=None, came='0'):
        old = self.applications.get(id, {})
        entry = {'state': 'pending', 'token': token, 'event': event,
                 'accepted': str(self.believed(stamp) if stamp else self.now)}
        if old or stamp:  # else there is nothing to fence
            entry['gen'] = self.next_generation(old)
        if str(completed) != entry['accepted']:
            entry['completed'] = str(completed)
        if trace:
            entry['trace'] = trace
        if 'lease' in old:
            entry['lease'] = old['lease']
        else:
            self.due[id] = self.now
        self.note_replaced(entry, old)
        if old.get('token') == token:
            entry |= {field: old[field] for field in ('received', 'spooled') if field in old}
        elif stamp or came != '0':
            entry['spooled'] = stamp or came
        self.applications[id] = entry
        self.dead.pop(id, None)

    @staticmethod
    def was_replaced(entry, token):
        return hashlib.sha1(token.encode()).hexdigest()[:12] in textwrap.wrap(entry.get('replaced', ''), 12)

    @staticmethod
    def note_outdated(entry, old, token):
        entry['replaced'] = (hashlib.sha1(token.encode()).hexdigest()[:12] + old.get('replaced', ''))[:60]

    @classmethod
    def note_replaced(cls, entry, old):
        """A draft's seek-token was never an event's."""
        if old.get('state', 'draft') != 'draft' and old['token'] != entry['token']:
            cls.note_outdated(entry, old, old['token'])
        elif 'replaced' in old:
            entry['replaced'] = old['replaced']

    def believed(self, stamp):
        return min(stamp_of(stamp)[0] // 1000, self.now)

    @staticmethod
    def came_before(old, token, came):
        """Only stamps of one process say so."""
        if came == '0' or 'spooled' not in old or 'token' not in old or token == old['token']:
            return False
        (us, life), (stored_us, stored_life) = stamp_of(came), stamp_of(old['spooled'])
        return life != '' and life == stored_life and us <= stored_us

    def accept(self, id, token, event, completed, trace, came):
        old = self.applications.get(id, {})
        token = token or old.get('token')
        if not token:
            return 3
        is_owed = old.get('state', 'draft') != 'draft'
        if is_owed and token == old['token'] or self.was_replaced(old, token):
            return [old['state'], old.get('event', event) + ZEROS]
        if self.came_before(old, token, came):
            if not is_owed:
                self.owe(id, old['token'], event, self.now if completed == -1 else completed, trace, came=came)
            self.note_outdated(self.applications[id], old, token)
            return [old['state'], old['event'] + ZEROS] if is_owed else SUPERSEDED_DRAFT
        self.owe(id, token, event, self.now if completed == -1 else completed, trace, came=came)
        return 2 if is_owed else 0

    def accept_all(self, items, places, caller, number, answered, latest):
        """Some are leased: first those of which nothing is known, then others, of each application the last."""
        last, before = self.claims.get(caller, (0, []))
        if self.now > latest and items[0][-1] != '0':
            return [self.now, str(self.now_us), *(LATE for _ in items)]
        times = [*self.due.values(), *self.others.values()]
        if self.is_paused or last >= number or self.now > latest or times and min(times) <= self.now:
            places = 0
        first, final, taken, results = {}, {item[0]: index for index, item in enumerate(items)}, [], []
        for index, (id, token, *_) in enumerate(items):
            if token and id not in first and id not in self.applications:
                first[id] = index
        leased = [index for id, index in first.items() if final[id] == index][:places]
        places -= len(leased)
        for index, item in enumerate(items):
            id = item[0]
            was_out, is_first = 'lease' in self.applications.get(id, {}), first.get(id) == index
            result = self.accept(*item)
            if result in (0, 2) and not was_out and (index in leased if is_first else places > 0 and final[id] == index):
                places -= not is_first
                lease = self.lease(id)
                result = LEASED if is_first else [result, lease, '' if item[1] else self.applications[id]['token']]
                taken.append((id, lease))
            results.append(0 if result == SUPERSEDED_DRAFT else result)
        self.taken = number, taken
        if caller and last < number:
            for id, generation in before if last > answered else []:
                self.give_back(id, generation)
            if taken or number > answered + 1:
                self.claims[caller] = self.taken
        return [self.now, str(self.now_us), *results]

    def lease(self, id):
        entry = self.applications[id]
        entry['gen'] = entry['lease'] = entry.get('gen', str(self.now_us))
        entry['state'], entry['attempts'], entry['tried'] = 'sending', '1', str(self.now)
        self.due[id] = self.now + LEASE_MS
        return entry['gen']

    def draft(self, id, token, event, came, latest):
        old = self.applications.get(id, {})
        if came != '0' and self.now > latest:
            return 'late'
        if old.get('token') == token or self.was_replaced(old, token) or self.came_before(old, token, came):
            return old['state']
        if old.get('state') in ('pending', 'sending', 'dead'):
            self.owe(id, token, event, old.get('completed', old['accepted']), old.get('trace'), came=came)
            return 'pending'
        entry = {'state': 'draft', 'token': token, 'received': str(self.now)}
        if came != '0':
            entry['spooled'] = came
        entry |= {field: old[field] for field in ('gen', 'lease') if field in old}
        self.note_replaced(entry, old)
        self.applications[id] = entry
        return 'draft'

    def drain(self, kind, id, token, event, completed, trace, stamp):
        old = self.applications.get(id, {})
        state = old.get('state')
        if self.was_replaced(old, token):
            return 1
        taken, us = int(old.get('received', old.get('accepted', 0))), stamp_of(stamp)[0]
        is_older = us < taken * 1000
        if 'spooled' in old:
            stored_us, life = stamp_of(old['spooled'])
            is_older = us <= stored_us and (life == stamp_of(stamp)[1] or us // 1000 <= taken)
        if 'token' in old and token != old['token'] and is_older:
            if kind == 'event' and state == 'draft':
                self.owe(id, old['token'], event, completed, trace, stamp)
            if kind == 'event':
                self.note_outdated(self.applications[id], old, token)
            return 2
        if token == old.get('token') and (kind == 'draft' or state != 'draft'):
            return 1
        if kind == 'event':
            self.owe(id, token, event, completed, trace, stamp)
        elif state in ('pending', 'sending', 'dead') or state == 'delivered' and int(old['accepted']) * 1000 > us:
            self.owe(id, token, event, old.get('completed', old['accepted']), old.get('trace'), stamp)
        else:
            entry = {'state': 'draft', 'token': token, 'spooled': stamp, 'received': str(self.believed(stamp))}
            self.note_replaced(entry, old)
            self.applications[id] = entry | {field: old[field] for field in ('gen', 'lease') if field in old}
        return 0

    def give_back(self, id, generation):
        if self.applications.get(id, {}).get('lease') == generation and self.end_lease(id, generation):
            self.release(id)

    def end_lease(self, id, generation):
        entry = self.applications[id]
        entry.pop('lease', None)
        state = entry.get('state', 'forgotten')
        if state in ('forgotten', 'draft'):
            self.due.pop(id, None)
            if state == 'forgotten':
                del self.applications[id]
        elif entry['gen'] != generation:
            self.due[id] = self.now
        return id in self.applications and state != 'draft' and entry['gen'] == generation

    def repair_all(self):
        """The past of an application lies ahead: the clock was set back."""
        if not self.due or not self.repair(max(self.due, key=lambda id: (self.due[id], id))):
            return 0
        return 1 + sum(self.repair(id) for id in list(self.due))

    def repair(self, id):
        entry = self.applications.get(id, {})
        if entry.get('state', 'forgotten') == 'forgotten':
            if self.due[id] > self.now + LEASE_MS + 1000:
                self.due[id] = self.now + LEASE_MS
            return 0
        ahead = max(int(entry.get(field, 0)) for field in ('tried', 'replayed', 'accepted')) - self.now
        if ahead <= 1000:
            return 0
        self.due[id] = max(self.now, self.due[id] - ahead)
        self.straighten(entry)
        return 1

    def straighten(self, entry):
        if int(entry['accepted']) > self.now and 'received' not in entry:
            entry['received'] = entry['accepted']
        if int(entry['accepted']) > self.now:
            entry.setdefault('completed', entry['accepted'])
        for field in ('tried', 'replayed', 'accepted'):
            if int(entry.get(field, 0)) > self.now:
                entry[field] = str(self.now)

    def claim(self, limit, claimer, number, answered, latest):
        limit = 0 if self.now > latest else limit
        last, taken = self.claims.get(claimer, (0, []))
        if last >= number:
            return [-1, len(self.due), 0, 0, 0, self.now, []]
        if last > answered:
            for id, generation in taken:
                self.give_back(id, generation)
        if self.is_paused:
            return [-1, len(self.due), 0, 1, 0, self.now, []]
        repaired = self.repair_all() if limit > 0 else 0
        claims, expired, taken = [], 0, []
        times = self.due | self.others
        for id in sorted((id for id in times if times[id] <= self.now), key=lambda id: (times[id], id))[:limit]:
            if id in self.others:
                continue
            del self.due[id]
            entry = self.applications.get(id)
            is_expired = 'lease' in (entry or {})
            expired += is_expired
            if entry is None or entry.get('state') not in ('pending', 'sending'):
                if is_expired:
                    self.end_lease(id, entry['lease'])
                continue
            age = max(0, self.now - int(entry.get('replayed', entry['accepted'])))
            if entry['state'] == 'sending' and age > AGE_MAX_MS:
                for field in ('lease', 'http'):
                    entry.pop(field, None)
                entry.update(state='dead', died=str(self.now), code='LEASE_EXPIRED', message=entry.get('message', ''))
                entry['class'] = 'transient'
                entry['message'] = 'The last attempt never reported back, and the event is too old for another one.'
                self.dead[id] = self.now
                continue
            completed = entry.get('completed', entry['accepted'])
            self.straighten(entry)
            entry['gen'] = entry['lease'] = self.next_generation(entry)
            entry['attempts'] = str(int(entry.get('attempts', 0)) + 1)
            entry['state'], entry['tried'] = 'sending', str(self.now)
            self.due[id] = self.now + LEASE_MS
            taken.append((id, entry['gen']))
            claims += [id, entry['token'], stored_event(entry['event']), entry.get('trace', ''), entry['gen'], int(entry['attempts']),
                       int(completed), age, entry.get('class', ''), str(int(is_expired))]
        self.taken = number, taken
        if taken or number > answered + 1:
            self.claims[claimer] = self.taken
        soonest = max(0, min(self.due.values()) - self.now) if self.due else -1
        return [0 if repaired else soonest, len(self.due), expired, 0, repaired, self.now, []] + claims

    def settle(self, id, generation, action, delay, outcome):
        entry = self.applications.get(id, {})
        target = {'retry': 'pending', 'release': 'pending'}.get(action, action)
        if entry.get('lease') != generation:
            is_current = entry.get('gen') == generation
            if not (is_current and entry.get('state') == 'dead' and action == 'delivered'):
                return int(is_current and entry.get('state') == target)
            del self.dead[id], entry['died']
        if not self.end_lease(id, generation):
            return 0
        if action == 'release':
            self.release(id)
            return 1
        entry['state'] = target
        line = f"{entry['attempts']} {entry['tried']} {outcome['class']} {outcome.get('code', '')}"
        entry['history'] = '\n'.join([line, *entry.get('history', '').split('\n')][:10]).rstrip('\n')
        for field in ('class', 'code', 'message', 'http'):
            entry.pop(field, None)
        entry.update({field: value for field, value in outcome.items() if value})
        self.due.pop(id, None)  # not there after a late success
        if action == 'delivered':
            entry['delivered'] = str(self.now)
        elif action == 'dead':
            entry['died'] = str(self.now)
            self.dead[id] = self.now
        else:
            self.due[id] = self.now + delay
        return 1

    def release(self, id):
        entry = self.applications[id]
        entry['state'] = 'pending'
        entry['attempts'] = str(int(entry['attempts']) - 1)
        if entry['attempts'] == '0':
            del entry['attempts']
        self.due[id] = self.now

    def replay(self, id):
        entry = self.applications.get(id)
        state = (entry or {}).get('state', '')
        if state == 'dead':
            self.revive(id, self.now)
        elif state == 'pending' and 'lease' not in entry:
            self.due[id] = self.now
        return [state, '']

    def revive(self, id, at):
        entry = self.applications[id]
        del entry['died'], self.dead[id]
        entry['state'], entry['replayed'] = 'pending', str(self.now)
        self.due[id] = at

    def replay_dead(self, asked, is_done, limit, gap_us, latest, next_us, place):
        next_us = [max(next_us, self.now_us)]

        def replay(id):
            self.revive(id, next_us[0] // 1000)
            next_us[0] += gap_us
        looked, matched, latest, place = self.walk_dead(asked, is_done, limit, latest, place, replay)
        return [looked, matched, str(latest), str(next_us[0]), *written(place), []]

    def forget_dead(self, asked, is_done, limit, latest, place):
        looked, matched, latest, place = self.walk_dead(asked, is_done, limit, latest, place, self.forget)
        return [looked, matched, str(latest), *written(place)]

    def walk_dead(self, asked, is_done, limit, latest, place, act):
        latest = self.now if latest == -1 else min(latest, self.now)
        looked, matched = 0, 0
        waiting = [entry for entry in behind(self.dead, place) if asked.is_in_time(entry[0]) and entry[0] <= latest]
        for died, id in waiting:
            if matched == limit:
                break
            looked, place = looked + 1, (died, id)
            if asked.fits(id, self.applications[id]):
                matched += 1
                if is_done:
                    act(id)
        return looked, matched, latest, None if looked == len(waiting) else place

    def list(self, state, asked, limit, place):
        found, every = [], behind(self.dead if state == 'dead' else self.due, place, asked.is_latest_first)
        if state == 'dead':
            every = [entry for entry in every if asked.is_in_time(entry[0])]
        for looked, (when, id) in enumerate(every, 1):
            entry = self.applications.get(id)
            if entry and 'state' in entry and state in (entry['state'], 'due') and asked.fits(id, entry) and \
                    (state == 'dead' or asked.is_in_time(int(entry.get('accepted', 0)))):
                found.append((id, str(when), shown(entry)))
            place = (when, id) if looked < len(every) else None
            if len(found) == limit:
                break
        return (written(place) if every else ['', '']), found

    def forget(self, id):
        self.dead.pop(id, None)
        entry = self.applications.pop(id, {})
        if 'lease' in entry and self.due.get(id, 0) > self.now:
            self.applications[id] = {field: entry[field] for field in ('gen', 'lease')}
        else:
            self.due.pop(id, None)
        return int('state' in entry)


def written_down(entry):
    """The lease of an attempt that is out is its application's generation, unless that has moved on."""
    return {field: value for field, value in entry.items() if field != 'lease' or entry.get('state') != 'sending'}


def stamp_text(us, life):
    return f'{us + LIVES[life]}' + (f'.{life}' if life else '')


def stamp_of(text):
    us, _, life = text.partition('.')
    return int(us), life


STATES = ['draft', 'pending', 'sending', 'delivered', 'dead']
CLASSES = ['delivered', 'transient', 'throttled', 'auth', 'refused', 'misconfigured', 'unreadable', 'damaged']


def stored_event(event):
    """Without its zeros, in 12 bytes: as claims tell it, who write it out themselves."""
    return bytes.fromhex(event.replace('-', '')).decode(errors='surrogateescape')


def unpacked(fields):
    """A hash as Redis keeps it, by the names of the model."""
    entry = dict(zip(fields[0::2], fields[1::2]))
    if 'p' not in entry:
        return entry
    packed = entry.pop('p').encode(errors='surrogateescape')
    assert not set(entry) & {'state', 'event', 'accepted', 'gen', 'attempts', 'tried', 'delivered', 'died', 'class', 'http'}, entry
    state, event = packed[0] & 7, packed[1:13].hex()
    moment = 'died' if STATES[state - 1] == 'dead' else 'delivered'
    sizes = {'accepted': 6} | ({'gen': 7, 'attempts': 4, 'tried': 6, moment: 6, 'class': 1, 'http': 2} if len(packed) == 45 else {})
    at, told = 13, {'state': STATES[state - 1]}
    for field, size in sizes.items():
        number, at = int.from_bytes(packed[at:at + size], 'big'), at + size
        told |= {field: CLASSES[number - 1] if field == 'class' else str(number)} if number else {}
    assert at == len(packed), f'{len(packed)} bytes are packed'
    if event != 24 * '0':
        told['event'] = '-'.join([event[:8], event[8:12], event[12:16], event[16:20], event[20:]])
    entry |= told
    if packed[0] & 8:
        line = f"{entry.get('attempts', 0)} {entry.get('tried', 0)} {entry.get('class', '')} {entry.get('code', '')}"
        entry['history'] = '\n'.join([line] + ([entry['history']] if 'history' in entry else []))
    return entry


def shown(entry):
    told = {'completed': entry['accepted']} if 'accepted' in entry else {}
    return told | written_down(entry) | ({'event': entry['event'] + ZEROS} if 'event' in entry else {})


class Asked:
    """What a listing, a replay or a forgetting is about."""

    def __init__(self, code='', cls='', since='', ends=''):
        self.code, self.cls, self.since, self.ends = code, cls, since, ends
        self.is_latest_first, self.beginning, self.message = False, '', ''

    def fits(self, id, entry):
        return id.startswith(self.beginning) and entry.get('message', '').startswith(self.message) and all(asked == '' or asked.lower() == entry.get(field, '').lower()
                   for field, asked in (('code', self.code), ('class', self.cls)))

    def is_in_time(self, time):
        return (self.since == '' or time >= self.since) and (self.ends == '' or time < self.ends)


def behind(times, place, is_latest_first=False):
    """What stands behind a place, in Redis's order or against it."""
    entries = sorted(((time, id) for id, time in times.items()), reverse=is_latest_first)
    return [entry for entry in entries if place is None or (entry < place if is_latest_first else entry > place)]


def written(place):
    return ['', ''] if place is None else [str(place[0]), place[1]]


class Promises:
    """What users hold on to, judged from outside: from the answers and from what Redis keeps."""

    def __init__(self):
        self.newest = {}  # id -> the newest seek-token taken
        self.came = {}  # id -> when that came (us), by whose clock, when Redis took it (us)
        self.drains = {}  # event -> how often it was drained: only the first time it may be new
        self.attempts = []  # every claim ever made
        self.generations = set()
        self.orphans = set()  # ids in due whose hash was deleted by hand: the next claim sees to them

    def taken(self, id, token, now_us, came):
        us, life = stamp_of(came) if came != '0' else (now_us // 1000 * 1000, None)
        if self.newest.get(id) not in (None, token) and life and self.came[id][1] == life and us <= self.came[id][0]:
            return  # the same process had the newest one later
        if self.newest.get(id) != token:
            self.newest[id], self.came[id] = token, (us, life, now_us)

    def drained(self, outcome, id, token, event, stamp, now_us):
        """One that is applied is newer than what was there, one that is superseded is not."""
        event = stored_event(event)
        self.drains[event] = self.drains.get(event, 0) + 1
        us, life = stamp_of(stamp)
        came, by, taken = self.came[id] if self.newest.get(id) not in (None, token) else (0, '', 0)
        least = came if life == by else min(came, taken // 1000 * 1000)
        assert outcome != 0 or us >= least, f'{id}: {token} of {stamp} is put over {self.newest[id]} of {came}.{by}'
        assert outcome != 2 or us <= came, f'{id}: {token} of {stamp} is superseded by {self.newest.get(id)} of {came}.{by}'
        if outcome == 0 and self.newest.get(id) != token:
            self.newest[id], self.came[id] = token, (us, life, min(us, now_us))

    def forgotten(self, id, by_hand=False):
        """By hand, also its lease."""
        self.newest.pop(id, None)
        for attempt in self.attempts:
            attempt['is_forgotten'] |= attempt['id'] == id
            attempt['is_settled'] |= attempt['id'] == id and by_hand

    def claimed(self, claims, now, is_lost):
        """One that is lost is never sent, so that it is not out and its number may come again."""
        for at in range(0, len(claims), 10):
            id, token, event, _, generation, number = claims[at:at + 6]
            assert token == self.newest[id], f'{id}: {token} is sent after {self.newest[id]} was taken'
            assert (id, generation) not in self.generations, f'{id}: generation {generation} came twice'
            self.generations.add((id, generation))
            for other in self.attempts:
                is_out = other['id'] == id and not other['is_settled']
                assert not is_out or other['ends'] <= now, f'{id}: two attempts are out'
                # A crash in the middle of a drain may bring an event back that a newer draft had followed.
                may_repeat = other['is_released'] or self.drains.get(event, 0) > 1
                assert (other['id'], other['event'], other['number']) != (id, event, number) or may_repeat, \
                    f'{id}: attempt {number} came twice'
            self.attempts.append({'id': id, 'token': token, 'event': event, 'number': number,
                                  'generation': generation, 'ends': now + LEASE_MS, 'is_settled': is_lost,
                                  'is_forgotten': False, 'is_released': is_lost, 'is_lost': is_lost, 'settlement': None})

    def kept(self, id, entry, ttl, due, dead):
        state = entry.get('state')
        if due is None:
            self.orphans.discard(id)
        is_out = state == 'sending' or 'lease' in entry  # also of one that was forgotten, and perhaps is a draft again
        assert (state in ('pending', 'sending')) == (due is not None) or is_out or id in self.orphans, f'{id}: {state}, due {due}'
        assert (state == 'dead') == (dead is not None), f'{id}: {state}, dead {dead}'
        assert (ttl > 0) == (state in ('draft', 'delivered') or state is None and is_out), f'{id}: {state}, time to live {ttl}'
        if id in self.newest:
            assert entry.get('token') == self.newest[id], f'{id}: lost {self.newest[id]}'
        if state == 'delivered':
            assert any(attempt['id'] == id and attempt['token'] == entry['token'] and not attempt['is_forgotten']
                       and attempt['settlement'] and attempt['settlement'][0] == 'delivered'
                       for attempt in self.attempts), f'{id}: delivered without a delivery of its seek-token'


LEASED = 5  # accepted, and leased under the time of the call
LATE = 6  # nothing was done
SUPERSEDED_DRAFT = 'accepted, with the seek-token that came later'


def is_leased(result):
    """Of an event: that, or outcome, generation, and the seek-token if it had none."""
    return result == LEASED or isinstance(result, list) and len(result) == 3


def settlement(id, generation, action, delay, outcome):
    """As settle.lua takes it."""
    code = outcome.get('code', '')
    return [id, int(generation).to_bytes(7, 'big').decode(errors='surrogateescape'),
            f"{action} {delay} {outcome.get('class', '-')} {outcome.get('http', 0)} {len(code)} {code}{outcome.get('message', '')}"]


def without(place):
    """For an answer whose item at this place is not the model's; None: there is none. What it says is a number, or a state and an
    event."""
    def sift(answer, expected):
        item = answer[place]
        assert isinstance(item, int) or item[0] in STATES and item[1] or is_leased(item), f'answers {item}'
        return answer[:place] + answer[place + 1:], expected
    return sift if place is not None else None


JUNK = ['', 'x', '-1', '1e3', 'nan', 'inf', '0x10', '9' * 26, 'banana', 'a\nb', '1 2', '5' * 300, '5' * 45, '\x07' * 19]
OTHER_TYPES = [['SET', 'text'], ['RPUSH', 'a'], ['SADD', 'a'], ['ZADD', '1', 'a'], ['XADD', '*', 'a', 'b']]
FIELDS = ['state', 'token', 'gen', 'lease', 'event', 'accepted', 'completed', 'trace', 'received', 'replaced', 'spooled', *PROGRESS,
          *3 * ['state', 'gen', 'attempts', 'tried', 'lease'], *4 * ['p']]


class Damage:
    """Somebody else, who writes to some applications. They are damaged or sound; nobody knows, and no call may break off."""

    def __init__(self, walk):
        self.walk, self.random = walk, walk.random
        self.attempts = []  # id, generation
        self.repaired = set()  # replayed, and not damaged since
        self.told = set()  # set aside, and not touched since
        self.has_claimed = False  # by the last claim
        self.is_there = False

    def ask(self, *command):
        return self.walk.redis.send(list(map(str, command)))[0]

    def times(self, key):
        entries = self.ask('ZRANGE', key, 0, -1, 'WITHSCORES')
        return {id: float(time) for id, time in zip(entries[::2], entries[1::2]) if id in DAMAGED_IDS}

    def due(self):
        return self.times(DUE)

    def is_dead(self):
        return bool(self.times(DEAD))

    # --- in the calls for the others ---

    def is_present(self):
        return self.is_there and not self.walk.behind_us and self.random.random() < 0.2

    def add(self, values, size, item):
        """Puts it at some place of the call; the place."""
        place = self.random.randrange(len(values) // size + 1)
        values[place * size:place * size] = item
        return place

    def add_event(self, values):
        if not self.is_present():
            return None
        id, token = self.random.choice(DAMAGED_IDS), self.random.choice(TOKENS + [''])
        if self.random.random() < 0.4 and self.ask('TYPE', PREFIX + id) == 'hash':
            token = self.ask('HGET', PREFIX + id, 'token') or token
        self.touch()
        return self.add(values, 4, [id, token, self.walk.event(), values[3]])  # of the same process as the others

    def take_event(self, place):
        """Behind the clock in the answer, which is there twice. What is leased of theirs is known to its caller's next call."""
        if place is None:
            return None
        sift = without(place + 2)

        def take(answer, expected):
            self.has_claimed = is_leased(answer[place + 2])
            return sift(answer, expected)
        return take

    def add_record(self, values):
        if not self.is_present():
            return None
        kind = self.random.choice(['event', 'draft'])
        self.touch()
        completed = self.walk.model.now if kind == 'event' else ''
        return self.add(values, 7, [kind, self.random.choice(DAMAGED_IDS), self.random.choice(TOKENS), self.walk.event(), completed,
                                    '', self.walk.model.now_us])

    def add_settlement(self, values):
        if not self.attempts or not self.is_present():
            return None
        id, generation = self.attempts[-1] if self.random.random() < 0.7 else self.random.choice(self.attempts)
        self.touch()
        action = self.random.choice(['delivered', 'retry', 'dead', 'release', 'damaged'])
        outcome = {'code': 'event'} if action == 'damaged' else {} if action == 'release' else {'class': 'auth'}
        return self.add(values, 3, settlement(id, generation, action, 0, outcome))

    def take_claim(self, answer, expected):
        """What is said of theirs goes; with them there, the counts are theirs too."""
        told, claims = answer[6], answer[7:]
        assert set(told[0::2]) <= set(DAMAGED_IDS), f'{told} is called damaged'
        assert not set(told[0::2]) & self.repaired, f'{told} was repaired'
        assert not set(told[0::2]) & self.told, f'{told} was told before'
        self.told |= set(told[0::2])
        rest, self.has_claimed = [], False
        assert len(claims) % 10 == 0, f'{claims} are cut short'
        for at in range(0, len(claims), 10):
            if claims[at] in DAMAGED_IDS:
                assert float(claims[at + 4]) < 1 << 53, f'{claims[at:at + 10]} has a generation that is none'
                self.has_claimed = True
                self.attempts = self.attempts[-20:] + [(claims[at], claims[at + 4])]
            else:
                rest += claims[at:at + 10]
        for id in self.walk.model.others:
            self.must_be_seen_to(id)
        head = answer[:6]
        if self.walk.model.others or self.due():
            head = [*expected[:3], head[3], expected[4], head[5]]
        return [*head, [], *rest], expected

    def is_last_due(self):
        return bool(set(self.ask('ZRANGE', DUE, -1, -1)) & set(DAMAGED_IDS))

    def must_be_seen_to(self, id):
        """What was due goes on waiting, or is over, or is set aside; a hash that is not there, or an attempt's, is nothing."""
        kind = self.ask('TYPE', PREFIX + id)
        if kind == 'none' or self.ask('ZSCORE', DUE, id) or self.ask('ZSCORE', DEAD, id):
            return
        assert kind == 'hash', f'{id} is not due any more, and not dead'
        state, token, event, packed = self.ask('HMGET', PREFIX + id, 'state', 'token', 'event', 'p')
        packed = (packed or '').encode(errors='surrogateescape')
        if not state and len(packed) in (19, 45) and 1 <= packed[0] & 7 <= 5:
            state = STATES[(packed[0] & 7) - 1]
        assert state in ('draft', 'delivered', 'dead') or not (state or token or event or packed), f'{id} is not due any more, and {state}'

    # --- on their own ---

    def keep(self):
        """The others are as they were."""
        return self.walk.check(1, ['EXISTS', CLOCK])[1]

    def step(self):
        if not self.is_there or self.walk.behind_us:
            return self.walk.claim()
        return self.random.choices([self.damage, self.replay_one, self.draft, self.forget, self.spoil_claim, self.lose], weights=[10, 4, 2, 2, 1, 2])[0]()

    def change(self, is_there):
        self.is_there = is_there
        self.walk.trail.append(f'somebody else: {is_there}')
        return self.end()

    def damage(self):
        id, field = self.random.choice(DAMAGED_IDS), self.random.choice(FIELDS)
        key, (name, *values) = PREFIX + id, self.random.choice(OTHER_TYPES)
        command = self.random.choices([['HDEL', key, field], ['HSET', key, field, self.random.choice(JUNK)], [name, key, *values],
                                       ['ZADD', DUE, self.random.choice(['inf', '-inf', '1e300', '1.5', self.walk.model.now]), id],
                                       ['DEL', key]], weights=[10, 10, 6, 2, 1])[0]
        if command[0].startswith('H') and self.ask('TYPE', key) != 'hash' or command[0] == name and self.random.random() < 0.5:
            return self.keep()
        if command[0] == name:
            self.ask('DEL', key)
        self.walk.trail.append(f'{self.walk.model.now} damage {command}')
        self.touch()
        self.ask(*command)
        return self.keep()

    def replay_one(self):
        id = self.random.choice(DAMAGED_IDS)
        state, damage = self.ask(*self.walk.call('replay', id))
        assert state in ('', 'draft', 'pending', 'sending', 'delivered', 'dead', 'damaged'), state
        self.must_be_news([id, damage] if damage else [])
        self.touch()
        if state == 'dead':
            self.repaired.add(id)
        return self.keep()

    def draft(self):
        self.ask(*self.walk.call('draft', self.random.choice(DAMAGED_IDS), self.random.choice(TOKENS), self.walk.event(), TTL_MS, 0))
        self.touch()
        return self.keep()

    def replay(self):
        """Of their code alone, since nobody knows which of the others would come in between."""
        answer = self.ask(*self.walk.call('replay_dead', 'DAMAGED', self.random.choice([0, 1]), 100, 1000, 1000, -1, -1, '', '', '', '', '', ''))
        self.must_be_news(answer[-1])
        self.touch()
        return self.keep()

    def must_be_news(self, told):
        """A claim has not told of it, unless nothing can be written down of that."""
        assert set(told[0::2]) <= set(DAMAGED_IDS), f'{told} is called damaged'
        for id, field in zip(told[0::2], told[1::2]):
            assert field == 'key' or id not in self.told, f'{id} was told before'

    def list(self, state):
        answer = self.ask(*self.walk.call('list', state, 'DAMAGED', 200, 1000, '', '', '', '', '', 0, '', LIST_BYTES, ''))
        assert {item[2] for item in answer[2:]} <= set(DAMAGED_IDS), f'lists {answer}'
        whole = self.ask(*self.walk.call('list', state, '', 200, 1000, '', '', '', '', '', 0, '', LIST_BYTES, ''))
        assert whole[:2] == ['', ''], f'{whole} has no end'
        return self.keep()

    def lose(self):
        """The answer to a claim; what it took is damaged before it is given back."""
        walk, claimer = self.walk, self.random.choice(self.walk.claimers)
        claimer['number'] += 1
        walk.compare(walk.ask((8, claimer['name'], claimer['number'], claimer['answered'], walk.model.now + 2000), None))
        return self.damage()

    def spoil_claim(self):
        """What a claim took is not known any more: it waits for its lease."""
        claimer, (name, *values) = self.random.choice(self.walk.claimers), self.random.choice(OTHER_TYPES)
        self.walk.model.claims.pop(claimer['name'], None)
        self.ask('DEL', CLAIM + claimer['name'])
        self.ask(name, CLAIM + claimer['name'], *values)
        return self.keep()

    def forget(self):
        """Always possible; but for an attempt that is out nothing stays."""
        id = self.random.choice(DAMAGED_IDS)
        self.touch()
        self.walk.trail.append(f'{self.walk.model.now} forget {id}')
        if self.random.random() < 0.3 and self.ask('TYPE', PREFIX + id) == 'hash':
            self.ask('HDEL', PREFIX + id, 'gen')
        self.ask(*self.walk.call('forget', id))
        if self.ask('EXISTS', PREFIX + id):
            assert set(self.ask('HKEYS', PREFIX + id)) == {'gen', 'lease'}, f'{id} is not forgotten'
        else:
            assert self.ask('ZSCORE', DUE, id) is None, f'{id} stays due'
        assert self.ask('ZSCORE', DEAD, id) is None, f'{id} stays dead'
        return self.keep()

    def end(self):
        """They are gone, without a script."""
        for id in DAMAGED_IDS:
            for command in (['DEL', PREFIX + id], ['ZREM', DUE, id], ['ZREM', DEAD, id]):
                self.ask(*command)
        self.touch()
        return self.keep()

    def touch(self):
        self.repaired.clear()
        self.told.clear()


class Walk:
    def __init__(self, redis, scripts, seed, is_disturbed=None):
        """`is_disturbed`: whether there is somebody else; None: now and then."""
        self.is_disturbed = is_disturbed
        self.redis, self.random, self.promises, self.model = redis, random.Random(seed), Promises(), Model()
        self.model.now_us = 1_700_000_000_000_000
        redis.send(['FLUSHALL'])
        self.hashes = dict(zip(scripts, redis.send(*(['SCRIPT', 'LOAD', text] for text in scripts.values()))))
        self.events, self.trail, self.steps = 0, [], 0
        self.spooled, self.drained, self.stamp, self.life = [], 0, 0, ''
        self.claimers = [{'name': name, 'number': 0, 'answered': 0} for name in ('one', 'two')]
        self.acceptors = [{'name': name, 'number': 0, 'answered': 0} for name in ('one:0', 'one:1')]
        self.late = []
        self.behind_us = 0  # the clock was set back
        self.damage_done = Damage(self)

    def call(self, script, *arguments):
        self.trail.append(f'{self.model.now} {script} {arguments}')
        return ['EVALSHA', self.hashes[script], 4, PREFIX, DUE, DEAD, PAUSED, *arguments]

    def event(self):
        self.events += 1
        return f'{self.events:08x}-0000-4000-8000-1234'

    def check(self, expected, command, sift=None):
        """`sift` takes out of the answer what is said of those that somebody else damages."""
        questions = [question for id in IDS for question in (
            ['HGETALL', PREFIX + id], ['PTTL', PREFIX + id], ['ZSCORE', DUE, id], ['ZSCORE', DEAD, id])]
        _, answer, *kept = self.redis.send(['SET', CLOCK, self.model.now_us], command, *questions)
        self.trail[-1] += f' -> {answer}'
        if sift:
            answer, expected = sift(answer, expected)
        assert answer == expected, f'answered {answer} instead of {expected}'
        return answer, list(zip(IDS, kept[0::4], kept[1::4], kept[2::4], kept[3::4]))

    def compare(self, kept):
        for id, fields, ttl, due, dead in kept:
            entry = unpacked(fields)
            model = self.model
            self.promises.kept(id, entry, ttl, due, dead)
            expected = written_down(model.applications.get(id, {}))
            assert entry == expected, f'{id}: {entry} instead of {expected}'
            assert (due and int(due)) == model.due.get(id), f'{id}: due {due} instead of {model.due.get(id)}'
            assert (dead and int(dead)) == model.dead.get(id), f'{id}: dead {dead} instead of {model.dead.get(id)}'

    # --- one step of each kind ---

    def accept(self):
        """The caller waits for its answer as a claimer does, if anything may be leased to it."""
        life = self.caller_life()
        items = [[self.random.choice(IDS), self.random.choice(TOKENS + ['', '']), self.event(), self.random.choice([-1, self.model.now - 5000]),
                  self.random.choice(['', 'trace']), self.arrival(life)] for _ in range(self.random.choice([1, 1, 2, 4]))]
        unknown = [id for id in IDS if id not in self.model.applications]
        if unknown and self.random.random() < 0.5:  # a plain call, as most are
            items = [[id, self.random.choice(TOKENS), self.event(), -1, '', '0'] for id in self.random.sample(unknown, self.random.randint(1, len(unknown)))]
        places, caller = self.random.choice([0, 1, 2, 8]), self.random.choice(self.acceptors)
        if places == 0 and caller['number'] == caller['answered']:
            return self.ask_accept((items, 0, '', 0, 0, self.model.now + self.random.choice([2000, 2000, 50, -1])), None)
        caller['number'] += 1
        latest = self.model.now + self.random.choice([2000, 2000, 50, -1])
        call = items, places, caller['name'], caller['number'], caller['answered'], latest
        fate = self.random.random()
        if fate < 0.05:
            self.late.append(call)
            return self.hang()
        return self.ask_accept(call, caller if fate < 0.9 else None)

    def ask_accept(self, call, caller):
        """Without a caller nobody hears the answer."""
        items, places, name, number, answered, latest = call
        arguments = []
        for id, token, event, completed, trace, came in items:
            more = '' if (completed, trace, came) == (-1, '', '0') else f'{completed} {came} {trace}'
            arguments += [id, token, event, more]
        place = self.damage_done.add_event(arguments)
        if place is not None and places:
            places = 16  # for all: nobody knows whether theirs takes one
        self.model.others = self.damage_done.due()
        expected = self.model.accept_all(items, places, name, number, answered, latest)
        outcomes = [0 if result == LEASED else result[0] if is_leased(result) else result for result in expected[2:]]
        for (id, token, *_, came), outcome in zip(items, outcomes):
            if outcome in (0, 2):
                self.promises.taken(id, token or self.model.applications[id]['token'], self.model.now_us, came)
        head = [places, LEASE_MS, name and CLAIM + name, number, answered, latest]
        _, kept = self.check(expected, self.call('accept', *head, *arguments), self.damage_done.take_event(place))
        if place is not None and self.damage_done.has_claimed:
            self.model.claims[name] = self.model.taken
        for (id, _, event, *_), result in zip(items, expected[2:]):
            if is_leased(result):
                generation = expected[1] if result == LEASED else result[1]
                self.promises.claimed([id, self.promises.newest[id], stored_event(event), '', generation, '1', 0, 0, '', '0'], self.model.now, caller is None)
        if caller:
            caller['answered'] = number
        return kept

    def draft(self):
        id, token, event, came = self.random.choice(IDS), self.random.choice(TOKENS), self.event(), self.arrival(self.caller_life())
        before = self.model.applications.get(id, {}).get('token')
        latest = self.model.now + self.random.choice([2000, 2000, 50, -1])
        expected = self.model.draft(id, token, event, came, latest)
        if self.model.applications.get(id, {}).get('token') != before:
            self.promises.taken(id, token, self.model.now_us, came)
        return self.check(expected, self.call('draft', id, token, event, TTL_MS, came, latest))[1]

    def caller_life(self):
        """None: of a process without a spool."""
        return self.random.choice(list(LIVES)) if self.random.random() < 0.3 else None

    def arrival(self, life):
        """When it came: a while ago if Redis stood still, a little later than now by another clock."""
        if life is None:
            return '0'
        return stamp_text(self.model.now_us + self.random.choice([-3_000_000, -200, 100]), life)

    def spool(self):
        """Redis does not hear of it yet."""
        kind, self.stamp = self.random.choice(['event', 'event', 'draft']), max(self.stamp + 1, self.model.now_us)
        self.life = self.life if self.spooled else self.random.choice(list(LIVES))
        completed = self.model.now if kind == 'event' else ''
        self.spooled.append([kind, self.random.choice(IDS), self.random.choice(TOKENS), self.event(), completed,
                             self.random.choice(['', 'trace']), stamp_text(self.stamp, self.life)])
        self.trail.append(f'{self.model.now} spool {self.spooled[-1]}')
        return self.check(1, ['EXISTS', CLOCK])[1] if len(self.spooled) < 12 else self.drain()

    def drain(self):
        """In order; a crash begins anew."""
        records = self.spooled[self.drained:self.drained + self.random.choice([1, 2, 5])]
        if self.random.random() < 0.05:
            late = [value for record in records for value in record]
            return self.check(self.model.now, self.call('drain', TTL_MS, self.model.now - 1, *late))[1]
        expected = [self.model.drain(*record) for record in records]
        values = [value for record in records for value in record]
        place = self.damage_done.add_record(values)
        answer, kept = self.check(expected, self.call('drain', TTL_MS, self.model.now, *values), without(place))
        for outcome, (_, id, token, event, *_, stamp) in zip(answer, records):
            self.promises.drained(outcome, id, token, event, stamp, self.model.now_us)
        self.drained += len(records)
        is_at_end = self.drained == len(self.spooled)
        if is_at_end and self.random.random() < 0.7:
            self.spooled = []
        if is_at_end or self.random.random() < 0.2:
            self.drained = 0
        return kept

    def claim(self):
        """Each claimer waits for its answer, until it gives up: then the claim was lost, or comes late."""
        claimer = self.random.choice(self.claimers)
        claimer['number'] += 1
        latest = self.model.now + self.random.choice([2000, 2000, 50])
        claim = self.random.choice([0, 1, 2, 8]), claimer['name'], claimer['number'], claimer['answered'], latest
        fate = self.random.random()
        if fate < 0.05:
            self.late.append(claim)
            return self.hang()
        return self.ask(claim, claimer if fate < 0.9 else None)

    def hang(self):
        """What hangs in a connection that was given up arrives, or goes down with it."""
        if len(self.late) > 3 or self.late and self.random.random() < 0.3:
            call = self.late.pop(self.random.randrange(len(self.late)))
            return (self.ask_accept if isinstance(call[0], list) else self.ask)(call, None)
        self.trail.append(f'{self.model.now} hang')
        return self.check(1, ['EXISTS', CLOCK])[1]

    def ask(self, claim, claimer):
        """Without a claimer nobody hears the answer."""
        limit, name, number, answered, latest = claim
        self.model.others = self.damage_done.due()
        if self.model.others and self.model.claims.get(name, (0,))[0] > answered:
            limit = 16  # what is given back is due anew: with room for all it does not matter in which order
        elif limit > 0 and self.damage_done.is_last_due():
            limit = 16  # the repair of the clock may set aside others of theirs, which then take no place
        expected = self.model.claim(limit, *claim[1:])
        command = self.call('claim', limit, LEASE_MS, AGE_MAX_MS, CLAIM + name, number, answered, latest)
        answer, kept = self.check(expected, command, self.damage_done.take_claim)
        if self.damage_done.has_claimed:
            self.model.claims[name] = self.model.taken
        self.promises.claimed(answer[7:], self.model.now, claimer is None)
        if claimer:
            claimer['answered'] = number
        return kept

    def settle(self):
        """Mostly of recent attempts; each worker repeats what it said."""
        sent = [attempt for attempt in self.promises.attempts if not attempt['is_lost']]
        if not sent:
            return self.claim()
        arguments, expected, settled = [], [], []
        for _ in range(self.random.choice([1, 1, 3])):
            recent = sent[-6:] if self.random.random() < 0.9 else sent
            attempt = self.random.choice(recent)
            if attempt['settlement'] is None:
                attempt['settlement'] = self.random.choice([
                    ('delivered', 0, {'class': 'delivered', 'http': '200'}),
                    ('retry', self.random.choice([0, 700, 3000]), {'class': 'auth', 'code': 'UNAUTHENTICATED'}),
                    ('dead', 0, {'class': 'refused', 'code': 'FORBIDDEN', 'message': 'no', 'http': '200'}),
                    ('release', 0, {})])
            action, delay, outcome = attempt['settlement']
            arguments += settlement(attempt['id'], attempt['generation'], action, delay, outcome)
            expected.append(self.model.settle(attempt['id'], attempt['generation'], action, delay, outcome))
            settled.append(attempt)
        place = self.damage_done.add_settlement(arguments)
        _, kept = self.check(expected, self.call('settle', TTL_MS, *arguments), without(place))
        for attempt in settled:
            attempt['is_settled'] = True
            attempt['is_released'] |= attempt['settlement'][0] == 'release'
        return kept

    def replay(self):
        id = self.random.choice(IDS)
        return self.check(self.model.replay(id), self.call('replay', id))[1]

    def place(self, times):
        """The beginning, an entry, or where one was."""
        if self.random.random() < 0.4:
            return None
        return self.random.choice(list(times.values()) or [self.model.now]), self.random.choice(IDS)

    def replay_dead(self):
        if self.damage_done.is_dead():
            return self.damage_done.replay()
        asked, is_done = self.asked(['', 'FORBIDDEN', 'Lease_expired']), self.random.random() < 0.7
        limit, gap_us, place = self.random.choice([1, 2, 100]), self.random.choice([50_000, 400]), self.place(self.model.dead)
        latest, next_us = self.random.choice([-1, self.model.now - 2000]), self.random.choice([-1, self.model.now_us + 7_000])
        expected = self.model.replay_dead(asked, is_done, limit, gap_us, latest, next_us, place)
        return self.check(expected, self.call('replay_dead', asked.code, int(is_done), limit, 1000, gap_us, latest, next_us,
                                              *written(place), asked.cls, asked.since, asked.message, asked.beginning))[1]

    def forget_dead(self):
        if self.damage_done.is_dead():
            return self.damage_done.replay()
        while self.spooled:
            self.compare(self.drain())
        asked, is_done = self.asked(['FORBIDDEN', 'Lease_expired']), self.random.random() < 0.7
        limit, place, latest = self.random.choice([1, 100]), self.place(self.model.dead), self.random.choice([-1, self.model.now - 2000])
        before = set(self.model.dead)
        expected = self.model.forget_dead(asked, is_done, limit, latest, place)
        for id in before - set(self.model.dead):
            self.promises.forgotten(id)
        return self.check(expected, self.call('forget_dead', asked.code, int(is_done), limit, 1000, latest, *written(place),
                                              asked.cls, asked.since, asked.message, asked.beginning))[1]

    def asked(self, codes):
        times = [*self.model.dead.values(), self.model.now - 1000]
        asked = Asked(self.random.choice(codes), self.random.choice(['', '', '', 'Refused']),
                      self.random.choice(['', '', '', self.random.choice(times)]))
        asked.beginning, asked.message = self.random.choice(['', '', 'A', 'A-1', 'B']), self.random.choice(['', '', '', 'n', 'no', 'The last', 'o'])
        return asked

    def list(self):
        state = self.random.choice(['due', 'pending', 'sending', 'dead'])
        if self.damage_done.is_dead() if state == 'dead' else self.damage_done.due():
            return self.damage_done.list(state)
        asked, limit = self.asked(['', '', 'forbidden', 'UNAUTHENTICATED']), self.random.choice([1, 2, 200])
        asked.ends = self.random.choice(['', '', '', self.model.now - 500])
        asked.is_latest_first = self.random.random() < 0.3
        place = self.place(self.model.dead if state == 'dead' else self.model.due)
        (time, id), found = self.model.list(state, asked, limit, place)
        command = self.call('list', state, asked.code, limit, 1000, *written(place), asked.cls, asked.since, asked.ends,
                            int(asked.is_latest_first), asked.beginning, LIST_BYTES, asked.message)
        answer = self.redis.send(['SET', CLOCK, self.model.now_us], command)[1]
        assert answer[:2] == [time, id], f'goes on at {answer[:2]} instead of {[time, id]}'
        listed = [(item[2], item[0], dict(zip(item[3::2], item[4::2]))) for item in answer[2:]]
        assert listed == found, f'lists {listed} instead of {found}'
        return self.check(1, ['EXISTS', CLOCK])[1]

    def pause(self):
        self.model.is_paused, was_paused = self.random.random() < 0.3, self.model.is_paused
        expected = int(self.model.is_paused != was_paused)
        return self.check(expected, self.call('pause', int(self.model.is_paused)))[1]

    def forget(self):
        """Behind the drain, as the service does it: what is spooled would bring it back."""
        while self.spooled:
            self.compare(self.drain())
        id = self.random.choice(IDS)
        expected = self.model.forget(id)
        self.promises.forgotten(id)
        return self.check(expected, self.call('forget', id))[1]

    def vanish(self):
        """The hash goes without a script: its time to live ends, or somebody deletes it by hand."""
        id = self.random.choice(IDS)
        while self.spooled:
            self.compare(self.drain())
        if self.model.applications.get(id, {}).get('state') == 'dead':
            return self.forget()
        expected = int(self.model.applications.pop(id, None) is not None)
        self.promises.forgotten(id, by_hand=True)
        self.promises.orphans.add(id)
        self.model.now_us += 1  # no Redis claims, deletes and accepts within one: the same generation would come again
        self.trail.append(f'{self.model.now} vanish {id}')
        return self.check(expected, ['DEL', PREFIX + id])[1]

    def step(self):
        self.model.now_us += int(self.random.choice([0, 0, 1, 200, 5e4, 3e5, 1e6, 4e6]))
        if self.random.random() < 0.003:
            self.model.now_us += AGE_MAX_MS * 1000
        if self.random.random() < 0.02:
            self.set_clock(self.random.choice([700_000, 5_000_000, 3600_000_000]) + self.random.randrange(100_000))
        kinds = [self.accept, self.draft, self.spool, self.drain, self.claim, self.hang, self.settle, self.replay, self.replay_dead, self.list, self.pause, self.forget,
                 self.forget_dead, self.vanish, self.damage_done.step]
        self.compare(self.random.choices(kinds, weights=[20, 8, 8, 5, 30, 2, 36, 4, 5, 8, 2, 1.5, 0.5, 0.5, 60 * self.damage_done.is_there])[0]())
        # What settled long ago cannot come into anybody's way any more, save by its number.
        del self.promises.attempts[:-200]

    def set_clock(self, by_us):
        """Back, then ahead again. Back, a lease goes on for as long as it would have; ahead, it ends early."""
        self.compare(self.damage_done.end())
        self.behind_us, by_us = (0, -self.behind_us) if self.behind_us else (by_us, by_us)
        self.trail.append(f'{self.model.now} set back by {by_us / 1e6} s')
        self.model.now_us -= by_us
        for attempt in self.promises.attempts:
            attempt['ends'] -= max(0, by_us // 1000 + 1)

    def go_on(self):
        """None, or what was found with the steps that led there."""
        try:
            if self.steps % PHASE == 0:
                is_there = self.steps // PHASE % 2 == 1 if self.is_disturbed is None else self.is_disturbed
                self.compare(self.damage_done.change(is_there))
            self.step()
            self.steps += 1
        except AssertionError as problem:
            return f'step {self.steps}: {problem}\n  ' + '\n  '.join(self.trail[-12:])
        return None


def run(redis, scripts, seed, steps, is_disturbed=None, shards=1):
    """So many steps in all, each in a shard by chance. None, or what was found."""
    walks = [Walk(Shard(redis, number), scripts, seed + number, is_disturbed) for number in range(shards)]
    chance = random.Random(seed)
    problems = (chance.choice(walks).go_on() for _ in range(steps))
    return next((problem for problem in problems if problem), None)


def parts_of(name):
    return ['base', *([PLAIN[name]] if name in PLAIN else []), 'application', *COMMON.get(name, []), name]


def load_scripts(folder, bug=None):
    texts = {name: (folder / f'{name}.lua').read_text() for name in NAMES + ['base', 'application', 'lease', 'page', 'whole', *PLAIN.values()]}
    if bug is not None:
        _, script, old, new = bug
        assert old in texts[script], f'the bug does not fit {script}.lua any more: {old}'
        texts[script] = texts[script].replace(old, new)
    return {name: TEST_CLOCK + ''.join(texts[part] for part in parts_of(name)) for name in NAMES}


WALKS = 3  # of which one must find it

# Where the walks with the first seeds take thousands of steps, one that takes some hundreds comes first: minutes become
# seconds. After a change of the scripts it may find nothing within its few steps; the others are there for that.
QUICK_STEPS, SLOW_STEPS = 1000, 2500
QUICK_SEEDS = {
    'an application is new twice in one call': 5,
    'what is not being sent is delivered by its first attempt': 4,
    'an application with more than the least is delivered as if it had no more': 4,
    'what is plain and done stays due': 4,
    'a dry run is done': 5,
    'a dry run forgets': 8,
    'a walk begins too early': 2,
    'a walk takes another class': 5,
    'a listing goes on for too long': 36,
    'a message is found in the middle': 2,
    'the latest first, an entry is met twice': 8,
    'the latest first, an entry is skipped': 2,
    'a listing of what is due knows no time': 2,
    'a replay takes what another code killed': 2,
    'a replay skips an entry': 7,
    'a listing ends early': 10,
    'a command of a given-up connection overtakes as a draft': 12,
    'an event of before a draft is lost': 184,
    'a claim is taken however late it comes': 2,
    'a lease is repaired that began after': 6,
    'a claim that is late is not known to be': 9,
    'a lost claim takes the newer seek-token for sent': 7,
    'what is left of a forgotten application stays': 10,
    'what is forgotten is shown': 31,
    'a draft takes the outcome of one that was forgotten': 10,
    'what is repaired tells another line': 3,
    'a new event is sent while sending is paused': 2,
    'of two events of a call the first is sent': 6,
    'of two events of a call the first is sent again': 2,
    'more is leased than there are places for': 25,
    'more is leased again than there are places for': 4,
    'a lease of accept is not known when its answer is lost': 2,
    'a lost lease of accept waits for its end': 2,
    'accept gives back what is being sent': 2,
    'accept leases when it was overtaken': 107,
    'a plain event is sent while sending is paused': 7,
    'a lease of a plain event is not known when its answer is lost': 16,
    'a plain event forgets what was lost or overtaken': 16,
    'a plain event is leased however late it comes': 4,
    'an accept that was overtaken gives back': 7,
    'a damaged application is claimed': 30,
    'an application without a state stops being due': 5,
    'a generation that is none is counted on': 31,
    'attempts that are no number stop a release': 35,
    'a replay tells of what is known': 3,
    'another type stops a drain': 8,
    'another type stops a replay of many': 2,
    'a packed field of another length stops a script': 3,
}


def walks_of(bug, steps, seed):
    """Seeds and steps, the quickest first."""
    quick = QUICK_SEEDS.get(bug[0])
    return ([(quick, QUICK_STEPS)] if quick else []) + [(seed + number, steps) for number in range(WALKS)]


def find_bug(redis, folder, bug, walks):
    """Walks: seeds and steps. The first seed that finds it, and what was found; None: none does."""
    is_disturbed, shards = bug in DAMAGE_BUGS, SHARDS if bug in SHARD_BUGS else 1
    tries = ((seed, run(redis, load_scripts(folder, bug), seed, steps, is_disturbed, shards)) for seed, steps in walks)
    return next(((seed, problem) for seed, problem in tries if problem), None)


def renew_seeds(redis, folder, seed):
    """Of those that are not found soon by the walk that comes first."""
    for bug in BUGS + DAMAGE_BUGS + SHARD_BUGS:
        quick = QUICK_SEEDS.get(bug[0])
        if not find_bug(redis, folder, bug, [(quick, QUICK_STEPS) if quick else (seed, SLOW_STEPS)]):
            found = find_bug(redis, folder, bug, [(number, QUICK_STEPS) for number in range(2, 400)])
            print(f'    {bug[0]!r}: {found and found[0]},', flush=True)
    return 0


def find_bugs(redis, folder, steps, seed):
    missed = 0
    for bug in BUGS + DAMAGE_BUGS + SHARD_BUGS:
        found = find_bug(redis, folder, bug, walks_of(bug, steps, seed))
        missed += found is None
        print(f'{"found " if found else "MISSED"} {bug[0]}: {found[1].partition(": ")[0] if found else ""}')
    return missed


def main():
    parser = argparse.ArgumentParser(description='Check the scripts of the store against a model.')
    parser.add_argument('scripts', type=pathlib.Path)
    parser.add_argument('--steps', type=int, default=30000)
    parser.add_argument('--seed', type=int, default=None)
    parser.add_argument('--bugs', action='store_true')
    parser.add_argument('--renew', action='store_true')
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else 1 if options.bugs else random.randrange(1 << 32)
    print(f'seed {seed}', flush=True)
    with tempfile.TemporaryDirectory() as directory:
        redis = Redis(directory)
        try:
            if options.bugs:
                return renew_seeds(redis, options.scripts, seed) if options.renew else find_bugs(redis, options.scripts, options.steps, seed)
            problem = run(redis, load_scripts(options.scripts), seed, options.steps, shards=SHARDS)
            print(problem or f'{options.steps} steps, nothing found')
            return problem is not None
        finally:
            redis.close()


if __name__ == '__main__':
    sys.exit(main())
