"""What somebody writes as a string arrives as that string: a name that looks like a number, a reason with a colon or a
sharp. Of a name like 1e3 the API server refused the object; of a reason all behind the sharp was lost."""

import copy
import unittest

import chart

# Below each of these is a string that may be anything, or begins as it stands here.
PLACES = {
    "imagePullSecrets.0.name": "", "controller.prometheusUrl": "http://prometheus/", "controller.databasesSecret": "",
    "controller.persistence.storageClassName": "", "controller.priorityClassName": "", "controller.nodeSelector.zone": "",
    "controller.image.registry": "", "controller.image.tag": "", "controller.topologySpread.0.topologyKey": "", "controller.podLabels.team": "",
    "controller.podAnnotations.note": "", "service.annotations.a": "", "service.loadBalancerSourceRanges.0": "",
    "certificates.certManager.issuerRef.name": "", "certificates.certManager.issuerRef.group": "",
    "certificates.certManager.extraDnsNames.0": "", "plans.restore-shop.yaml": "", "restoreJobs.shop.reason": "", "cli.image.registry": "",
    "cli.image.tag": "", "serviceMonitor.serverName": "", "serviceMonitor.labels.release": "", "agentMonitor.serverName": "",
    "agentMonitor.namespaceSelector.matchNames.0": "", "prometheusRule.runbookUrl": "http://wiki/",
    "prometheusRule.severity.HeadgateAgentSilent": "", "dashboard.labels.a": "", "dashboard.annotations.folder": "",
    "agents.daemonSet.hostPaths.share": "/", "agents.daemonSet.hostPaths.state": "/", "agents.daemonSet.hostPaths.run": "/",
    "agents.daemonSet.extraHostPaths.0.name": "", "agents.daemonSet.extraHostPaths.0.path": "/", "agents.daemonSet.priorityClassName": "",
    "agents.daemonSet.nodeSelector.zone": "", "headgate-agent.certificates.hostPath": "/", "headgate-agent.image.registry": "",
    "headgate-agent.image.tag": "", "headgate-agent.gates.0.name": "", "headgate-agent.gates.0.haproxy.socket": "",
    "headgate-agent.gates.0.haproxy.app_backend": "", "headgate-agent.timeZone": "", "headgate-agent.labels.zone": "",
    "headgate-agent.extraVolumeMounts.0.mountPath": "/",
}
BASE = chart.EVERYTHING | {"fullnameOverride": "headgate"}
LISTS = {"topologySpread": [{"topologyKey": ""}], "extraDnsNames": [""], "matchNames": [""]}


def put(values, place, word):
    """`place`: keys with dots between them; those of plans have dots of their own."""
    keys = ["plans", "restore-shop.yaml"] if place.startswith("plans.") else place.split(".")
    inner = values
    for key in keys[:-1]:
        if isinstance(inner, list):
            inner = inner[int(key)]
        else:
            inner = inner.setdefault(key, copy.deepcopy(LISTS.get(key, {})))
    if isinstance(inner, list):
        inner[int(keys[-1])] = word
    else:
        inner[keys[-1]] = word


def strings(value):
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    elif isinstance(value, str):
        yield value


class Strings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        chart.tools()

    def arrive(self, word_of, places):
        values = copy.deepcopy(BASE)
        words = {place: begin + word_of(number) for number, (place, begin) in enumerate(places.items())}
        for place, word in words.items():
            put(values, place, word)
        found = "\0".join(strings(chart.render(values).objects))
        self.assertEqual([place for place, word in words.items() if word not in found], [])

    def test_what_looks_like_a_number_is_a_string(self):
        self.arrive(lambda number: f"{number + 1}e3", PLACES)

    def test_what_looks_like_a_truth_is_a_string(self):
        for word in ("n", "on", "null"):
            with self.subTest(word=word):
                chart.render({"nameOverride": word}, release=f"headgate-{word}")
                rendered = chart.render({"fullnameOverride": word, "prometheusRule": {"enabled": True}}, release=word, namespace=word)
                self.assertEqual({it["metadata"]["namespace"] for it in rendered.objects}, {word})
                rendered.one("Deployment", word)

    def test_what_means_something_to_yaml_is_a_string(self):
        # Those within agent.yaml stand there in quotes of its own.
        places = {place: begin for place, begin in PLACES.items()
                  if not place.startswith(("headgate-agent.gates.0.haproxy.socket", "headgate-agent.timeZone", "headgate-agent.labels"))}
        self.arrive(lambda number: f"w{number}: \"#\", '{{*&!%@`|>}} #'}} - ]", places)


if __name__ == "__main__":
    chart.main()
