"""Whether users who were let in stayed in. Pure functions over two logs.

A **violation** is a user with an issued cookie who was admitted and is refused although no
lowering came between. Exactly:

 * The load generator reports each refusal of somebody whose request before it was admitted, with
   the user's bucket, when the admitted request was sent and when the refusal arrived. The two
   decisions of the load balancers lie between these times.
 * A lowering to share S took place between the time at which the controller decided it and the
   time at which the last load balancer was seen to obey.
 * The refusal is rightful if a lowering took place at some moment between the two decisions, and
   the user's bucket is not among those that S still admits. Everything else is a violation: a
   retreat does not excuse the refusal of somebody whom the lower share still admits.

All times are Unix milliseconds of one machine.
"""

import dataclasses

BUCKETS = 1 << 20


def width(share_ppm):
    """A user is admitted iff bucket < width: ceil(share_ppm * 2^20 / 10^6)."""
    return -(-share_ppm * BUCKETS // 1_000_000)


@dataclasses.dataclass(frozen=True)
class Lowering:
    share_ppm: int
    decided_ms: int
    # When every load balancer was seen at this share or below.
    settled_ms: int


def is_rightful(taken_out, lowerings):
    return any(
        lowering.decided_ms <= taken_out["refused_ms"]
        and lowering.settled_ms >= taken_out["admitted_sent_ms"]
        and taken_out["bucket"] >= width(lowering.share_ppm)
        for lowering in lowerings)


def violations(taken_out, lowerings):
    """The reports of the load generator that no lowering excuses."""
    return [report for report in taken_out if not is_rightful(report, lowerings)]


def lowerings_of(steps, samples, patience_ms=2_000):
    """The lowerings of a course of shares.

    `steps`: (at_ms, share_ppm) of each decision, oldest first. `samples`: per load balancer, a
    list of (at_ms, width) as it was seen to enforce, oldest first. A lowering that no sample shows
    as obeyed counts as settled after `patience_ms`, within which an agent has to confirm.
    """
    found = []
    for before, (at_ms, share_ppm) in zip(steps, steps[1:]):
        if share_ppm >= before[1]:
            continue
        seen = [_first_at_or_below(series, at_ms, width(share_ppm)) for series in samples]
        settled_ms = max((seen_ms if seen_ms is not None else at_ms + patience_ms)
                         for seen_ms in seen) if seen else at_ms + patience_ms
        found.append(Lowering(share_ppm, at_ms, settled_ms))
    return found


def _first_at_or_below(series, since_ms, bound):
    in_force = None
    for at_ms, seen in series:
        if at_ms >= since_ms:
            if in_force is not None and in_force <= bound:
                return since_ms
            if seen <= bound:
                return at_ms
        in_force = seen
    return since_ms if in_force is not None and in_force <= bound else None
