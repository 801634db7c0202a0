"""The alerts that the chart makes, tried by promtool: each fires for what it is made for, and is silent beside it."""

import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import chart

TARGET = 'job="headgate", instance="c:9464"'
AGENT = 'job="agents", instance="a:9467"'
DAY = 86400


def series(name, labels, values, target=TARGET):
    return {"series": f"{name}{{{', '.join(filter(None, [target, labels]))}}}", "values": values}


def phase(now, values="1x80"):
    return [series("headgate_restoration_phase", f'gate="shop", phase="{it}"', values if it == now else "0x80")
            for it in ("ADMITTING", "HOLDING", "RETREATING", "CURING", "COMPLETED")]


SHOP = {"gate": "shop"}
ON_CONTROLLER = {"job": "headgate", "instance": "c:9464"}
ON_AGENT = {"job": "agents", "instance": "a:9467"}
EDGE = SHOP | ON_CONTROLLER | {"agent": "edge-1"}

# Alert, what is scraped every 15 s, and when it must be silent (None) or fire, with which labels.
CASES = [
    ("HeadgateAgentSilent", [series("headgate_agent_connected", 'gate="shop", agent="edge-1"', "1x4 0x20"),
                             series("headgate_agent_connected", 'gate="shop", agent="edge-2"', "1x30")],
     [("1m", None), ("2m", None), ("2m30s", EDGE)]),
    ("HeadgateAgentSilent", [series("headgate_agent_connected", 'gate="shop", agent="edge-1"', "1x4 0x2 1x20")],
     [("2m", None), ("3m", None)]),
    ("HeadgateShareNotEnforced", [series("headgate_gate_share_ratio", 'gate="shop"', "0.2x4 0.1x20"),
                                  series("headgate_agent_enforced_share_ratio", 'gate="shop", agent="edge-1"', "0.2x30"),
                                  series("headgate_agent_enforced_share_ratio", 'gate="shop", agent="edge-2"', "0.2x4 0.1x20")],
     [("1m", None), ("2m", None), ("2m30s", EDGE)]),
    ("HeadgateShareNotEnforced", [series("headgate_gate_share_ratio", 'gate="shop"', "0.123457x30"),
                                  series("headgate_agent_enforced_share_ratio", 'gate="shop", agent="edge-1"', "0.123457x30")],
     [("5m", None)]),
    # Two controllers of two teams, with gates of one name: neither is held against the other.
    ("HeadgateShareNotEnforced", [series("headgate_gate_share_ratio", 'gate="shop"', "0.2x30"),
                                  series("headgate_gate_share_ratio", 'gate="shop"', "0.9x30", 'job="headgate", instance="d:9464"'),
                                  series("headgate_agent_enforced_share_ratio", 'gate="shop", agent="edge-1"', "0.2x30")],
     [("5m", None)]),
    ("HeadgateShareNotObserved", [series("headgate_local_stage", 'gate="shop", stage="OBSERVED"', "1x4 0x30", AGENT),
                                  series("headgate_local_stage", 'gate="shop", stage="APPLIED"', "0x4 1x10 0x20", AGENT),
                                  series("headgate_local_stage", 'gate="shop", stage="REFUSED"', "0x14 1x20", AGENT)],
     [("3m", None), ("3m30s", SHOP | ON_AGENT), ("5m", SHOP | ON_AGENT)]),
    ("HeadgateShareNotObserved", [series("headgate_local_stage", 'gate="shop", stage="IDLE"', "1x60", AGENT),
                                  series("headgate_local_stage", 'gate="shop", stage="APPLIED"', "0x60", AGENT)],
     [("10m", None)]),
    ("HeadgateHoldingForLong", phase("HOLDING"), [("9m", None), ("10m30s", SHOP | ON_CONTROLLER | {"phase": "HOLDING"})]),
    ("HeadgateHoldingForLong", phase("ADMITTING"), [("15m", None)]),
    ("HeadgateNeedsAPerson", [series("headgate_gate_needs_a_person", 'gate="shop"', "0x4 1x20")],
     [("1m", None), ("2m", SHOP | ON_CONTROLLER)]),
    ("HeadgateJournalNotWritable", [series("headgate_gate_recorded", 'gate="shop"', "1x4 0x20"),
                                    series("headgate_journal_failures_total", "", "0x30")],
     [("1m", None), ("2m", SHOP | ON_CONTROLLER)]),
    ("HeadgateJournalNotWritable", [series("headgate_gate_recorded", 'gate="shop"', "1x40"),
                                    series("headgate_journal_failures_total", "", "0x4 3x40")],
     [("1m", None), ("2m30s", ON_CONTROLLER), ("9m", None)]),
    ("HeadgateLowerOnly", [series("headgate_leads", "", "1x4 0x20")], [("1m", None), ("2m", ON_CONTROLLER)]),
    ("HeadgateCertificateEnds", [series("headgate_certificate_not_after_seconds", "", f"{14 * DAY + 600}x200")],
     [("9m", None), ("24m", None), ("26m", ON_CONTROLLER)]),
    ("HeadgateCertificateEnds", [series("headgate_certificate_not_after_seconds", "", f"{16 * DAY}x200")], [("40m", None)]),
    ("HeadgateAgentCertificateEnds", [series("headgate_local_certificate_not_after_seconds", "", "0x200", AGENT)],
     [("10m", None), ("16m", ON_AGENT)]),
    ("HeadgateAgentCertificateEnds", [series("headgate_local_certificate_not_after_seconds", "", f"{30 * DAY}x200", AGENT)],
     [("40m", None)]),
    ("HeadgateCertificateRefused", [series("headgate_certificate_refused", "", "1x8 0x8 1x100")],
     [("6m", None), ("14m", ON_CONTROLLER)]),
    ("HeadgateCertificateRefused", [series("headgate_local_certificate_refused", "", "0x10 1x100", AGENT)],
     [("4m", None), ("12m", ON_AGENT)]),
    ("HeadgateRetreated", phase("ADMITTING"), [("10m", None)]),
    ("HeadgateRetreated", phase("CURING"), [("0s", SHOP), ("5m", SHOP)]),
    # Back before it was scraped: only the counter knows, and it is there only since.
    ("HeadgateRetreated", [series("headgate_decisions_total", 'gate="shop", what="retreat"', "_x8 1x100"),
                           series("headgate_decisions_total", 'gate="shop", what="admit"', "3x108")],
     [("1m", None), ("2m30s", SHOP), ("11m", SHOP), ("13m", None)]),
    ("HeadgateRetreated", [series("headgate_decisions_total", 'gate="shop", what="drain"', "2x60 3x100")],
     [("14m", None), ("16m", SHOP), ("27m", None)]),
    ("HeadgateOpenByOperator", [series("headgate_gate_open_by_operator", 'gate="shop"', "0x4 1x4 0x20")],
     [("1m", None), ("1m30s", SHOP | ON_CONTROLLER), ("3m", None)]),
    ("HeadgateControllerGone", [series("headgate_epoch", "", "1753000000x20 _x100")],
     [("4m", None), ("9m", None), ("13m", {})]),
]


