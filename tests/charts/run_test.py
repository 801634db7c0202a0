"""The real controller, agent, CLI and load balancers with what the chart and its examples render for them: flags, files,
variables and ports are taken, probes answer, and every metric that the dashboard and the alerts ask for is exported."""

import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support/lab"))
# pylint: disable=wrong-import-position
import chart
import metrics
import pod
import probe
import process

BIN = pathlib.Path(os.environ.get("HEADGATE_BIN") or chart.ROOT / "build/dev/bin")
VALUES = {"certificates": {"secrets": {"operator": "operator-tls", "prometheus": "prometheus-tls"}},
          "serviceMonitor": {"enabled": True}, "agentMonitor": {"enabled": True},
          "networkPolicy": {"metricsFrom": chart.PROMETHEUS},
          "plans": {"restore-shop.yaml": chart.PLAN},
          "restoreJobs": {"shop": {"plan": "restore-shop.yaml", "timeout": "2s"}}}


def envoy_program():
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    version = re.search(r"^ENVOY_VERSION=(\S+)", (chart.ROOT / "dev").read_text(encoding="utf-8"), re.MULTILINE).group(1)
    return os.environ.get("HEADGATE_ENVOY") or str(cache / f"headgate/envoy-{version}/envoy")


class Application(http.server.BaseHTTPRequestHandler):
    """What the gate stands before."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_):
        pass


class Cluster:
    """A controller of the chart, an application, and whatever a test adds. Everything is stopped by `close`."""

    def __init__(self, more_programs=()):
        self.folder = tempfile.mkdtemp(prefix="hgc-", dir="/tmp")
        programs = {name: BIN / name for name in ("headgate", "headgated", "headgate-agent")} | dict(more_programs)
        self.machine = pod.Machine(self.folder, programs)
        self.application = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Application)
        threading.Thread(target=self.application.serve_forever, daemon=True).start()
        self.rendered = chart.render(VALUES)
        self.pods = []
        self.journal = pathlib.Path(self.folder) / "journal"
        self.journal.mkdir()
        self.machine.give(self.journal)
        self.starts = 0
        self.controller = None
        self.viewer = self.machine.secret("viewer", "prometheus")
        try:
            self.start_controller()
        except process.LabError:
            self.close()
            raise

    def start_controller(self, until="ready"):
        """As a new pod, until the probe of this service succeeds: the journal's volume is the old one, all else is new."""
        self.starts += 1
        spec = self.rendered.one("Deployment")["spec"]["template"]["spec"]
        names = ["headgate.headgate.svc", "headgate-metrics.headgate.svc"]
        tls = self.machine.secret("controller", "headgate", names)
        before = self.controller.ports if self.controller else {}
        self.controller = pod.Pod(self.machine, f"c{self.starts}", spec, self.rendered, {"journal": self.journal, "tls": tls})
        self.controller.ports.update(before)
        self.machine.names["headgate.headgate.svc:7443"] = f"127.0.0.1:{self.controller.port(7443)}"
        self.pods.append(self.controller)
        child = self.controller.start("controller", "headgated")
        child.wait_until(lambda: self.serves(until), 20, f"the controller's probe of {until} succeeds")

    def serves(self, service):
        return probe.is_serving(self.controller.port(9466), service)

    def exec(self, *words):
        """`kubectl exec deployment/headgate -- headgate --socket … WORDS`."""
        container = chart.container(self.controller.spec, "controller")
        socket = self.controller.here(container, "/run/headgate/headgated.sock")
        return self.controller.run_words([self.machine.programs["headgate"], "--socket", socket, *words])

    def metrics_page(self):
        endpoint = self.rendered.one("ServiceMonitor")["spec"]["endpoints"][0]
        status, text = probe.page(self.controller.port(9464), endpoint["path"], endpoint["tlsConfig"]["serverName"], self.viewer)
        assert status == 200, text
        return text

    def epoch(self):
        """Of this reign, once it is shown."""
        return process.wait_for(lambda: float(re.search(r"^headgate_epoch (\S+)", self.metrics_page(), re.MULTILINE).group(1)), 10,
                                "the reign's number is shown")

    def close(self):
        for each in reversed(self.pods):
            each.stop()
        self.application.shutdown()
        self.application.server_close()
        shutil.rmtree(self.folder, ignore_errors=True)


