"""Every combination of what can be switched, rendered by helm, read as strictly as an API server reads, and held to the
rules that no value may break."""

import concurrent.futures
import itertools
import json
import pathlib
import tarfile
import tempfile
import unittest

import chart
import rules


def merged(*parts):
    whole = {}
    for part in parts:
        for key, value in part.items():
            both = isinstance(value, dict) and isinstance(whole.get(key), dict)
            whole[key] = merged(whole[key], value) if both else value
    return whole


def pick(*names):
    return {name: chart.EVERYTHING[name] for name in names}


SECRETS = {"certificates": {"secrets": {"operator": "operator-tls", "prometheus": "prometheus-tls"}}}
DIMENSIONS = [
    {"secrets": SECRETS, "cert-manager": pick("certificates")},
    {"plain": {}, "full": pick("controller", "service", "imagePullSecrets"),
     "no controller": {"controller": {"enabled": False}},
     "bare": {"controller": {"podDisruptionBudget": {"enabled": False}, "persistence": {"existingClaim": "mine"}},
              "networkPolicy": {"enabled": False}}},
    {"unwatched": {}, "watched": pick("serviceMonitor", "agentMonitor", "prometheusRule", "dashboard")
                              | {"networkPolicy": {"metricsFrom": chart.PROMETHEUS}}},
    {"no jobs": {}, "jobs": pick("plans", "restoreJobs")},
    {"no agents": {}, "agents": pick("agents", "headgate-agent")},
]
KUBE_VERSIONS = ["1.29.0", "1.34.0"]


class Matrix(unittest.TestCase):
    def test_every_combination_is_sound(self):
        chart.tools()
        # Jobs call their release's own controller; refused_test has that.
        combinations = [names for names in itertools.product(*DIMENSIONS) if not {"no controller", "jobs"} <= set(names)]

        def check(number, names):
            values = merged(*(dimension[name] for dimension, name in zip(DIMENSIONS, names)))
            version = KUBE_VERSIONS[number % len(KUBE_VERSIONS)]
            try:
                found = list(rules.broken(chart.render(values, kube_version=version), {"mine"}))
            except chart.Refused as refused:
                found = [str(refused)]
            return [f"{', '.join(names)}: {line}" for line in found]

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            results = pool.map(check, range(len(combinations)), combinations)
            lines = [line for found in results for line in found]
        self.assertEqual(len(combinations), 56)
        self.assertEqual(lines, [])

    def test_names_keep_kubernetes_bounds(self):
        job = chart.EVERYTHING["restoreJobs"]["shop"]
        rendered = chart.render(chart.EVERYTHING | {"fullnameOverride": "f" * 26, "restoreJobs": {"j" * 17: job}})
        for it in rendered.objects:
            self.assertLessEqual(len(it["metadata"]["name"]), 52 if it["kind"] == "CronJob" else 63, it["kind"])
        self.assertEqual(list(rules.broken(rendered)), [])
        with self.assertRaises(chart.Refused) as refused:
            chart.render(release="r" * 18)
        self.assertIn("write fullnameOverride", str(refused.exception))

    def test_another_release_shares_no_name(self):
        one = chart.render(chart.EVERYTHING, release="one")
        two = chart.render(chart.EVERYTHING, release="two")
        names = [{(it["kind"], it["metadata"]["name"]) for it in rendered.objects} for rendered in (one, two)]
        self.assertEqual(names[0] & names[1], set())

    def test_helm_s_own_lint_is_content(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            json.dump(chart.EVERYTHING, file)
            file.flush()
            library = chart.HEADGATE / "charts/headgate-agent"
            for words in ([chart.HEADGATE], [chart.HEADGATE, "-f", file.name], [library]):
                out = chart.helm("lint", "--strict", *words)
                self.assertNotIn("[WARNING]", out)
                self.assertIn("0 chart(s) failed", out)

    def test_what_is_packed_renders_the_same_and_holds_no_examples(self):
        with tempfile.TemporaryDirectory(prefix="headgate-packed-") as folder:
            chart.helm("package", chart.HEADGATE, "--destination", folder)
            packed = next(pathlib.Path(folder).glob("headgate-*.tgz"))
            with tarfile.open(packed) as tar:
                names = tar.getnames()
            self.assertFalse([name for name in names if "/examples/" in name or name.endswith("generate.py")])
            self.assertEqual(chart.template(chart.EVERYTHING, chart=packed), chart.template(chart.EVERYTHING))

    def test_an_older_kubernetes_is_refused_in_words(self):
        with self.assertRaises(chart.Refused) as refused:
            chart.render(kube_version="1.28.0")
        self.assertIn(">=1.29", str(refused.exception))


class TheReader(unittest.TestCase):
    """The strict reader must be able to fail."""

    def test_a_field_that_there_is_not_is_refused(self):
        text = chart.template()
        self.assertIn("revisionHistoryLimit", text)
        with self.assertRaises(chart.Refused) as refused:
            chart.strict(text.replace("revisionHistoryLimit", "revisionHistory"))
        self.assertIn('unknown field "spec.revisionHistory"', str(refused.exception))

    def test_a_field_that_is_there_twice_is_refused(self):
        with self.assertRaises(chart.Refused):
            chart.strict("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b}\ndata: {a: c}\n")

    def test_a_kind_that_there_is_not_is_refused(self):
        with self.assertRaises(chart.Refused):
            chart.strict("apiVersion: apps/v1\nkind: Deploymint\nmetadata: {name: a}\n")

    def test_a_wrong_type_is_refused(self):
        with self.assertRaises(chart.Refused):
            chart.strict(chart.template().replace("replicas: 1", "replicas: one"))

    def test_a_field_that_a_custom_resource_has_not_is_refused(self):
        text = chart.template(chart.EVERYTHING)
        for right, wrong in (("serverName:", "server_name:"), ("renewBefore:", "renewbefor:"), ("podMetricsEndpoints:", "podMetrics:")):
            self.assertIn(right, text)
            with self.assertRaises(chart.Refused, msg=wrong):
                chart.strict(text.replace(right, wrong))


if __name__ == "__main__":
    chart.main()
