#!/usr/bin/env python3
"""What systemd hears of the two services: that they are ready, that they live, how they are and that
they stop; and that it hears nothing more of one whose working thread hangs."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../support/lab"))
# pylint: disable=wrong-import-position
import lab
import process

WATCHDOG_S = 0.6
AGENT = """\
controllers: ["127.0.0.1:{port}"]
name: edge-1
plaintext: true
state_dir: {folder}/state
gates:
  - name: shop
    haproxy:
      socket: {folder}/none.sock
      map: {folder}/shop.map
      app_backend: app
      probe_url: http://127.0.0.1:{port}/.headgate/probe
"""
PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def _ptrace(request, thread):
    if _LIBC.ptrace(request, thread, None, None) != 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request:#x} of thread {thread}")


def _thread_of(pid, name):
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/comm", encoding="ascii") as file:
            if file.read().strip() == name:
                return int(task)
    raise process.LabError(f"process {pid} has no thread '{name}'")


@contextlib.contextmanager
def hanging(pid, name):
    """One thread of a process of ours stands still; the others go on."""
    thread = _thread_of(pid, name)
    _ptrace(PTRACE_SEIZE, thread)
    _ptrace(PTRACE_INTERRUPT, thread)
    os.waitpid(thread, 0x40000000)  # __WALL
    try:
        yield
    finally:
        _ptrace(PTRACE_DETACH, thread)


class Manager:
    """systemd's end of $NOTIFY_SOCKET."""

    def __init__(self, folder):
        self._path = os.path.join(folder, "notify.sock")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self._path)
        self._socket.setblocking(False)
        self.heard = []

    def environment(self, watchdog_s):
        return {"NOTIFY_SOCKET": self._path, "WATCHDOG_USEC": str(int(watchdog_s * 1e6))}

    def has_heard(self, beginning):
        self.listen()
        return any(word.startswith(beginning) for word in self.heard)

    def listen(self):
        """How much has come."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self.heard.append(self._socket.recv(65536).decode())
        return len(self.heard)

    def count(self, word):
        self.listen()
        return self.heard.count(word)

    def close(self):
        self._socket.close()


class ServiceTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="headgate-service-", dir="/tmp")
        self.addCleanup(subprocess.run, ["rm", "-rf", self.folder], check=True)
        self.manager = Manager(self.folder)
        self.addCleanup(self.manager.close)

    def start(self, *words):
        program = os.path.join(lab.default_programs(), words[0])
        child = process.Child([program, *words[1:]], log=os.path.join(self.folder, "log"),
                              env=self.manager.environment(WATCHDOG_S))
        self.addCleanup(child.stop)
        child.wait_until(lambda: self.manager.has_heard("READY=1"), 15, f"{words[0]} is ready")
        return child

    def start_controller(self):
        return self.start("headgated", "--plaintext", "--listen", "127.0.0.1:0", "--socket", "",
                          "--metrics-listen", "127.0.0.1:0", "--journal",
                          os.path.join(self.folder, "journal.db"))

    def start_agent(self):
        config = os.path.join(self.folder, "agent.yaml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(AGENT.format(port=process.free_port(), folder=self.folder))
        return self.start("headgate-agent", "run", "--config", config)

    def await_life(self, timeout_s=30.0):
        before = self.manager.count("WATCHDOG=1")
        process.wait_for(lambda: self.manager.count("WATCHDOG=1") > before + 2, timeout_s,
                         "it says again that it lives")

    def await_silence(self, timeout_s):
        """As systemd measures it: nothing for the watchdog's time."""
        def is_silent():
            before = self.manager.count("WATCHDOG=1")
            with contextlib.suppress(process.LabError):
                process.wait_for(lambda: self.manager.count("WATCHDOG=1") > before, WATCHDOG_S, "")
                return False
            return True
        process.wait_for(is_silent, timeout_s, "it is silent for the watchdog's time")

    def test_the_controller_says_how_it_is_and_that_it_stops(self):
        child = self.start_controller()
        process.wait_for(lambda: self.manager.has_heard("STATUS=serves"), 5, "its status is told")
        self.await_life()
        self.assertEqual(child.stop(), 0)
        self.assertTrue(self.manager.has_heard("STOPPING=1"))

    def test_a_controller_whose_loop_hangs_is_silent(self):
        child = self.start_controller()
        self.await_life()
        with hanging(child.pid, "loop"):
            self.await_silence(5)
        self.await_life()

    def test_the_agent_is_ready_without_load_balancer_and_controller_and_says_so(self):
        child = self.start_agent()
        process.wait_for(lambda: self.manager.has_heard("STATUS=gate shop: "), 5,
                         "its status tells of the load balancer")
        self.await_life()
        self.assertEqual(child.stop(), 0)
        self.assertTrue(self.manager.has_heard("STOPPING=1"))

    def test_an_agent_whose_gate_or_session_hangs_is_silent(self):
        child = self.start_agent()
        for thread in ("gate", "session"):
            with self.subTest(thread):
                self.await_life()
                with hanging(child.pid, thread):
                    self.await_silence(25)
                self.await_life()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    unittest.main()
