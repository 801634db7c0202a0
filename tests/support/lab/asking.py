"""nginx that asks the agent about each request (auth_request). Standard library only."""

import os

import balancer
import nginx
import process


class AskingNginx(nginx.Nginx):
    """nginx without the gate's Lua. It keeps the answers for the hour without an agent, as printed by
    default; the agent that it asks runs by itself."""

    def __init__(self, name, folder, shop_port, agent_program, gate, slow_ms):
        own = os.path.join(folder, name)
        self._socket = os.path.join(own, "agent.sock")
        self._kept = os.path.join(own, "kept")
        self._log = f"127.0.0.1:{process.free_port()}"
        super().__init__(name, folder, shop_port, agent_program, gate, slow_ms)

    def paste(self, agent_program):
        return self.snippet(
            agent_program, "nginx-auth-request", "--gate", self._gate, "--listen",
            f"unix:{self._socket}", "--remembered", self._kept, *self._counts("--access-log", self._log))

    def _counts(self, *words):
        """Answers are counted by the log that says how slow they were."""
        return words if self._slow_ms is not None else ()

    def agent_listens(self):
        return os.path.exists(self._socket)

    def agent_settings(self):
        return ("endpoint:\n"
                f"      listen: unix:{self._socket}\n"
                "      mode: 0666\n"
                f"      share: {self.share_file}\n"
                "      bootstrap_share: 0%\n"
                f"      remembered: {self._kept}\n"
                + "".join(self._counts(f"      access_log: {self._log}\n"))
                + balancer.slow_setting(self._slow_ms)
                + f"      new_cookies_per_minute: {self.new_cookies}\n")
