"""The controller's objects, one promise each."""

import json
import unittest

import chart


def checksum(values=None):
    deployment = chart.render(values).one("Deployment")
    return deployment["spec"]["template"]["metadata"]["annotations"]["checksum/config"]


class Controller(unittest.TestCase):
    def setUp(self):
        chart.tools()

    def controller(self, values=None):
        spec = chart.render(values).one("Deployment")["spec"]["template"]["spec"]
        return spec, chart.container(spec, "controller")

    def test_one_replica_whose_journal_no_second_pod_can_mount(self):
        rendered = chart.render()
        deployment = rendered.one("Deployment")
        self.assertEqual(deployment["spec"]["replicas"], 1)
        self.assertEqual(deployment["spec"]["strategy"], {"type": "Recreate"})
        claim = rendered.one("PersistentVolumeClaim")
        self.assertEqual(claim["spec"]["accessModes"], ["ReadWriteOncePod"])
        self.assertEqual(claim["metadata"]["annotations"]["helm.sh/resource-policy"], "keep")
        volumes = {it["name"]: it for it in deployment["spec"]["template"]["spec"]["volumes"]}
        self.assertEqual(volumes["journal"]["persistentVolumeClaim"]["claimName"], claim["metadata"]["name"])

    def test_the_journal_lies_on_its_volume(self):
        _, controller = self.controller()
        mounts = {it["name"]: it["mountPath"] for it in controller["volumeMounts"]}
        self.assertIn(f"--journal={mounts['journal']}/journal.db", controller["args"])

    def test_a_claim_that_is_there_is_used_and_none_is_made(self):
        rendered = chart.render({"controller": {"persistence": {"existingClaim": "mine"}}})
        self.assertEqual(rendered.of("PersistentVolumeClaim"), [])
        self.assertIn("mine", json.dumps(rendered.one("Deployment")))

    def test_probes_ask_the_health_port_which_is_another_than_the_calls_and_the_metrics(self):
        _, controller = self.controller()
        ports = {it["name"]: it["containerPort"] for it in controller["ports"]}
        self.assertEqual(len(set(ports.values())), 3)
        for probe, service in (("startupProbe", "live"), ("livenessProbe", "live"), ("readinessProbe", "ready")):
            self.assertEqual(controller[probe]["grpc"], {"port": ports["health"], "service": service}, probe)
        self.assertIn(f"--health-listen=0.0.0.0:{ports['health']}", controller["args"])
        self.assertIn(f"--metrics-listen=0.0.0.0:{ports['metrics']}", controller["args"])
        self.assertIn(f"--listen=0.0.0.0:{ports['grpc']}", controller["args"])
        self.assertFalse([it for it in controller["args"] if "plaintext" in it])

    def test_a_controller_that_only_lowers_is_reached_all_the_same(self):
        for service in chart.render().of("Service"):
            self.assertTrue(service["spec"]["publishNotReadyAddresses"], service["metadata"]["name"])

    def test_no_service_shows_the_health_port(self):
        shown = [port["targetPort"] for service in chart.render().of("Service") for port in service["spec"]["ports"]]
        self.assertEqual(sorted(shown), ["grpc", "metrics"])

    def test_the_socket_s_folder_is_not_the_volume_itself_so_that_the_controller_makes_it_for_itself_alone(self):
        _, controller = self.controller()
        mounts = {it["mountPath"] for it in controller["volumeMounts"]}
        self.assertIn("--socket=/run/headgate/headgated.sock", controller["args"])
        self.assertIn("/run", mounts)
        self.assertNotIn("/run/headgate", mounts)

    def test_what_is_read_at_the_start_starts_a_new_pod_and_a_certificate_does_not(self):
        first = {"controller": {"databases": {"databases": {"orders": {"primary": "host=db1"}}}}}
        second = {"controller": {"databases": {"databases": {"orders": {"primary": "host=db2"}}}}}
        self.assertNotEqual(checksum(first), checksum(second))
        self.assertEqual(checksum(), checksum({"certificates": {"secrets": {"controller": "edge-tls"}}}))
        self.assertEqual(checksum(), checksum({"plans": {"a.yaml": chart.PLAN}}))

    def test_databases_and_their_secret_are_given_to_the_program(self):
        rendered = chart.render(chart.EVERYTHING)
        controller = chart.container(rendered.one("Deployment")["spec"]["template"]["spec"], "controller")
        self.assertIn("--databases=/etc/headgate/databases/databases.yaml", controller["args"])
        text = rendered.one("ConfigMap", "headgate-databases")["data"]["databases.yaml"]
        self.assertEqual(chart.strict(text, "json"), chart.EVERYTHING["controller"]["databases"])
        mounts = {it["name"]: it["mountPath"] for it in controller["volumeMounts"]}
        self.assertEqual(mounts["databases-secret"], "/etc/headgate/databases-secret")
        self.assertIn({"name": "PGSERVICEFILE", "value": "/etc/headgate/databases-secret/pg_service.conf"}, controller["env"])

    def test_an_epoch_is_adopted_as_it_was_written(self):
        _, controller = self.controller({"controller": {"adoptEpoch": 1753000000}})
        self.assertIn("--adopt-epoch=1753000000", controller["args"])
        _, controller = self.controller()
        self.assertFalse([it for it in controller["args"] if "adopt" in it])

    def test_ipv6_pods_listen_on_ipv6(self):
        _, controller = self.controller({"controller": {"listenAddress": "[::]"}})
        self.assertIn("--listen=[::]:7443", controller["args"])

    def test_replicas_are_spread_over_zones_and_hosts(self):
        spec, _ = self.controller()
        keys = [it["topologyKey"] for it in spec["topologySpreadConstraints"]]
        self.assertEqual(keys, ["topology.kubernetes.io/zone", "kubernetes.io/hostname"])

    def test_no_cpu_limit_makes_a_lowering_wait(self):
        _, controller = self.controller()
        self.assertNotIn("cpu", controller["resources"]["limits"])

    def test_images_have_no_host_unless_one_is_given_and_a_digest_is_preferred(self):
        _, controller = self.controller()
        self.assertRegex(controller["image"], r"^headgate/controller:\d+\.\d+\.\d+$")
        digest = "sha256:" + "a" * 64
        _, controller = self.controller({"controller": {"image": {"registry": "images.example/", "digest": digest}}})
        self.assertEqual(controller["image"], f"images.example/headgate/controller@{digest}")


