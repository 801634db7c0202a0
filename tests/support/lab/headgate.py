"""Headgate's three programs as children of the lab. Standard library only."""

import json
import os
import subprocess
import urllib.error
import urllib.request

import process

TRUST_DOMAIN = "shop.example"


class Result:
    """How one call of the CLI ended."""

    def __init__(self, code, out, error):
        self.code = code
        self.out = out
        self.error = error

    def __str__(self):
        return f"exit code {self.code}: {(self.error or self.out).strip()}"

    @property
    def document(self):
        return json.loads(self.out)


def run(program, *words, env=None, timeout_s=60.0):
    done = subprocess.run([program, *[str(word) for word in words]], capture_output=True,
                          text=True, timeout=timeout_s, env=os.environ | (env or {}), check=False,
                          stdin=subprocess.DEVNULL)
    return Result(done.returncode, done.stdout, done.stderr)


class Certificates:
    """A private CA and what it issues, by `headgate certs`."""

    def __init__(self, cli_program, folder):
        self._program = cli_program
        self._authority = os.path.join(folder, "ca")
        self._folder = os.path.join(folder, "certs")
        self.ca = os.path.join(self._authority, "ca.crt")
        self._certs("init", "--dir", self._authority, "--trust-domain", TRUST_DOMAIN)

    def issue(self, role, name, address=None, again=False):
        """Paths of certificate and key."""
        words = ["--ip", address] if address else []
        words += ["--overwrite"] if again else []
        self._certs("issue", "--ca-dir", self._authority, "--dir", self._folder, "--role", role,
                    "--name", name, *words)
        stem = os.path.join(self._folder, f"{role}-{name}")
        return stem + ".crt", stem + ".key"

    def _certs(self, *words):
        result = run(self._program, "certs", *words)
        if result.code != 0:
            raise process.LabError(f"headgate certs {' '.join(words)}: {result}")


class Controller:
    """headgated, which may be killed and started again on the same ports and journal."""

    def __init__(self, program, certificates, folder, name="headgated-1"):
        self.port = process.free_port()
        self.metrics_port = process.free_port()
        own = os.path.join(folder, "controller")
        # Whoever may enter the socket's folder may command the gate.
        os.mkdir(own, 0o700)
        self.journal = os.path.join(own, "journal.db")
        self.socket = os.path.join(own, "headgated.sock")
        self.log = os.path.join(own, "headgated.log")
        self.name = name
        self.certificate, self.key = certificates.issue("controller", name, address="127.0.0.1")
        self._argv = [program, "--listen", f"127.0.0.1:{self.port}", "--journal", self.journal,
                      "--ca", certificates.ca, "--cert", self.certificate, "--key", self.key,
                      "--socket", self.socket, "--metrics-plaintext",
                      "--metrics-listen", f"127.0.0.1:{self.metrics_port}", "--name", name]
        self.child = None

    def start(self):
        self.start_only()
        self.child.wait_until(self.is_ready, 15.0, "the controller is ready")

    def start_only(self):
        """Without waiting until it is ready, for one that will not be."""
        self.child = process.Child(self._argv, log=self.log)

    def watch_databases(self, file):
        """From the next start on."""
        self._argv += ["--databases", file]

    def metrics(self):
        url = f"http://127.0.0.1:{self.metrics_port}/metrics"
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.read().decode()

    def is_ready(self):
        url = f"http://127.0.0.1:{self.metrics_port}/readyz"
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                return answer.status == 200
        except urllib.error.HTTPError as error:
            error.close()
            return False

    def has_logged(self, event):
        with open(self.log, encoding="utf-8") as file:
            return event in file.read()

    def kill(self):
        self.child.kill()

    def stop(self):
        if self.child is not None:
            self.child.stop()


class Cli:
    """`headgate` with an operator's certificate."""

    def __init__(self, program, certificates, controller, role="operator", name="ada"):
        certificate, key = certificates.issue(role, name)
        self._program = program
        self.env = {"HEADGATE_CONTROLLER": f"127.0.0.1:{controller.port}",
                    "HEADGATE_CA": certificates.ca, "HEADGATE_CERT": certificate,
                    "HEADGATE_KEY": key, "NO_COLOR": "1"}

    def __call__(self, *words, timeout_s=60.0):
        return run(self._program, *words, env=self.env, timeout_s=timeout_s)

    def json(self, *words):
        """The document that the call prints with -o json; fails unless it exits with 0."""
        result = self(*words, "-o", "json")
        if result.code != 0:
            raise process.LabError(f"headgate {' '.join(words)}: {result}")
        return result.document
