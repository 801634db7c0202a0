"""Envoy without the gate, and Envoy that asks the agent about each request (ext_authz)."""

import os

import envoy
import gate_on_disk
import process

CONFIGURATION = """\
static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: plain
          route_config:
            virtual_hosts:
            - {{name: all, domains: ["*"], routes: [{{match: {{prefix: /}}, route: {{cluster: shop}}}}]}}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
  clusters:
  - name: shop
    type: STATIC
    load_assignment:
      cluster_name: shop
      endpoints: [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {shop_port}}}}}}}}}]}}]
"""


class PlainEnvoy(envoy.Envoy):
    """Routes everything to the application."""

    def __init__(self, name, folder, shop_port, agent_program, gate, _slow_ms):
        envoy.balancer.Balancer.__init__(self, name, folder)
        self.share_file = os.path.join(self.folder, "headgate.share")
        self.configuration = os.path.join(self.folder, "envoy.yaml")
        gate_on_disk.write(self.configuration, self.bootstrap(shop_port, agent_program, gate))
        self.start()

    def bootstrap(self, shop_port, _agent_program, _gate):
        return CONFIGURATION.format(port=self.port, shop_port=shop_port)


class AskingEnvoy(PlainEnvoy):
    """Asks the agent, over gRPC, as printed for it."""

    def bootstrap(self, shop_port, agent_program, gate):
        self._agent_port = process.free_port()
        return self.snippet(
            agent_program, "envoy-ext-authz", "--gate", gate, "--ext-authz",
            f"127.0.0.1:{self._agent_port}", "--share", self.share_file, "--listen",
            f"127.0.0.1:{self.port}", "--app-address", f"127.0.0.1:{shop_port}")

    def agent_listens(self):
        return process.accepts_connections(self._agent_port)

    def agent_settings(self):
        return ("endpoint:\n"
                f"      listen: unix:{self.folder}/agent.sock\n"
                f"      ext_authz: 127.0.0.1:{self._agent_port}\n"
                f"      share: {self.share_file}\n"
                "      bootstrap_share: 0%\n")