class Budget(unittest.TestCase):
    """What a drain does."""

    @classmethod
    def setUpClass(cls):
        chart.tools()
        cls.examples = chart.Examples()
        cls.addClassCleanup(cls.examples.close)

    def budget(self, on_drain):
        values = {"controller": {"podDisruptionBudget": {"onDrain": on_drain}}}
        return chart.render(values).one("PodDisruptionBudget")["spec"], chart.template(values)

    def test_one_replica_is_not_taken_away_unasked(self):
        spec, _ = self.budget("wait")
        self.assertEqual(spec["minAvailable"], 1)
        self.assertNotIn("maxUnavailable", spec)

    def test_it_goes_at_once_where_that_is_wanted(self):
        spec, _ = self.budget("evict")
        self.assertEqual(spec["maxUnavailable"], 1)
        self.assertNotIn("minAvailable", spec)

    def test_what_is_broken_anyway_holds_no_drain_up(self):
        self.assertEqual(self.budget("wait")[0]["unhealthyPodEvictionPolicy"], "AlwaysAllow")

    def test_of_three_one_may_go_whatever_is_said_for_one(self):
        place = self.examples.own(chart.HERE / "own")
        text = chart.helm("template", "own", place, "--kube-version", chart.KUBE_VERSION, "-s", "templates/budgets.yaml")
        budgets = {it["metadata"]["name"]: it["data"]["budget"] for it in chart.strict(text)}
        self.assertEqual(budgets["three-wait"], "maxUnavailable: 1")
        self.assertEqual(budgets["three-evict"], "maxUnavailable: 1")
        self.assertEqual(budgets["one-wait"], "minAvailable: 1")


class Policies(unittest.TestCase):
    def setUp(self):
        chart.tools()

    def policies(self, values=None):
        return {it["metadata"]["name"].removeprefix("headgate-"): it["spec"]
                for it in chart.render(values).of("NetworkPolicy")}

    def test_each_listener_has_one_and_shows_its_port_alone(self):
        peers = [{"ipBlock": {"cidr": "10.0.0.0/8"}}]
        found = self.policies({"networkPolicy": {"callersFrom": peers, "metricsFrom": peers, "healthFrom": peers}})
        ports = {name: [port["port"] for rule in spec["ingress"] for port in rule["ports"]] for name, spec in found.items()}
        self.assertEqual(ports, {"grpc": [7443], "metrics": [9464], "health": [9466]})
        for spec in found.values():
            self.assertEqual([rule["from"] for rule in spec["ingress"]], [peers])

    def test_without_peers_nobody_comes_in(self):
        found = self.policies({"networkPolicy": {"callersFrom": []}})
        for name, spec in found.items():
            self.assertEqual((spec["policyTypes"], spec["ingress"]), (["Ingress"], []), name)

    def test_by_default_nobody_from_outside_the_cluster_calls(self):
        self.assertEqual(self.policies()["grpc"]["ingress"][0]["from"], [{"namespaceSelector": {}}])

    def test_what_it_may_reach_is_bounded_once_something_is_named_and_dns_stays(self):
        self.assertNotIn("egress", self.policies())
        rules = self.policies({"networkPolicy": {"egress": [{"ports": [{"port": 5432}]}]}})["egress"]["egress"]
        self.assertEqual([[port["port"] for port in rule["ports"]] for rule in rules], [[53, 53], [5432]])


if __name__ == "__main__":
    chart.main()
