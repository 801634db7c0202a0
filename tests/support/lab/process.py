"""Children of the test lab: started, watched and stopped by pid. Standard library only.

A child dies with its parent (PR_SET_PDEATHSIG), so that a crashed test or demo leaves nothing
behind. Linux delivers that signal when the *thread* that started the child ends: start children
from the main thread, or from one that lives as long as they should.
"""

import contextlib
import ctypes
import os
import pwd
import random
import signal
import socket
import subprocess
import time

_PR_SET_PDEATHSIG = 1
# Loaded here: a child between fork and exec must not import or load anything.
_LIBC = ctypes.CDLL(None, use_errno=True)


class LabError(RuntimeError):
    """Something the lab was asked to do did not happen; the text says what and why."""


_handed_out = set()


def free_port():
    """A TCP port on 127.0.0.1 that was free a moment ago; this process is given each but once."""
    while True:
        # Below those that the system gives to whoever connects somewhere (ip_local_port_range): one
        # of these may be anybody's by the time that a server comes back to it.
        port = random.randint(10_000, 32_000)
        with contextlib.closing(socket.socket()) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in _handed_out:
            _handed_out.add(port)
            return port


def wait_for(condition, timeout_s, what, every_s=0.02):
    """Calls `condition` until it answers something true, and returns that.

    An exception of the condition counts as "not yet" and is told if the deadline passes.
    """
    deadline = time.monotonic() + timeout_s
    last_error = None
    while True:
        try:
            answer = condition()
            if answer:
                return answer
            last_error = None
        except Exception as error:  # pylint: disable=broad-except
            last_error = error
        if time.monotonic() >= deadline:
            because = f": {last_error}" if last_error else ""
            raise LabError(f"gave up after {timeout_s:g} s waiting until {what}{because}")
        time.sleep(every_s)


def accepts_connections(port, host="127.0.0.1"):
    """Whether something listens there."""
    try:
        with contextlib.closing(socket.create_connection((host, port), timeout=0.5)):
            return True
    except OSError:
        return False


def accepts_connections_at(path):
    """The same of a socket in the file system."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(path)
        except OSError:
            return False
    return True


def children(pid):
    """The pids of its living children that its main thread started."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def descendants(pid):
    """The pids of all living descendants of `pid`, nearest first."""
    found = []
    ring = [pid]
    while ring:
        nearest = children(ring.pop(0))
        found += nearest
        ring += nearest
    return found


def cpu_s(pid):
    """User and system time of all its threads: exact where the kernel keeps that, else in ticks."""
    try:
        used_ns = 0
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
                used_ns += int(file.read().split()[0])
        if used_ns > 0:
            return used_ns / 1e9
    except OSError:
        pass  # a kernel without it
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _has_stopped(pid):
    """Whether none of its threads runs any more."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return True  # it is gone
    for thread in threads:
        try:
            with open(f"/proc/{pid}/task/{thread}/stat", encoding="ascii", errors="replace") as file:
                state = file.read().rpartition(")")[2].split()[0]
        except OSError:
            continue  # this one is gone
        if state not in "TtZX":
            return False
    return True


def _signal(pid, number):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


class Child:
    """One process of ours. Not thread-safe.

    `argv`: program and arguments. `log`: path of a file that takes its output (appended), or None
    to throw it away. `user`: whom it runs as; changed only when we are root. `env`: added to ours.
    `stop_signal`: what asks it to end. Further keywords go to subprocess.Popen.
    """

    def __init__(self, argv, log=None, user=None, env=None, stop_signal=signal.SIGTERM, cwd=None,
                 **popen):
        self.argv = [str(word) for word in argv]
        self.name = os.path.basename(self.argv[0])
        self.log = log
        self._stop_signal = stop_signal
        if user is not None and os.geteuid() == 0:
            account = pwd.getpwnam(user)
            popen |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        parent = os.getpid()

        def die_with_parent():
            # Runs after the change of user, which would clear the setting.
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != parent:  # the parent died before the line above
                os.kill(os.getpid(), signal.SIGKILL)

        output = open(log, "ab") if log else subprocess.DEVNULL
        try:
            self._process = subprocess.Popen(  # pylint: disable=subprocess-popen-preexec-fn
                self.argv,
                **({"stdin": subprocess.DEVNULL, "stdout": output, "stderr": subprocess.STDOUT}
                   | popen),
                env=os.environ | (env or {}),
                cwd=cwd,
                start_new_session=True,  # Ctrl-C is for us; we stop our children in order
                preexec_fn=die_with_parent)
        finally:
            if log:
                output.close()

    @property
    def pid(self):
        return self._process.pid

    @property
    def popen(self):
        """The subprocess.Popen beneath, for its pipes."""
        return self._process

    def is_running(self):
        return self._process.poll() is None

    def exit_code(self):
        """None while it runs; negative: ended by that signal."""
        return self._process.poll()

    def signal(self, number):
        if self.is_running():
            _signal(self.pid, number)

    def pause(self):
        """SIGSTOP to it and to its descendants: a machine that hangs, connections and all.

        When this returns nothing of it runs any more: the signal alone would let a thread that is
        on a processor send one more answer.
        """
        ring = [self.pid]
        while ring:
            pid = ring.pop(0)
            _signal(pid, signal.SIGSTOP)
            wait_for(lambda pid=pid: _has_stopped(pid), 10, f"{pid} ({self.name}) has stopped", 0.002)
            ring += children(pid)  # one that has stopped starts no more of them

    def resume(self):
        for pid in descendants(self.pid) + [self.pid]:
            _signal(pid, signal.SIGCONT)

    def stop(self, timeout_s=5.0):
        """Asks it to end, then kills it. Returns its exit code. May be called again."""
        if self.is_running():
            self.resume()
            self.signal(self._stop_signal)
            try:
                self._process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self.kill()
        return self._process.wait()

    def kill(self):
        """SIGKILL, to its descendants too, and waits until it is gone."""
        family = descendants(self.pid)
        self.signal(signal.SIGKILL)
        for pid in family:
            _signal(pid, signal.SIGKILL)
        return self._process.wait()

    def wait_until(self, condition, timeout_s, what):
        """wait_for, but fails at once, with the end of its log, when the child ends before."""
        def alive_and_condition():
            if not self.is_running():
                return "ended"
            return condition()
        answer = wait_for(alive_and_condition, timeout_s, what)
        if answer == "ended":
            raise LabError(f"{self.name} ended with {self.exit_code()} before {what}\n"
                           f"{self.log_tail()}")
        return answer

    def log_tail(self, lines=20):
        if not self.log:
            return ""
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-lines:])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def run(argv, user=None, timeout_s=30.0, env=None, stdin_text=None):
    """Runs a short command to its end and returns its output; fails loudly."""
    extra = {}
    if user is not None and os.geteuid() == 0:
        account = pwd.getpwnam(user)
        extra = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    done = subprocess.run([str(word) for word in argv], input=stdin_text, capture_output=True,
                          text=True, timeout=timeout_s, env=os.environ | (env or {}), check=False,
                          cwd="/", **extra)
    if done.returncode != 0:
        raise LabError(f"{' '.join(str(word) for word in argv)} ended with {done.returncode}: "
                       f"{done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def exit_on_signals():
    """SIGTERM, SIGHUP and SIGINT end the program through its `finally` clauses."""
    def leave(number, _frame):
        raise SystemExit(128 + number)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, leave)
