#!/usr/bin/python3
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Random walks over the Lua scripts of the store, against a reference model in Python.

Each step calls one script as intake, an operator or one of several workers would: late, twice, after the lease
ran out, after the application was forgotten. The answer and everything kept in Redis must be what the model says,
and the promises must hold, which are checked by themselves (class Promises), without the model's rules.

Time is an input: a line in front of each script answers its TIME with the walk's own clock.

    store_model_check.py SCRIPTS [--steps N] [--seed N]     one walk
    store_model_check.py SCRIPTS --bugs [--seed N]          each known bug, put into the scripts, must be found
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

NAMES = ['accept', 'draft', 'drain', 'claim', 'settle', 'replay', 'replay_dead', 'list', 'pause', 'forget']
PAGED = ['replay_dead', 'list']
PREFIX = 'seek-signal:{0}:app:'
DUE, DEAD, PAUSED = 'seek-signal:{0}:due', 'seek-signal:{0}:dead', 'seek-signal:{0}:paused'
CLAIM = 'seek-signal:{0}:claim:'
CLOCK = 'model:now_us'
ZEROS = '00000000'  # at the end of each event's id, where it is shown
LEASE_MS, AGE_MAX_MS, TTL_MS = 1000, 20000, 3600000
TEST_CLOCK = f'''local real = redis
local redis = {{sha1hex = redis.sha1hex, call = function(name, ...)
    if name == 'TIME' then
        local now = real.call('GET', '{CLOCK}')
        return {{math.floor(now / 1000000), now % 1000000}}
    elseif name == 'PEXPIRE' then
        return real.call(name, (...), {TTL_MS})
    elseif name == 'SET' and select('#', ...) == 4 then -- with a time to live, which the walk's clock would not end
        return real.call(name, (...), (select(2, ...)))
    end
    return real.call(name, ...)
end}}
'''
IDS = [f'A-{number}' for number in range(4)]
TOKENS = [f'token-{number}' for number in range(16)]
PROGRESS = ['attempts', 'tried', 'replayed', 'delivered', 'died', 'class', 'code', 'message', 'http', 'history']

