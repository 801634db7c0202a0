"""Looks at what the load balancers enforce, many times a second, by their own word.

It asks them themselves (HAProxy on its stats socket, nginx on the probe's path), not the agents, so
that it sees what users get even while an agent or the controller is dead. Standard library only.
"""

import threading
import time


class Watcher:
    """A thread that samples until `stop`. `series[name]` is a list of (unix_ms, width), one entry
    per change and the newest look; unreachable load balancers leave no entry."""

    def __init__(self, load_balancers, every_s=0.05):
        self._load_balancers = load_balancers
        self._every_s = every_s
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._series = {balancer.name: [] for balancer in load_balancers}
        self._looks = {balancer.name: 0 for balancer in load_balancers}
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self):
        self._ended.set()
        self._thread.join()

    def series(self):
        with self._lock:
            return {name: list(entries) for name, entries in self._series.items()}

    def looks(self):
        """How often each was seen."""
        with self._lock:
            return dict(self._looks)

    def widths(self):
        """What each enforced at the newest look, None if it was never seen."""
        with self._lock:
            return {name: entries[-1][1] if entries else None
                    for name, entries in self._series.items()}

    def _run(self):
        while not self._ended.wait(self._every_s):
            for balancer in self._load_balancers:
                try:
                    width = balancer.width()
                except (OSError, ValueError):
                    continue
                self._note(balancer.name, int(time.time() * 1000), width)

    def _note(self, name, at_ms, width):
        with self._lock:
            self._looks[name] += 1
            entries = self._series[name]
            if not entries or entries[-1][1] != width:
                entries.append((at_ms, width))


def rises(series, since_ms, until_ms):
    """(at_ms, from, to) of each time that one load balancer's width was seen to rise."""
    return [(after[0], before[1], after[1]) for before, after in zip(series, series[1:])
            if after[1] > before[1] and since_ms <= after[0] <= until_ms]


def falls(series, since_ms, until_ms):
    return [(after[0], before[1], after[1]) for before, after in zip(series, series[1:])
            if after[1] < before[1] and since_ms <= after[0] <= until_ms]
