"""HAProxy with Headgate's snippet pasted into its configuration. Standard library only."""

import os
import socket

import balancer
import process

PROGRAM = "/usr/sbin/haproxy"

# What a site has of its own: the snippet goes where a reader of it would paste it.
CONFIGURATION = """\
global
    maxconn 4000
    stats socket {stats} mode 660 level admin
    hard-stop-after 30s

defaults
    mode http
    timeout connect 1s
    timeout client 15s
    timeout server 15s
    timeout queue 2s
    timeout http-keep-alive 10s
    option httplog

frontend www
    bind 127.0.0.1:{port}
{in_frontend}
    default_backend {app}

{own_sections}

backend {app}
    server shop 127.0.0.1:{shop_port} maxconn 1500
"""


class HaProxy(balancer.Balancer):
    """HAProxy in front of the shop; without a gate where `gate` is None."""

    kind = "HAProxy"
    app = "shop"

    def __init__(self, name, folder, shop_port, agent_program, gate, slow_ms):
        super().__init__(name, folder)
        self._slow_ms = slow_ms
        self.share_file = os.path.join(self.folder, "headgate.map")
        self.stats = os.path.join(self.folder, "stats.sock")
        self.configuration = os.path.join(self.folder, "haproxy.cfg")
        in_frontend, own_sections = ("", "") if gate is None else _parts(self.snippet(
            agent_program, "haproxy", "--gate", gate, "--app-backend", self.app, "--map",
            self.share_file, "--socket", self.stats, *balancer.slow_words(slow_ms),
            "--new-cookies", self.new_cookies, "--write-map"))
        with open(self.configuration, "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(stats=self.stats, port=self.port, app=self.app,
                                            shop_port=shop_port, in_frontend=in_frontend,
                                            own_sections=own_sections))
        self.start()

    def agent_settings(self):
        """The part of agent.yaml that names this load balancer."""
        return ("haproxy:\n"
                f"      socket: {self.stats}\n"
                f"      map: {self.share_file}\n"
                f"      app_backend: {self.app}\n"
                f"      probe_url: {self.probe_url}\n"
                + balancer.slow_setting(self._slow_ms))

    def words(self):
        return ([PROGRAM, "-c", "-q", "-f", self.configuration],
                [PROGRAM, "-db", "-f", self.configuration])

    def listens(self):
        # It binds its port first, and then its socket, in whose place a dead one may still lie.
        return super().listens() and process.accepts_connections_at(self.stats)

    def command(self, text, timeout_s=1.0):
        """One command on the stats socket."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout_s)
            connection.connect(self.stats)
            connection.sendall(text.encode() + b"\n")
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
        return answer.decode()

    def width(self):
        """Buckets below this one are admitted, as HAProxy has it in memory."""
        for line in self.command(f"show map {self.share_file}").splitlines():
            words = line.split()
            if len(words) == 3 and words[1] == "admit_w":
                return int(words[2])
        raise ValueError(f"{self.name}: no admit_w in {self.share_file}")

    def look(self):
        """What a person types to see the width."""
        return f"echo 'show map {self.share_file}' | socat - {self.stats}"


def _parts(snippet):
    """The lines for the frontend, and the sections of their own."""
    lines = snippet.splitlines()
    second = next(i for i, line in enumerate(lines) if line.strip().startswith("# 2."))
    third = next(i for i, line in enumerate(lines) if line.strip().startswith("# 3."))
    return "\n".join(lines[second:third]), "\n".join(lines[third:])
