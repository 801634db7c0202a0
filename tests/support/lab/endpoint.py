"""The agent's own decision endpoint, asked as a load balancer asks it. Standard library only."""

import os

import balancer


class Endpoint(balancer.Balancer):
    """headgate-agent itself: there is no load balancer in front of it, nor an application behind it."""

    kind = "endpoint"
    # Where a user's admission is asked.
    question = "/authz"

    def __init__(self, name, folder, _shop_port, agent_program, _gate, _slow_ms):
        super().__init__(name, folder)
        self._agent = agent_program
        self.share_file = os.path.join(self.folder, "headgate.share")

    def agent_settings(self):
        """The part of agent.yaml that names it."""
        return ("endpoint:\n"
                f"      listen: 127.0.0.1:{self.port}\n"
                f"      share: {self.share_file}\n"
                "      bootstrap_share: 0%\n")

    def words(self):
        run = [self._agent, "run", "--config", os.path.join(self.folder, "agent.yaml")]
        return ["true"], run
