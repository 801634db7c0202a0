"""Plans, jobs that end a restore, certificates, monitors and notes, one promise each; and what is generated is current."""

import json
import re
import subprocess
import sys
import unittest

import chart


class Jobs(unittest.TestCase):
    def setUp(self):
        chart.tools()
        self.rendered = chart.render(chart.EVERYTHING)
        self.job = self.rendered.one("CronJob", "headgate-restore-shop")
        self.pod = self.job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        self.headgate = chart.container(self.pod, "headgate")

    def test_nothing_starts_by_itself(self):
        self.assertTrue(self.job["spec"]["suspend"])
        self.assertEqual(self.rendered.of("Job"), [])

    def test_it_starts_the_plan_when_it_is_ready_and_waits_for_its_end(self):
        self.assertEqual(self.headgate["args"], ["start", "/etc/headgate/plans/restore-shop.yaml", "--when-ready", "--wait",
                                                 "--timeout=2h", "--reason=restore of the night"])

    def test_the_exit_code_is_headgate_s_own_and_no_second_pod_hides_it(self):
        self.assertEqual(self.headgate["command"], ["/usr/bin/headgate"])
        self.assertEqual(self.pod["restartPolicy"], "Never")
        self.assertEqual(self.job["spec"]["jobTemplate"]["spec"]["backoffLimit"], 0)
        self.assertEqual([it["name"] for it in self.pod["containers"]], ["headgate"])

    def test_the_restore_comes_first(self):
        self.assertEqual([it["name"] for it in self.pod["initContainers"]], ["restore"])

    def test_a_plan_is_mounted_as_it_was_written(self):
        self.assertEqual(self.rendered.one("ConfigMap", "headgate-plans")["data"], {"restore-shop.yaml": chart.PLAN.rstrip("\n")})

    def test_it_calls_the_service_with_an_operator_s_certificate(self):
        env = {it["name"]: it["value"] for it in self.headgate["env"]}
        service = self.rendered.one("Service", "headgate")
        self.assertEqual(env["HEADGATE_CONTROLLER"], f"headgate.headgate.svc:{service['spec']['ports'][0]['port']}")
        certificate = self.rendered.one("Certificate", "headgate-operator")
        tls = next(it for it in self.pod["volumes"] if it["name"] == "tls")
        self.assertEqual(tls["secret"]["secretName"], certificate["spec"]["secretName"])


