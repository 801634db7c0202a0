"""A gate without a controller: what a bench writes beside a load balancer, and how it signs cookies.
Standard library only."""

import base64
import hmac
import os

import process

KEY_ID = 7

# One that is never the slow part.
APPLICATION = """\
defaults
    mode http
    timeout client 20s
frontend the_application
    bind 127.0.0.1:{port}
    http-request return status 200
"""

AGENT = """\
name: {name}
controllers: ["127.0.0.1:{controller}"]
plaintext: true
state_dir: {folder}
gates:
  - name: shop
    {load_balancer}"""


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


class Application:
    """Answers 200 to everybody, behind every load balancer."""

    def __init__(self, folder):
        self.port = process.free_port()
        write(f"{folder}/application.cfg", APPLICATION.format(port=self.port))
        self.child = process.Child(["/usr/sbin/haproxy", "-db", "-f", f"{folder}/application.cfg"],
                                   log=f"{folder}/application.log")
        self.child.wait_until(lambda: process.accepts_connections(self.port), 5.0,
                              "the application listens")

    def stop(self):
        self.child.stop()


def config_of(balancer):
    return os.path.join(balancer.folder, "agent.yaml")


def configure(balancer, controller_port=1):
    """Port 1: without a controller."""
    write(config_of(balancer), AGENT.format(name=balancer.name, folder=balancer.folder,
                                            controller=controller_port,
                                            load_balancer=balancer.agent_settings()))


def admit(agent, balancer, share):
    """By the agent's own command on the box."""
    process.run([agent, "override", share, "--until", "1h", "--config", config_of(balancer)])


def sign(name, key):
    """A cookie as load balancers issue it: docs/PROTOCOL.md, the keys of the gate's cookie."""
    text = f"{KEY_ID}.{name}"
    return f"{text}.{hmac.new(key, text.encode(), 'sha256').digest()[:16].hex()}"


def write_key(balancer, key):
    """As an agent leaves it for the load balancer's next start, letter by letter: it asks nginx
    whether it has read the same."""
    write(balancer.share_file + ".keys",
          "# Written by headgate-agent: do not edit, and keep it secret.\n"
          f"issue {KEY_ID}\nk{KEY_ID} {base64.b64encode(key).decode()}\n")


def give_key(balancer, key):
    """For the load balancer's next start, which is now."""
    write_key(balancer, key)
    balancer.stop()
    balancer.start()
