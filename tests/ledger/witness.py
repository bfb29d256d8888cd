# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Reads the sandbox's ledger all the time and keeps it: the sandbox forgets everything when it ends."""
import contextlib
import dataclasses
import threading


@dataclasses.dataclass(frozen=True)
class Call:
    order: int        # over all lives of the sandbox
    received: float   # time.monotonic(): the same clock on the same machine
    token: str
    outcome: str      # delivered, or why not
    fault: str
    user_agent: str
    request_id: str
    timestamp: str

    @property
    def is_delivered(self):
        return self.outcome == "delivered"

    @property
    def event(self):
        """All attempts for one event have its id in front; the last eight digits count them."""
        return self.request_id[:-8]

    def gap(self, other):
        return self.received - other.received


class Witness:
    def __init__(self, world):
        self.world = world
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.after = 0
        self.calls = []
        self.arrived = {}  # seek-token: when SEEK took it first
        self.thread = threading.Thread(target=self.run, name="witness", daemon=True)

    def start(self):
        self.thread.start()

    def run(self):
        while not self.stopping.wait(0.3):
            with self.lock, contextlib.suppress(OSError):
                self.read()

    def read(self):
        """All that is new. Holding the lock."""
        while True:
            page = self.world.sandbox.control("GET", f"/ledger?after={self.after}&limit=2000")
            for call in page["calls"]:
                if call["kind"] == "graphql":
                    self.note(Call(len(self.calls), call["monotonicUs"] / 1e6, call["seekToken"], call["outcome"],
                                   call["fault"], call["userAgent"], call["requestId"], call["timestamp"]))
            if not page["calls"]:
                return
            self.after = page["next"]

    def note(self, call):
        self.calls.append(call)
        if call.is_delivered:
            self.arrived.setdefault(call.token, call.received)

    @contextlib.contextmanager
    def closing(self):
        """Around the end of one life of the sandbox and the begin of its next."""
        with self.lock:
            self.read()
            yield
            self.after = 0

    def stop(self):
        self.stopping.set()
        self.thread.join()
        with self.lock:
            self.read()
