"""Bad values are refused, with a word that helps. Each case is a value somebody might write, and what must stand in the
answer: where it is, and what is wrong or what to write."""

import unittest

import chart

GATE = chart.GATE_HAPROXY
SIDECAR = {"bootstrapShare": "0%", "certificates": {"mode": "hostPath"}, "gates": [GATE]}
DAEMON = {"agents": {"daemonSet": {"enabled": True}}}


def sidecar(**values):
    return DAEMON | {"headgate-agent": SIDECAR | values}


CASES = [
    # Typos, wherever they are.
    ({"controler": {}}, ["controler"]),
    ({"controller": {"replica": 1}}, ["/controller", "replica"]),
    ({"controller": {"image": {"repo": "x"}}}, ["/controller/image", "repo"]),
    ({"controller": {"persistence": {"storageClass": "fast"}}}, ["/controller/persistence", "storageClass"]),
    ({"controller": {"resources": {"request": {}}}}, ["/controller/resources", "request"]),
    ({"controller": {"tolerations": [{"keys": "a"}]}}, ["/controller/tolerations/0", "keys"]),
    ({"controller": {"topologySpread": [{"topologykey": "zone"}]}}, ["/controller/topologySpread/0", "topologykey"]),
    ({"certificates": {"secret": {}}}, ["/certificates", "secret"]),
    ({"certificates": {"certManager": {"issuer": "a"}}}, ["/certificates/certManager", "issuer"]),
    ({"networkPolicy": {"callersFrom": [{"nameSpaceSelector": {}}]}}, ["/networkPolicy/callersFrom/0", "nameSpaceSelector"]),
    ({"serviceMonitor": {"enable": True}}, ["/serviceMonitor", "enable"]),
    ({"prometheusRule": {"for": {"HeadgateAgentSilnt": "1m"}}}, ["/prometheusRule/for", "HeadgateAgentSilnt"]),
    ({"prometheusRule": {"for": {"HeadgateAgentSilent": "a minute"}}}, ["/prometheusRule/for/HeadgateAgentSilent", "pattern"]),
    ({"agents": {"daemonset": {}}}, ["/agents", "daemonset"]),
    ({"restoreJobs": {"shop": {"plan": "a.yaml", "wait": True}}}, ["/restoreJobs/shop", "wait"]),
    (sidecar(gate=[]), ["headgate-agent", "gate"]),
    (sidecar(gates=[GATE | {"haproxi": {}}]), ["/gates/0", "haproxi"]),
    (sidecar(gates=[{"name": "shop", "haproxy": GATE["haproxy"] | {"backend": "a"}}]), ["/gates/0/haproxy", "backend"]),
    (sidecar(rails={"step_up": "25%"}), ["/rails", "step_up"]),
    # Wrong types, and values that there are not.
    ({"controller": {"replicas": "1"}}, ["/controller/replicas", "integer"]),
    ({"controller": {"enabled": "yes"}}, ["/controller/enabled", "boolean"]),
    ({"controller": {"listenAddress": "127.0.0.1"}}, ["/controller/listenAddress", "0.0.0.0"]),
    ({"controller": {"persistence": {"accessMode": "ReadWriteMany"}}}, ["/controller/persistence/accessMode", "ReadWriteOncePod"]),
    ({"controller": {"persistence": {"size": "1 GB"}}}, ["/controller/persistence/size"]),
    ({"controller": {"podDisruptionBudget": {"onDrain": "block"}}}, ["onDrain", "wait", "evict"]),
    ({"controller": {"prometheusUrl": "prometheus:9090"}}, ["/controller/prometheusUrl", "https?://"]),
    ({"controller": {"image": {"digest": "sha256:12"}}}, ["/controller/image/digest"]),
    ({"service": {"port": 70000}}, ["/service/port", "65,535"]),
    ({"certificates": {"mode": "vault"}}, ["/certificates/mode", "secrets", "certManager"]),
    ({"certificates": {"secrets": {"controller": ""}}}, ["/certificates/secrets/controller"]),
    ({"plans": {"Restore Shop": "gate: shop"}}, ["/plans", "Restore Shop"]),
    ({"plans": {"restore.yaml": {"gate": "shop"}}}, ["/plans/restore.yaml", "string"]),
    ({"restoreJobs": {"shop": {}}}, ["/restoreJobs/shop", "plan"]),
    ({"restoreJobs": {"shop": {"plan": "a.yaml", "timeout": "one hour"}}}, ["/restoreJobs/shop/timeout"]),
    (sidecar(bootstrapShare="half"), ["/bootstrapShare"]),
    (sidecar(bootstrapShare="120%"), ["/bootstrapShare"]),
    (sidecar(runAsUser=0), ["/runAsUser", "minimum"]),
    (sidecar(controllers=["headgate"]), ["/controllers/0"]),
    (sidecar(ports={"health": 80}), ["/ports/health", "1,024"]),
    ({"fullnameOverride": "Head Gate"}, ["/fullnameOverride", "pattern"]),
    ({"fullnameOverride": "1shop"}, ["/fullnameOverride", "pattern"]),
    ({"nameOverride": "head_gate"}, ["/nameOverride", "pattern"]),
    # What no schema can say.
    ({"controller": {"podLabels": {"app.kubernetes.io/name": "mine"}}}, ["controller.podLabels has app.kubernetes.io/name", "leave it out"]),
    ({"controller": {"enabled": False}, "restoreJobs": {"shop": {"plan": "a.yaml"}}, "plans": {"a.yaml": "gate: shop"}},
     ["restoreJobs.shop", "controller.enabled is false"]),
    ({"controller": {"replicas": 3}}, ["controller.replicas is 3", "SQLite", "write 1"]),
    ({"certificates": {"mode": "certManager"}}, ["certificates.certManager.issuerRef.name", "name the issuer"]),
    ({"certificates": {"mode": "certManager", "certManager": {"issuerRef": {"name": "ca"}}}}, ["certificates.trustDomain", "shop.example"]),
    ({"serviceMonitor": {"enabled": True}}, ["certificates.secrets.prometheus", "viewer"]),
    ({"serviceMonitor": {"enabled": True}, "certificates": {"secrets": {"prometheus": "p"}}}, ["networkPolicy.metricsFrom", "name Prometheus"]),
    ({"restoreJobs": {"shop": {"plan": "restore.yaml"}}, "plans": {"restore-shop.yaml": "gate: shop"},
      "certificates": {"secrets": {"operator": "o"}}}, ["restoreJobs.shop.plan", "restore.yaml", "it has restore-shop.yaml"]),
    ({"restoreJobs": {"shop": {"plan": "a.yaml"}}, "plans": {"a.yaml": "gate: shop"}}, ["certificates.secrets.operator", "role operator"]),
    (sidecar(gates=[]), ["gates names no gate", "agent.yaml"]),
    (sidecar(gates=[{"name": "shop"}]), ["gates[0] (shop) needs one load balancer", "haproxy, nginx, envoy, endpoint"]),
    (sidecar(gates=[GATE | {"nginx": {"share": "/a", "token": "/b", "probe_url": "http://c"}}]), ["needs one load balancer, and has 2"]),
    (sidecar(bootstrapShare=""), ["bootstrapShare is empty", "0%", "100%"]),
    (sidecar(certificates={"mode": "secret", "secretName": "edge-tls"}), ["agents.daemonSet", "hostPath"]),
]
SIDECAR_CASES = [
    ({"certificates": {"mode": "secret"}}, ["secretName is empty", "headgate certs issue --role agent"]),
    ({"certificates": {"mode": "secretPerPod"}}, ["secretPerPod names no pod", "edge-0"]),
    ({"certificates": {"csi": {"issuerRef": {"name": ""}}}}, ["issuerRef.name is empty", "cert-manager"]),
    ({"certificates": {"csi": {"trustDomain": ""}}}, ["trustDomain is empty"]),
    ({"storage": "pvc"}, ["/storage", "emptyDir", "claims"]),
]


