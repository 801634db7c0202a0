"""Envoy with the bootstrap that Headgate prints. Standard library only."""

import json
import os
import urllib.request

import balancer
import process

# As in `dev`.
VERSION = "1.40.0"


def program():
    """Where `./dev` puts it; None if there is none."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    path = os.environ.get("HEADGATE_ENVOY") or f"{cache}/headgate/envoy-{VERSION}/envoy"
    return path if os.access(path, os.X_OK) else None


class Envoy(balancer.Balancer):
    """Envoy in front of the shop."""

    kind = "envoy"
    # None: one for each core.
    workers = None
    # It closes a connection with more answers of its own in the queue.
    pipelined = 2

    def __init__(self, name, folder, shop_port, agent_program, gate, slow_ms):
        super().__init__(name, folder)
        self._gate = gate
        self._slow_ms = slow_ms
        self.share_file = os.path.join(self.folder, "headgate.yaml")
        self._admin = f"127.0.0.1:{process.free_port()}"
        self.configuration = os.path.join(self.folder, "envoy.yaml")
        with open(self.configuration, "w", encoding="utf-8") as file:
            file.write(self.snippet(
                agent_program, "envoy", "--gate", gate, "--app-cluster", "shop", "--share",
                self.share_file, "--admin", self._admin, "--listen", f"127.0.0.1:{self.port}",
                "--app-address", f"127.0.0.1:{shop_port}", *balancer.slow_words(slow_ms), "--write"))
        self.start()

    def agent_settings(self):
        """The part of agent.yaml that names this load balancer."""
        return ("envoy:\n"
                f"      admin: {self._admin}\n"
                f"      share: {self.share_file}\n"
                "      app_clusters: [shop]\n"
                f"      probe_url: {self.probe_url}\n"
                + balancer.slow_setting(self._slow_ms))

    def words(self):
        run = [program(), "-c", self.configuration, "--disable-hot-restart", "--log-level", "error"]
        if self.workers is not None:
            run += ["--concurrency", str(self.workers)]
        return run + ["--mode", "validate"], run

    def width(self):
        """Buckets below this one are admitted, as Envoy's runtime says."""
        with urllib.request.urlopen(f"http://{self._admin}/runtime", timeout=1.0) as answer:
            entries = json.load(answer)["entries"]
        return int(entries[f"headgate.{self._gate}.shop"]["final_value"])

    def look(self):
        """What a person types to see the width."""
        return f"curl -s http://{self._admin}/runtime"