class Certificates(unittest.TestCase):
    def setUp(self):
        chart.tools()

    def test_each_has_one_uri_and_it_says_the_role(self):
        rendered = chart.render(chart.EVERYTHING)
        uris = {it["metadata"]["name"]: it["spec"]["uris"] for it in rendered.of("Certificate")}
        self.assertEqual(uris, {
            "headgate-controller": ["spiffe://shop.example/headgate/controller/headgate"],
            "headgate-operator": ["spiffe://shop.example/headgate/operator/restore-job"],
            "headgate-prometheus": ["spiffe://shop.example/headgate/viewer/prometheus"]})

    def test_only_what_is_used_is_issued(self):
        rendered = chart.render({"certificates": chart.MANAGED})
        self.assertEqual([it["metadata"]["name"] for it in rendered.of("Certificate")], ["headgate-controller"])
        self.assertEqual(chart.render().of("Certificate"), [])

    def test_keys_are_made_anew_and_serve_both_ways(self):
        spec = chart.render({"certificates": chart.MANAGED}).one("Certificate")["spec"]
        self.assertEqual(spec["privateKey"], {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"})
        self.assertEqual(spec["usages"], ["digital signature", "server auth", "client auth"])

    def test_prometheus_asks_by_a_name_that_is_in_the_certificate(self):
        rendered = chart.render(chart.EVERYTHING)
        asked = rendered.one("ServiceMonitor")["spec"]["endpoints"][0]["tlsConfig"]["serverName"]
        self.assertIn(asked, rendered.one("Certificate", "headgate-controller")["spec"]["dnsNames"])

    def test_a_renewal_comes_before_the_alert(self):
        spec = chart.render({"certificates": chart.MANAGED}).one("Certificate")["spec"]
        alert = next(it for it in alerts() if it["alert"] == "HeadgateCertificateEnds")
        days = int(re.search(r"< (\d+) \* 86400", alert["expr"]).group(1))
        self.assertGreater(int(spec["renewBefore"].removesuffix("h")), days * 24)


class Monitors(unittest.TestCase):
    def setUp(self):
        chart.tools()
        self.rendered = chart.render(chart.EVERYTHING)

    def test_the_monitor_selects_the_service_of_the_metrics_alone(self):
        selector = self.rendered.one("ServiceMonitor")["spec"]["selector"]["matchLabels"]
        found = [it["metadata"]["name"] for it in self.rendered.of("Service") if selector.items() <= it["metadata"]["labels"].items()]
        self.assertEqual(found, ["headgate-metrics"])

    def test_agents_are_found_by_the_label_that_the_library_gives(self):
        monitor = self.rendered.one("PodMonitor")["spec"]
        labels = self.rendered.one("DaemonSet")["spec"]["template"]["metadata"]["labels"]
        self.assertTrue(monitor["selector"]["matchLabels"].items() <= labels.items())
        agent = chart.container(self.rendered.one("DaemonSet")["spec"]["template"]["spec"], "headgate-agent")
        self.assertIn(monitor["podMetricsEndpoints"][0]["port"], [it["name"] for it in agent["ports"]])

    def test_agents_are_asked_by_the_name_that_their_certificates_have(self):
        values = json.loads((chart.HEADGATE / "charts/headgate-agent/values.schema.json").read_text(encoding="utf-8"))
        default = values["properties"]["certificates"]["properties"]["serverName"]["default"]
        asked = self.rendered.one("PodMonitor")["spec"]["podMetricsEndpoints"][0]["tlsConfig"]["serverName"]
        self.assertEqual(asked, default)

    def test_nothing_is_scraped_without_certificates(self):
        for kind, key in (("ServiceMonitor", "endpoints"), ("PodMonitor", "podMetricsEndpoints")):
            endpoint = self.rendered.one(kind)["spec"][key][0]
            self.assertEqual(endpoint["scheme"], "https")
            self.assertEqual(set(endpoint["tlsConfig"]), {"serverName", "ca", "cert", "keySecret"})


class Notes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        chart.tools()
        cls.examples = chart.Examples()
        cls.addClassCleanup(cls.examples.close)
        # helm shows notes to who installs into a cluster; here an object shows them.
        (cls.examples.root / "templates/shown.yaml").write_text(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shown}\n"
            'data: {notes: {{ include (print .Template.BasePath "/NOTES.txt") . | toJson }}}\n', encoding="utf-8")

    def notes(self, values=None):
        return chart.render(values, chart=self.examples.root).one("ConfigMap", "shown")["data"]["notes"]

    def test_they_say_the_next_three_commands_and_what_a_drain_does(self):
        text = self.notes()
        commands = [line.strip() for line in text.split("Next:")[1].splitlines() if line.strip()]
        self.assertTrue(all(line.startswith("kubectl ") for line in commands[:3]))
        self.assertIn("gates create shop", commands[1])
        self.assertIn("A drain of its node waits", text)
        self.assertIn("at once", self.notes({"controller": {"podDisruptionBudget": {"onDrain": "evict"}}}))


class ThePage(unittest.TestCase):
    """docs/KUBERNETES.md."""

    def test_the_values_that_it_shows_are_taken(self):
        chart.tools()
        text = (chart.ROOT / "docs/KUBERNETES.md").read_text(encoding="utf-8")
        values = {}
        for block in re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            if not block.startswith("# Chart.yaml"):
                values |= chart.strict(block, "json")
        self.assertGreater(len(values), 6)
        rendered = chart.render(values)
        self.assertTrue(rendered.one("CronJob", "headgate-restore-shop"))
        self.assertTrue(rendered.one("PrometheusRule"))


def alerts():
    return json.loads((chart.HEADGATE / "files/alerts.json").read_text(encoding="utf-8"))["alerts"]


class Generated(unittest.TestCase):
    """Needs no helm."""

    def test_readme_values_and_alerts_page_are_current(self):
        done = subprocess.run([sys.executable, chart.HEADGATE / "generate.py", "--check"], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_every_value_says_what_it_means(self):
        def walk(schema, path=""):
            for name, inner in schema.get("properties", {}).items():
                self.assertIn("description", inner, f"{path}/{name}")
                if "default" not in inner:
                    walk(inner, f"{path}/{name}")
        for folder in (chart.HEADGATE, chart.HEADGATE / "charts/headgate-agent"):
            walk(json.loads((folder / "values.schema.json").read_text(encoding="utf-8")))

    def test_chart_library_and_program_are_of_one_version(self):
        version = re.search(r"project\(headgate VERSION ([\d.]+)", (chart.ROOT / "CMakeLists.txt").read_text(encoding="utf-8")).group(1)
        for folder in (chart.HEADGATE, chart.HEADGATE / "charts/headgate-agent"):
            self.assertIn(f"\nappVersion: {version}\n", (folder / "Chart.yaml").read_text(encoding="utf-8"))
        helpers = (chart.HEADGATE / "charts/headgate-agent/templates/_agent.tpl").read_text(encoding="utf-8")
        self.assertIn(f'define "headgate-agent.version" -}}}}{version}{{{{-', helpers)

    def test_the_schema_refuses_what_it_does_not_know_everywhere(self):
        def walk(schema, path):
            if isinstance(schema, dict):
                if "properties" in schema:
                    self.assertIs(schema.get("additionalProperties"), False, path)
                for name, inner in schema.items():
                    walk(inner, f"{path}/{name}")
            elif isinstance(schema, list):
                for inner in schema:
                    walk(inner, path)
        for folder in (chart.HEADGATE, chart.HEADGATE / "charts/headgate-agent"):
            walk(json.loads((folder / "values.schema.json").read_text(encoding="utf-8")), folder.name)


if __name__ == "__main__":
    chart.main()