class Refusals(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        chart.tools()
        cls.examples = chart.Examples()
        cls.addClassCleanup(cls.examples.close)

    def refuse(self, words, values, **named):
        with self.assertRaises(chart.Refused, msg=f"{values} are taken") as refused:
            chart.template(values, **named)
        for word in words:
            self.assertIn(word, str(refused.exception), values)

    def test_of_the_chart(self):
        for values, words in CASES:
            with self.subTest(values=values):
                self.refuse(words, values)

    def test_of_a_release_s_name(self):
        for release in ("1shop", "shop.eu"):
            self.refuse([f"{release}-headgate", "write fullnameOverride"], {}, release=release)
            chart.template({"fullnameOverride": "shop"}, release=release)

    def test_the_good_neighbours_of_those_are_taken(self):
        chart.template({})
        chart.template(sidecar())
        chart.template({"prometheusRule": {"for": {"HeadgateAgentSilent": "1m"}}})

    def test_of_a_sidecar_in_a_chart_of_one_s_own(self):
        place = self.examples.chart("haproxy")
        chart.template({}, chart=place)
        for values, words in SIDECAR_CASES:
            with self.subTest(values=values):
                self.refuse(words, {"headgate-agent": values}, chart=place)


if __name__ == "__main__":
    chart.main()
