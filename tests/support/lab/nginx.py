"""nginx with Headgate's snippet pasted into its configuration. Standard library only."""

import os
import re
import urllib.error
import urllib.request

import balancer

PROGRAM = "/usr/sbin/nginx"

# What a site has of its own: the snippet goes where a reader of it would paste it.
CONFIGURATION = """\
{user}load_module modules/ndk_http_module.so;
load_module modules/ngx_http_lua_module.so;
daemon off;
worker_processes {workers};
worker_rlimit_nofile 16384;
worker_shutdown_timeout 30s;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;

events {{
    worker_connections 8192;
}}

http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream shop {{
        server 127.0.0.1:{shop_port} max_conns=1500;
        keepalive 200;
    }}
{in_http}

    server {{
        listen 127.0.0.1:{port} backlog=4096;
        keepalive_timeout 10s;
        keepalive_requests 100000;
{in_server}
        location / {{
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_connect_timeout 1s;
            proxy_read_timeout 15s;
            proxy_pass http://shop;
        }}
    }}
}}
"""


class Nginx(balancer.Balancer):
    """nginx in front of the shop; without a gate where `gate` is None."""

    kind = "nginx"
    workers = 2

    def __init__(self, name, folder, shop_port, agent_program, gate, slow_ms):
        super().__init__(name, folder)
        self._gate = gate
        self._slow_ms = slow_ms
        self.share_file = os.path.join(self.folder, "headgate.share")
        self.configuration = os.path.join(self.folder, "nginx.conf")
        in_http, in_server = "", ""
        if gate is not None:
            in_http, in_server = self.paste(agent_program).split("# 2.", 1)
        with open(self.configuration, "w", encoding="utf-8") as file:
            # Workers of root's are root here: the folder is the lab's alone.
            file.write(CONFIGURATION.format(user="user root;\n" if os.geteuid() == 0 else "",
                                            workers=self.workers,
                                            folder=self.folder, shop_port=shop_port,
                                            port=self.port, in_http=in_http,
                                            in_server="# 2." + in_server))
        self.start()

    def paste(self, agent_program):
        """What `headgate-agent snippet` prints for it."""
        return self.snippet(
            agent_program, "nginx", "--gate", self._gate, "--folder", self.folder, "--share",
            self.share_file, *balancer.slow_words(self._slow_ms), "--new-cookies",
            self.new_cookies, "--write")

    def agent_settings(self):
        """The part of agent.yaml that names this load balancer."""
        return ("nginx:\n"
                f"      share: {self.share_file}\n"
                f"      token: {self.folder}/{self._gate}.token\n"
                f"      probe_url: {self.probe_url}\n"
                + balancer.slow_setting(self._slow_ms))

    def words(self):
        run = [PROGRAM, "-e", os.path.join(self.folder, "nginx.log"), "-c", self.configuration]
        return run + ["-t", "-q"], run

    def width(self):
        """Buckets below this one are admitted, as a worker answers on the probe's path."""
        try:
            with urllib.request.urlopen(self.probe_url, timeout=1.0) as answer:
                body = answer.read()
        except urllib.error.HTTPError as refused:
            body = refused.read()
        found = re.search(rb"width=(\d+)", body)
        if found is None:
            raise ValueError(f"{self.name}: no width on the probe's path")
        return int(found.group(1))

    def look(self):
        """What a person types to see the width."""
        return f"curl -s {self.probe_url}"
