"""What the lab's load balancers have in common. Standard library only."""

import os

import headgate
import process


# Without a limit of new cookies: all customers of the lab come from loopback.
ONE_ADDRESS = "0"


def slow_words(slow_ms):
    """Of `headgate-agent snippet`: None counts no slow answers."""
    return [] if slow_ms is None else ["--slow", f"{slow_ms}ms"]


def slow_setting(slow_ms):
    """The same in agent.yaml."""
    return "" if slow_ms is None else f"      slow: [{slow_ms}ms]\n"


class Balancer:
    """One load balancer in front of the shop, with a folder and a port of its own. A kind of it gives
    `words()` to check and to start it with, `share_file`, `agent_settings()` for agent.yaml,
    `width()` and `look()`."""

    # Where a user's request goes.
    question = "/"

    # How many new cookies an address gets in a minute, as `headgate-agent snippet` is told.
    new_cookies = ONE_ADDRESS

    # Requests that it takes at once on a connection, without waiting for their answers.
    pipelined = 64

    def __init__(self, name, folder):
        self.name = name
        self.port = process.free_port()
        self.folder = os.path.join(folder, name)
        os.makedirs(self.folder, exist_ok=True)
        self.child = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def probe_url(self):
        return self.url + "/.headgate/probe"

    def snippet(self, agent_program, *words):
        """What `headgate-agent snippet …` prints for it."""
        result = headgate.run(agent_program, "snippet", *words)
        if result.code != 0:
            raise process.LabError(f"headgate-agent snippet {words[0]}: {result}")
        return result.out

    def start(self):
        check, run = self.words()
        process.run(check)
        self.child = process.Child(run, log=os.path.join(self.folder, "load-balancer.log"))
        self.child.wait_until(self.listens, 5.0, f"{self.name} listens")

    def listens(self):
        """Whether it takes requests, and the agent's orders."""
        return process.accepts_connections(self.port)

    def stop(self):
        if self.child is not None:
            self.child.stop()