# Name, script, what is there, what the bug makes of it.
BUGS = [
    ('a settlement is not fenced', 'settle', 'if lease_of(state, current, lease) ~= generation then', 'if not lease_of(state, current, lease) then'),
    ('a newer seek-token is not protected', 'application', 'local is_current = is_there and current == generation', 'local is_current = is_there'),
    ('a newer seek-token overtakes', 'application', 'if application.lease then', 'if false then'),
    ('a late success stays among the dead', 'settle', "redis.call('ZREM', dead, id)", ''),
    ('a superseded attempt keeps its lease', 'application', "redis.call('HDEL', key, 'lease')", ''),
    ('generations start over', 'application', 'or now_us_digits', 'or digits(least)'),
    ("an attempt's end is not known when the application moves on", 'application', "redis.call('HSET', key, 'lease', application.lease)", ''),
    ('what is being sent is not out', 'application', "return lease or state == 'sending' and generation", 'return lease'),
    ('a claim takes over an older lease', 'claim', "redis.call('HDEL', key, 'lease')\n        end", 'end'),
    ('what is stored is not looked at', 'accept', 'not (is_any_known and', 'not (false and'),
    ('an application is new twice in one call', 'accept', 'not first[id] and', ''),
    ('a first event is not due', 'accept', "redis.call('ZADD', due, unpack(entries))", ''),
    ("what was an older event's stays", 'application', "redis.call('HDEL', key, 'completed', 'trace',", "redis.call('HDEL', key,"),
    ('a claim does not move the fence', 'claim', 'generation = generation_after(application.gen)', 'generation = application.gen'),
    ('a pending application can expire', 'application', "redis.call('PERSIST', key)", ''),
    ('a newer seek-token keeps the history of the older one', 'application', "'http', 'history')\n    note_origin", "'http')\n    note_origin"),
    ('a delivered application stays for ever', 'settle', "redis.call('PEXPIRE', key, ttl)", ''),
    ('what is done stays due', 'settle', "redis.call('ZREM', due, unpack(done))", ''),
    ('a retry forgets what came of the last attempt', 'settle', "if not history then", "if true then"),
    ('an older outcome stays', 'settle', "if cleared[1] then", "if false then"),
    ('a dead application stays in dead', 'application', "redis.call('ZREM', dead, id)", ''),
    ('a replay forgets to be due', 'application', "redis.call('ZADD', due, digits(at), id)", ''),
    ('a replayed application stays in dead', 'application', "    redis.call('ZREM', dead, id)\n    redis.call('ZADD', due, digits(at), id)",
     "    redis.call('ZADD', due, digits(at), id)"),
    ('a replay of many comes all at once', 'replay_dead', 'next_us = next_us + gap_us', ''),
    ('a dry run is done', 'replay_dead', 'if is_done then', 'if true then'),
    ('a replay takes what another code killed', 'replay_dead', "(code == '' or code == last)", 'true'),
    ('a replay takes what died later', 'replay_dead', 'if tonumber(died) > latest then', 'if false then'),
    ('a replay skips an entry', 'page', 'high = middle\n', 'high = low\n'),
    ('a listing skips an entry', 'page', 'low = middle + 1', 'low = middle + 2'),
    ('a listing meets an entry twice', 'page', 'return #a > #b', 'return true'),
    ('a listing ends early', 'list', 'rank + looked < ', 'rank + looked + 1 < '),
    ('a pause is not respected', 'claim', "redis.call('EXISTS', paused) == 1", 'false'),
    ('a pause has no end', 'pause', "return redis.call('DEL', paused)", 'return 0'),
    ('a duplicate is sent again', 'accept', 'if is_owed and token == stored then', 'if false then'),
    ('a release costs an attempt', 'application', "redis.call('HINCRBY', key, 'attempts', -1) == 0", 'false'),
    ('what kills its worker never dies', 'claim', 'age > age_max', 'false'),
    ('a forgotten application stays due', 'forget', "redis.call('ZREM', due, id)", ''),
    ('what is drained twice comes back', 'drain', 'return stamp <= tonumber(spooled)', 'return false'),
    ('what was spooled overtakes', 'drain', 'math.floor(stamp / 1000) < tonumber(came or 0)', 'false'),
    ('a newer spooled seek-token is lost', 'drain', 'math.floor(stamp / 1000) < tonumber(came or 0)', 'true'),
    ('a stamp outlives its seek-token', 'application', "'received', 'spooled')", "'received')"),
    ('a command that was taken late makes older what came after it', 'application', 'if came and came > 0 then', 'if false then'),
    ('a claim is taken however late it comes', 'claim', 'now > tonumber(ARGV[7])', 'false'),
    ('a claim is not leased', 'claim', 'digits(now + lease_ms)', 'digits(now)'),
    ('a clock that was set back goes unnoticed', 'claim', 'if ahead <= tolerance then', 'if true then'),
    ('a mended lease ends early', 'claim', 'math.max(now, at - ahead)', 'now'),
    ('a lease is mended that began after', 'claim', 'straighten(id, 0)', ''),
    ('what is mended is mended again', 'claim', "redis.call('HSET', key, field, now_digits)", ''),
    ('mending changes the order', 'claim', "redis.call('HSET', key, 'received', accepted)", ''),
    ('a replaced seek-token comes back', 'accept', 'if was_replaced(application, token) then', 'if false then'),
    ('a replaced seek-token comes back as a draft', 'draft', 'if was_replaced(application, token) then', 'if false then'),
    ('a replaced seek-token comes back from a spool', 'drain', 'if was_replaced(application, token) then', 'if false then'),
    ("a draft's seek-token counts as sent", 'application', "application.state ~= 'draft' and application.token ~= token", 'application.token ~= token'),
    ('a superseded seek-token comes back', 'drain', 'note_outdated(prefix .. id, application, token)', ''),
    ('only one replaced seek-token is known', 'application', " .. (application.replaced or '')", ''),
    ('a mended event gets another time', 'claim', "redis.call('HSET', key, 'completed', accepted)", ''),
    ('a lost claim waits for its lease', 'claim', 'if last[1] > answered then', 'if false then'),
    ('a claim gives back what is being sent', 'claim', 'if last[1] > answered then', 'if last[1] ~= answered then'),
    ('a claim that is late takes something', 'claim', 'if last[1] >= number then', 'if false then'),
    ('a claim that is late is not known to be', 'claim', 'if #taken > 1 or number > answered + 1 then', 'if #taken > 1 then'),
    ('a lost claim costs an attempt', 'claim', 'release(id)', "redis.call('HSET', key, 'state', 'pending')\n        redis.call('ZADD', due, digits(now), id)"),
    ('a lost claim takes the newer seek-token for sent', 'claim', 'and end_lease(id, state, current, generation, lease)', ''),
    ('a forgotten attempt is overtaken', 'forget', 'if ends > now then', 'if false then'),
    ('a forgotten application comes back', 'application', "local is_there = state and state ~= 'draft'", 'local is_there = true'),
    ('what is left of a forgotten application stays', 'claim', 'elseif lease then', 'elseif false then'),
    ('what is forgotten is shown', 'list', 'return found and', 'return'),
    ('a draft takes the outcome of one that was forgotten', 'application', "local is_there = state and state ~= 'draft'", 'local is_there = state'),
]


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
                data = str(argument).encode()
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
            return None if rest == b'-1' else self.stream.read(int(rest) + 2)[:-2].decode()
        if kind == b'*':
            return [self.read() for _ in range(int(rest))]
        if kind == b'-':
            return AssertionError('Redis answered ' + rest.decode())
        return int(rest) if kind == b':' else rest.decode()


