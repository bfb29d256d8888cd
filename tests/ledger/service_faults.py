# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""What happens to the replicas of the service, and what clients do to them."""
import contextlib
import signal
import socket

from injection import Fault


def kill_replica(it):
    with it.replica() as replica, it.disturbance(replica.name, [replica.user_agent]):
        replica.kill()
        it.hold()
        replica.start()


def kill_all_replicas(it):
    with contextlib.ExitStack() as stack:
        held = [replica for replica in it.world.replicas if replica.lock.acquire(timeout=0.05)]
        for replica in held:
            stack.callback(replica.lock.release)
        with it.disturbance("replicas", [replica.user_agent for replica in held]):
            for replica in held:
                replica.kill()
            it.hold()
            for replica in held:
                replica.start()


def stop_replica(it):
    with it.replica() as replica, it.disturbance(replica.name, [replica.user_agent]):
        replica.service.send(signal.SIGSTOP)
        it.hold()
        replica.service.send(signal.SIGCONT)


def restart_replica(it):
    with it.replica() as replica, it.disturbance(replica.name, [replica.user_agent]):
        replica.stop()
        replica.start()


def crowd(it):
    """Connections that begin a request and never end it, then all go at once."""
    head = b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    with it.replica() as replica, it.disturbance("clients"), contextlib.ExitStack() as stack:
        host, port = replica.address.split(":")
        for _ in range(it.random.randint(20, 200)):
            with contextlib.suppress(OSError):
                connection = stack.enter_context(socket.create_connection((host, int(port)), timeout=1))
                connection.sendall(head[:it.random.randint(1, len(head))])
        it.hold()


FAULTS = [
    #     name              lane       inject             least most long
    Fault("kill",           "deaths",  kill_replica,       0.0,  2.0, 10, "kill -9 of a replica", 3),
    Fault("kill-all",       "deaths",  kill_all_replicas,  0.0,  1.0,  5, "kill -9 of all replicas at once"),
    Fault("restart",        "deaths",  restart_replica,    0.0,  0.0,  0, "SIGTERM of a replica, and its next start", 2),
    Fault("stop",           "stops",   stop_replica,      10.0, 12.0, 30, "SIGSTOP of a replica beyond its leases, then SIGCONT"),
    Fault("pause",          "stops",   stop_replica,       0.3,  3.0,  6, "SIGSTOP of a replica within its leases, then SIGCONT"),
    Fault("clients",        "clients", crowd,              0.5,  2.0, 10, "connections that never finish their request"),
]
