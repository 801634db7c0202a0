"""The load generator (tests/support/loadgen) as a child of the lab, and what its log tells.

The generator writes JSON lines; tests/support/loadgen/tally.h says what they mean. All times are
Unix milliseconds. Standard library only.
"""

import json
import os

import process


class Log:
    """The lines so far. `update` reads what has come since the last call."""

    def __init__(self, path):
        self._path = path
        self._position = 0
        self.seconds = []
        self.taken_out = []
        self.first_errors = []
        self.refused_lower = []
        self.summary = None

    def update(self):
        with open(self._path, "rb") as file:
            file.seek(self._position)
            text = file.read()
        # A line that is still being written waits for the next call.
        whole = text.rfind(b"\n") + 1
        self._position += whole
        for line in text[:whole].splitlines():
            if not line.startswith(b"{"):
                raise process.LabError(f"the load generator says: {line.decode(errors='replace')}")
            self._take(json.loads(line))
        return self

    def _take(self, record):
        kind = record["kind"]
        if kind == "second":
            self.seconds.append(record)
        elif kind == "taken_out":
            self.taken_out.append(record)
        elif kind == "refused_lower":
            self.refused_lower.append(record)
        elif kind == "first_error":
            self.first_errors.append(record["at_ms"])
        elif kind == "summary":
            self.summary = record

    def last(self, count=1):
        """Sums over the newest full seconds."""
        names = ("sent", "ok", "errors", "refused", "failed", "taken_out")
        newest = self.seconds[-count:]
        return {name: sum(second[name] for second in newest) for name in names}


def first_refusal_below(refused_lower, width, since_ms):
    """When the first customer was refused whom `width` had admitted, or None."""
    return next((refusal["at_ms"] for refusal in refused_lower
                 if refusal["at_ms"] > since_ms and refusal["bucket"] < width), None)


class Load:
    """The running crowd."""

    def __init__(self, program, ports, path, seconds, **options):
        argv = [program, "--ports", ",".join(str(port) for port in ports), "--seconds", seconds]
        for name, value in options.items():
            argv += [f"--{name.replace('_', '-')}", value]
        self.child = process.Child(argv, log=path)
        self.log = Log(path)

    def wait_until(self, condition, timeout_s, what):
        """`condition` is called with the log, brought up to date."""
        return self.child.wait_until(lambda: condition(self.log.update()), timeout_s, what)

    def end(self):
        """Asks the crowd to go home; the log is complete afterwards."""
        self.child.stop(timeout_s=10.0)
        self.log.update()
        if self.log.summary is None:
            raise process.LabError(f"the load generator left no summary: {self.child.log_tail(3)}")
        return self.log

    def stop(self):
        self.child.stop()


def first_bad_second(seconds, since_ms):
    """When the first second began in which over half of the admitted answers were bad, or None.

    The second may begin at any tenth: it is the first tenth, not before `since_ms`, in which over
    half of the admitted answers are bad and over half of those of the ten tenths from it.
    """
    tenths = []
    for second in seconds:
        for index, (good, bad, _, _) in enumerate(second["tenths"]):
            tenths.append((second["at_ms"] + 100 * index, good, bad))
    tenths = [tenth for tenth in tenths if tenth[0] >= since_ms - 99]
    for index, (at_ms, good, bad) in enumerate(tenths[:-9]):
        window = tenths[index:index + 10]
        window_bad = sum(tenth[2] for tenth in window)
        window_good = sum(tenth[1] for tenth in window)
        if bad > good and window_bad > window_good:
            return at_ms
    return None
