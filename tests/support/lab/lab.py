"""A whole site for tests, demo and benches: databases, shop, a HAProxy and an nginx with agents,
controller, Prometheus and customers, all on free loopback ports. Standard library only.

    with lab.Lab(programs) as site:
        site.start_databases()
        site.start_shop()
        site.start_gate()
        ...

Whatever happens, Ctrl-C included, everything that was started is stopped by pid when the `with`
ends. All logs lie in `site.folder`, which is kept after a failure.
"""

import contextlib
import os
import shutil
import tempfile

import agent as agent_part
import haproxy
import headgate
import load
import nginx
import postgres
import process
import prometheus
import shop
import watcher

GATE = "shop"
SLOW_MS = 500
# Of every site: one load balancer of each kind.
EDGES = {"edge-1": haproxy.HaProxy, "edge-2": nginx.Nginx}


def default_programs():
    """Where `./dev` has built the programs: $HEADGATE_BIN, else build/dev/bin."""
    root = os.path.dirname(os.path.abspath(__file__)) + "/../../.."
    return os.environ.get("HEADGATE_BIN") or os.path.join(os.path.realpath(root), "build/dev/bin")


class Lab:
    """`programs`: the folder with headgate, headgated, headgate-agent, shop and loadgen."""

    def __init__(self, programs):
        self._programs = programs
        for name in ("headgate", "headgated", "headgate-agent", "shop", "loadgen"):
            if not os.access(self.program(name), os.X_OK):
                raise process.LabError(f"{self.program(name)} is not built: ./dev build")
        # Short: the path of a Unix socket has at most 107 characters.
        self.folder = tempfile.mkdtemp(prefix="headgate-lab-", dir="/tmp")
        os.chmod(self.folder, 0o755)
        self._stack = contextlib.ExitStack()
        self.databases = None
        self.shop = None
        self.balancers = []
        self.agents = []
        self.certificates = None
        self.controller = None
        self.cli = None
        self.prometheus = None
        self.watcher = None
        self.load = None

    def program(self, name):
        return os.path.join(self._programs, name)

    # -- parts, in the order in which they need each other -----------------------------------------
    def start_databases(self):
        self.databases = postgres.ShopDatabases(folder=self._subfolder("databases"))
        self._stack.callback(self.databases.stop)

    def start_shop(self, **settings):
        self.shop = shop.Shop(self.program("shop"), self.databases, self.folder, **settings)
        self._stack.callback(self.shop.stop)

    def start_gate(self, edges=EDGES):
        """Load balancers with their agents, the controller, an operator's CLI, and the watcher."""
        self.certificates = headgate.Certificates(self.program("headgate"), self.folder)
        self.controller = headgate.Controller(self.program("headgated"), self.certificates,
                                              self.folder)
        self._stack.callback(self.controller.stop)
        self.controller.start()
        for name, kind in edges.items():
            self._start_edge(name, kind)
        self.cli = headgate.Cli(self.program("headgate"), self.certificates, self.controller)
        self.watcher = watcher.Watcher(self.balancers)
        self._stack.callback(self.watcher.stop)

    def start_prometheus(self):
        targets = {"shop": [f"127.0.0.1:{self.shop.port}"]} if self.shop else {}
        self.prometheus = prometheus.Prometheus(targets, folder=self._subfolder("prometheus"))
        self._stack.callback(self.prometheus.stop)

    def start_load(self, seconds, name="load", **options):
        ports = [balancer.port for balancer in self.balancers]
        path = os.path.join(self.folder, name + ".jsonl")
        self.load = load.Load(self.program("loadgen"), ports, path, seconds, **options)
        self._stack.callback(self.load.stop)

    def _start_edge(self, name, kind):
        # Without a shop the application's port is one where nobody listens.
        port = self.shop.port if self.shop else process.free_port()
        balancer = kind(name, self.folder, port, self.program("headgate-agent"), GATE, SLOW_MS)
        self._stack.callback(balancer.stop)
        self.balancers.append(balancer)
        agent = agent_part.Agent(self.program("headgate-agent"), GATE, balancer,
                                 self.certificates, self.controller)
        self._stack.callback(agent.stop)
        agent.start()
        self.agents.append(agent)

    def _subfolder(self, name):
        path = os.path.join(self.folder, name)
        os.makedirs(path)
        return path

    # -- the end -----------------------------------------------------------------------------------
    def stop(self):
        self._stack.close()

    def remove(self):
        """Throws the logs away."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, _error, _trace):
        self.stop()
        # Who ends it by a signal has seen enough; only a failure is looked into.
        if kind is None or issubclass(kind, SystemExit):
            self.remove()
