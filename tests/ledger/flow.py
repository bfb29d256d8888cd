# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""When things flow again after a fault. A prober per replica posts all the time; what it posts after the fault's end has to
be acknowledged and to reach SEEK. Pure: records in, seconds out."""
import bisect
import collections
import math

PROBES_ENOUGH = 300  # the first of them decide, but a later one may get through before
REACH_S = 120        # faults further apart do not touch each other


def flowing(moment, prober, arrived):
    """When the first probe that was posted after the moment had got through."""
    probes = prober.probes
    first = bisect.bisect_left(probes, moment, key=lambda post: post.answered_from)
    return min((max(post.ended, arrived[post.token]) for post in probes[first:first + PROBES_ENOUGH] if post.token in arrived),
               default=math.inf)


def is_normal_since(moment, probers, arrived):
    return all(flowing(moment, prober, arrived) < math.inf for prober in probers)


def recoveries(disturbances, probers, arrived):
    """By fault, a pair of seconds from its end: until each replica that it concerned took an event again and SEEK got some
    signal, and until an event that each of these took then got through, behind all that had gathered. What another fault
    had a hand in is left out: it had not been overcome when this one ended, or the next one came before."""
    times, arrivals = collections.defaultdict(list), sorted(arrived.values())
    for disturbance in disturbances:
        near = [d for d in disturbances if d is not disturbance
                and d.began < disturbance.ended + REACH_S and d.ended > disturbance.began - REACH_S]
        normal = recovery(disturbance, near, probers, arrived)
        if normal is not None:
            first = min(normal, beginning(disturbance, probers, arrivals))
            times[disturbance.fault].append((first, normal))
    return times


def concerned(disturbance, probers):
    return [p for p in probers if disturbance.target in (p.replica.name, "redis", "seek", "replicas", "clients")]


def beginning(disturbance, probers, arrivals):
    end = disturbance.ended
    moments = [arrivals[at] if (at := bisect.bisect(arrivals, end)) < len(arrivals) else math.inf]
    for prober in concerned(disturbance, probers):
        at = bisect.bisect_left(prober.probes, end, key=lambda post: post.answered_from)
        moments.append(prober.probes[at].ended if at < len(prober.probes) else math.inf)
    return max(moments) - end


def recovery(disturbance, near, probers, arrived):
    end, latest = disturbance.ended, None
    for prober in concerned(disturbance, probers):
        name = prober.replica.name
        others = [d for d in near if d.target in (name, "redis", "seek", "replicas")]
        is_hidden = any(d.began <= end and flowing(d.ended, prober, arrived) > end for d in others)
        flow = flowing(end, prober, arrived)
        if is_hidden or any(end < d.began < flow for d in others):
            if disturbance.target == name:
                return None
            continue
        latest = max(latest or 0.0, flow - end)
    return None if latest is None or latest == math.inf else latest
