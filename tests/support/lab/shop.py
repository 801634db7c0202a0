"""The shop of the demo (tests/support/shop) as a child of the lab. Standard library only."""

import json
import os
import signal
import urllib.request

import process

DEFAULTS = {"pool": 40, "hold_ms": 20, "queue": 40, "queue_timeout_ms": 500, "release": 1,
            "fail_percent": 0}


class Shop:
    """`databases`: a postgres.ShopDatabases. Reads from all its replicas until told otherwise.

    `settings` as in tests/support/shop/shop_config.h.
    """

    def __init__(self, program, databases, folder, **settings):
        self.port = process.free_port()
        self.settings = DEFAULTS | settings
        self._databases = databases
        self._replicas = [databases.standby, databases.replica]
        self._config = os.path.join(folder, "shop.conf")
        self._write()
        self.child = process.Child([program, "--port", self.port, "--config", self._config],
                                   log=os.path.join(folder, "shop.log"))
        self.child.wait_until(self._all_connected, 10.0, "the shop has its connections")

    def health(self):
        url = f"http://127.0.0.1:{self.port}/healthz"
        with urllib.request.urlopen(url, timeout=2) as answer:
            return json.load(answer)

    def apply(self, replicas=None, **settings):
        """Changes settings, and the pool's servers; returns when the shop works with them."""
        before = self.health()["configured"]
        self.settings |= settings
        if replicas is not None:
            self._replicas = list(replicas)
        self._write()
        self.child.signal(signal.SIGHUP)
        self.child.wait_until(lambda: self.health()["configured"] > before, 5.0,
                              "the shop has its new settings")

    def reads_from(self, server):
        """How many connections it holds to that server."""
        return self.health()["connected"].get(server.name, 0)

    def stop(self):
        self.child.stop()

    def _all_connected(self):
        return sum(self.health()["connected"].values()) == self.settings["pool"]

    def _write(self):
        lines = [f"{name} {value}" for name, value in self.settings.items()]
        lines.append(f"orders {self._databases.primary.dsn('shop')}")
        lines += [f"replica {server.name} {server.dsn('shop')}" for server in self._replicas]
        temporary = self._config + ".new"
        with open(temporary, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        os.replace(temporary, self._config)
