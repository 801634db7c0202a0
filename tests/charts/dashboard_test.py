"""The dashboard: each metric that a panel asks for is documented, each expression is one to Prometheus. That the real
programs export them is run_test.py's. Needs no helm but for its ConfigMap."""

import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import chart
import metrics


class Dashboard(unittest.TestCase):
    def test_every_metric_and_label_of_a_panel_is_documented(self):
        known = metrics.documented()
        wrong = []
        for title, expression, shown in metrics.panel_questions():
            for name, labels in metrics.asked(expression).items():
                if name not in known:
                    wrong.append(f"{title}: {name}")
                elif known[name] is not None:
                    wrong += [f"{title}: {name} has no label {label}" for label in labels - known[name]]
            # A legend's label is one of the metrics' or one that is summed by.
            names = metrics.asked(expression)
            offered = set().union(*(known.get(name) or set() for name in names))
            if names and all(known.get(name) is not None for name in names):
                wrong += [f"{title}: the legend shows {label}" for label in shown - offered]
        self.assertEqual(wrong, [])

    def test_it_shows_every_metric_that_an_alert_asks_for(self):
        alerts = json.loads((chart.HEADGATE / "files/alerts.json").read_text(encoding="utf-8"))["alerts"]
        alarmed = {name for alert in alerts for name in metrics.asked(alert["expr"])}
        shown = {name for _, expression, _ in metrics.panel_questions() for name in metrics.asked(expression)}
        self.assertEqual(alarmed - shown, set())

    @unittest.skipUnless(shutil.which("promtool"), "there is no promtool: Debian's package prometheus has it")
    def test_every_expression_is_one_to_prometheus(self):
        rules = [{"record": f"panel:{number}", "expr": metrics.plain(expression)}
                 for number, (title, expression, _) in enumerate(metrics.panel_questions()) if title != "variable"]
        self.assertGreater(len(rules), 20)
        with tempfile.TemporaryDirectory(prefix="headgate-panels-") as folder:
            path = pathlib.Path(folder) / "rules.json"
            for wrong in (False, True):
                if wrong:
                    rules[0]["expr"] += ")"
                path.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}), encoding="utf-8")
                done = subprocess.run(["promtool", "check", "rules", str(path)], capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode != 0, wrong, done.stdout + done.stderr)

    def test_panels_do_not_overlap_and_have_numbers_of_their_own(self):
        panels = metrics.dashboard()["panels"]
        self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
        taken = set()
        for panel in panels:
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            self.assertLessEqual(at["x"] + at["w"], 24, panel["title"])
            self.assertEqual(cells & taken, set(), panel["title"])
            taken |= cells

    def test_its_configmap_holds_it_whole_where_the_sidecar_looks(self):
        chart.tools()
        config = chart.render({"dashboard": {"enabled": True}}).one("ConfigMap", "headgate-dashboard")
        self.assertEqual(json.loads(config["data"]["headgate.json"]), metrics.dashboard())
        self.assertEqual(config["metadata"]["labels"]["grafana_dashboard"], "1")


if __name__ == "__main__":
    chart.main()
