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
{filters}          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
  clusters:
  - name: shop
    type: STATIC
    load_assignment:
      cluster_name: shop
      endpoints: [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {shop_port}}}}}}}}}]}}]
{clusters}"""

FILTER = """\
          - name: envoy.filters.http.ext_authz
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz
              transport_api_version: V3
              grpc_service: {envoy_grpc: {cluster_name: headgate}, timeout: 1s}
"""

AGENT = """\
  - name: headgate
    type: STATIC
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {{http2_protocol_options: {{}}}}
    load_assignment:
      cluster_name: headgate
      endpoints: [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {agent_port}}}}}}}}}]}}]
"""


class PlainEnvoy(envoy.Envoy):
    """Routes everything to the application."""

    def __init__(self, name, folder, shop_port, _agent, _gate, _slow_ms):
        envoy.balancer.Balancer.__init__(self, name, folder)
        self.share_file = os.path.join(self.folder, "headgate.share")
        self.configuration = os.path.join(self.folder, "envoy.yaml")
        filters, clusters = self.asks()
        gate_on_disk.write(self.configuration,
                           CONFIGURATION.format(port=self.port, shop_port=shop_port,
                                                filters=filters, clusters=clusters))
        self.start()

    def asks(self):
        return "", ""


class AskingEnvoy(PlainEnvoy):
    """Asks the agent, over gRPC, as Istio has it do."""

    def asks(self):
        self._agent_port = process.free_port()
        return FILTER, AGENT.format(agent_port=self._agent_port)

    def agent_listens(self):
        return process.accepts_connections(self._agent_port)

    def agent_settings(self):
        return ("endpoint:\n"
                f"      listen: unix:{self.folder}/agent.sock\n"
                f"      ext_authz: 127.0.0.1:{self._agent_port}\n"
                f"      share: {self.share_file}\n"
                "      bootstrap_share: 0%\n")