@unittest.skipUnless((BIN / "headgated").exists(), "headgated is not built: ./dev build")
class Controller(unittest.TestCase):
    def setUp(self):
        chart.tools()
        self.cluster = Cluster()
        self.addCleanup(self.cluster.close)

    def test_it_takes_what_the_chart_says_and_its_probes_answer(self):
        self.assertTrue(self.cluster.serves("live"))
        self.assertTrue(self.cluster.serves(""))
        self.assertFalse(self.cluster.serves("nobody"))
        self.assertIn("headgate_epoch", self.cluster.metrics_page())

    def test_the_way_in_that_the_notes_tell_works(self):
        created = self.cluster.exec("gates", "create", "shop", "--share", "100%")
        self.assertEqual(created.returncode, 0, created.stderr)

    def test_rescheduling_raises_the_reign_and_no_share(self):
        self.cluster.exec("gates", "create", "shop", "--share", "100%")
        self.cluster.exec("close", "shop", "--reason", "test")
        epochs = [self.cluster.epoch()]
        self.cluster.controller.stop()
        self.cluster.start_controller()
        epochs.append(self.cluster.epoch())
        share = process.wait_for(lambda: re.search(r'^headgate_gate_share_ratio\{gate="shop"\} (\S+)', self.cluster.metrics_page(),
                                                   re.MULTILINE), 10, "the gate's share is shown")
        self.assertEqual(float(share.group(1)), 0)
        # The volume is lost: the reign is above the last one all the same.
        self.cluster.controller.stop()
        shutil.rmtree(self.cluster.journal)
        self.cluster.journal.mkdir()
        self.cluster.machine.give(self.cluster.journal)
        self.cluster.start_controller()
        epochs.append(self.cluster.epoch())
        self.assertEqual(epochs, sorted(set(epochs)))
        self.assertNotIn('gate="shop"', self.cluster.metrics_page())

    def test_with_a_journal_that_cannot_be_read_it_lives_and_is_not_ready(self):
        self.cluster.exec("gates", "create", "shop", "--share", "100%")
        self.cluster.controller.stop()
        for file in self.cluster.journal.iterdir():
            file.write_bytes(b"no journal")
        self.cluster.start_controller(until="live")
        log = self.cluster.controller.folder / "controller.log"
        process.wait_for(lambda: "lower_only" in log.read_text(encoding="utf-8"), 10, "it says that it only lowers")
        self.assertTrue(self.cluster.serves("live"))
        self.assertFalse(self.cluster.serves("ready"))

    def test_a_restore_job_ends_with_headgate_s_own_exit_code(self):
        self.cluster.exec("gates", "create", "shop", "--share", "100%")
        self.cluster.exec("close", "shop", "--reason", "test")
        spec = self.cluster.rendered.one("CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        tls = self.cluster.machine.secret("operator", "restore-job")
        job = pod.Pod(self.cluster.machine, "job", spec, self.cluster.rendered, {"tls": tls})
        job.ports.update(self.cluster.controller.ports)
        done = job.run("headgate", "headgate")
        # No load balancer speaks: its preflight waits, and the Job's time is over before.
        self.assertEqual(done.returncode, 8, done.stdout + done.stderr)
        # 11: aborted, and nobody is there to confirm it.
        self.assertEqual(self.cluster.exec("abort", "shop", "--reason", "test").returncode, 11)
        timeline = self.cluster.exec("timeline", "shop").stdout
        self.assertIn("restore job shop", timeline)


@unittest.skipUnless((BIN / "headgated").exists(), "headgated is not built: ./dev build")
class BesideLoadBalancers(unittest.TestCase):
    """Each example, run: the load balancer of the rendered configuration, its agent, the chart's controller."""

    def begin(self, name, program, values):
        chart.tools()
        self.examples = chart.Examples()
        self.addCleanup(self.examples.close)
        self.cluster = Cluster([(name, program)])
        self.addCleanup(self.cluster.close)
        self.schedule(name, values)

    def schedule(self, name, values):
        """A new pod of the name edge-0, up to where its containers start."""
        rendered = chart.render(values(self.cluster.application.server_port), chart=self.examples.chart(name), release="edge")
        spec = rendered.one("StatefulSet")["spec"]["template"]["spec"]
        csi = next(it["csi"] for it in spec["volumes"] if it["name"] == "headgate-tls")["volumeAttributes"]
        uri = csi["csi.cert-manager.io/uri-sans"].replace("${POD_NAME}", "edge-0")
        role, self.agent_name = uri.removeprefix("spiffe://shop.example/headgate/").split("/")
        tls = self.cluster.machine.secret(role, self.agent_name, csi["csi.cert-manager.io/dns-names"].split(","))
        self.pod = pod.Pod(self.cluster.machine, "edge-0", spec, rendered, {"headgate-tls": tls})
        self.cluster.pods.append(self.pod)
        for container in spec["initContainers"]:
            if container["name"] != "headgate-agent":
                done = self.pod.run(container["name"], "headgate-agent")
                self.assertEqual(done.returncode, 0, done.stderr)

    def start(self, name):
        self.start_agent()
        self.start_balancer(name)

    def start_agent(self):
        agent = self.pod.start("headgate-agent", "headgate-agent")
        agent.wait_until(lambda: self.agent_serves("live"), 10, "the agent's startup probe succeeds")

    def start_balancer(self, name):
        child = self.pod.start(name, name)
        child.wait_until(lambda: process.accepts_connections(self.pod.port(8080)), 20, f"{name} listens")

    def agent_serves(self, service):
        return probe.is_serving(self.pod.port(9468), service)

    def status_of_a_user(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.pod.port(8080), timeout=5)
        try:
            connection.request("GET", "/", headers={"Accept": "text/html", "Cookie": "headgate_uid=anybody"})
            return connection.getresponse().status
        finally:
            connection.close()

    def observed(self):
        answer = self.cluster.exec("agents", "shop", "-o", "json")
        agents = json.loads(answer.stdout).get("agents", []) if answer.returncode == 0 else []
        return [it for it in agents if it.get("agent", it.get("name")) == self.agent_name and "OBSERVED" in json.dumps(it)]

    def restore(self):
        """From the gate's beginning to a closed one, as a user sees it."""
        self.assertEqual(self.cluster.exec("gates", "create", "shop", "--share", "100%").returncode, 0)
        process.wait_for(self.observed, 20, "the agent has observed 100 %")
        process.wait_for(lambda: self.agent_serves("ready"), 10, "the agent's ready service says so")
        process.wait_for(lambda: self.status_of_a_user() == 200, 10, "a user is let through")
        closed = self.cluster.exec("close", "shop", "--reason", "test", "--wait-for", "observed", "--timeout", "20s")
        self.assertEqual(closed.returncode, 0, closed.stdout + closed.stderr)
        self.assertEqual(self.status_of_a_user(), 503)

    def agent_page(self):
        monitor = self.cluster.rendered.one("PodMonitor")["spec"]["podMetricsEndpoints"][0]
        status, text = probe.page(self.pod.port(9467), monitor["path"], monitor["tlsConfig"]["serverName"], self.cluster.viewer)
        self.assertEqual(status, 200)
        return text

    @unittest.skipUnless(shutil.which("haproxy"), "there is no haproxy")
    def test_haproxy_obeys_and_every_metric_that_is_asked_for_is_exported(self):
        self.begin("haproxy", shutil.which("haproxy"), lambda port: {"app": f"127.0.0.1:{port}"})
        self.start("haproxy")
        self.restore()
        self.check_metrics()
        self.check_renewal()
        # The controller is gone: nobody is taken out of service, and the agent says what it lacks.
        self.cluster.controller.stop()
        process.wait_for(lambda: not self.agent_serves("ready"), 30, "the agent is not ready without its controller")
        self.assertTrue(self.agent_serves("live"))

    def check_renewal(self):
        """The agent's certificate is issued again where its files lie: nothing is restarted."""
        port, name = self.pod.port(9467), self.cluster.rendered.one("PodMonitor")["spec"]["podMetricsEndpoints"][0]["tlsConfig"]["serverName"]
        before = probe.certificate(port, name, self.cluster.viewer)
        self.cluster.machine.renew("agent", self.agent_name, [name])
        process.wait_for(lambda: probe.certificate(port, name, self.cluster.viewer) != before, 10, "the new certificate is served")
        self.assertTrue(self.agent_serves("live"))

    def missing_metrics(self):
        """What alerts and panels ask for, and nobody exports."""
        exported = metrics.page_families(self.cluster.metrics_page()) | metrics.page_families(self.agent_page())
        documented = metrics.documented()
        alerts = json.loads((chart.HEADGATE / "files/alerts.json").read_text(encoding="utf-8"))["alerts"]
        questions = [(it["alert"], it["expr"]) for it in alerts]
        questions += [(title, expression) for title, expression, _ in metrics.panel_questions()]
        # Families that have no series until something happens: these are the documentation's to hold.
        later = {"headgate_restoration_phase", "headgate_check_verdict", "headgate_agent_refusals_total",
                 "headgate_implausible_counts_total", "headgate_agent_floods_total"}
        wrong = []
        for who, expression in questions:
            for name, labels in metrics.asked(expression).items():
                if name in exported:
                    wrong += [f"{who}: {name} has no label {label}" for label in labels - exported[name]]
                elif not (name in documented and (name in later or name.startswith("headgate_database_"))):
                    wrong.append(f"{who}: nobody exports {name}")
        return wrong

    def check_metrics(self):
        # The controller's page is of its last look around, a second ago at most, and may not know of the gate yet.
        process.wait_for(lambda: self.assertEqual(self.missing_metrics(), []) is None, 10,
                         "every metric that is asked for is exported")

    @unittest.skipUnless(shutil.which("haproxy"), "there is no haproxy")
    def test_a_new_pod_admits_what_was_chosen_until_its_agent_has_the_controller_s_word(self):
        self.begin("haproxy", shutil.which("haproxy"), lambda port: {"app": f"127.0.0.1:{port}"})
        self.start("haproxy")
        self.assertEqual(self.cluster.exec("gates", "create", "shop", "--share", "100%").returncode, 0)
        process.wait_for(lambda: not json.loads(self.cluster.exec("status", "shop", "-o", "json").stdout)["no_raise"], 20,
                         "the gate is settled at 100 %")
        self.pod.stop()
        self.schedule("haproxy", lambda port: {"app": f"127.0.0.1:{port}", "headgate-agent": {"bootstrapShare": "0%"}})
        self.start_balancer("haproxy")
        self.assertEqual(self.status_of_a_user(), 503)
        self.start_agent()
        process.wait_for(lambda: self.status_of_a_user() == 200, 20, "the controller's word is in force")

    @unittest.skipUnless(shutil.which("nginx"), "there is no nginx")
    def test_nginx_obeys(self):
        self.begin("nginx", shutil.which("nginx"), lambda port: {"app": f"127.0.0.1:{port}"})
        self.start("nginx")
        self.restore()

    @unittest.skipUnless(os.access(envoy_program(), os.X_OK), "there is no Envoy: `./dev test` installs it where it can be had")
    def test_envoy_obeys(self):
        self.begin("envoy", envoy_program(), lambda port: {"app": {"host": "127.0.0.1", "port": port}})
        self.start("envoy")
        self.restore()


@unittest.skipUnless((BIN / "headgate-agent").exists(), "headgate-agent is not built: ./dev build")
class Printed(unittest.TestCase):
    def test_the_verbs_that_runbooks_and_pages_tell_exist(self):
        text = "".join((chart.ROOT / name).read_text(encoding="utf-8")
                       for name in ("docs/ALERTS.md", "docs/KUBERNETES.md", "charts/headgate/README.md",
                                    "charts/headgate/templates/NOTES.txt"))
        told = {"headgate": set(re.findall(r"(?:`|-- )headgate (?:--socket \S+ )?([a-z]+)\b", text)),
                "headgate-agent": set(re.findall(r"(?:`|-- )headgate-agent ([a-z]+)\b", text))}
        self.assertGreater(len(told["headgate"]), 10)
        for program, verbs in told.items():
            shown = subprocess.run([BIN / program, "--help"], capture_output=True, text=True, check=True).stdout
            self.assertEqual({verb for verb in verbs if not re.search(rf"^  {verb}\b", shown, re.MULTILINE)}, set(), program)

    def test_the_examples_parts_are_what_the_agent_prints(self):
        done = subprocess.run([sys.executable, chart.HEADGATE / "examples/print.py", BIN / "headgate-agent", "--check"],
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, ""))


if __name__ == "__main__":
    chart.main()
