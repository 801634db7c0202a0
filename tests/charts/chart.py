"""The chart as its tests see it: helm's rendering of values, read as strictly as an API server does. Standard library
only; helm and the strict reader are built by `./dev test`."""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
HEADGATE = ROOT / "charts/headgate"
MODULE = HERE / "kube"
KUBE_VERSION = "1.34.0"
WHY_NOT = ("there is no helm: the chart's tests skip. `./dev test` builds it where Go 1.24 or newer and its modules can be "
           "had; $HEADGATE_CHART_TOOLS names a folder with helm and kube")


# As CMakeLists.txt has it.
SKIPPED = 77


def main():
    """unittest.main, which tells ctest if tests skipped for want of helm, and nothing failed."""
    result = unittest.main(module="__main__", exit=False).result
    lacks_helm = WHY_NOT in [why for _, why in result.skipped]
    if lacks_helm:
        print(WHY_NOT, file=sys.stderr)
    sys.exit(1 if not result.wasSuccessful() else SKIPPED if lacks_helm else 0)


def tools():
    """The folder of helm and kube; skips where there is none. As in `dev`."""
    if os.environ.get("HEADGATE_CHART_TOOLS"):
        return pathlib.Path(os.environ["HEADGATE_CHART_TOOLS"])
    bytes_of = b"".join((MODULE / name).read_bytes() for name in ("go.mod", "go.sum", "main.go"))
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    folder = cache / "headgate" / f"charts-{hashlib.sha256(bytes_of).hexdigest()[:12]}"
    if not (folder / "helm").exists() or not (folder / "kube").exists():
        raise unittest.SkipTest(WHY_NOT)
    return folder


class Refused(AssertionError):
    """helm, or the strict reader, said no."""


def helm(*words):
    """What it prints; Refused with what it complains of. Nothing of the machine's own helm is seen or changed."""
    with tempfile.TemporaryDirectory(prefix="headgate-helm-") as own:
        env = os.environ | {"HELM_CACHE_HOME": own, "HELM_CONFIG_HOME": own, "HELM_DATA_HOME": own}
        done = subprocess.run([tools() / "helm", *[str(word) for word in words]], capture_output=True, text=True,
                              timeout=60, env=env, check=False)
    if done.returncode != 0:
        raise Refused(done.stderr + done.stdout)
    return done.stdout


def strict(text, word="objects"):
    """Objects of the rendered text, each read into the API's own type."""
    done = subprocess.run([tools() / "kube", word], input=text, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise Refused(done.stderr)
    return json.loads(done.stdout)


def template(values=None, chart=HEADGATE, release="headgate", namespace="headgate", kube_version=KUBE_VERSION):
    """The text that helm makes of the chart."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(values or {}, file)
        file.flush()
        return helm("template", release, chart, "--namespace", namespace, "--kube-version", kube_version, "-f", file.name)


class Rendered:
    """Objects of one rendering."""

    def __init__(self, objects):
        self.objects = objects

    def of(self, kind):
        return [it for it in self.objects if it["kind"] == kind]

    def one(self, kind, name=None):
        found = [it for it in self.of(kind) if name in (None, it["metadata"]["name"])]
        if len(found) != 1:
            raise AssertionError(f"{len(found)} objects {kind} {name or ''}, not one")
        return found[0]

    def pods(self):
        """Of each workload: its object, its pod's metadata and spec."""
        for it in self.objects:
            if it["kind"] in ("Deployment", "StatefulSet", "DaemonSet"):
                pod = it["spec"]["template"]
            elif it["kind"] == "CronJob":
                pod = it["spec"]["jobTemplate"]["spec"]["template"]
            else:
                continue
            yield it, pod["metadata"], pod["spec"]


def render(values=None, **named):
    return Rendered(strict(template(values, **named)))


def containers(spec):
    return spec.get("initContainers", []) + spec["containers"]


def container(spec, name):
    return next(it for it in containers(spec) if it["name"] == name)


class Examples:
    """Copies of the chart and its examples with their dependencies, as who copies one builds them."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="headgate-charts-")
        self.root = pathlib.Path(self._folder.name) / "headgate"
        shutil.copytree(HEADGATE, self.root)

    def chart(self, name):
        return self.built(self.root / "examples" / name)

    def own(self, folder):
        """A chart of the tests, beside the examples."""
        place = self.root / "examples" / folder.name
        shutil.copytree(folder, place)
        return self.built(place)

    @staticmethod
    def built(place):
        if not (place / "charts").exists():
            helm("dependency", "update", place)
        return place

    def close(self):
        self._folder.cleanup()


MANAGED = {"mode": "certManager", "trustDomain": "shop.example", "certManager": {"issuerRef": {"name": "headgate-ca"}}}
GATE_HAPROXY = {"name": "shop", "haproxy": {
    "socket": "/run/haproxy/admin.sock", "map": "/var/lib/headgate/shop.map", "app_backend": "app",
    "probe_url": "http://127.0.0.1:80/.headgate/probe", "slow": ["500ms"]}}
PLAN = """gate: shop
preflight: {agents: [edge-0, edge-1]}
checks:
  - {name: errors, ratio: agents.http_5xx, limit: 1%}
"""
PROMETHEUS = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]
EVERYTHING = {
    "certificates": MANAGED,
    "imagePullSecrets": [{"name": "registry"}],
    "controller": {
        "listenAddress": "[::]", "prometheusUrl": "http://prometheus.monitoring:9090", "adoptEpoch": 1753000000,
        "databases": {"databases": {"orders": {"engine": "postgres", "primary": "host=db1"}}}, "databasesSecret": "pgpass",
        "persistence": {"storageClassName": "fast", "accessMode": "ReadWriteOnce", "keep": False},
        "priorityClassName": "system-cluster-critical", "nodeSelector": {"zone": "a"},
        "tolerations": [{"key": "edge", "operator": "Exists"}], "affinity": {"nodeAffinity": {}},
        "podLabels": {"team": "edge"}, "podAnnotations": {"note": "yes"},
        "extraVolumes": [{"name": "more", "emptyDir": {}}], "extraVolumeMounts": [{"name": "more", "mountPath": "/more"}]},
    "service": {"type": "LoadBalancer", "annotations": {"a": "b"}, "loadBalancerSourceRanges": ["10.0.0.0/8"]},
    "networkPolicy": {"metricsFrom": PROMETHEUS, "egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]},
    "plans": {"restore-shop.yaml": PLAN},
    "restoreJobs": {"shop": {"plan": "restore-shop.yaml", "timeout": "2h", "reason": "restore of the night",
                             "initContainers": [{"name": "restore", "image": "shop/restore:1"}]}},
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "agentMonitor": {"enabled": True},
    "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
    "dashboard": {"enabled": True, "annotations": {"folder": "edge"}},
    "agents": {"daemonSet": {"enabled": True, "extraHostPaths": [{"name": "haproxy", "path": "/run/haproxy"}],
                             "supplementalGroups": [107]}},
    "headgate-agent": {"bootstrapShare": "0%", "certificates": {"mode": "hostPath"}, "gates": [GATE_HAPROXY],
                       "labels": {"zone": "eu"}, "rails": {"step_up_max": "25%"},
                       "extraVolumeMounts": [{"name": "haproxy", "mountPath": "/run/haproxy"}]},
}
