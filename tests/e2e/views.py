"""What the CLI's JSON says, in the words of the story: gates and timelines. Pure functions."""

import dataclasses

from headgate import field


@dataclasses.dataclass(frozen=True)
class View:
    """One look at a gate."""

    share_ppm: int
    phase: str
    doing: str
    waits_for: list
    no_raise: bool
    retreats: int


def view(gate):
    restoration = field(gate, "restoration", {})
    record = field(restoration, "record", {})
    return View(share_ppm=int(field(gate, "share_ppm", 0)),
                phase=field(restoration, "phase", "").removeprefix("PHASE_"),
                doing=field(restoration, "doing", ""),
                waits_for=field(restoration, "waits_for", []),
                no_raise=bool(field(gate, "no_raise", False)),
                retreats=int(field(record, "retreats", 0)))


@dataclasses.dataclass(frozen=True)
class Entry:
    """One decision about the gate."""

    at_ms: int
    epoch: int
    share_ppm: int
    what: str
    text: str


def entries(timeline):
    """The decisions about the gate, oldest first; the beginnings of reigns are left out."""
    found = []
    for entry in field(timeline, "entries", []):
        record = field(entry, "record", {})
        changed = field(record, "gate_changed")
        if changed is None:
            continue
        state = field(changed, "state", {})
        found.append(Entry(at_ms=int(field(record, "at_unix_ms", 0)),
                           epoch=int(field(record, "epoch", 0)),
                           share_ppm=int(field(state, "share_ppm", 0)),
                           what=field(field(changed, "cause", {}), "what", ""),
                           text=field(entry, "text", "")))
    return found


def first_raise_after(decisions, at_ms):
    """When the share was first decided to rise after that moment; None if it was not."""
    for before, after in zip(decisions, decisions[1:]):
        if after.at_ms > at_ms and after.share_ppm > before.share_ppm:
            return after.at_ms
    return None
