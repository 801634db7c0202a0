"""The agent as a sidecar, in a chart of one's own and in the three examples, and as a DaemonSet."""

import json
import unittest

import chart
import rules


class Sidecar(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        chart.tools()
        cls.examples = chart.Examples()
        cls.addClassCleanup(cls.examples.close)
        cls.own = cls.examples.own(chart.HERE / "own")

    def pod(self, values=None):
        rendered = chart.render({"headgate-agent": values or {}}, chart=self.own, release="edge")
        return rendered, rendered.one("Deployment")["spec"]["template"]

    def agent(self, values=None):
        return chart.container(self.pod(values)[1]["spec"], "headgate-agent")

    def test_it_stands_in_a_deployment_of_one_s_own_and_keeps_every_rule(self):
        rendered, pod = self.pod()
        self.assertEqual(list(rules.broken(rendered)), [])
        self.assertEqual([it["name"] for it in pod["spec"]["containers"]], ["haproxy"])
        self.assertEqual(pod["metadata"]["labels"]["headgate/agent"], "true")

    def test_it_starts_before_the_load_balancer_and_ends_after_it(self):
        _, pod = self.pod()
        last = pod["spec"]["initContainers"][-1]
        self.assertEqual((last["name"], last["restartPolicy"]), ("headgate-agent", "Always"))

    def test_as_an_ordinary_container_it_has_no_restart_policy_of_its_own(self):
        rendered, pod = self.pod({"nativeSidecar": False})
        self.assertEqual([it["name"] for it in pod["spec"]["containers"]], ["haproxy", "headgate-agent"])
        self.assertNotIn("restartPolicy", pod["spec"]["containers"][1])
        self.assertEqual(list(rules.broken(rendered)), [])

    def test_a_controller_that_is_gone_takes_no_load_balancer_out_of_service(self):
        for values in ({}, {"nativeSidecar": False}):
            agent = self.agent(values)
            self.assertNotIn("readinessProbe", agent)
            self.assertEqual(agent["livenessProbe"]["grpc"]["service"], "live")

    def test_what_the_load_balancer_reads_at_its_start_is_made_before_it(self):
        _, pod = self.pod()
        args = [it["args"] for it in pod["spec"]["initContainers"][:-1]]
        self.assertEqual(args, [
            ["snippet", "haproxy", "--gate", "shop", "--bootstrap-share", "0%", "--app-backend", "app", "--map",
             "/var/lib/headgate/shop.map", "--write-map", "--slow", "500ms,1s"],
            ["snippet", "nginx", "--gate", "bank", "--bootstrap-share", "0%", "--share", "/var/lib/headgate/bank.share",
             "--folder", "/var/lib/headgate/nginx", "--write", "--key", "cookie bank_uid", "--bypass", "path=/healthz"]])

    def test_each_pod_is_an_agent_of_its_own(self):
        rendered, pod = self.pod()
        tls = next(it for it in pod["spec"]["volumes"] if it["name"] == "headgate-tls")
        self.assertEqual(tls["csi"]["volumeAttributes"]["csi.cert-manager.io/uri-sans"],
                         "spiffe://shop.example/headgate/agent/${POD_NAME}")
        self.assertTrue(tls["csi"]["readOnly"])
        self.assertEqual(rendered.of("Secret"), [])

    def test_a_secret_for_each_pod_reaches_the_pod_of_its_name_alone(self):
        secrets = {"edge-0": "edge-0-tls", "edge-1": "edge-1-tls"}
        values = {"certificates": {"mode": "secretPerPod", "secretPerPod": secrets}}
        rendered, pod = self.pod(values)
        files = rendered.one("ConfigMap", "edge-headgate-agent")["data"]
        self.assertEqual(set(files), {"edge-0.yaml", "edge-1.yaml"})
        agent = chart.container(pod["spec"], "headgate-agent")
        self.assertEqual(agent["args"], ["run", "--config", "/etc/headgate/agent/$(POD_NAME).yaml"])
        tls = next(it for it in pod["spec"]["volumes"] if it["name"] == "headgate-tls")
        paths = {item["path"] for source in tls["projected"]["sources"] for item in source["secret"]["items"]}
        for name, text in files.items():
            config = chart.strict(text, "json")
            for key in ("ca", "cert", "key"):
                path = config["tls"][key].removeprefix("/etc/headgate/tls/")
                self.assertIn(path, paths)
                self.assertTrue(path.startswith(name.removesuffix(".yaml") + "/"))

    def test_another_configuration_is_another_pod(self):
        def checksum(values):
            return self.pod(values)[1]["metadata"]["annotations"]["checksum/headgate-agent"]
        self.assertNotEqual(checksum({}), checksum({"pushEvery": "500ms"}))
        self.assertEqual(checksum({}), checksum({"resources": {"limits": {"memory": "1Gi"}, "requests": {"cpu": "1"}}}))

    def test_claims_take_the_place_of_what_ends_with_the_pod(self):
        rendered, _ = self.pod({"storage": "claims"})
        volumes = rendered.one("Deployment")["spec"]["template"]["spec"]["volumes"]
        self.assertFalse({"headgate-share", "headgate-state"} & {it["name"] for it in volumes})

    def test_the_snippet_s_words_do_not_stand_in_agent_yaml(self):
        rendered, _ = self.pod()
        config = chart.strict(rendered.one("ConfigMap", "edge-headgate-agent")["data"]["agent.yaml"], "json")
        self.assertEqual([sorted(gate) for gate in config["gates"]], [["haproxy", "name"], ["name", "nginx"]])


class TheExamples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        chart.tools()
        cls.examples = chart.Examples()
        cls.addClassCleanup(cls.examples.close)

    def each(self):
        for name in ("haproxy", "nginx", "envoy"):
            with self.subTest(example=name):
                yield name, chart.render(chart=self.examples.chart(name), release="edge")

    def test_each_is_sound_and_keeps_every_rule(self):
        for _, rendered in self.each():
            self.assertEqual(list(rules.broken(rendered)), [])
            self.assertTrue(rendered.one("PodDisruptionBudget"))

    def test_users_reach_the_load_balancer_and_prometheus_the_metrics_alone(self):
        for name in ("haproxy", "nginx", "envoy"):
            place = self.examples.chart(name)
            ports = [[port["port"] for rule in chart.render(values, chart=place).one("NetworkPolicy")["spec"]["ingress"]
                      for port in rule["ports"]] for values in ({}, {"metricsFrom": chart.PROMETHEUS})]
            self.assertEqual(ports, [[8080], [8080, 9467]], name)

    def test_the_load_balancer_s_readiness_is_its_own(self):
        for name, rendered in self.each():
            spec = rendered.one("StatefulSet")["spec"]["template"]["spec"]
            self.assertIn("readinessProbe", chart.container(spec, name))
            self.assertNotIn("readinessProbe", chart.container(spec, "headgate-agent"))

    def test_the_application_s_address_is_where_the_load_balancer_reads_it(self):
        for name, values, text in (("haproxy", {"app": "mine.shop:1234"}, "mine.shop:1234"),
                                   ("nginx", {"app": "mine.shop:1234"}, "server mine.shop:1234;"),
                                   ("envoy", {"app": {"host": "mine.shop", "port": 1234}}, "address: mine.shop, port_value: 1234")):
            found = json.dumps(chart.render(values, chart=self.examples.chart(name)).objects)
            self.assertIn(text, found, name)
            self.assertNotIn("app.invalid", found)


class OnEachNode(unittest.TestCase):
    def setUp(self):
        chart.tools()
        self.rendered = chart.render(chart.EVERYTHING)
        self.spec = self.rendered.one("DaemonSet")["spec"]

    def test_the_node_s_folders_outlive_the_pod_and_are_not_made_for_root(self):
        volumes = {it["name"]: it.get("hostPath") for it in self.spec["template"]["spec"]["volumes"]}
        for name in ("headgate-share", "headgate-state", "headgate-tls", "headgate-run", "haproxy"):
            self.assertEqual(volumes[name]["type"], "Directory", name)

    def test_it_reaches_the_load_balancer_on_the_node_s_loopback(self):
        self.assertTrue(self.spec["template"]["spec"]["hostNetwork"])
        self.assertEqual(self.spec["template"]["spec"]["securityContext"]["supplementalGroups"], [107])

    def test_a_rollout_stops_at_an_agent_that_is_not_ready(self):
        agent = chart.container(self.spec["template"]["spec"], "headgate-agent")
        self.assertEqual(agent["readinessProbe"]["grpc"]["service"], "ready")
        self.assertEqual(self.spec["updateStrategy"]["rollingUpdate"], {"maxUnavailable": 1})

    def test_the_controller_s_and_the_agent_s_ports_do_not_meet_on_a_node(self):
        controller = chart.container(self.rendered.one("Deployment")["spec"]["template"]["spec"], "controller")
        agent = chart.container(self.spec["template"]["spec"], "headgate-agent")
        ports = [{port["containerPort"] for port in it["ports"]} for it in (controller, agent)]
        self.assertEqual(ports[0] & (ports[1] | {9465}), set())


if __name__ == "__main__":
    chart.main()
