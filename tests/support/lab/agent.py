"""headgate-agent beside one HAProxy of the lab. Standard library only."""

import json
import os

import headgate
import process

PROBE_PATH = "/.headgate/probe"

CONFIGURATION = """\
controllers: ["127.0.0.1:{controller}"]
tls: {{ca: {ca}, cert: {certificate}, key: {key}}}
state_dir: {state}
gates:
  - name: {gate}
    haproxy:
      socket: {stats}
      map: {map}
      app_backend: {app}
      probe_url: http://127.0.0.1:{port}{probe}
      key: cookie headgate_uid
      slow: [{slow_ms}ms]
"""


def snippet(program, gate, balancer, slow_ms):
    """What `headgate-agent snippet haproxy` prints for that load balancer; writes its map file."""
    result = headgate.run(program, "snippet", "haproxy", "--gate", gate, "--app-backend",
                          balancer.app, "--map", balancer.map_file, "--socket", balancer.stats,
                          "--slow", f"{slow_ms}ms", "--probe-path", PROBE_PATH, "--write-map")
    if result.code != 0:
        raise process.LabError(f"headgate-agent snippet haproxy: {result}")
    return result.out


class Agent:
    """One agent, which may be killed and started again on the same state."""

    def __init__(self, program, gate, balancer, certificates, controller, slow_ms):
        self.name = balancer.name
        self._program = program
        self._log = os.path.join(balancer.folder, "agent.log")
        self._config = os.path.join(balancer.folder, "agent.yaml")
        state = os.path.join(balancer.folder, "state")
        os.mkdir(state, 0o700)
        certificate, key = certificates.issue("agent", balancer.name)
        with open(self._config, "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(
                controller=controller.port, ca=certificates.ca, certificate=certificate, key=key,
                state=state, gate=gate, stats=balancer.stats, map=balancer.map_file,
                app=balancer.app, port=balancer.port, probe=PROBE_PATH, slow_ms=slow_ms))
        self.child = None

    def start(self):
        self.child = process.Child([self._program, "run", "--config", self._config],
                                   log=self._log)

    def borrow_certificate(self, other):
        """From its next start on it presents the certificate of another load balancer."""
        with open(self._config, encoding="utf-8") as file:
            text = file.read()
        with open(self._config, "w", encoding="utf-8") as file:
            file.write(text.replace(f"agent-{self.name}.", f"agent-{other}."))

    def call(self, *words):
        """`headgate-agent status|check|lower|override|release` on this box."""
        return headgate.run(self._program, *words, "--config", self._config)

    def status(self):
        return json.loads(self.call("status", "-o", "json").out)

    def kill(self):
        self.child.kill()

    def stop(self):
        if self.child is not None:
            self.child.stop()
