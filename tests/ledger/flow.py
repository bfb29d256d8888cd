# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""When things flow again after a fault. A prober per replica posts all the time; what it posts after the fault's end has to
be acknowledged and to reach SEEK. Pure: records in, seconds out."""
import bisect
import collections
import math

from shards import shard_of

PROBES_ENOUGH = 300  # the first of them decide, but a later one may get through before
REACH_S = 120        # faults further apart do not touch each other
GAP_MARGIN_S = 2.0   # a replica that has just come to life does not know all nodes yet


def hit_by(disturbance, prober):
    """Its probes of the shards in question."""
    if disturbance.shards is None:
        return prober.probes
    return [post for post in prober.probes if shard_of(post.application) in disturbance.shards]


def flowing(moment, probes, arrived):
    """When the first of them that was posted after the moment had got through."""
    first = bisect.bisect_left(probes, moment, key=lambda post: post.answered_from)
    return min((max(post.ended, arrived[post.token]) for post in probes[first:first + PROBES_ENOUGH] if post.token in arrived),
               default=math.inf)


def is_normal_since(moment, probers, arrived):
    return all(flowing(moment, prober.probes, arrived) < math.inf for prober in probers)


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
    return [p for p in probers if disturbance.target in (p.replica.name, "redis", "seek", "replicas", "clients")
            and is_within(disturbance, p)]


def is_within(disturbance, prober):
    """A few shards of those that a prober has are met too seldom to tell when they are there again."""
    return disturbance.shards is None or 2 * len(prober.shards & disturbance.shards) > len(prober.shards)


def beginning(disturbance, probers, arrivals):
    end = disturbance.ended
    moments = [arrivals[at] if (at := bisect.bisect(arrivals, end)) < len(arrivals) else math.inf]
    for prober in concerned(disturbance, probers):
        probes = hit_by(disturbance, prober)
        at = bisect.bisect_left(probes, end, key=lambda post: post.answered_from)
        moments.append(probes[at].ended if at < len(probes) else math.inf)
    return max(moments) - end


def recovery(disturbance, near, probers, arrived):
    end, latest = disturbance.ended, None
    for prober in concerned(disturbance, probers):
        name = prober.replica.name
        others = [d for d in near if d.target in (name, "redis", "seek", "replicas") and is_within(d, prober)]
        is_hidden = any(d.began <= end and flowing(d.ended, hit_by(d, prober), arrived) > end for d in others)
        flow = flowing(end, hit_by(disturbance, prober), arrived)
        if is_hidden or any(end < d.began < flow for d in others):
            if disturbance.target == name:
                return None
            continue
        latest = max(latest or 0.0, flow - end)
    return None if latest is None or latest == math.inf else latest


def gaps(disturbances, probers):
    """By fault of some shards: the longest time, each time, in which one replica acknowledged nothing of all the others. A
    replica that another fault had in hand meanwhile tells nothing."""
    found = collections.defaultdict(list)
    for disturbance in disturbances:
        if disturbance.shards is not None:
            longest = [gap for replica in {prober.replica.name for prober in probers}
                       if (gap := gap_of(replica, disturbance, disturbances, probers)) is not None]
            found[disturbance.fault] += [max(longest)] if longest else []
    return found


def gap_of(replica, disturbance, disturbances, probers):
    begin, end = disturbance.began, disturbance.ended
    if any(d.began - GAP_MARGIN_S < end and d.ended + GAP_MARGIN_S > begin for d in disturbances
           if d.target in (replica, "replicas")):
        return None
    moments = sorted(post.ended for prober in probers if prober.replica.name == replica for post in prober.probes
                     if begin < post.ended < end and shard_of(post.application) not in disturbance.shards)
    if not moments and all(prober.shards <= disturbance.shards for prober in probers):
        return None
    return max(after - before for before, after in zip([begin, *moments], [*moments, end]))
