# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Stops one thread of a process and lets it go again: a loop that is wedged while the others turn."""
import contextlib
import ctypes
import os
import pathlib

import pytest

from stand import eventually

PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WALL = 0x40000000  # waitpid: threads too

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def ptrace(request, tid):
    if libc.ptrace(request, tid, None, None) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def threads(process):
    """The name of each thread and its id."""
    found = {}
    for task in pathlib.Path(f"/proc/{process.child.pid}/task").iterdir():
        with contextlib.suppress(OSError):  # it ended meanwhile
            found.setdefault((task / "comm").read_text().strip(), int(task.name))
    return found


@contextlib.contextmanager
def held(process, name):
    """While this is open the thread does nothing; the first thread has the program's name."""
    tid = process.child.pid if name == "main" else eventually(lambda: threads(process).get(name), f"a thread {name}")
    try:
        ptrace(PTRACE_SEIZE, tid)
    except PermissionError:
        pytest.skip("ptrace is not permitted here (CAP_SYS_PTRACE): no thread can be stopped alone")
    ptrace(PTRACE_INTERRUPT, tid)
    os.waitpid(tid, WALL)
    try:
        yield
    finally:
        try:
            ptrace(PTRACE_DETACH, tid)
        except ProcessLookupError:  # the process has ended; its end is only seen once this thread's is
            os.waitpid(tid, WALL)