def filled(text, labels):
    """As Prometheus fills an annotation."""
    return re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda match: labels.get(match.group(1), ""), text)


@unittest.skipUnless(shutil.which("promtool"), "there is no promtool: Debian's package prometheus has it")
class Alerts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        chart.tools()
        values = {"prometheusRule": {"enabled": True, "runbookUrl": "https://runbooks.example/ALERTS.md"}}
        cls.groups = chart.render(values).one("PrometheusRule")["spec"]
        cls.rules = {rule["alert"]: rule for group in cls.groups["groups"] for rule in group["rules"]}
        cls.folder = tempfile.TemporaryDirectory(prefix="headgate-alerts-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.write("rules.json", cls.groups)

    @classmethod
    def write(cls, name, document):
        path = pathlib.Path(cls.folder.name) / name
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    def promtool(self, *words):
        return subprocess.run(["promtool", *words], capture_output=True, text=True, timeout=60, check=False)

    def firing(self, alert, labels):
        rule = self.rules[alert]
        annotations = {name: filled(text, labels) for name, text in rule["annotations"].items()}
        return {"exp_labels": labels | rule["labels"], "exp_annotations": annotations}

    def test_each_fires_for_what_it_is_made_for_and_is_silent_beside_it(self):
        tests = [{"interval": "15s", "input_series": scraped, "alert_rule_test": [
            {"eval_time": at, "alertname": alert, "exp_alerts": [] if labels is None else [self.firing(alert, labels)]}
            for at, labels in moments]} for alert, scraped, moments in CASES]
        path = self.write("tests.json", {"rule_files": ["rules.json"], "evaluation_interval": "15s", "tests": tests})
        done = self.promtool("test", "rules", str(path))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_every_alert_has_a_case_that_fires_and_one_that_does_not(self):
        fires = {alert for alert, _, moments in CASES if any(labels is not None for _, labels in moments)}
        silent = {alert for alert, _, moments in CASES if any(labels is None for _, labels in moments)}
        self.assertEqual(fires, set(self.rules))
        self.assertEqual(silent, set(self.rules))

    def test_a_wrong_case_would_be_told(self):
        wrong = {"interval": "15s", "input_series": [series("headgate_leads", "", "1x40")], "alert_rule_test": [
            {"eval_time": "5m", "alertname": "HeadgateLowerOnly", "exp_alerts": [self.firing("HeadgateLowerOnly", ON_CONTROLLER)]}]}
        path = self.write("wrong.json", {"rule_files": ["rules.json"], "evaluation_interval": "15s", "tests": [wrong]})
        self.assertNotEqual(self.promtool("test", "rules", str(path)).returncode, 0)

    def test_promtool_s_own_check_is_content(self):
        done = self.promtool("check", "rules", str(pathlib.Path(self.folder.name) / "rules.json"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_each_has_its_runbook_at_hand_and_a_section_of_the_page(self):
        page = (chart.ROOT / "docs/ALERTS.md").read_text(encoding="utf-8")
        for alert, rule in self.rules.items():
            steps = rule["annotations"]["runbook"].splitlines()
            self.assertGreaterEqual(len(steps), 2, alert)
            self.assertTrue(steps[0].startswith("1. "), alert)
            self.assertIn(f"\n## {alert}\n", page)
            self.assertEqual(rule["annotations"]["runbook_url"], f"https://runbooks.example/ALERTS.md#{alert.lower()}")
            self.assertIn(rule["labels"]["severity"], ("critical", "warning"))

    def test_a_controller_elsewhere_is_missed_there_and_not_here(self):
        values = {"prometheusRule": {"enabled": True}}
        names = [[rule["alert"] for rule in chart.render(values | {"controller": {"enabled": enabled}}).one("PrometheusRule")["spec"]["groups"][0]["rules"]]
                 for enabled in (True, False)]
        self.assertEqual(set(names[0]) - set(names[1]), {"HeadgateControllerGone"})

    def test_a_site_s_own_patience_and_severity_are_taken(self):
        values = {"prometheusRule": {"enabled": True, "for": {"HeadgateAgentSilent": "5m"}, "severity": {"HeadgateRetreated": "info"}}}
        rules = {rule["alert"]: rule for rule in chart.render(values).one("PrometheusRule")["spec"]["groups"][0]["rules"]}
        self.assertEqual(rules["HeadgateAgentSilent"]["for"], "5m")
        self.assertEqual(rules["HeadgateRetreated"]["labels"]["severity"], "info")
        self.assertNotIn("runbook_url", rules["HeadgateRetreated"]["annotations"])

    def test_the_schema_knows_every_alert_by_name(self):
        schema = json.loads((chart.HEADGATE / "values.schema.json").read_text(encoding="utf-8"))
        pattern = re.compile(next(iter(schema["definitions"]["byAlert"]["patternProperties"])))
        self.assertEqual([alert for alert in self.rules if not pattern.match(alert)], [])


if __name__ == "__main__":
    chart.main()
