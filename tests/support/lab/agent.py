"""headgate-agent beside one load balancer of the lab. Standard library only."""

import json
import os

import headgate
import process

CONFIGURATION = """\
controllers: ["127.0.0.1:{controller}"]
tls: {{ca: {ca}, cert: {certificate}, key: {key}}}
state_dir: {state}
labels: {{place: {name}}}
metrics: 127.0.0.1:{metrics}
gates:
  - name: {gate}
    {load_balancer}"""


class Agent:
    """One agent, which may be killed and started again on the same state."""

    def __init__(self, program, gate, balancer, certificates, controller):
        self.name = balancer.name
        self._program = program
        self._log = os.path.join(balancer.folder, "agent.log")
        self.config = os.path.join(balancer.folder, "agent.yaml")
        state = os.path.join(balancer.folder, "state")
        os.mkdir(state, 0o700)
        certificate, key = certificates.issue("agent", balancer.name)
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(
                controller=controller.port, ca=certificates.ca, certificate=certificate, key=key,
                state=state, name=balancer.name, metrics=process.free_port(), gate=gate,
                load_balancer=balancer.agent_settings()))
        self.child = None

    def start(self):
        self.child = process.Child([self._program, "run", "--config", self.config],
                                   log=self._log)

    def borrow_certificate(self, other):
        """From its next start on it presents the certificate of another load balancer."""
        with open(self.config, encoding="utf-8") as file:
            text = file.read()
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text.replace(f"agent-{self.name}.", f"agent-{other}."))

    def call(self, *words):
        """`headgate-agent status|check|lower|override|release` on this box."""
        return headgate.run(self._program, *words, "--config", self.config)

    def status(self):
        return json.loads(self.call("status", "-o", "json").out)

    def kill(self):
        self.child.kill()

    def stop(self):
        if self.child is not None:
            self.child.stop()
