# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""What the seed decides: the posts of each client and the faults of each lane, as endless sequences.

How far a run gets in them depends on the machine; what comes next never does.
"""
import dataclasses
import random

REFUSED = "refused"  # seek-tokens with this in them are refused by the sandbox, so that their applications die


@dataclasses.dataclass(frozen=True)
class Item:
    application: str
    token: str      # of a completion without one: the one that was put before
    has_token: bool = True
    is_late: bool = False  # an older one, posted once more behind a newer one


@dataclasses.dataclass(frozen=True)
class Step:
    form: str       # event, array, ndjson, wait, draft, replay
    manner: str     # proper; slow: byte by byte; gone: closed before the answer; half: closed before the end
    items: tuple
    gives_up: bool  # at the first failure, instead of posting again until there is an answer


class Posts:
    """The steps of one client. Its applications are its own, so that it knows the order of what it posts."""

    RECENT = 40

    def __init__(self, seed, client):
        self.random = random.Random(f"{seed}/posts/{client}")
        self.client = client
        self.count = 0
        self.recent = []   # [application, newest seek-token, whether that one is only put, the one before], newest last
        self.refused = []  # applications
        self.forms = {self.new: 28, self.half: 2, self.replacement: 20, self.batch: 20, self.repeat: 10, self.draft: 8,
                      self.redraft: 6, self.completion: 8, self.refusal: 4, self.replay: 5, self.wait: 3, self.late: 6}

    def __iter__(self):
        while True:
            make = self.random.choices(list(self.forms), list(self.forms.values()))[0]
            step = make()
            if step is not None:
                yield step

    def token(self, word="token"):
        self.count += 1
        return f"{word}-{self.client}-{self.count}"

    def add(self, word="token", is_put=False):
        application, token = f"A-{self.client}-{self.count + 1}", self.token(word)
        self.recent = self.recent[-self.RECENT:] + [[application, token, is_put, None]]
        if word == REFUSED:
            self.refused = self.refused[-self.RECENT:] + [application]
        return Item(application, token)

    def pick(self, is_put=None):
        """Mostly one of the latest, whose signal may still be on its way."""
        entries = [e for e in self.recent if is_put is None or e[2] == is_put]
        if not entries:
            return None
        return entries[-1 - min(int(self.random.expovariate(0.3)), len(entries) - 1)]

    def step(self, form, items):
        manner = self.random.choices(("proper", "slow", "gone"), (92, 3, 5))[0]
        return Step(form, manner, tuple(items), self.random.random() < 0.1)

    def new(self):
        return self.step("event", [self.add()])

    def half(self):
        """Never taken, so never repeated or replaced."""
        return Step("event", "half", (Item(f"A-{self.client}-{self.count + 1}", self.token()),), True)

    def refusal(self):
        return self.step("event", [self.add(REFUSED)])

    def wait(self):
        return self.step("wait", [self.add()])

    def draft(self):
        return self.step("draft", [self.add(is_put=True)])

    def known(self, change):
        entry = self.pick()
        if entry is None:
            return None
        if change:
            entry[1], entry[3] = self.token(), entry[1] if not entry[2] else None
        entry[2] = False
        return Item(entry[0], entry[1])

    def repeat(self):
        entry = self.pick(is_put=False)
        return entry and self.step("event", [Item(entry[0], entry[1])])

    def replacement(self):
        item = self.known(change=True)
        return item and self.step("event", [item])

    def redraft(self):
        entry = self.pick()
        if entry is None:
            return None
        entry[1:] = self.token(), True, entry[1] if not entry[2] else None
        return self.step("draft", [Item(entry[0], entry[1])])

    def late(self):
        """What an event had brought comes once more, behind a newer seek-token: an ATS that catches up with its queue."""
        older = [entry for entry in self.recent if entry[3] is not None]
        if not older:
            return None
        entry = self.random.choice(older[-4:])
        return self.step("event", [Item(entry[0], entry[3], is_late=True)])

    def completion(self):
        entry = self.pick(is_put=True)
        if entry is None:
            return None
        entry[2] = False
        return self.step("event", [Item(entry[0], entry[1], has_token=False)])

    def batch(self):
        items = []
        for _ in range(self.random.randint(2, 15)):
            kind = self.random.random()
            item = self.add() if kind < 0.6 else self.known(change=kind < 0.8)
            if item is not None:
                items.append(item)
        return self.step(self.random.choice(("array", "ndjson")), items)

    def replay(self):
        if not self.refused:
            return None
        return self.step("replay", [Item(self.random.choice(self.refused), "")])


@dataclasses.dataclass(frozen=True)
class Planned:
    fault: object   # a row of faults.FAULTS
    pause_s: float  # before it
    duration_s: float
    draw: int       # decides everything else about it


def schedule(seed, lane, faults, pause_s, is_long):
    """Endless: each fault of the lane comes once before any comes again."""
    random_ = random.Random(f"{seed}/faults/{lane}")
    while faults:
        bag = [fault for fault in faults for _ in range(fault.weight)]
        random_.shuffle(bag)
        for fault in bag:
            duration_s = random_.uniform(fault.least_s, fault.most_s)
            if random_.random() < 0.1 and is_long:
                duration_s = fault.long_s
            yield Planned(fault, random_.uniform(*pause_s), duration_s, random_.getrandbits(32))