class Model:
    """What design and scripts agree on, in the plainest words: one dictionary per application."""

    def __init__(self):
        self.applications = {}  # id -> the hash's fields, all text
        self.due, self.dead = {}, {}  # id -> ms
        self.now_us = 0
        self.is_paused = False
        self.claims = {}  # claimer -> number of its last claim, and what that took: (id, generation)

    @property
    def now(self):
        return self.now_us // 1000

    def next_generation(self, entry):
        return str(max(int(entry.get('gen', 0)) + 1, self.now_us))

    def owe(self, id, token, event, completed, trace, stamp=None, came=0):
        old = self.applications.get(id, {})
        entry = {'state': 'pending', 'token': token, 'event': event,
                 'accepted': str(min(stamp // 1000, self.now) if stamp else self.now)}
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
        elif stamp or came:
            entry['spooled'] = str(stamp or min(came, self.now_us))
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

    def accept(self, id, token, event, completed, trace, came):
        old = self.applications.get(id, {})
        token = token or old.get('token')
        if not token:
            return 3
        is_owed = old.get('state', 'draft') != 'draft'
        if is_owed and token == old['token'] or self.was_replaced(old, token):
            return [old['state'], old.get('event', event) + ZEROS]
        self.owe(id, token, event, self.now if completed == -1 else completed, trace, came=came)
        return 2 if is_owed else 0

    def draft(self, id, token, event, came):
        old = self.applications.get(id, {})
        if old.get('token') == token or self.was_replaced(old, token):
            return old['state']
        if old.get('state') in ('pending', 'sending', 'dead'):
            self.owe(id, token, event, old.get('completed', old['accepted']), old.get('trace'), came=came)
            return 'pending'
        entry = {'state': 'draft', 'token': token, 'received': str(self.now)}
        if came:
            entry['spooled'] = str(min(came, self.now_us))
        entry |= {field: old[field] for field in ('gen', 'lease') if field in old}
        self.note_replaced(entry, old)
        self.applications[id] = entry
        return 'draft'

    def drain(self, kind, id, token, event, completed, trace, stamp):
        old = self.applications.get(id, {})
        state = old.get('state')
        if self.was_replaced(old, token):
            return 1
        came = int(old.get('received', old.get('accepted', 0))) * 1000
        is_older = stamp <= int(old['spooled']) if 'spooled' in old else stamp < came
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
        elif state in ('pending', 'sending', 'dead') or state == 'delivered' and int(old['accepted']) * 1000 > stamp:
            self.owe(id, token, event, old.get('completed', old['accepted']), old.get('trace'), stamp)
        else:
            entry = {'state': 'draft', 'token': token, 'spooled': str(stamp), 'received': str(min(stamp // 1000, self.now))}
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

    def mend_all(self):
        """The past of an application lies ahead: the clock was set back."""
        if not self.due or not self.mend(max(self.due, key=lambda id: (self.due[id], id))):
            return 0
        return 1 + sum(self.mend(id) for id in list(self.due))

    def mend(self, id):
        entry = self.applications.get(id, {})
        ahead = max(int(entry.get(field, 0)) for field in ('tried', 'replayed', 'accepted')) - self.now
        if ahead <= 1000:
            return 0
        self.due[id] = max(self.now, self.due[id] - ahead)
        self.straighten(entry)
        return 1

    def straighten(self, entry):
        if int(entry['accepted']) > self.now and not ('received' in entry or 'spooled' in entry):
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
            return [-1, len(self.due), 0, 0, 0, self.now]
        if last > answered:
            for id, generation in taken:
                self.give_back(id, generation)
        if self.is_paused:
            return [-1, len(self.due), 0, 1, 0, self.now]
        mended = self.mend_all()
        claims, expired, taken = [], 0, []
        for id in sorted((id for id in self.due if self.due[id] <= self.now), key=lambda id: (self.due[id], id))[:limit]:
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
            claims += [id, entry['token'], entry['event'] + ZEROS, entry.get('trace', ''), entry['gen'], entry['attempts'],
                       completed, age, entry.get('class', ''), str(int(is_expired))]
        if taken or number > answered + 1:
            self.claims[claimer] = number, taken
        soonest = max(0, min(self.due.values()) - self.now) if self.due else -1
        return [0 if mended else soonest, len(self.due), expired, 0, mended, self.now] + claims

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
        return state

    def revive(self, id, at):
        entry = self.applications[id]
        del entry['died'], self.dead[id]
        entry['state'], entry['replayed'] = 'pending', str(self.now)
        self.due[id] = at

    def replay_dead(self, code, is_done, limit, gap_us, latest, next_us, place):
        latest, next_us = self.now if latest == -1 else latest, max(next_us, self.now_us)
        looked, matched = 0, 0
        waiting = [entry for entry in behind(self.dead, place) if entry[0] <= latest]
        for died, id in waiting:
            if matched == limit:
                break
            looked, place = looked + 1, (died, id)
            if code in ('', self.applications[id].get('code')):
                matched += 1
                if is_done:
                    self.revive(id, next_us // 1000)
                    next_us += gap_us
        if looked == len(waiting):
            place = None
        return [looked, matched, str(latest), str(next_us), *written(place)]

    def list(self, state, code, limit, place):
        found, every = [], behind(self.dead if state == 'dead' else self.due, place)
        for looked, (time, id) in enumerate(every, 1):
            entry = self.applications.get(id)
            if entry and 'state' in entry and state in (entry['state'], 'due') and code in ('', entry.get('code')):
                found.append((id, str(time) if state != 'dead' else '', shown(entry)))
            place = (time, id) if looked < len(every) else None
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


def shown(entry):
    told = {'completed': entry['accepted']} if 'accepted' in entry else {}
    return told | written_down(entry) | ({'event': entry['event'] + ZEROS} if 'event' in entry else {})


def behind(times, place):
    """What stands behind a place, in Redis's order."""
    entries = sorted((time, id) for id, time in times.items())
    return [entry for entry in entries if place is None or entry > place]


def written(place):
    return ['', ''] if place is None else [str(place[0]), place[1]]


class Promises:
    """What users hold on to, judged from outside: from the answers and from what Redis keeps."""

    def __init__(self):
        self.newest = {}  # id -> the newest seek-token taken
        self.came = {}  # id -> when that came (us)
        self.drains = {}  # event -> how often it was drained: only the first time it may be new
        self.attempts = []  # every claim ever made
        self.generations = set()
        self.orphans = set()  # ids in due whose hash was deleted by hand: the next claim sees to them

    def taken(self, id, token, now_us, came):
        if self.newest.get(id) != token:
            self.newest[id], self.came[id] = token, min(came, now_us) or now_us // 1000 * 1000

    def drained(self, outcome, id, token, event, stamp):
        """One that is applied is newer than what was there, one that is superseded is not."""
        self.drains[event] = self.drains.get(event, 0) + 1
        came = self.came[id] if self.newest.get(id) not in (None, token) else 0
        assert outcome != 0 or stamp >= came, f'{id}: {token} of {stamp} is put over {self.newest[id]} of {came}'
        assert outcome != 2 or stamp <= came, f'{id}: {token} of {stamp} is superseded by {self.newest.get(id)} of {came}'
        if outcome == 0 and self.newest.get(id) != token:
            self.newest[id], self.came[id] = token, stamp

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
            event = event.removesuffix(ZEROS)
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


class Walk:
    def __init__(self, redis, scripts, seed):
        self.redis, self.random, self.promises, self.model = redis, random.Random(seed), Promises(), Model()
        self.model.now_us = 1_700_000_000_000_000
        redis.send(['FLUSHALL'])
        self.hashes = dict(zip(scripts, redis.send(*(['SCRIPT', 'LOAD', text] for text in scripts.values()))))
        self.events, self.trail = 0, []
        self.spooled, self.drained, self.stamp = [], 0, 0
        self.claimers = [{'name': name, 'number': 0, 'answered': 0} for name in ('one', 'two')]
        self.late = []
        self.behind_us = 0  # the clock was set back

    def call(self, script, *arguments):
        self.trail.append(f'{self.model.now} {script} {arguments}')
        return ['EVALSHA', self.hashes[script], 4, PREFIX, DUE, DEAD, PAUSED, *arguments]

    def event(self):
        self.events += 1
        return f'{self.events:08x}-0000-4000-8000-1234'

    def check(self, expected, command):
        questions = [question for id in IDS for question in (
            ['HGETALL', PREFIX + id], ['PTTL', PREFIX + id], ['ZSCORE', DUE, id], ['ZSCORE', DEAD, id])]
        _, answer, *kept = self.redis.send(['SET', CLOCK, self.model.now_us], command, *questions)
        self.trail[-1] += f' -> {answer}'
        assert answer == expected, f'answered {answer} instead of {expected}'
        return answer, list(zip(IDS, kept[0::4], kept[1::4], kept[2::4], kept[3::4]))

    def compare(self, kept):
        for id, fields, ttl, due, dead in kept:
            entry = dict(zip(fields[0::2], fields[1::2]))
            model = self.model
            self.promises.kept(id, entry, ttl, due, dead)
            expected = written_down(model.applications.get(id, {}))
            assert entry == expected, f'{id}: {entry} instead of {expected}'
            assert (due and int(due)) == model.due.get(id), f'{id}: due {due} instead of {model.due.get(id)}'
            assert (dead and int(dead)) == model.dead.get(id), f'{id}: dead {dead} instead of {model.dead.get(id)}'

    # --- one step of each kind ---

    def accept(self):
        arguments, expected = [], []
        for _ in range(self.random.choice([1, 1, 2, 4])):
            item = [self.random.choice(IDS), self.random.choice(TOKENS + ['', '']), self.event(),
                    self.random.choice([-1, self.model.now - 5000]), self.random.choice(['', 'trace']), self.arrival()]
            id, token, event, completed, trace, came = item
            more = '' if (completed, trace, came) == (-1, '', 0) else f'{completed} {came} {trace}'
            arguments += [id, token, event, more]
            result = self.model.accept(*item)
            expected.append(result)
            if result in (0, 2):
                self.promises.taken(item[0], item[1] or self.model.applications[item[0]]['token'], self.model.now_us, item[-1])
        return self.check(expected, self.call('accept', *arguments))[1]

    def draft(self):
        id, token, event, came = self.random.choice(IDS), self.random.choice(TOKENS), self.event(), self.arrival()
        before = self.model.applications.get(id, {}).get('token')
        expected = self.model.draft(id, token, event, came)
        if self.model.applications[id]['token'] != before:
            self.promises.taken(id, token, self.model.now_us, came)
        return self.check(expected, self.call('draft', id, token, event, TTL_MS, came))[1]

    def arrival(self):
        """When it came: 0 without a spool, a while ago if Redis stood still, a little later than now by another clock."""
        if self.random.random() < 0.8:
            return 0
        return self.model.now_us + self.random.choice([-3_000_000, -200, 100])

    def spool(self):
        """Redis does not hear of it yet."""
        kind, self.stamp = self.random.choice(['event', 'event', 'draft']), max(self.stamp + 1, self.model.now_us)
        completed = self.model.now if kind == 'event' else ''
        self.spooled.append([kind, self.random.choice(IDS), self.random.choice(TOKENS), self.event(), completed,
                             self.random.choice(['', 'trace']), self.stamp])
        self.trail.append(f'{self.model.now} spool {self.spooled[-1]}')
        return self.check(1, ['EXISTS', CLOCK])[1] if len(self.spooled) < 12 else self.drain()

    def drain(self):
        """In order; a crash begins anew."""
        records = self.spooled[self.drained:self.drained + self.random.choice([1, 2, 5])]
        expected = [self.model.drain(*record) for record in records]
        command = self.call('drain', TTL_MS, *(value for record in records for value in record))
        answer, kept = self.check(expected, command)
        for outcome, (_, id, token, event, *_, stamp) in zip(answer, records):
            self.promises.drained(outcome, id, token, event, stamp)
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
            return self.ask(self.late.pop(self.random.randrange(len(self.late))), None)
        self.trail.append(f'{self.model.now} hang')
        return self.check(1, ['EXISTS', CLOCK])[1]

    def ask(self, claim, claimer):
        """Without a claimer nobody hears the answer."""
        limit, name, number, answered, latest = claim
        expected = self.model.claim(*claim)
        command = self.call('claim', limit, LEASE_MS, AGE_MAX_MS, CLAIM + name, number, answered, latest)
        answer, kept = self.check(expected, command)
        self.promises.claimed(answer[6:], self.model.now, claimer is None)
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
            arguments += [attempt['id'], attempt['generation'], action, delay,
                          *(outcome.get(field, '') for field in ('class', 'code', 'message')), outcome.get('http', 0)]
            expected.append(self.model.settle(attempt['id'], attempt['generation'], action, delay, outcome))
            settled.append(attempt)
        _, kept = self.check(expected, self.call('settle', TTL_MS, *arguments))
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
        code, is_done = self.random.choice(['', 'FORBIDDEN', 'LEASE_EXPIRED']), self.random.random() < 0.7
        limit, gap_us, place = self.random.choice([1, 2, 100]), self.random.choice([50_000, 400]), self.place(self.model.dead)
        latest, next_us = self.random.choice([-1, self.model.now - 2000]), self.random.choice([-1, self.model.now_us + 7_000])
        expected = self.model.replay_dead(code, is_done, limit, gap_us, latest, next_us, place)
        return self.check(expected, self.call('replay_dead', code, int(is_done), limit, 1000, gap_us, latest, next_us,
                                              *written(place)))[1]

    def list(self):
        state = self.random.choice(['due', 'pending', 'sending', 'dead'])
        code, limit = self.random.choice(['', '', 'FORBIDDEN', 'UNAUTHENTICATED']), self.random.choice([1, 2, 200])
        place = self.place(self.model.dead if state == 'dead' else self.model.due)
        (time, id), found = self.model.list(state, code, limit, place)
        command = self.call('list', state, code, limit, 1000, *written(place))
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
        self.trail.append(f'{self.model.now} vanish {id}')
        return self.check(expected, ['DEL', PREFIX + id])[1]

    def step(self):
        self.model.now_us += int(self.random.choice([0, 0, 1, 200, 5e4, 3e5, 1e6, 4e6]))
        if self.random.random() < 0.003:
            self.model.now_us += AGE_MAX_MS * 1000
        if self.random.random() < 0.02:
            self.set_clock(self.random.choice([700_000, 5_000_000, 3600_000_000]) + self.random.randrange(100_000))
        kinds = [self.accept, self.draft, self.spool, self.drain, self.claim, self.hang, self.settle, self.replay, self.replay_dead, self.list, self.pause, self.forget,
                 self.vanish]
        self.compare(self.random.choices(kinds, weights=[20, 8, 8, 5, 30, 2, 36, 4, 5, 8, 2, 1.5, 0.5])[0]())
        # What settled long ago cannot come into anybody's way any more, save by its number.
        del self.promises.attempts[:-200]

    def set_clock(self, by_us):
        """Back, then ahead again. Back, a lease goes on for as long as it would have; ahead, it ends early."""
        self.behind_us, by_us = (0, -self.behind_us) if self.behind_us else (by_us, by_us)
        self.trail.append(f'{self.model.now} set back by {by_us / 1e6} s')
        self.model.now_us -= by_us
        for attempt in self.promises.attempts:
            attempt['ends'] -= max(0, by_us // 1000 + 1)

    def run(self, steps):
        """None, or what was found with the steps that led there."""
        for number in range(steps):
            try:
                self.step()
            except AssertionError as problem:
                return f'step {number}: {problem}\n  ' + '\n  '.join(self.trail[-12:])
        return None


def load_scripts(folder, bug=None):
    texts = {name: (folder / f'{name}.lua').read_text() for name in NAMES + ['application', 'page']}
    if bug is not None:
        _, script, old, new = bug
        assert old in texts[script], f'the bug does not fit {script}.lua any more: {old}'
        texts[script] = texts[script].replace(old, new)
    return {name: TEST_CLOCK + texts['application'] + (texts['page'] if name in PAGED else '') + texts[name]
            for name in NAMES}


def find_bugs(redis, folder, steps, seed):
    missed = 0
    for bug in BUGS:
        problem = Walk(redis, load_scripts(folder, bug), seed).run(steps)
        missed += problem is None
        print(f'{"MISSED" if problem is None else "found "} {bug[0]}: {(problem or "").partition(": ")[0]}')
    return missed


def main():
    parser = argparse.ArgumentParser(description='Check the scripts of the store against a model.')
    parser.add_argument('scripts', type=pathlib.Path)
    parser.add_argument('--steps', type=int, default=30000)
    parser.add_argument('--seed', type=int, default=None)
    parser.add_argument('--bugs', action='store_true')
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.randrange(1 << 32)
    print(f'seed {seed}', flush=True)
    with tempfile.TemporaryDirectory() as directory:
        redis = Redis(directory)
        try:
            if options.bugs:
                return find_bugs(redis, options.scripts, options.steps, seed)
            problem = Walk(redis, load_scripts(options.scripts), seed).run(options.steps)
            print(problem or f'{options.steps} steps, nothing found')
            return problem is not None
        finally:
            redis.close()


if __name__ == '__main__':
    sys.exit(main())
