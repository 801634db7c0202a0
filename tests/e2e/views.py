"""What the CLI's JSON says, in the words of the story: gates and timelines. Pure functions."""

import dataclasses


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
    restoration = gate.get("restoration", {})
    return View(share_ppm=gate["share_ppm"], no_raise=gate["no_raise"],
                phase=restoration.get("phase", "").removeprefix("PHASE_"),
                doing=restoration.get("doing", ""), waits_for=restoration.get("waits_for", []),
                retreats=restoration.get("record", {}).get("retreats", 0))


@dataclasses.dataclass(frozen=True)
class Entry:
    """One decision about the gate."""

    at_ms: int
    epoch: int
    share_ppm: int
    no_raise: bool
    what: str
    text: str


def entries(timeline):
    """The decisions about the gate, oldest first; the beginnings of reigns are left out."""
    found = []
    for entry in timeline["entries"]:
        record = entry["record"]
        if "gate_changed" not in record:
            continue
        changed = record["gate_changed"]
        found.append(Entry(at_ms=int(record["at_unix_ms"]), epoch=int(record["epoch"]),
                           share_ppm=changed["state"]["share_ppm"],
                           no_raise=changed["state"]["no_raise"],
                           what=changed["cause"]["what"], text=entry["text"]))
    return found


def raises_allowed_after(decisions, restart_ms):
    """When the reign that began after that moment first allowed raises; None if it has not."""
    for entry in decisions:
        if entry.at_ms > restart_ms and not entry.no_raise:
            return entry.at_ms
    return None
